"""Views ask, the coordinator answers, trios show.

What happens to a person's work: a map that was edited is never replaced
without a question, and every replacement is one undoable step. A stop keeps
the picture and the map as they are. Deleting one of our layers loses only
that layer; deleting the photo ends its trio and leaves the others as
ordinary layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.utils.notifications import (
    show_error,
    show_info,
    show_warning,
)
from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer

from napari_sdcolor.errors import SdcolorError
from napari_sdcolor.plugin import detail, preferences
from napari_sdcolor.plugin.appearance import Appearance
from napari_sdcolor.plugin.brush import BrushController
from napari_sdcolor.plugin.chooser import PhotoChooser
from napari_sdcolor.plugin.coloring import Coloring
from napari_sdcolor.plugin.display import NO_PHOTO, Display
from napari_sdcolor.plugin.engine import Engine
from napari_sdcolor.plugin.file_check import FileCheck
from napari_sdcolor.plugin.jobs import Job, Jobs
from napari_sdcolor.plugin.keeper import Keeper
from napari_sdcolor.plugin.painter import Painted
from napari_sdcolor.plugin.restoring import take_over
from napari_sdcolor.plugin.trio import METADATA_KEY, Trio

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_sdcolor.core.device import Device
    from napari_sdcolor.plugin.widget import Views
    from napari_sdcolor.settings import Size


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
        self.display = Display(views, self.brush, self.appearance)
        self.keeper = Keeper(self)
        self.chooser = PhotoChooser(viewer, views.run, self.all_trios)
        self.files = FileCheck(
            viewer, self.jobs, self.chooser, views.banner, views.run
        )
        self.window = 'auto'
        self._device: Device | None = None
        self.coloring.live = preferences.read().live
        views.color.live.setChecked(self.coloring.live)
        size = self.engine.settings().size
        views.run.set_details(detail.choices(size), size)
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(SETTLED)
        self._settled.timeout.connect(self._on_settled)
        self._connect()
        self._adopt()
        self.chooser.refresh()
        self.show_state()

    # --- connections ------------------------------------------------------

    def _pairs(self) -> list[tuple]:
        """Every (signal, slot) pair between views, worker and this."""
        run, color = self.views.run, self.views.color
        return [
            (self.chooser.chosen, self.show_state),
            (self.chooser.chosen, self.keeper.on_chosen),
            (self.chooser.chosen, self.files.on_chosen),
            (self.files.decided, self._on_decided),
            (run.window_requested, self._on_window_requested),
            (run.detail_requested, self._on_detail_requested),
            (run.run_requested, self.run),
            (run.stop_requested, self.stop),
            (color.live_requested, self._on_live_requested),
            (color.update_requested, self.update),
            (color.saturation_requested, self._on_saturation_requested),
            (self.coloring.painted, self._on_painted),
            (self.coloring.touched, self._on_touched),
            (self.jobs.started, self._on_job_started),
            (self.jobs.progress, self._on_job_progress),
            (self.jobs.failed, self._on_job_failed),
            (self.jobs.finished, self._on_job_finished),
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
        if isalive(self._settled):
            self._settled.stop()
        self.jobs.close()
        self.keeper.close()
        self.coloring.close()
        self.chooser.close()
        self.files.close()
        self.brush.unbind()
        self.appearance.unbind()
        for signal, slot in self._viewer_pairs():
            signal.disconnect(slot)

    def _adopt(self) -> None:
        """Go on with what an earlier dock of this viewer left."""
        layers = self.viewer.layers
        for layer in layers:
            trio = layer.metadata.get(METADATA_KEY)
            if isinstance(trio, Trio) and trio.photo in layers:
                if trio.map is not None and trio.map not in layers:
                    trio.forget_layer(trio.map)
                self.coloring.add(trio)
        self._on_layer_inserted()

    def _on_layer_inserted(self, event: object = None) -> None:
        """Layers from a sidecar are here: go on with them."""
        for trio in take_over(self.viewer):
            self.coloring.add(trio)
            self.chooser.choose(trio.photo)
            self.viewer.layers.selection.active = trio.map
            # The photo may have been chosen before its map was there.
            self.show_state()
            self.views.run.show_status(
                f'{trio.photo.name} is back as it was saved. Paint on its '
                'map, and the colors follow.'
            )

    # --- what is shown ----------------------------------------------------

    @property
    def photo(self) -> Image | None:
        """The chosen photo."""
        return self.chooser.photo

    @property
    def trio(self) -> Trio | None:
        """The trio of the chosen photo, once it was run."""
        return next(
            (t for t in self.coloring.trios if t.photo == self.photo), None
        )

    @property
    def settling(self) -> bool:
        """The views have not caught up with the last edit yet."""
        return self._settled.isActive()

    def all_trios(self) -> list[Trio]:
        """Every photo that was run, with its layers."""
        return self.coloring.trios

    def show_state(self) -> None:
        """Bring every view in line with the chosen photo."""
        running = self.jobs.running is not None
        if self.trio is None:
            self.display.show_photo(self.photo, running=running)
        else:
            self.display.show_trio(self.trio, running=running)
        self.display.show_detail(
            self.photo, self.trio, self.engine.settings().size
        )
        self.files.show()

    def _show_plane(self, trio: Trio) -> None:
        running = self.jobs.running is not None
        self.display.show_plane(trio, running=running)

    def _on_layer_removed(self, event: object) -> None:
        layer = event.value
        for trio in list(self.coloring.trios):
            if layer == trio.photo:
                self._end(trio)
            elif trio.owns(layer):
                if layer == trio.map:
                    self.coloring.unwatch(layer)
                    self.brush.bind(None)
                words = trio.forget_layer(layer)
                self.keeper.forget(trio)
                self.views.run.show_status(words)
        self.chooser.refresh()
        self.show_state()

    def _end(self, trio: Trio) -> None:
        self.stop()
        self.coloring.remove(trio)
        self.keeper.forget(trio)
        show_info(
            f'{trio.photo.name} was deleted; its color and map stay as '
            'ordinary layers.'
        )

    def let_go(self, trio: Trio) -> None:
        """Take a photo and all its layers out of the viewer."""
        self.stop()
        self.coloring.remove(trio)
        self.keeper.forget(trio)
        for layer in (trio.map, trio.color, trio.photo):
            if layer is not None and layer in self.viewer.layers:
                self.viewer.layers.remove(layer)

    def _on_plane_changed(self, event: object = None) -> None:
        trio = self.trio
        if trio is None or not trio.is_stack:
            return
        if trio.fill_gray(trio.plane):
            trio.refresh_color()
        self._show_plane(trio)
        self.keeper.on_chosen()
        self.files.show()
        self.coloring.follow(trio)

    # --- run, stop, update ------------------------------------------------

    def run(self) -> None:
        """Segment and color the chosen photo; asks before losing edits.

        A photo that came from a file is looked at before: it may ask which
        pixels count.
        """
        self.files.settle(self.photo, self._run)

    def _run(self) -> None:
        trio = self.trio
        edited = trio is not None and trio.edited_share(trio.plane) > 0
        if edited:
            self.keeper.ask_before_replacing(trio)
        else:
            self.segment_and_color()

    def segment_and_color(self) -> None:
        """Predict a fresh map of the shown plane and color it."""
        if self.photo is None:
            self.views.run.show_idle(NO_PHOTO)
            return
        trio = self.trio
        if trio is None:
            try:
                trio = Trio(self.viewer, self.photo)
            except SdcolorError as error:
                self._tell(error)
                return
            self.coloring.add(trio)
        self.coloring.segment_and_color(trio, self.window)

    def update(self) -> None:
        """Color the map of the shown plane as it is now."""
        trio = self.trio
        if trio is None or trio.map is None:
            self.run()
        else:
            self.coloring.recolor(trio, quiet=False, anew=True)

    def stop(self) -> None:
        """Stop what runs; the picture stays as it is."""
        self.coloring.drop()
        self.jobs.stop()

    def pause(self) -> None:
        """Nobody looks: follow no edits."""
        self.coloring.paused = True

    def resume(self) -> None:
        """Somebody looks again: catch up."""
        self.coloring.paused = False
        self.coloring.follow_all()

    def _on_painted(self, trio: Trio, painted: Painted) -> None:
        if painted.segmentation is not None:
            self.files.note(trio.photo, painted.photo)
            # The next thing to do is to paint on the map.
            if trio is self.trio:
                self.viewer.layers.selection.active = trio.map
        if painted.whole:
            # An edit changes none of this, and must not hold the brush up.
            self._show_device()
            if trio is self.trio:
                self.show_state()
        self.keeper.on_painted(trio, painted)

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
        if trio is self.trio:
            self._settled.start()

    def _on_settled(self) -> None:
        if self.trio is not None:
            self._show_plane(self.trio)

    # --- the worker's news ------------------------------------------------

    def _on_job_started(self, job: Job) -> None:
        if not job.quiet:
            self.views.run.show_running('Starting…')

    def _on_job_progress(self, words: str) -> None:
        job = self.jobs.running
        if job is not None and not job.quiet:
            self.views.run.show_status(words)

    def _on_job_finished(self, job: Job) -> None:
        if job.token.cancelled:
            kept = self.trio is not None and bool(self.trio.colored)
            self.views.run.show_idle(
                'Stopped. The previous result is kept.' if kept else 'Stopped.'
            )
        elif not job.quiet and not self._at_work:
            self.display.show_done(self.trio)

    @property
    def _at_work(self) -> bool:
        """A job that the person waits for has begun meanwhile."""
        running = self.jobs.running
        return running is not None and not running.quiet

    def _on_job_failed(self, job: Job, error: BaseException) -> None:
        self.coloring.drop()
        self.views.run.show_idle()
        if not isinstance(error, SdcolorError):
            # A fault of ours: napari shows the traceback to report.
            raise error
        if job.name == 'save':
            self.views.save.show_words(str(error))
        self._tell(error)

    def _tell(self, error: SdcolorError) -> None:
        self.views.run.show_idle(str(error))
        show_error(str(error))

    # --- settings of the picture ------------------------------------------

    def _on_decided(self, photo: Image) -> None:
        """The other pixels of a photo count now: color them."""
        if self.trio is not None and self.trio.photo == photo:
            self.trio.forget_pixels()
            self.coloring.follow(self.trio)

    def _on_window_requested(self, choice: str) -> None:
        self.window = self.files.window = choice
        trio = self.trio
        if trio is not None and trio.map is not None:
            trio.window = choice
            self.update()

    def _on_detail_requested(self, size: Size) -> None:
        self.engine.size = size
        self.show_state()

    def _on_live_requested(self, live: bool) -> None:
        self.coloring.live = live
        preferences.remember_live(live)
        self.coloring.follow_all()

    def _on_saturation_requested(self, saturation: float) -> None:
        if self.trio is not None:
            self.coloring.set_saturation(self.trio, saturation)
