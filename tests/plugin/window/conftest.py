"""A real napari window with the dock in it, and a person's hands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from napari_sdcolor.plugin.widget import ColorizeWidget


def canvas() -> QWidget:
    """The native widget in which napari draws."""
    return next(
        widget
        for widget in QApplication.allWidgets()
        if isinstance(widget, QOpenGLWidget) and widget.isVisible()
    )


@dataclass
class Hands:
    """Keys and mouse on the canvas of a window.

    Parameters
    ----------
    viewer
        Of the window.
    widget
        The dock.
    wait
        Waits until the dock has nothing left to do.
    """

    viewer: Any
    widget: ColorizeWidget
    wait: Callable[[ColorizeWidget], None]

    @property
    def canvas(self) -> QWidget:
        return canvas()

    @property
    def trio(self) -> Any:
        return self.widget.coordinator.trio

    def settle(self) -> None:
        self.wait(self.widget)

    def press(self, key: Any, modifier: Any = None) -> None:
        """Press and release a key over the picture."""
        modifier = modifier or Qt.KeyboardModifier.NoModifier
        native = canvas()
        native.setFocus()
        QTest.keyClick(native, key, modifier)
        QApplication.processEvents()
        self.settle()

    def undo(self) -> None:
        self.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)

    def redo(self) -> None:
        self.press(
            Qt.Key.Key_Z,
            Qt.KeyboardModifier.ControlModifier
            | Qt.KeyboardModifier.ShiftModifier,
        )

    def place(self, row: float, column: float) -> QPoint:
        """Where a pixel of the map lies on the canvas."""
        native = canvas()
        world = self.trio.map.data_to_world((row, column))[-2:]
        camera = self.viewer.scene.camera
        at = (np.array(world) - camera.center[-2:]) * camera.zoom
        middle = QPointF(native.width() / 2, native.height() / 2)
        return (middle + QPointF(at[1], at[0])).toPoint()

    def drag(self, *pixels: tuple[float, float]) -> None:
        """Drag the left button over pixels of the map."""
        native = canvas()
        left = Qt.MouseButton.LeftButton
        places = [self.place(*pixel) for pixel in pixels]
        QTest.mouseMove(native, places[0])
        QTest.mousePress(native, left, pos=places[0])
        for at in places[1:]:
            QTest.mouseMove(native, at)
            QApplication.processEvents()
        QTest.mouseRelease(native, left, pos=places[-1])
        QApplication.processEvents()
        self.settle()


@pytest.fixture
def hands(make_napari_viewer_proxy, engine, pixels, settle) -> Iterator[Hands]:
    """A window with a photo that was colored, its map ready to paint on."""
    viewer = make_napari_viewer_proxy(show=True)
    viewer.add_image(pixels, name='castle')
    widget = ColorizeWidget(viewer, engine)
    viewer.window.add_dock_widget(widget, name='Colorize', area='right')
    QTest.qWaitForWindowExposed(canvas())
    widget.run()
    hands = Hands(viewer, widget, settle)
    hands.settle()
    yield hands
    widget.coordinator.close()
