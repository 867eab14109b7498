"""Keys pressed over the picture do what they say, on each of our layers."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

GRASS = 36


@pytest.fixture
def painting(hands):
    """The brush holds grass, the map is selected."""
    hands.widget.views.classes.class_requested.emit(GRASS)
    return hands


def test_a_stroke_is_undone_and_redone(painting):
    trio = painting.trio
    before = trio.map.data.copy()
    gray = trio.color.data.copy()
    painting.drag((20, 20), (25, 40))
    painted = trio.map.data.copy()
    assert (painted == GRASS).sum() > (before == GRASS).sum()
    painting.undo()
    np.testing.assert_array_equal(trio.map.data, before)
    # A color may move by one count: it was computed piece by piece.
    assert np.abs(trio.color.data.astype(int) - gray).max() <= 1
    painting.redo()
    np.testing.assert_array_equal(trio.map.data, painted)


def test_the_tools_have_their_keys(painting):
    for key, mode in (
        (Qt.Key.Key_1, 'erase'),
        (Qt.Key.Key_2, 'paint'),
        (Qt.Key.Key_3, 'polygon'),
        (Qt.Key.Key_4, 'fill'),
        (Qt.Key.Key_F, 'fill'),
        (Qt.Key.Key_5, 'pick'),
        (Qt.Key.Key_6, 'pan_zoom'),
    ):
        # From another tool, so that no key can rest on the one before.
        painting.trio.map.mode = 'erase' if mode == 'paint' else 'paint'
        painting.press(key)
        assert painting.trio.map.mode == mode, key


def test_b_preserves_labels(painting):
    kept = painting.trio.map.preserve_labels
    painting.press(Qt.Key.Key_B)
    assert painting.trio.map.preserve_labels is not kept


def test_c_compares_on_each_of_our_layers(hands):
    for layer in (hands.trio.map, hands.trio.color):
        hands.viewer.layers.selection.active = layer
        hands.press(Qt.Key.Key_C)
        assert not hands.trio.color.visible
        hands.press(Qt.Key.Key_C)
        assert hands.trio.color.visible


def test_space_moves_the_picture_only_while_it_is_held(painting, qtbot):
    native = painting.canvas
    native.setFocus()
    QTest.keyPress(native, Qt.Key.Key_Space)
    assert painting.trio.map.mode == 'pan_zoom'
    # Shorter, it would be a switch.
    qtbot.wait(700)
    QTest.keyRelease(native, Qt.Key.Key_Space)
    assert painting.trio.map.mode == 'paint'


def test_the_keys_leave_with_the_dock(hands):
    trio = hands.trio
    hands.widget.coordinator.close()
    for layer in (trio.map, trio.color, trio.photo):
        assert not layer.keymap
