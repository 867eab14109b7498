"""Ask the worker for color, and only for what was not asked for already."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
from napari.utils.notifications import show_warning
from numpy.typing import NDArray
from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer, Signal

from napari_sdcolor.errors import DeviceError
from napari_sdcolor.plugin.jobs import Job, Jobs, Report
from napari_sdcolor.plugin.live import MapWatcher
from napari_sdcolor.plugin.painter import Painted

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_sdcolor.plugin.engine import Engine
    from napari_sdcolor.plugin.trio import Trio
    from napari_sdcolor.settings import Settings


class Coloring(QObject):
    """Turns runs, edits and sliders into jobs, the latest winning.

    The color of a plane is asked for when its map differs from the map
    that its color was last asked for; the old color stays until the new
    one is there.

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
    touched(Trio)
        The map of a trio may have changed.
    """

    painted = Signal(object, object)
    touched = Signal(object)

    def __init__(self, jobs: Jobs, engine: Engine) -> None:
        super().__init__()
        self.jobs = jobs
        self.engine = engine
        self.trios: list[Trio] = []
        self.live = True
        self.paused = False
        self._watcher = MapWatcher()
        self._watcher.touched.connect(self._on_map_touched)
        self._warned: set[tuple[Trio, int]] = set()
        # Fires when the window has drawn what was shown last: what Qt has
        # to do comes before a timer of no delay.
        self._shown_at = 0.0
        self._drawn = QTimer(self)
        self._drawn.setSingleShot(True)
        self._drawn.setInterval(0)
        self._drawn.timeout.connect(self._on_drawn)

    @property
    def watching(self) -> bool:
        """A change of a map was seen and not looked at yet."""
        return self._watcher.waiting

    def close(self) -> None:
        """Watch and follow nothing any more."""
        self._watcher.close()
        # Python may tear a forgotten dock down in any order.
        if isalive(self._drawn):
            self._drawn.stop()
        for trio in self.trios:
            # Another dock may have taken over meanwhile.
            if trio.owner is self:
                trio.unbind()
            trio.photo.events.data.disconnect(self._on_pixels_changed)
        self.trios.clear()

    def add(self, trio: Trio) -> None:
        """Begin to follow a photo."""
        trio.owner = self
        trio.bind()
        trio.photo.events.data.connect(self._on_pixels_changed)
        self.trios.append(trio)
        if trio.map is not None:
            self._watcher.bind(trio.map)

    def remove(self, trio: Trio) -> None:
        """The photo is gone."""
        self.unwatch(trio.map)
        trio.unbind()
        trio.photo.events.data.disconnect(self._on_pixels_changed)
        self.trios.remove(trio)

    def unwatch(self, layer: Labels | None) -> None:
        """A map is gone."""
        if layer is not None:
            self._watcher.unbind(layer)

    # --- requests ---------------------------------------------------------

    def segment_and_color(self, trio: Trio, window: str) -> None:
        """Predict a fresh map of the shown plane and color it."""
        trio.window = window
        self._submit(trio, trio.plane, None, quiet=False)

    def recolor(self, trio: Trio, *, quiet: bool, anew: bool = False) -> None:
        """Ask for the color of the shown plane's map.

        Parameters
        ----------
        trio
            Has a map.
        quiet
            Show no progress.
        anew
            Ask even if it was asked for already.
        """
        plane = trio.plane
        expected = trio.map_shape(trio.size)
        if trio.map.data.shape != trio.plane_shape(expected):
            words = (
                f'The map must have {expected[1]} × {expected[0]} pixels per '
                'plane; press Run for a new one.'
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
        known = trio.requested.get(plane)
        if not anew and known is not None and np.array_equal(known, labels):
            return
        trio.requested[plane] = labels
        self._submit(trio, plane, labels, quiet=quiet)

    def follow(self, trio: Trio) -> None:
        """Recolor the shown plane if Live is on and it has a map."""
        if not self.live or self.paused or trio.map is None:
            return
        plane = trio.plane
        stale = trio.saturated.get(plane, trio.saturation) != trio.saturation
        if stale:
            trio.requested.pop(plane, None)
        known = plane in trio.colored or plane in trio.requested
        if known or trio.plane_of(trio.map.data, plane).any():
            self.recolor(trio, quiet=True)

    def follow_all(self) -> None:
        """Catch up with every map."""
        for trio in self.trios:
            self.follow(trio)

    def set_saturation(self, trio: Trio, saturation: float) -> None:
        """Color what is shown with another factor on the chroma."""
        trio.saturation = saturation
        plane = trio.plane
        if plane in trio.colored:
            self._submit(trio, plane, trio.colored[plane], quiet=True)

    def drop(self) -> None:
        """Results on their way are dropped: the next one brings it all."""
        for trio in self.trios:
            trio.painter.unseen = True
            trio.requested = dict(trio.colored)

    def _warn(self, trio: Trio, what: int, words: str) -> None:
        """Say something once per run, not at every stroke."""
        if (trio, what) not in self._warned:
            self._warned.add((trio, what))
            show_warning(words)

    def look(self, layer: Labels) -> None:
        """A map may have changed without an event."""
        self._on_map_touched(layer)

    def _on_map_touched(self, layer: Labels) -> None:
        for trio in self.trios:
            if trio.map == layer:
                self.follow(trio)
                self.touched.emit(trio)

    def _on_pixels_changed(self, event: object) -> None:
        for trio in self.trios:
            if trio.photo == event.source:
                trio.forget_pixels()
                self.follow(trio)

    # --- the worker -------------------------------------------------------

    def _submit(
        self,
        trio: Trio,
        plane: int,
        labels: NDArray[np.uint8] | None,
        *,
        quiet: bool,
    ) -> None:
        settings = self.engine.settings()
        settings = replace(settings, weights=trio.weights or settings.weights)
        if labels is not None or trio.has_work:
            # An existing map keeps the size that it was made for.
            settings = replace(settings, size=trio.size)
        key = ('run' if labels is None else 'recolor', trio, plane)
        work = partial(self._work, trio, plane, labels, settings, trio.version)
        then = partial(self._on_painted, trio, settings.size)
        self.jobs.submit(Job(key, work, then, quiet=quiet))

    def _work(
        self,
        trio: Trio,
        plane: int,
        labels: NDArray[np.uint8] | None,
        settings: Settings,
        version: int,
        report: Report,
    ) -> Painted:
        """In the worker: segment if there is no map yet, then color."""
        report('Loading the networks…')
        colorizer = self.engine.get(settings)
        window = trio.source.window(trio.window)
        read = cache(partial(trio.read, plane))
        segmentation = None
        if labels is None:
            trio.painter.forget()
            report('Finding what is in the photo…')
            segmentation = colorizer.segment(read(), steady=False)
            labels = segmentation.labels
        report('Coloring…')
        saturation = trio.saturation
        paint = partial(
            trio.painter.paint,
            key=(plane, window, version),
            read=read,
            labels=labels,
            saturation=saturation,
            memory=settings.memory,
        )
        try:
            photo, patches = paint(colorizer)
        except DeviceError as error:
            trio.painter.forget()
            report('Going on with the CPU…')
            photo, patches = paint(self.engine.fall_back(settings, error))
        return Painted(
            plane, labels, patches, photo, saturation, segmentation, version
        )

    def _on_painted(self, trio: Trio, size: int, painted: Painted) -> None:
        # Late, if the photo was deleted or got other pixels meanwhile.
        if trio not in self.trios or painted.version != trio.version:
            return
        if painted.segmentation is not None:
            self._warned.clear()
        trio.accept(painted, size)
        self._watcher.bind(trio.map)
        self.painted.emit(trio, painted)
        self._shown_at = time.perf_counter()
        self._drawn.start()

    def _on_drawn(self) -> None:
        elapsed = time.perf_counter() - self._shown_at
        self._watcher.set_pace(1000 * elapsed)
