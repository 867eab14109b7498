"""How long the color takes to follow the brush in a real window.

Everything between a mouse move and the drawn color is measured as a person
would feel it, in napari's own event loop; and, apart from it, how long this
plugin's own slots keep the window busy.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari_sdcolor.core.engine import Colorizer

PATIENCE = 120.0
"""Seconds after which a window that does not answer is given up."""

LOOK = 2
"""Milliseconds between two looks whether something has happened."""


@dataclass(frozen=True)
class StrokeTiming:
    """What was measured; all times in seconds.

    Parameters
    ----------
    side, working_size, brush, moves
        Side of the square photo, short side of its map, diameter of the
        brush in map pixels, and how many mouse moves were made.
    color_p50, color_p95
        From a mouse move to the color being drawn.
    bare_p50
        The bare incremental pass of the same moves, without a window.
    slots_p50, slots_p95
        Time per move that the plugin's own slots hold the window's thread,
        without what napari does inside of them.
    refresh_p50
        That, napari's own ``Image.refresh``, per move.
    draw_p50
        One frame of the window: what napari and Qt take for drawing.
    """

    side: int
    working_size: int
    brush: int
    moves: int
    color_p50: float
    color_p95: float
    bare_p50: float
    slots_p50: float
    slots_p95: float
    refresh_p50: float
    draw_p50: float

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class Clock:
    """Adds up how long wrapped functions take, nested calls once."""

    def __init__(self) -> None:
        self.total = 0.0
        self._inside = False

    def wrap(self, function: Callable) -> Callable:
        @wraps(function)
        def timed(*arguments: Any, **choices: Any) -> Any:
            if self._inside:
                return function(*arguments, **choices)
            self._inside = True
            begin = time.perf_counter()
            try:
                return function(*arguments, **choices)
            finally:
                self.total += time.perf_counter() - begin
                self._inside = False

        return timed

    def take(self) -> float:
        """What came together since the last time."""
        total, self.total = self.total, 0.0
        return total


class Arrivals:
    """Knows when new color came.

    Attributes
    ----------
    at : float or None
        Reading of the clock when it was handed to napari.
    """

    def __init__(self) -> None:
        self.at: float | None = None

    def expect(self) -> None:
        """Wait for the next one."""
        self.at = None

    def note(self, trio: object, painted: object) -> None:
        """It is here."""
        self.at = time.perf_counter()

    def there(self) -> bool:
        return self.at is not None


@contextmanager
def _clocked(clock: Clock, places: list[tuple[type, str]]) -> Iterator[None]:
    """Clock methods of classes for a while; instances made now have it."""
    before = [(owner, name, getattr(owner, name)) for owner, name in places]
    for owner, name, function in before:
        setattr(owner, name, clock.wrap(function))
    try:
        yield
    finally:
        for owner, name, function in before:
            setattr(owner, name, function)


def measure(
    colorizer: Colorizer | None = None,
    *,
    side: int = 1024,
    brush: int = 16,
    moves: int = 30,
    seed: int = 0,
) -> StrokeTiming:
    """Drag a brush over a photo in a real napari window.

    Needs a display (``xvfb-run`` makes one) and opens a window.

    Parameters
    ----------
    colorizer
        The networks; the bundled ones when None.
    side
        Side of the square photo in pixels.
    brush
        Diameter of the brush in pixels of the map.
    moves
        Mouse moves that are measured.
    seed
        Of the photo and of where the strokes go.
    """
    import napari
    from napari.layers import Image

    from napari_sdcolor.plugin.autosave import Autosaver
    from napari_sdcolor.plugin.color_jobs import ColorJobs
    from napari_sdcolor.plugin.coordinator import Coordinator
    from napari_sdcolor.plugin.jobs import Jobs
    from napari_sdcolor.plugin.map_watcher import MapWatcher
    from napari_sdcolor.plugin.widget import ColorizeWidget

    slots, refreshes = Clock(), Clock()
    ours = [
        (MapWatcher, '_on_event'),
        (MapWatcher, '_tell'),
        (Jobs, '_on_returned'),
        (ColorJobs, '_on_drawn'),
        (Coordinator, '_on_settled'),
        (Autosaver, 'save_now'),
    ]
    rng = np.random.default_rng(seed)
    with (
        _clocked(slots, ours),
        _clocked(refreshes, [(Image, 'refresh')]),
    ):
        viewer = napari.Viewer()
        viewer.add_image(_photo(side, rng), name='photo')
        widget = ColorizeWidget(viewer, _engine(colorizer))
        viewer.window.add_dock_widget(widget, name='Colorize')
        try:
            return _drag(widget, rng, brush, moves, slots, refreshes)
        finally:
            widget.coordinator.close()
            viewer.close()


def _engine(colorizer: Colorizer | None) -> Any:
    from napari_sdcolor.plugin.engine import Engine
    from napari_sdcolor.settings import Settings

    if colorizer is None:
        return Engine()

    class Lent(Engine):
        """Lends the networks that are to be measured."""

        def settings(self) -> Settings:
            return Settings(size=colorizer.size, device=colorizer.device.kind)

        def get(self, settings: Settings) -> Colorizer:
            self._colorizer = colorizer
            return colorizer

    return Lent()


def _photo(side: int, rng: np.random.Generator) -> np.ndarray:
    """A gray picture with some structure, (side, side) uint8."""
    coarse = rng.uniform(40, 215, (side // 64 + 2, side // 64 + 2))
    fine = np.kron(coarse, np.ones((64, 64)))[:side, :side]
    return (fine + rng.uniform(-10, 10, fine.shape)).astype(np.uint8)


def _drag(
    widget: Any,
    rng: np.random.Generator,
    brush: int,
    moves: int,
    slots: Clock,
    refreshes: Clock,
) -> StrokeTiming:
    coordinator = widget.coordinator
    widget.run()
    _wait(lambda: coordinator.jobs.idle)
    trio = coordinator.trio
    if trio is None or trio.map is None:
        raise RuntimeError('The photo was not colored.')
    trio.map.brush_size = brush
    trio.map.mode = 'paint'
    _wait_drawn()
    _wait(lambda: _idle(coordinator))
    arrivals = Arrivals()
    coordinator.coloring.painted.connect(arrivals.note)
    h, w = trio.map.data.shape
    color, own, napari_own, draw, maps = [], [], [], [], []
    place = np.array([h, w]) * rng.uniform(0.3, 0.7, 2)
    for number in range(moves + 3):
        place = place + rng.uniform(-brush, brush, 2)
        place = np.clip(place, brush, np.array([h, w]) - brush)
        old = int(trio.map.data[tuple(place.astype(int))])
        trio.map.selected_label = (old + 1 + int(rng.integers(58))) % 60
        slots.take(), refreshes.take()
        arrivals.expect()
        begin = time.perf_counter()
        trio.map.paint(tuple(place), trio.map.selected_label)
        _wait(arrivals.there)
        _wait_drawn()
        end = time.perf_counter()
        maps.append(trio.snapshot(trio.plane)[0])
        if number >= 3:
            # The first ones warm caches up.
            color.append(end - begin)
            draw.append(end - arrivals.at)
            napari_own.append(refreshes.take())
            own.append(slots.take() - napari_own[-1])
    return StrokeTiming(
        side=trio.source.shape[0],
        working_size=min(h, w),
        brush=brush,
        moves=moves,
        color_p50=_percentile(color, 50),
        color_p95=_percentile(color, 95),
        bare_p50=_bare(widget, trio, maps),
        slots_p50=_percentile(own, 50),
        slots_p95=_percentile(own, 95),
        refresh_p50=_percentile(napari_own, 50),
        draw_p50=_percentile(draw, 50),
    )


def _bare(widget: Any, trio: Any, maps: list[np.ndarray]) -> float:
    """Median of the incremental passes that the moves asked for."""
    session = trio.painter.session
    session.update(maps[0])
    times = []
    for labels in maps[1:]:
        begin = time.perf_counter()
        session.update(labels)
        times.append(time.perf_counter() - begin)
    return _percentile(times, 50)


def _percentile(values: list[float], share: float) -> float:
    return float(np.percentile(values, share))


def _idle(coordinator: Any) -> bool:
    return (
        coordinator.jobs.idle
        and not coordinator.coloring.watching
        and not coordinator.settling
    )


def _wait(until: Callable[[], bool]) -> None:
    """Let the window live, as it does by itself, until something holds."""
    from qtpy.QtCore import QEventLoop, QTimer

    end = time.monotonic() + PATIENCE
    loop, timer = QEventLoop(), QTimer()

    def look() -> None:
        if until() or time.monotonic() > end:
            loop.quit()

    # Asking without a pause would take the processor from the worker.
    timer.setInterval(LOOK)
    timer.timeout.connect(look)
    timer.start()
    loop.exec()
    timer.stop()
    if not until():
        raise TimeoutError('The window did not answer in time.')


def _wait_drawn() -> None:
    """Let the window draw what is due."""
    from qtpy.QtWidgets import QApplication

    QApplication.processEvents()
    QApplication.processEvents()
