"""Ask the worker for color, and only for what was not asked for already."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Signal

from napari_sdcolor.errors import PhotoError
from napari_sdcolor.plugin.jobs import Job, Jobs
from napari_sdcolor.plugin.listener import Listener
from napari_sdcolor.plugin.map_watcher import MapWatcher
from napari_sdcolor.plugin.notices import show_warning
from napari_sdcolor.plugin.painter import Painted
from napari_sdcolor.plugin.plane import Inputs

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_sdcolor.plugin.engine import Engine
    from napari_sdcolor.plugin.trio import Trio
    from napari_sdcolor.settings import Settings, Size

RUN, RECOLOR = 'run', 'recolor'
"""Kinds of jobs."""


class ColorJobs(Listener):
    """Turns runs, edits and sliders into jobs, the latest winning.

    The color of a plane is asked for when map, tone window, saturation or
    pixels differ from what its color was last asked for; the old color
    stays until the new one is there. While a run is on its way to a plane
    nothing else is asked for it; afterwards it is looked at again.

    Parameters
    ----------
    jobs
        The worker.
    engine
        Lends the networks.

    Signals
    -------
    painted(Trio, Painted)
        New color is on the screen.
    disputed(Trio, Painted, size)
        A run is done, but a person has painted on the map meanwhile, so
        that its result is not shown. ``show`` does it.
    touched(Trio)
        The map of a trio may have changed.
    pixels_changing(Trio)
        Its photo has other pixels; nothing was forgotten yet.
    lost(Trio, PhotoError)
        Its photo is no photo any more.
    """

    painted = Signal(object, object)
    disputed = Signal(object, object, object)
    touched = Signal(object)
    pixels_changing = Signal(object)
    lost = Signal(object, object)

    def __init__(self, jobs: Jobs, engine: Engine) -> None:
        super().__init__()
        self.jobs = jobs
        self.engine = engine
        self.trios: list[Trio] = []
        self.live = True
        self._paused = False
        self._watcher = MapWatcher()
        self._watcher.touched.connect(self.look)
        self.jobs.stopped.connect(self._on_job_lost)
        self.jobs.failed.connect(self._on_job_lost)
        self._warned: set[tuple[Trio, int]] = set()
        # Fires when the window has drawn what was shown last: what Qt has
        # to do comes before a timer of no delay.
        self._shown_at = 0.0
        self._drawn = self.once_after(0, self._on_drawn)

    @property
    def watching(self) -> bool:
        """A change of a map was seen and not looked at yet."""
        return self._watcher.waiting

    def close(self) -> None:
        """Watch and follow nothing any more."""
        super().close()
        self._watcher.close()
        for trio in self.trios:
            # Another dock may have taken over meanwhile.
            if trio.owner is self:
                trio.unbind()
                trio.owner = None
        self.trios.clear()

    def add(self, trio: Trio) -> None:
        """Begin to follow a photo."""
        trio.owner = self
        trio.bind()
        events = trio.photo.events
        self.listen(
            trio,
            [
                (events.data, self._on_pixels_changed),
                (events.contrast_limits, self._on_contrast_changed),
            ],
        )
        for known in trio.planes.values():
            # What another dock asked for does not come any more.
            known.asked = known.shown
        self.trios.append(trio)
        if trio.map is not None:
            self._watcher.bind(trio.map)

    def remove(self, trio: Trio) -> None:
        """The photo is gone; what is saved of it still is."""
        self.stop(trio)
        self.unwatch(trio.map)
        trio.unbind()
        self.unlisten(trio)
        self.trios.remove(trio)

    def unwatch(self, layer: Labels | None) -> None:
        """A map is gone."""
        if layer is not None:
            self._watcher.unbind(layer)

    # --- requests ---------------------------------------------------------

    def settings(self, trio: Trio, *, fresh: bool) -> Settings:
        """Settings for a photo.

        Parameters
        ----------
        trio
            Whose.
        fresh
            For a map that is still to be predicted: at the detail that was
            chosen for the photo, unless an existing map must be kept, which
            keeps the size that it was made for.
        """
        preferred = self.engine.settings()
        settings = trio.settings(preferred)
        if fresh and not trio.has_work:
            settings = replace(settings, size=trio.detail or preferred.size)
        return settings

    def segment_and_color(self, trio: Trio, plane: int | None = None) -> None:
        """Predict a fresh map of a plane, the shown one, and color it."""
        plane = trio.plane if plane is None else plane
        # It would color a map that is about to be replaced.
        for job in self.jobs.pending(trio, [RECOLOR]):
            if job.plane == plane and job is not self.jobs.running:
                self.jobs.withdraw(job)
                trio.planes[plane].asked = trio.planes[plane].shown
        self._submit(trio, plane, trio.inputs(None), quiet=False)

    def recolor(
        self,
        trio: Trio,
        plane: int | None = None,
        *,
        quiet: bool,
        anew: bool = False,
    ) -> None:
        """Ask for the color of a plane's map, the shown one's.

        Parameters
        ----------
        trio
            Has a map.
        plane
            Which.
        quiet
            Show no progress.
        anew
            Ask even if it was asked for already.
        """
        plane = trio.plane if plane is None else plane
        if not trio.map_fits():
            h, w = trio.map_shape(trio.size)
            words = (
                f'The map must have {w} × {h} pixels per plane; press Run '
                'for a new one.'
            )
            self._warn(trio, -1, words)
            return
        labels, foreign = trio.snapshot(plane)
        if foreign is not None:
            words = (
                f'The map holds the id {foreign}, which is none of the 60 '
                'classes. It is colored as "No class".'
            )
            self._warn(trio, foreign, words)
        self._ask(trio, plane, trio.inputs(labels), quiet=quiet, anew=anew)

    def follow(self, trio: Trio, *, anew: bool = False) -> None:
        """Bring the color of the shown plane up to date.

        Settings act at once; the map does if Live is on.

        Parameters
        ----------
        trio
            Whose.
        anew
            Ask also for what was asked for already and did not come, since
            it was stopped or failed.
        """
        if self._paused or trio.map is None or trio.owner is not self:
            # Of two docks in one viewer, the last one colors.
            return
        plane = trio.plane
        known = trio.planes[plane]
        if any(job.plane == plane for job in self.jobs.pending(trio, [RUN])):
            return
        if anew:
            known.asked = known.shown
        if self.live:
            begun = known.shown is not None or known.asked is not None
            if begun or trio.plane_of(trio.map.data, plane).any():
                self.recolor(trio, plane, quiet=True)
        elif known.shown is not None and trio.map_fits():
            inputs = trio.inputs(known.shown.labels)
            moved = not inputs.same(known.shown)
            if moved and inputs.version == known.shown.version:
                self._ask(trio, plane, inputs, quiet=True)

    def pause(self) -> None:
        """Nobody looks: follow no edits."""
        self._paused = True

    def resume(self) -> None:
        """Somebody looks again: catch up."""
        self._paused = False
        self.follow_all()

    def follow_all(self, *, anew: bool = False) -> None:
        """Catch up with every map, also of a dock that is gone."""
        for trio in self.trios:
            if trio.owner is None:
                trio.owner = self
                trio.bind()
            self.follow(trio, anew=anew)

    def stop(self, trio: Trio) -> None:
        """Stop coloring a photo; its picture stays as it is."""
        self.jobs.stop(trio, (RUN, RECOLOR))

    def miss(self, trio: Trio) -> None:
        """A result does not come: the next one must bring all of it."""
        trio.painter.unseen = True

    def _warn(self, trio: Trio, what: int, words: str) -> None:
        """Say something once per run, not at every stroke."""
        if (trio, what) not in self._warned:
            self._warned.add((trio, what))
            show_warning(words)

    def look(self, layer: Labels) -> None:
        """A map may have changed."""
        for trio in self.trios:
            if trio.map == layer:
                self.follow(trio)
                self.touched.emit(trio)

    def _on_pixels_changed(self, event: object) -> None:
        for trio in list(self.trios):
            if trio.photo == event.source:
                self.take_pixels(trio)

    def take_pixels(self, trio: Trio) -> None:
        """Do for the new pixels what was under way for the old ones."""
        runs = [job.plane for job in self.jobs.pending(trio, [RUN])]
        self.pixels_changing.emit(trio)
        self.stop(trio)
        try:
            trio.forget_pixels()
        except PhotoError as error:
            self.lost.emit(trio, error)
            return
        for plane in runs:
            if plane < trio.source.planes:
                self.segment_and_color(trio, plane)
        self.follow(trio)
        self.touched.emit(trio)

    def _on_contrast_changed(self, event: object) -> None:
        """They are the tone window of all but 8-bit photos."""
        for trio in self.trios:
            if trio.photo == event.source:
                self.follow(trio)

    # --- the worker -------------------------------------------------------

    def _ask(
        self,
        trio: Trio,
        plane: int,
        inputs: Inputs,
        *,
        quiet: bool,
        anew: bool = False,
    ) -> None:
        known = trio.planes[plane]
        if anew or not inputs.same(known.asked):
            known.asked = inputs
            self._submit(trio, plane, inputs, quiet=quiet)

    def _submit(
        self, trio: Trio, plane: int, inputs: Inputs, *, quiet: bool
    ) -> None:
        """All that the job needs goes with it, as it is now."""
        fresh = inputs.labels is None
        name = RUN if fresh else RECOLOR
        settings = self.settings(trio, fresh=fresh)
        work = partial(
            trio.painter.color,
            self.engine,
            plane,
            inputs,
            trio.reader(plane),
            settings,
        )
        before = trio.map_at(plane) if fresh else None
        then = partial(self._on_painted, trio, settings.size, before)
        self.jobs.submit(
            Job(
                (name, trio, plane),
                work,
                then,
                quiet=quiet,
                name=name,
                owner=trio,
                plane=plane,
            )
        )

    def _on_painted(
        self,
        trio: Trio,
        size: Size,
        before: NDArray | None,
        painted: Painted,
    ) -> None:
        # Late, if the photo was deleted or got other pixels meanwhile.
        if trio not in self.trios or painted.inputs.version != trio.version:
            return
        fresh = painted.segmentation is not None
        if fresh and trio.map_changed(painted.plane, before):
            self.miss(trio)
            self.disputed.emit(trio, painted, size)
            self.follow(trio)
            return
        self.show(trio, painted, size)

    def show(self, trio: Trio, painted: Painted, size: Size) -> None:
        """Bring what the worker gave on the screen."""
        if painted.segmentation is not None:
            self._warned.clear()
            trio.planes[painted.plane].asked = painted.inputs
        trio.accept(painted, size)
        self._watcher.bind(trio.map)
        self.painted.emit(trio, painted)
        # Saturation or window may have moved during a run.
        self.follow(trio)
        self._shown_at = time.perf_counter()
        self._drawn.start()

    def show_map(
        self,
        trio: Trio,
        plane: int,
        labels: NDArray[np.uint8],
        confidence: float | None,
        size: Size,
    ) -> None:
        """Bring a map (h, w) that was predicted on the way, and its color."""
        trio.take_map(plane, labels, confidence, size)
        self._watcher.bind(trio.map)
        self.recolor(trio, plane, quiet=True, anew=True)

    def _on_job_lost(self, job: Job, error: object = None) -> None:
        if job.name in (RUN, RECOLOR):
            self.miss(job.owner)

    def _on_drawn(self) -> None:
        elapsed = time.perf_counter() - self._shown_at
        self._watcher.set_pace(1000 * elapsed)
