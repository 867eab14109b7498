"""Class panel, brush status and the map's tools say the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from napari.layers import Labels

from napari_sdcolor.classes import CLASSES, N_CLASSES
from napari_sdcolor.plugin.brush import BrushController
from napari_sdcolor.plugin.palette import names, palette
from napari_sdcolor.plugin.views.brush_status import BrushStatus
from napari_sdcolor.plugin.views.class_panel import MAX_BRUSH, ClassPanel

SKY, GRASS, WATER = 50, 36, 57


@pytest.fixture
def panel(qtbot) -> ClassPanel:
    view = ClassPanel()
    qtbot.addWidget(view)
    return view


@pytest.fixture
def status(qtbot) -> BrushStatus:
    view = BrushStatus()
    qtbot.addWidget(view)
    return view


@pytest.fixture
def brush(viewer, panel, status) -> Iterator[BrushController]:
    controller = BrushController(viewer, panel, status)
    yield controller
    controller.unbind()


def add_map(viewer, name: str = 'map') -> Labels:
    data = np.zeros((40, 50), np.uint8)
    data[:, 25:] = WATER
    return viewer.add_labels(
        data, name=name, colormap=palette(), features=names()
    )


@pytest.fixture
def layer(viewer, brush) -> Labels:
    """A bound map below another, active layer."""
    made = add_map(viewer)
    viewer.add_image(np.zeros((40, 50)))
    brush.bind(made)
    return made


def test_without_a_map_a_click_explains_what_to_do(
    brush, panel, status, notices
):
    panel.class_requested.emit(SKY)
    panel.brush_size_requested.emit(30)
    assert len(notices()) == 1
    assert 'Press Run first' in notices()[0]
    assert status.text == 'No semantic map yet'


def test_a_click_puts_the_class_on_the_brush_of_the_map(
    viewer, layer, panel, status
):
    assert viewer.layers.selection.active is not layer
    panel.class_requested.emit(GRASS)
    assert viewer.layers.selection.active is layer
    assert layer.selected_label == GRASS
    assert layer.mode == 'paint'
    assert panel.selected == GRASS
    assert 'Brush' in status.text
    assert 'grass' in status.text


def test_no_class_can_be_painted_too(layer, panel, status):
    panel.class_requested.emit(0)
    assert layer.mode == 'paint'
    assert layer.selected_label == 0
    layer.paint((10, 40), 0)
    assert layer.data[10, 40] == 0
    assert CLASSES[0].title in status.text


def test_a_click_after_the_eraser_paints_again(layer, panel):
    layer.mode = 'erase'
    panel.class_requested.emit(SKY)
    assert layer.mode == 'paint'


def test_binding_shows_what_the_map_has(viewer, brush, panel, status):
    layer = add_map(viewer)
    layer.selected_label = WATER
    layer.brush_size = 33
    layer.mode = 'fill'
    brush.bind(layer)
    assert panel.selected == WATER
    assert panel.brush.value() == 33
    assert status.text.startswith('Fill')
    assert 'water' in status.text


# --- what happens in napari shows here ------------------------------------


@pytest.mark.parametrize('number', [0, 1, SKY, N_CLASSES - 1])
def test_the_picker_moves_the_panel(layer, panel, status, number):
    """The picker, and every key that changes the label."""
    asked = []
    panel.class_requested.connect(asked.append)
    layer.selected_label = N_CLASSES // 2
    layer.selected_label = number
    assert panel.selected == number
    assert CLASSES[number].title in status.text
    assert asked == []


def test_a_stroke_of_the_picker_moves_the_panel(layer, panel, stroke):
    layer.mode = 'pick'
    stroke(layer, [(10, 40)])
    assert layer.selected_label == WATER
    assert panel.selected == WATER


def test_the_eraser_is_shown_as_painting_no_class(layer, status):
    layer.selected_label = SKY
    layer.mode = 'erase'
    assert 'Eraser' in status.text
    assert CLASSES[0].title in status.text
    layer.mode = 'paint'
    assert 'sky' in status.text


def test_moving_around_is_shown_as_not_painting(layer, status):
    layer.selected_label = SKY
    layer.mode = 'paint'
    layer.mode = 'pan_zoom'
    assert 'Not painting' in status.text


# --- ids that are no class ------------------------------------------------


@pytest.mark.parametrize('number', [N_CLASSES, 100, 255])
def test_other_ids_are_refused_gently(layer, panel, status, notices, number):
    panel.class_requested.emit(GRASS)
    layer.selected_label = number
    assert layer.selected_label == GRASS
    assert layer.mode == 'paint'
    assert panel.selected == GRASS
    assert 'grass' in status.text
    (words,) = notices()
    assert f'no class {number}' in words
    assert '0 to 59' in words


def test_the_key_for_the_next_label_stops_at_the_last_class(
    layer, panel, notices
):
    layer.selected_label = N_CLASSES - 2
    for _ in range(3):
        layer.selected_label += 1
    assert layer.selected_label == N_CLASSES - 1
    assert panel.selected == N_CLASSES - 1
    assert len(notices()) == 2


def test_the_refused_brush_paints_its_old_class(layer, panel):
    panel.class_requested.emit(GRASS)
    layer.selected_label = 200
    layer.paint((10, 10), layer.selected_label)
    assert layer.data[10, 10] == GRASS
    assert layer.data.max() < N_CLASSES


# --- brush sizes ----------------------------------------------------------


@pytest.mark.parametrize('size', [1, 40, 41, MAX_BRUSH])
def test_the_slider_sets_the_brush_also_above_naparis_own_limit(
    layer, panel, size
):
    panel.brush.setValue(size + 1 if size == 1 else 1)
    panel.brush.setValue(size)
    assert layer.brush_size == size


@pytest.mark.parametrize('size', [7, 120, 5 * MAX_BRUSH])
def test_a_brush_set_in_napari_is_shown_and_kept(layer, panel, size):
    layer.brush_size = size
    assert panel.brush.value() == min(size, MAX_BRUSH)
    assert layer.brush_size == size


def test_a_large_brush_paints_a_large_disk(layer, panel):
    panel.brush.setValue(61)
    layer.paint((20, 10), SKY)
    rows, _ = np.nonzero(layer.data == SKY)
    assert np.ptp(rows) == 39
    assert (layer.data[20, :41] == SKY).all()
    assert (layer.data[20, 42:] != SKY).all()


# --- from map to map ------------------------------------------------------


def test_only_the_bound_map_is_followed(viewer, brush, panel, status):
    first, second = add_map(viewer, 'one'), add_map(viewer, 'two')
    brush.bind(first)
    brush.bind(second)
    second.selected_label = SKY
    first.selected_label = GRASS
    first.brush_size = 99
    assert panel.selected == SKY
    assert 'sky' in status.text
    assert panel.brush.value() != 99
    panel.class_requested.emit(WATER)
    assert second.selected_label == WATER
    assert first.selected_label == GRASS


def test_each_map_keeps_its_own_class(viewer, brush, panel, notices):
    """A refused id brings back the class of this map, not of another."""
    first, second = add_map(viewer, 'one'), add_map(viewer, 'two')
    brush.bind(first)
    first.selected_label = GRASS
    second.selected_label = SKY
    brush.bind(second)
    second.selected_label = 99
    assert second.selected_label == SKY
    assert first.selected_label == GRASS
    assert len(notices()) == 1


def test_binding_the_same_map_again_changes_nothing(
    brush, layer, panel, notices
):
    brush.bind(layer)
    layer.selected_label = 99
    assert len(notices()) == 1


def test_a_lost_map_is_let_go(brush, layer, panel, status, notices):
    layer.selected_label = SKY
    brush.bind(None)
    assert status.text == 'No semantic map yet'
    layer.selected_label = 99
    layer.brush_size = 7
    layer.mode = 'erase'
    assert layer.selected_label == 99
    assert panel.brush.value() != 7
    assert status.text == 'No semantic map yet'
    assert notices() == []
    panel.class_requested.emit(GRASS)
    assert layer.selected_label == 99
    assert 'Press Run first' in notices()[0]


def test_letting_go_twice_is_once(brush, layer):
    brush.unbind()
    brush.unbind()
    assert brush.map is None
