"""What is seen first, before and after, and painting on a hidden map."""

from __future__ import annotations

import numpy as np
import pytest
from napari.settings import get_plugin_settings

from napari_sdcolor.plugin import preferences
from napari_sdcolor.plugin.preferences import PLUGIN
from napari_sdcolor.plugin.views.class_panel import ID_ROLE
from napari_sdcolor.plugin.views.color_view import FILLED, OUTLINES

GRASS, SKY = 36, 50


@pytest.fixture
def trio(colored):
    return colored.coordinator.trio


@pytest.fixture
def page(plugin_settings, tmp_plugin):
    """The plugin's page in napari's preferences."""
    with tmp_plugin(PLUGIN):
        yield get_plugin_settings(PLUGIN)


def test_after_a_run_the_map_is_outlines(trio):
    assert trio.map.visible
    assert trio.map.contour == 2


def test_a_hidden_map_is_remembered_for_the_next_run(
    page, viewer, pixels, make_widget, settle
):
    viewer.add_image(pixels, name='castle')
    widget = make_widget(viewer)
    widget.run()
    settle(widget)
    widget.views.color.map.native.click()
    assert not widget.coordinator.trio.map.visible
    assert preferences.read().show_map is False
    viewer.add_image(255 - pixels, name='negative')
    widget.run()
    settle(widget)
    trio = widget.coordinator.trio
    assert trio.photo.name == 'negative'
    assert not trio.map.visible
    assert trio.map.contour == 2


def test_before_shows_the_photo_alone_and_after_brings_the_map_back(
    colored, trio
):
    button = colored.views.color.before.native
    trio.photo.visible = False
    button.click()
    assert trio.photo.visible
    assert not trio.color.visible
    assert not trio.map.visible
    button.click()
    assert trio.color.visible
    assert trio.map.visible


def test_a_map_that_was_hidden_stays_hidden_after_before(colored, trio):
    colored.views.color.map.native.click()
    button = colored.views.color.before.native
    button.click()
    button.click()
    assert trio.color.visible
    assert not trio.map.visible


@pytest.mark.parametrize('name', ['before', 'map'])
def test_the_brush_is_back_with_the_map(colored, trio, name):
    colored.views.classes.class_requested.emit(GRASS)
    button = getattr(colored.views.color, name).native
    button.click()
    button.click()
    assert trio.map.mode == 'paint'
    assert trio.map.selected_label == GRASS


def test_showing_the_color_in_the_layer_list_ends_before(colored, trio):
    colored.views.color.before.native.click()
    trio.color.visible = True
    assert trio.map.visible
    assert not colored.views.color.before.value


def test_before_does_not_outlive_its_photo(colored, trio, viewer, pixels):
    colored.views.color.before.native.click()
    viewer.add_image(255 - pixels, name='negative')
    assert colored.coordinator.photo.name == 'negative'
    assert trio.map.visible


@pytest.mark.parametrize('hide', ['map', 'before'])
def test_choosing_a_class_shows_what_is_painted_on(
    colored, trio, notices, viewer, hide
):
    getattr(colored.views.color, hide).native.click()
    viewer.layers.selection.active = trio.photo
    colored.views.classes.class_requested.emit(GRASS)
    assert trio.map.visible
    assert trio.color.visible
    assert trio.map.mode == 'paint'
    assert viewer.layers.selection.active == trio.map
    assert any('shown again' in words for words in notices())


def test_choosing_a_class_of_a_map_in_view_says_nothing(colored, notices):
    colored.views.classes.class_requested.emit(GRASS)
    assert notices() == []


def test_a_class_can_be_painted_after_a_look_in_3d(colored, trio, viewer):
    viewer.dims.ndisplay = 3
    colored.views.classes.class_requested.emit(GRASS)
    assert viewer.dims.ndisplay == 2
    assert trio.map.mode == 'paint'


def test_each_style_keeps_its_own_opacity(colored, trio):
    view = colored.views.color
    view.style.value = FILLED
    assert trio.map.contour == 0
    assert trio.map.opacity == pytest.approx(0.5)
    view.opacity.value = 0.2
    view.style.value = OUTLINES
    assert trio.map.contour == 2
    assert trio.map.opacity == pytest.approx(1)
    view.style.value = FILLED
    assert trio.map.opacity == pytest.approx(0.2)


# --- undo, alone, replace ---------------------------------------------------


@pytest.mark.parametrize('hidden', [False, True])
def test_the_buttons_undo_and_redo(colored, trio, stroke, settle, hidden):
    before, color = trio.map.data.copy(), trio.color.data.copy()
    colored.views.classes.class_requested.emit(GRASS)
    stroke(trio.map, [(20, 20), (25, 40)])
    settle(colored)
    painted, repainted = trio.map.data.copy(), trio.color.data.copy()
    assert (painted != before).any()
    if hidden:
        # napari tells of no change in a hidden layer.
        colored.views.color.map.native.click()
    colored.views.color.undo.native.click()
    settle(colored)
    np.testing.assert_array_equal(trio.map.data, before)
    assert np.abs(trio.color.data.astype(int) - color).max() <= 1
    colored.views.color.redo.native.click()
    settle(colored)
    np.testing.assert_array_equal(trio.map.data, painted)
    assert np.abs(trio.color.data.astype(int) - repainted).max() <= 1


def test_a_double_click_shows_one_class_alone_and_another_one_all(
    colored, trio
):
    panel = colored.views.classes
    for number, alone in ((GRASS, True), (SKY, True), (SKY, False)):
        panel.class_requested.emit(number)
        panel.alone_requested.emit(number)
        assert trio.map.show_selected_label is alone
        assert ('others hidden' in colored.views.brush.text) is alone


def test_a_class_is_replaced_everywhere_in_one_step(colored, trio, settle):
    before = trio.map.data.copy()
    old = int(np.bincount(before.ravel()).argmax())
    panel = colored.views.classes
    panel.old.value = old
    panel.new.value = GRASS
    panel.everywhere.native.click()
    settle(colored)
    expected = np.where(before == old, GRASS, before)
    np.testing.assert_array_equal(trio.map.data, expected)
    np.testing.assert_array_equal(trio.planes[0].shown.labels, expected)
    colored.coordinator.brush.undo()
    np.testing.assert_array_equal(trio.map.data, before)


def test_a_region_is_replaced_by_the_next_click(
    colored, trio, stroke, settle, notices
):
    before = trio.map.data.copy()
    panel = colored.views.classes
    panel.class_requested.emit(SKY)
    old = int(before[30, 30])
    panel.old.value, panel.new.value = old, GRASS
    panel.region.native.click()
    assert 'Click the region' in colored.views.brush.text
    elsewhere = tuple(np.argwhere(before != old)[0])
    stroke(trio.map, [elsewhere])
    np.testing.assert_array_equal(trio.map.data, before)
    assert any('This is no' in words for words in notices())
    stroke(trio.map, [(30, 30)])
    settle(colored)
    changed = trio.map.data != before
    assert changed[30, 30]
    assert set(np.unique(before[changed])) == {old}
    assert (trio.map.data[changed] == GRASS).all()
    # One region, not the class in the whole map.
    assert changed.sum() < (before == old).sum()
    assert trio.map.mode == 'paint'
    assert trio.map.selected_label == SKY
    colored.coordinator.brush.undo()
    np.testing.assert_array_equal(trio.map.data, before)


def test_a_class_chosen_instead_ends_the_wait_for_a_region(colored, trio):
    panel = colored.views.classes
    panel.region.native.click()
    panel.class_requested.emit(GRASS)
    assert trio.map.mode == 'paint'
    assert 'grass' in colored.views.brush.text
    # Only napari's own brush listens.
    assert len(trio.map.mouse_drag_callbacks) == 1


def test_preserved_labels_are_told_and_end_with_a_click(colored, trio):
    trio.map.preserve_labels = True
    assert 'preserves' in colored.views.brush.text
    colored.views.classes.class_requested.emit(GRASS)
    assert not trio.map.preserve_labels
    assert 'preserves' not in colored.views.brush.text


def test_choosing_a_class_in_view_does_not_move_the_list(colored, trio):
    panel = colored.views.classes
    panel.show()
    panel.class_requested.emit(SKY)
    bar = panel.list.verticalScrollBar()
    bar.setValue(0)
    panel.class_requested.emit(panel.filter.index(1, 0).data(ID_ROLE))
    assert bar.value() == 0


def test_replacing_offers_what_the_map_holds_by_area(colored, trio, qtbot):
    counts = np.bincount(trio.map.data.ravel(), minlength=60)
    offered = [int(number) for number in colored.views.classes.old.choices]
    assert set(offered) == set(np.flatnonzero(counts))
    areas = counts[offered]
    assert (np.diff(areas) <= 0).all()
