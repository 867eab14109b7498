"""Mouse and keys of the X server itself: what no event of Qt's can promise."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
from qtpy.QtCore import QPoint
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QApplication

GRASS = 36

pytestmark = pytest.mark.skipif(
    shutil.which('xdotool') is None, reason='xdotool is not installed'
)


@pytest.fixture
def xdotool(hands, qtbot):
    """Runs xdotool while the window lives on."""
    if QGuiApplication.platformName() != 'xcb':
        pytest.skip('not on an X server')

    def run(*words: object) -> None:
        process = subprocess.Popen(['xdotool', *map(str, words)])
        qtbot.waitUntil(lambda: process.poll() is not None, timeout=20_000)
        assert process.returncode == 0
        QApplication.processEvents()
        hands.settle()

    # Without a window manager nobody else gives the window its keys.
    run('windowfocus', '--sync', int(hands.canvas.window().winId()))
    return run


def at(hands, row: float, column: float) -> tuple[int, int]:
    """Where a pixel of the map lies on the screen."""
    place: QPoint = hands.canvas.mapToGlobal(hands.place(row, column))
    return place.x(), place.y()


def test_painting_and_undoing_by_hand(hands, xdotool):
    hands.widget.views.classes.class_requested.emit(GRASS)
    trio = hands.trio
    before = trio.map.data.copy()
    xdotool(
        *('mousemove', '--sync', *at(hands, 20, 20), 'mousedown', 1),
        *('mousemove', '--sync', *at(hands, 25, 40), 'sleep', 0.1),
        *('mouseup', 1, 'sleep', 0.1),
    )
    painted = trio.map.data.copy()
    assert (painted == GRASS).sum() > (before == GRASS).sum()
    xdotool('key', 'ctrl+z', 'sleep', 0.1)
    np.testing.assert_array_equal(trio.map.data, before)
    xdotool('key', 'ctrl+shift+z', 'sleep', 0.1)
    np.testing.assert_array_equal(trio.map.data, painted)
    xdotool('key', 'c', 'sleep', 0.1)
    assert not trio.color.visible
    assert not trio.map.visible
    xdotool('key', 'c', 'sleep', 0.1)
    assert trio.map.mode == 'paint'
    xdotool('key', '4', 'sleep', 0.1)
    assert trio.map.mode == 'fill'
