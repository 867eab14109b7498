"""Views ask, the coordinator answers, trios show.

What happens to a person's work: a map that was edited is never replaced
without a question, and every replacement is one undoable step. A stop keeps
the picture and the map as they are.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from napari_sdcolor.errors import PhotoError
from napari_sdcolor.plugin import forms, preferences
from napari_sdcolor.plugin.appearance import Appearance
from napari_sdcolor.plugin.autosave import Autosaver
from napari_sdcolor.plugin.brush import BrushController
from napari_sdcolor.plugin.chooser import PhotoChooser
from napari_sdcolor.plugin.color_jobs import RECOLOR, RUN, ColorJobs
from napari_sdcolor.plugin.display import Display
from napari_sdcolor.plugin.engine import Engine
from napari_sdcolor.plugin.file_check import FileCheck
from napari_sdcolor.plugin.job_news import JobNews
from napari_sdcolor.plugin.jobs import Jobs
from napari_sdcolor.plugin.listener import Listener
from napari_sdcolor.plugin.notices import show_error, show_info
from napari_sdcolor.plugin.painter import Painted
from napari_sdcolor.plugin.questions import (
    Questions,
    over_edits,
    painted_meanwhile,
)
from napari_sdcolor.plugin.saver import SAVE, Saver
from napari_sdcolor.plugin.trios import Trios

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_sdcolor.plugin.trio import Trio
    from napari_sdcolor.plugin.views.views import Views
    from napari_sdcolor.settings import Size

SETTLED = 200
"""Milliseconds without an edit after which the views catch up with it."""


class Coordinator(Listener):
    """Owns the worker and answers every request.

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
        self.coloring = ColorJobs(self.jobs, self.engine)
        self.brush = BrushController(viewer, views.classes, views.brush)
        self.appearance = Appearance(views.color)
        self.display = Display(
            views, self.brush, self.appearance, self.coloring
        )
        self.questions = Questions(views.banner)
        self.autosaver = Autosaver(self.jobs, self.questions)
        self.saver = Saver(self.coloring)
        self.chooser = PhotoChooser(viewer, views.run, self.coloring.trios)
        self.files = FileCheck(
            viewer, self.jobs, self.chooser, self.questions, views.run
        )
        self.news = JobNews(self.jobs)
        self.trios = Trios(viewer, self.coloring)
        self.coloring.live = preferences.read().live
        forms.show(views.color.live, self.coloring.live)
        self._settled = self.once_after(SETTLED, self._on_settled)
        self._connect()
        self.trios.adopt()
        self.chooser.refresh()
        self.show_state()

    # --- connections ------------------------------------------------------

    def _connect(self) -> None:
        """Every signal of views, worker and layers, and what it calls."""
        run, color, save = self.views.run, self.views.color, self.views.save
        for signal, slot in (
            (self.chooser.chosen, self.show_state),
            (self.chooser.chosen, self.files.on_chosen),
            (self.files.decided, self._on_decided),
            (run.window_requested, self._on_window_requested),
            (run.detail_requested, self._on_detail_requested),
            (run.weights_requested, self._on_weights_requested),
            (run.run_requested, self.run),
            (run.run_all_requested, self.run_all),
            (run.stop_requested, self.stop),
            (self.brush.painting, self.appearance.reveal),
            (self.brush.edited, self.coloring.look),
            (self.views.classes.replace_requested, self._on_replace_requested),
            (color.undo_requested, self.brush.undo),
            (color.redo_requested, self.brush.redo),
            (color.live_requested, self._on_live_requested),
            (color.update_requested, self.update),
            (color.saturation_requested, self._on_saturation_requested),
            (save.save_requested, self._on_save_requested),
            (save.command_requested, self._on_command_requested),
            (self.saver.saved, self._on_saved),
            (self.trios.arrived, self._on_arrived),
            (self.trios.going, self.autosaver.flush),
            (self.trios.going, self.questions.forget),
            (self.trios.gone, self.chooser.refresh),
            (self.trios.gone, self.show_state),
            (self.coloring.painted, self._on_painted),
            (self.coloring.painted, self.autosaver.on_painted),
            (self.coloring.disputed, self._on_disputed),
            (self.coloring.touched, self.autosaver.on_touched),
            (self.coloring.touched, self._on_touched),
            (self.coloring.pixels_changing, self.autosaver.flush),
            (self.coloring.lost, self._on_lost),
            (self.news.changed, self._show_status),
        ):
            signal.connect(slot)
        steps = self.viewer.dims.events.current_step
        self.listen(self.viewer, [(steps, self._on_plane_changed)])

    def close(self) -> None:
        """The widget goes away: stop working, leave all layers."""
        super().close()
        for trio in self.coloring.trios:
            # A stroke may have been painted a moment ago.
            self.autosaver.on_touched(trio)
        for part in (
            self.autosaver,
            self.jobs,
            self.coloring,
            self.chooser,
            self.files,
            self.trios,
            self.brush,
            self.appearance,
        ):
            part.close()

    # --- what is shown ----------------------------------------------------

    @property
    def photo(self) -> Image | None:
        """The chosen photo."""
        return self.chooser.photo

    @property
    def trio(self) -> Trio | None:
        """The trio of the chosen photo, once something was asked of it."""
        return self.trios.of(self.photo)

    @property
    def settling(self) -> bool:
        """The views have not caught up with the last edit yet."""
        return self._settled.isActive()

    def show_state(self) -> None:
        """Bring every view in line with the chosen photo."""
        trio = self.trio
        self.files.window = 'auto' if trio is None else trio.window
        self.display.show(self.photo, trio)
        self._show_questions()

    def _show_questions(self) -> None:
        plane = 0 if self.trio is None else self.trio.plane
        self.questions.show_for(self.photo, plane)
        self.files.show()

    def _show_status(self) -> None:
        self.display.show_status(self.photo, self.trio)

    def _on_arrived(self, trio: Trio) -> None:
        """Layers from a sidecar are here: go on with them."""
        self.chooser.choose(trio.photo)
        self.viewer.layers.selection.active = trio.map
        # The photo may have been chosen before its map was there.
        self.show_state()

    def _on_lost(self, trio: Trio, error: PhotoError) -> None:
        """The layer is still there, but no photo any more."""
        self.trios.forget(trio)
        self.show_state()
        show_error(str(error))

    def _on_plane_changed(self, event: object = None) -> None:
        trio = self.trio
        # Other pixels may come with other axes; of those we hear in a moment.
        if trio is None or trio.source.outdated or not trio.is_stack:
            return
        if trio.fill_gray(trio.plane):
            trio.refresh_color()
        self.coloring.follow(trio)
        self.display.show_plane(self.photo, trio)
        self._show_questions()

    # --- run, stop, update ------------------------------------------------

    def run(self) -> None:
        """Segment and color the chosen photo; asks before losing edits.

        A photo that came from a file is looked at before: it may ask which
        pixels count.
        """
        self.files.settle(self.photo, self._run)

    def _run(self) -> None:
        trio = self.trio
        if trio is None or not trio.edited_share(trio.plane):
            self.segment_and_color()
            return
        self.questions.ask(over_edits(trio, self._on_replace_answered))

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
        try:
            trio = self.trios.ensure(self.photo)
        except PhotoError as error:
            show_error(str(error))
            return None
        self._show_questions()
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

    def _on_replace_requested(self, old: int, new: int) -> None:
        trio = self.trio
        if trio is not None and trio.map is not None:
            trio.replace_class(trio.plane, old, new)
            self.coloring.look(trio.map)

    def run_all(self) -> None:
        """Segment and color the planes that have no color and no edits."""
        self.files.settle(self.photo, self._run_all)

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

    def _on_painted(self, trio: Trio, painted: Painted) -> None:
        shown = trio is self.trio
        if painted.whole:
            self.files.note(trio.photo, painted.photo)
        if painted.segmentation is not None and shown:
            # The next thing to do is to paint on the map.
            self.viewer.layers.selection.active = trio.map
        if painted.whole:
            # An edit changes none of this, and must not hold the brush up.
            self.display.show_device_in_use(self.engine.in_use)
            if shown:
                self.show_state()
        elif shown:
            self._settled.start()

    def _on_disputed(self, trio: Trio, painted: Painted, size: Size) -> None:
        """A person painted while the photo was segmented again."""
        then = partial(self._on_dispute_answered, trio, painted, size)
        self.questions.ask(painted_meanwhile(trio, painted.plane, then))

    def _on_dispute_answered(
        self, trio: Trio, painted: Painted, size: Size, key: str
    ) -> None:
        there = trio in self.coloring.trios and trio.map is not None
        if key == 'take' and there and painted.inputs.version == trio.version:
            # The worker may have gone on with the person's map.
            self.coloring.miss(trio)
            self.coloring.show(trio, painted, size)

    def _on_touched(self, trio: Trio) -> None:
        if trio is self.trio:
            self._settled.start()

    def _on_settled(self) -> None:
        self.display.show_plane(self.photo, self.trio)

    # --- saving -----------------------------------------------------------

    def _on_save_requested(self) -> None:
        self.files.settle(self.photo, self._save)

    def _save(self) -> None:
        trio = self.ensure_trio()
        if trio is not None:
            self.saver.ask_and_save(trio)

    def _on_command_requested(self) -> None:
        trio = self.ensure_trio()
        if trio is not None:
            self.saver.copy_command(trio)
            self.show_state()

    def _on_saved(
        self, trio: Trio, plane: int, labels: NDArray, words: str
    ) -> None:
        if trio in self.coloring.trios:
            self.autosaver.on_saved(trio, plane, labels)
        if trio is not self.trio or plane != trio.plane:
            show_info(f'{trio.photo.name} was saved in {words}')

    # --- settings of the picture ------------------------------------------

    def _on_decided(self, photo: Image) -> None:
        """The other pixels of a photo count now: color them."""
        if self.trio is not None and self.trio.photo == photo:
            self.coloring.take_pixels(self.trio)

    def _on_window_requested(self, choice: str) -> None:
        self.files.settle(self.photo, partial(self._set, 'window', choice))

    def _on_detail_requested(self, size: Size) -> None:
        self.files.settle(self.photo, partial(self._set, 'detail', size))

    def _on_weights_requested(self, name: str) -> None:
        preferences.remember('weights', name)
        self.files.settle(self.photo, partial(self._set, 'weights', name))

    def _on_saturation_requested(self, saturation: float) -> None:
        self.files.settle(
            self.photo, partial(self._set, 'saturation', saturation)
        )

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
        preferences.remember('live', live)
        self.coloring.follow_all(anew=True)
        self._show_status()
