"""A viewer without a window, a widget with tiny networks, and patience."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
import wrapt
from napari.components import ViewerModel
from napari.layers import Labels
from napari.settings import get_plugin_settings
from napari.utils.interactions import (
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)
from napari.utils.notifications import (
    NotificationSeverity,
    notification_manager,
)
from npe2 import DynamicPlugin, PluginManifest
from numpy.typing import NDArray

from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.plugin import preferences
from napari_sdcolor.plugin.engine import Engine
from napari_sdcolor.plugin.preferences import PLUGIN
from napari_sdcolor.plugin.widget import ColorizeWidget
from napari_sdcolor.settings import Settings


class TinyEngine(Engine):
    """Lends tiny random networks at working size 64."""

    def __init__(self, colorizer: Colorizer) -> None:
        super().__init__()
        self._colorizer = colorizer

    def settings(self) -> Settings:
        return Settings(size=64, device='cpu')

    def get(self, settings: Settings) -> Colorizer:
        return self._colorizer


# Manifests are long and read slowly.
_manifest = cache(PluginManifest.from_distribution)


@pytest.fixture
def tmp_plugin(npe2pm: Any) -> Callable[[str], DynamicPlugin]:
    """Registers an installed package as a plugin, as long as it is entered."""

    def of(package: str) -> DynamicPlugin:
        return npe2pm.tmp_plugin(manifest=_manifest(package))

    return of


@pytest.fixture(autouse=True)
def fresh_preferences() -> Iterator[None]:
    """What one test has napari remember, the next one knows nothing of."""
    yield
    try:
        page = get_plugin_settings(PLUGIN)
    except KeyError:
        return
    page.reset()


@pytest.fixture
def engine(tiny_colorizer: Colorizer) -> TinyEngine:
    return TinyEngine(tiny_colorizer)


@pytest.fixture
def viewer() -> ViewerModel:
    """Layers, dims and selection, but no window."""
    return ViewerModel()


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    """A gray photo (90, 120) with soft structure."""
    y, x = np.mgrid[:90, :120]
    wave = np.sin(x / 9) * np.cos(y / 7)
    return np.uint8(np.clip(120 + 60 * wave + y / 2, 0, 255))


@pytest.fixture
def make_widget(qtbot, engine: TinyEngine) -> Iterator[Callable]:
    """Builds the dock widget on a viewer, and closes it properly."""
    made: list[ColorizeWidget] = []

    def make(viewer: ViewerModel) -> ColorizeWidget:
        widget = ColorizeWidget(viewer, engine)
        qtbot.addWidget(widget)
        made.append(widget)
        return widget

    yield make
    for widget in made:
        if not widget.coordinator.coloring.live:
            # Remembered for as long as this process lives.
            preferences.remember('live', True)
        widget.coordinator.close()


@pytest.fixture
def settle(qtbot) -> Callable[[ColorizeWidget], None]:
    """Waits until a widget's worker and watcher have nothing left to do."""

    def wait(widget: ColorizeWidget) -> None:
        coordinator = widget.coordinator

        def quiet() -> bool:
            waiting = coordinator.coloring.watching or coordinator.settling
            return coordinator.jobs.idle and not waiting

        qtbot.waitUntil(quiet, timeout=30_000)

    return wait


@pytest.fixture
def colored(
    viewer: ViewerModel,
    pixels: NDArray,
    make_widget: Callable,
    settle: Callable,
) -> ColorizeWidget:
    """The widget after a finished run on one photo."""
    viewer.add_image(pixels, name='castle')
    widget = make_widget(viewer)
    widget.run()
    settle(widget)
    return widget


@pytest.fixture
def notices() -> Callable[[], list[str]]:
    """Words of every notification since the test began."""
    first = len(notification_manager.records)

    def words() -> list[str]:
        return [n.message for n in notification_manager.records[first:]]

    return words


class _Errors(logging.Handler):
    """Gathers what was logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(self.format(record))


@pytest.fixture(autouse=True)
def no_error(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test ends with an error on the screen or in the log.

    Those that are about one are marked with ``shows_errors``.
    """
    first = len(notification_manager.records)
    logged = _Errors()
    logging.getLogger().addHandler(logged)
    yield
    logging.getLogger().removeHandler(logged)
    if request.node.get_closest_marker('shows_errors'):
        return
    shown = [
        record.message
        for record in notification_manager.records[first:]
        if record.severity >= NotificationSeverity.ERROR
    ]
    assert not shown + logged.found


class _Event:
    """What napari hands to mouse callbacks."""

    def __init__(self, kind: str, position: tuple[float, ...]) -> None:
        self.type = kind
        self.position = position
        self.pos = position
        self.button = 1
        self.modifiers = ()
        self.dims_displayed = list(range(len(position)))[-2:]
        self.dims_point = list(position)
        self.view_direction = None
        self.up_direction = None
        self.is_dragging = kind == 'mouse_move'
        self.handled = False


@pytest.fixture
def stroke() -> Callable[..., None]:
    """Drags the mouse over a labels layer, as a hand would."""

    def drag(layer: Labels, points: list[tuple[float, ...]]) -> None:
        """``points`` in map pixels."""
        world = [tuple(layer.data_to_world(point)) for point in points]
        steps = [
            (mouse_press_callbacks, 'mouse_press', world[0]),
            *((mouse_move_callbacks, 'mouse_move', at) for at in world[1:]),
            (mouse_release_callbacks, 'mouse_release', world[-1]),
        ]
        for callback, kind, position in steps:
            # napari swaps the wrapped event while a drag goes on.
            callback(layer, wrapt.ObjectProxy(_Event(kind, position)))

    return drag


class Hold:
    """Stops the worker where it asks for the networks."""

    def __init__(self, engine) -> None:
        self.engine = engine
        self.get = engine.get
        self.reached, self.go_on = threading.Event(), threading.Event()

    def __enter__(self) -> Hold:
        self.engine.get = self._wait
        return self

    def __exit__(self, *error: object) -> None:
        self.engine.get = self.get
        self.go_on.set()

    def _wait(self, settings):
        self.reached.set()
        assert self.go_on.wait(60)
        return self.get(settings)


@pytest.fixture
def hold(engine) -> Iterator[Callable[[], Hold]]:
    made: list[Hold] = []

    def make() -> Hold:
        made.append(Hold(engine))
        return made[-1]

    yield make
    for one in made:
        one.go_on.set()
