"""Views ask, the coordinator answers, trios show.

What happens to a person's work: a map that was edited is never replaced
without a question, and every replacement is one undoable step. A stop keeps
the picture and the map as they are. Deleting one of our layers loses only
that layer; deleting the photo ends its trio and leaves the others as
ordinary layers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from napari.utils.notifications import (
    show_error,
    show_info,
    show_warning,
)
from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer

from napari_sdcolor.errors import PhotoError, SdcolorError
from napari_sdcolor.plugin import preferences
from napari_sdcolor.plugin.appearance import Appearance
from napari_sdcolor.plugin.autosaver import Autosaver
from napari_sdcolor.plugin.brush import BrushController
from napari_sdcolor.plugin.chooser import PhotoChooser
from napari_sdcolor.plugin.coloring import RECOLOR, RUN, Coloring
from napari_sdcolor.plugin.display import Display
from napari_sdcolor.plugin.engine import Engine
from napari_sdcolor.plugin.file_check import FileCheck
from napari_sdcolor.plugin.jobs import Job, Jobs
from napari_sdcolor.plugin.painter import Painted
from napari_sdcolor.plugin.questions import Question, Questions
from napari_sdcolor.plugin.restoring import take_over, trios_of
from napari_sdcolor.plugin.status import Kind, Outcome, departed
from napari_sdcolor.plugin.trio import Trio

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Layer

    from napari_sdcolor.core.device import Device
    from napari_sdcolor.plugin.widget import Views
    from napari_sdcolor.settings import Size


SAVE = 'save'
"""Kind of the jobs that save."""

SETTLED = 200
"""Milliseconds without an edit after which the views catch up with it."""


class Coordinator(QObject):
    """Owns the trios, the worker and the answers to every request.

    Parameters
    ----------
    viewer
        The viewer (or its model).
    views
        The parts of the dock widget.
    engine
        Lends the networks.
    """

    def __init__(
        self, viewer: ViewerModel, views: Views, engine: Engine | None = None
    ) -> None:
        super().__init__()
        self.viewer = viewer
        self.views = views
        self.engine = engine or Engine()
        self.jobs = Jobs()
        self.coloring = Coloring(self.jobs, self.engine)
        self.brush = BrushController(viewer, views.classes, views.brush)
        self.appearance = Appearance(views.color)
        self.display = Display(
            views, self.brush, self.appearance, self.coloring
        )
        self.questions = Questions(views.banner)
        self.autosaver = Autosaver(self.jobs, self.questions)
        self.chooser = PhotoChooser(viewer, views.run, self.all_trios)
        self.files = FileCheck(
            viewer, self.jobs, self.chooser, views.banner, views.run
        )
        self._device: Device | None = None
        self.coloring.live = preferences.read().live
        views.color.set_live(self.coloring.live)
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(SETTLED)
        self._settled.timeout.connect(self._on_settled)
        # Layers of deleted photos, until it is known which of them stay.
        self._departed: list[tuple[str, Layer | None, Layer | None]] = []
        self._told_departed = QTimer(self)
        self._told_departed.setSingleShot(True)
        self._told_departed.timeout.connect(self._tell_departed)
        self._connect()
        self.adopt()
        self.chooser.refresh()
        self.show_state()

    # --- connections ------------------------------------------------------

    def _pairs(self) -> list[tuple]:
        """Every (signal, slot) pair between views, worker and this."""
        run, color = self.views.run, self.views.color
        return [
            (self.chooser.chosen, self.show_state),
            (self.chooser.chosen, self.files.on_chosen),
            (self.files.decided, self._on_decided),
            (run.window_requested, self._on_window_requested),
            (run.detail_requested, self._on_detail_requested),
            (run.weights_requested, self._on_weights_requested),
            (run.run_requested, self.run),
            (run.run_all_requested, self.run_all),
            (run.stop_requested, self.stop),
            (self.brush.painting, self._on_painting),
            (self.views.classes.replace_requested, self._on_replace_requested),
            (color.undo_requested, self.undo),
            (color.redo_requested, self.redo),
            (color.live_requested, self._on_live_requested),
            (color.update_requested, self.update),
            (color.saturation_requested, self._on_saturation_requested),
            (self.coloring.painted, self._on_painted),
            (self.coloring.disputed, self._on_disputed),
            (self.coloring.touched, self._on_touched),
            (self.coloring.pixels_changing, self.autosaver.flush),
            (self.coloring.lost, self._on_lost),
            (self.jobs.submitted, self._on_job_submitted),
            (self.jobs.started, self._on_job_changed),
            (self.jobs.progress, self._on_job_progress),
            (self.jobs.stopped, self._on_job_stopped),
            (self.jobs.failed, self._on_job_failed),
            (self.jobs.finished, self._on_job_changed),
        ]

    def _viewer_pairs(self) -> list[tuple]:
        return [
            (self.viewer.layers.events.inserted, self._on_layer_inserted),
            (self.viewer.layers.events.removed, self._on_layer_removed),
            (self.viewer.dims.events.current_step, self._on_plane_changed),
        ]

    def _connect(self) -> None:
        for signal, slot in self._pairs() + self._viewer_pairs():
            signal.connect(slot)

    def close(self) -> None:
        """The widget goes away: stop working, leave all layers."""
        # Python may tear a forgotten dock down in any order.
        for timer in (self._settled, self._told_departed):
            if isalive(timer):
                timer.stop()
        for trio in self.coloring.trios:
            # A stroke may have been painted a moment ago.
            self.autosaver.on_touched(trio)
        self.autosaver.close()
        self.jobs.close()
        self.coloring.close()
        self.chooser.close()
        self.files.close()
        self.brush.unbind()
        self.appearance.unbind()
        for signal, slot in self._viewer_pairs():
            signal.disconnect(slot)

    def adopt(self) -> None:
        """Follow every photo of the viewer that was run or restored.

        An earlier dock of this viewer may have left them, or a second one
        may follow them: whoever is asked last goes on with them.
        """
        layers = self.viewer.layers
        self._on_layer_inserted()
        for trio in trios_of(layers):
            if trio in self.coloring.trios or trio.photo not in layers:
                continue
            if trio.map is not None and trio.map not in layers:
                trio.forget_layer(trio.map)
            self.coloring.add(trio)

    def _on_layer_inserted(self, event: object = None) -> None:
        """Layers from a sidecar are here: go on with them."""
        for trio in take_over(self.viewer):
            self.coloring.add(trio)
            self.chooser.choose(trio.photo)
            self.viewer.layers.selection.active = trio.map
            # The photo may have been chosen before its map was there.
            self.show_state()

    # --- what is shown ----------------------------------------------------

    @property
    def photo(self) -> Image | None:
        """The chosen photo."""
        return self.chooser.photo

    @property
    def trio(self) -> Trio | None:
        """The trio of the chosen photo, once something was asked of it."""
        return next(
            (t for t in self.coloring.trios if t.photo == self.photo), None
        )

    @property
    def settling(self) -> bool:
        """The views have not caught up with the last edit yet."""
        return self._settled.isActive()

    def all_trios(self) -> list[Trio]:
        """Every photo of which something was asked, with its layers."""
        return self.coloring.trios

    def show_state(self) -> None:
        """Bring every view in line with the chosen photo."""
        trio = self.trio
        self.files.window = 'auto' if trio is None else trio.window
        self.display.show(self.photo, trio)
        self.questions.show_for(trio)
        self.files.show()

    def _show_status(self) -> None:
        self.display.show_status(self.photo, self.trio)

    def _on_layer_removed(self, event: object) -> None:
        layer = event.value
        for trio in list(self.coloring.trios):
            if layer == trio.photo:
                self._end(trio)
            elif trio.owns(layer):
                if layer == trio.map:
                    # It is still there for us, though not in the viewer.
                    self.autosaver.flush(trio)
                    self.coloring.unwatch(layer)
                    self.questions.forget(trio)
                trio.forget_layer(layer)
        self.chooser.refresh()
        self.show_state()

    def _end(self, trio: Trio) -> None:
        self._departed.append((trio.photo.name, trio.color, trio.map))
        self._forget(trio)
        # All layers may be on their way out, one after the other.
        self._told_departed.start(0)

    def _forget(self, trio: Trio) -> None:
        """Follow a photo no more; only its coloring is stopped."""
        self.autosaver.flush(trio)
        self.coloring.remove(trio)
        self.questions.forget(trio)

    def _tell_departed(self) -> None:
        layers = self.viewer.layers
        gone, self._departed = self._departed, []
        for name, color, map_ in gone:
            show_info(
                departed(name, color=color in layers, map_=map_ in layers)
            )

    def _on_lost(self, trio: Trio, error: PhotoError) -> None:
        """The layer is still there, but no photo any more."""
        self._forget(trio)
        self.show_state()
        show_error(str(error))

    def let_go(self, trio: Trio) -> None:
        """Take a photo and all its layers out of the viewer."""
        self._forget(trio)
        for layer in (trio.map, trio.color, trio.photo):
            if layer is not None and layer in self.viewer.layers:
                self.viewer.layers.remove(layer)

    def _on_plane_changed(self, event: object = None) -> None:
        trio = self.trio
        # Other pixels may come with other axes; of those we hear in a moment.
        if trio is None or trio.source.outdated or not trio.is_stack:
            return
        if trio.fill_gray(trio.plane):
            trio.refresh_color()
        self.coloring.follow(trio)
        self.display.show_plane(self.photo, trio)
        self.questions.show_for(trio)
        self.files.show()

    # --- run, stop, update ------------------------------------------------

    def run(self) -> None:
        """Segment and color the chosen photo; asks before losing edits.

        A photo that came from a file is looked at before: it may ask which
        pixels count.
        """
        self.when_settled(self._run)

    def when_settled(self, then: Callable[[], None]) -> None:
        """Do something for the chosen photo once its pixels are known.

        A photo that came from a file may be another one than its layer
        shows; it is the chosen one then.
        """
        self.files.settle(self.photo, then)

    def _run(self) -> None:
        trio = self.trio
        if trio is None or not trio.edited_share(trio.plane):
            self.segment_and_color()
            return
        undo = ' One undo would bring them back.' if trio.map_fits() else ''
        self.questions.ask(
            Question(
                trio,
                trio.plane,
                f'You edited the map of {trio.photo.name}. Segment the '
                f'photo again and replace your edits?{undo}',
                {'replace': 'Segment again', 'keep': 'Keep my map'},
                self._on_replace_answered,
            )
        )

    def _on_replace_answered(self, key: str) -> None:
        if key == 'replace':
            self.segment_and_color()
        elif key == 'keep':
            self.update()

    def ensure_trio(self) -> Trio | None:
        """The trio of the chosen photo, made if it must be.

        Returns
        -------
        Trio or None
            None if there is no photo, or none that can be colored; that
            was told then.
        """
        if self.photo is None:
            show_info('Open a gray photo first.')
            return None
        trio = self.trio
        if trio is None:
            try:
                trio = Trio(self.viewer, self.photo)
            except PhotoError as error:
                show_error(str(error))
                return None
            trio.saturation = self.engine.settings().saturation
            self.coloring.add(trio)
            self.questions.show_for(trio)
        return trio

    def segment_and_color(self) -> None:
        """Predict a fresh map of the shown plane and color it."""
        trio = self.ensure_trio()
        if trio is not None:
            self.coloring.segment_and_color(trio)

    def update(self) -> None:
        """Color the map of the shown plane as it is now."""
        trio = self.trio
        if trio is None or trio.map is None:
            self.run()
        else:
            self.coloring.recolor(trio, quiet=False, anew=True)

    # --- edits ------------------------------------------------------------

    def undo(self) -> None:
        """Take the last stroke back, as Ctrl+Z does."""
        if self.trio is not None and self.trio.map is not None:
            self.trio.map.undo()
            self._follow_hidden()

    def redo(self) -> None:
        """Paint it again."""
        if self.trio is not None and self.trio.map is not None:
            self.trio.map.redo()
            self._follow_hidden()

    def _follow_hidden(self) -> None:
        """napari tells of no change in a hidden layer."""
        self.coloring.look(self.trio.map)

    def _on_painting(self) -> None:
        """Somebody chose a class: what is painted on has to be seen."""
        if self.appearance.reveal():
            show_info(
                'The map is shown again, so that you see where you paint.'
            )

    def _on_replace_requested(self, old: int, new: int) -> None:
        trio = self.trio
        if trio is None or trio.map is None:
            return
        trio.replace_class(trio.plane, old, new)
        self._follow_hidden()

    def run_all(self) -> None:
        """Segment and color the planes that have no color and no edits."""
        self.when_settled(self._run_all)

    def _run_all(self) -> None:
        trio = self.ensure_trio()
        if trio is None:
            return
        planes = [
            plane
            for plane in range(trio.source.planes)
            if trio.planes[plane].shown is None
            and not trio.edited_share(plane)
        ]
        for plane in planes:
            self.coloring.segment_and_color(trio, plane)
        if not planes:
            show_info('Every plane is colored, or you painted its map.')

    # --- stop -------------------------------------------------------------

    def stop(self) -> None:
        """Stop what is done for the shown photo; its picture stays."""
        self.files.stop(self.photo)
        if self.trio is not None:
            self.jobs.stop(self.trio, (RUN, RECOLOR, SAVE))

    def pause(self) -> None:
        """Nobody looks: follow no edits."""
        self.coloring.paused = True

    def resume(self) -> None:
        """Somebody looks again: catch up."""
        self.coloring.paused = False
        self.coloring.follow_all()

    def _on_painted(self, trio: Trio, painted: Painted) -> None:
        shown = trio is self.trio
        if painted.whole:
            self.files.note(trio.photo, painted.photo)
        if painted.segmentation is not None and shown:
            # The next thing to do is to paint on the map.
            self.viewer.layers.selection.active = trio.map
        if painted.whole:
            # An edit changes none of this, and must not hold the brush up.
            self._show_device()
            if shown:
                self.show_state()
        elif shown:
            self._settled.start()
        self.autosaver.on_painted(trio, painted)

    def _on_disputed(self, trio: Trio, painted: Painted, size: Size) -> None:
        """A person painted while the photo was segmented again."""
        self.questions.ask(
            Question(
                trio,
                painted.plane,
                f'You painted on the map of {trio.photo.name} while it was '
                'being segmented. Take the new map and replace yours?',
                {'take': 'Take the new map', 'keep': 'Keep my map'},
                partial(self._on_dispute_answered, trio, painted, size),
                lasting=True,
            )
        )

    def _on_dispute_answered(
        self, trio: Trio, painted: Painted, size: Size, key: str
    ) -> None:
        there = trio in self.coloring.trios and trio.map is not None
        if key == 'take' and there and painted.version == trio.version:
            # The worker may have gone on with the person's map.
            self.coloring.miss(trio)
            self.coloring.show(trio, painted, size)

    def _show_device(self) -> None:
        device = self.engine.in_use
        if device is None or device == self._device:
            return
        self.display.show_device(device)
        if self._device is not None and device.notes:
            # It gave up on the way.
            show_warning(' '.join(device.notes))
        self._device = device

    def _on_touched(self, trio: Trio) -> None:
        self.autosaver.on_touched(trio)
        if trio is self.trio:
            self._settled.start()

    def _on_settled(self) -> None:
        self.display.show_plane(self.photo, self.trio)

    # --- the worker's news ------------------------------------------------

    def _on_job_submitted(self, job: Job) -> None:
        if isinstance(job.owner, Trio) and not job.quiet:
            # What came of an earlier one is of no interest now.
            known = job.owner.planes[job.plane]
            known.outcome = None
            if job.name == SAVE:
                known.save_outcome = None
        self._on_job_changed(job)

    def _on_job_changed(self, job: Job) -> None:
        if not job.quiet:
            self._show_status()

    def _on_job_progress(self, words: str) -> None:
        job = self.jobs.running
        if job is not None and not job.quiet:
            self._show_status()

    def _on_job_stopped(self, job: Job) -> None:
        self._came(job, Outcome(Kind.STOPPED))

    def _on_job_failed(self, job: Job, error: BaseException) -> None:
        if isinstance(error, SdcolorError):
            self._came(job, Outcome(Kind.FAILED, str(error)))
            show_error(str(error))
            return
        self._came(
            job,
            Outcome(Kind.FAILED, f'This failed: {type(error).__name__}.'),
        )
        # A fault of ours: napari shows the traceback to report.
        raise error

    def _came(self, job: Job, outcome: Outcome) -> None:
        """Remember with the photo and the plane what came of a job."""
        if isinstance(job.owner, Trio) and job.name in (RUN, RECOLOR, SAVE):
            known = job.owner.planes[job.plane]
            known.outcome = outcome
            if job.name == SAVE:
                known.save_outcome = outcome
        self._show_status()

    # --- settings of the picture ------------------------------------------

    def _on_decided(self, photo: Image) -> None:
        """The other pixels of a photo count now: color them."""
        if self.trio is not None and self.trio.photo == photo:
            self.coloring.take_pixels(self.trio)

    def _on_window_requested(self, choice: str) -> None:
        self.when_settled(partial(self._set, 'window', choice))

    def _on_detail_requested(self, size: Size) -> None:
        self.when_settled(partial(self._set, 'detail', size))

    def _on_weights_requested(self, name: str) -> None:
        preferences.remember_weights(name)
        self.when_settled(partial(self._set, 'weights', name))

    def _on_saturation_requested(self, saturation: float) -> None:
        self.when_settled(partial(self._set, 'saturation', saturation))

    def _set(self, name: str, value: object) -> None:
        """Take a setting over for the chosen photo; its color follows."""
        trio = self.ensure_trio()
        if trio is not None:
            setattr(trio, name, value)
            if name != 'detail':
                # Another detail waits for the next run.
                self.coloring.follow(trio, anew=True)
        self.show_state()

    def _on_live_requested(self, live: bool) -> None:
        self.coloring.live = live
        preferences.remember_live(live)
        self.coloring.follow_all(anew=True)
        self._show_status()
