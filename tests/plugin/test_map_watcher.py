"""The color follows the map, however the map changes."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QCoreApplication

GRASS, SKY = 36, 50


def test_a_stroke_changes_the_color_around_it_and_nowhere_else(
    colored, settle, stroke
):
    trio = colored.coordinator.trio
    before = trio.color.data.copy()
    trio.map.mode = 'paint'
    trio.map.selected_label = GRASS
    trio.map.brush_size = 6
    stroke(trio.map, [(4, 4), (4, 10)])
    settle(colored)

    assert (trio.map.data == GRASS).any()
    changed = (trio.color.data != before).any(axis=-1)
    assert changed.any()
    session = trio.painter.session
    rows, columns = np.nonzero(changed)
    edited = np.argwhere(trio.map.data != trio.planes[0].baseline)
    reach = 64 + 15 + 1
    box = session.photo_box(
        (0, 0, edited[:, 0].max() + reach, edited[:, 1].max() + reach)
    )
    assert rows.max() < box[2]
    assert columns.max() < box[3]


def test_undo_brings_map_and_color_back_and_redo_repeats(
    colored, settle, stroke
):
    trio = colored.coordinator.trio
    first_map, first = trio.map.data.copy(), trio.color.data.copy()
    trio.map.mode = 'paint'
    trio.map.selected_label = SKY
    stroke(trio.map, [(20, 20), (30, 40)])
    settle(colored)
    second_map, second = trio.map.data.copy(), trio.color.data.copy()
    assert (second != first).any()

    trio.map.undo()
    settle(colored)
    np.testing.assert_array_equal(trio.map.data, first_map)
    assert np.abs(trio.color.data.astype(int) - first).max() <= 1

    trio.map.redo()
    settle(colored)
    np.testing.assert_array_equal(trio.map.data, second_map)
    assert np.abs(trio.color.data.astype(int) - second).max() <= 1


def _brush(layer):
    layer.paint((10, 10), GRASS)


def _fill(layer):
    layer.fill((30, 30), GRASS)


def _polygon(layer):
    layer.paint_polygon([(5, 5), (5, 30), (30, 30)], GRASS)


def _setitem(layer):
    layer.data_setitem((np.array([3, 4]), np.array([5, 6])), [GRASS, SKY])


def _erase(layer):
    layer.paint((20, 20), 0)
    layer.paint((25, 20), GRASS)


def _new_data(layer):
    layer.data = np.full_like(layer.data, GRASS)


def _in_place(layer):
    layer.data[:12, :12] = SKY
    layer.refresh()


@pytest.mark.parametrize(
    'edit',
    [_brush, _fill, _polygon, _setitem, _erase, _new_data, _in_place],
)
def test_every_way_to_change_the_map_recolors(colored, settle, edit):
    trio = colored.coordinator.trio
    trio.map.brush_size = 9
    before = trio.color.data.copy()
    edit(trio.map)
    settle(colored)
    assert (trio.color.data != before).any()
    np.testing.assert_array_equal(trio.planes[0].shown.labels, trio.map.data)


def test_the_picture_equals_a_full_pass_after_many_strokes(
    colored, settle, stroke, engine
):
    trio = colored.coordinator.trio
    rng = np.random.default_rng(3)
    trio.map.mode = 'paint'
    for _ in range(8):
        trio.map.selected_label = int(rng.integers(0, 60))
        trio.map.brush_size = int(rng.integers(2, 20))
        stroke(trio.map, rng.integers(0, 60, (3, 2)).tolist())
    settle(colored)
    photo = trio.source.photo(0, 'type')
    full = engine.get(None).colorize(photo, trio.map.data)
    assert np.abs(trio.color.data.astype(int) - full.rgb).max() <= 1


def test_strokes_during_computation_are_not_lost(colored, settle):
    trio = colored.coordinator.trio
    for place in range(0, 50, 5):
        trio.map.paint((place, place), GRASS)
        # No settling between the strokes: most meet a busy worker.
        colored.coordinator.coloring.follow(trio)
    settle(colored)
    np.testing.assert_array_equal(trio.planes[0].shown.labels, trio.map.data)


def test_live_off_waits_for_update_now(colored, settle):
    trio, views = colored.coordinator.trio, colored.views
    views.color.live.value = False
    before = trio.color.data.copy()
    trio.map.paint((10, 10), GRASS)
    settle(colored)
    np.testing.assert_array_equal(trio.color.data, before)
    views.color.update_now.native.click()
    settle(colored)
    assert (trio.color.data != before).any()


def test_switching_live_on_catches_up(colored, settle):
    trio, views = colored.coordinator.trio, colored.views
    views.color.live.value = False
    trio.map.paint((10, 10), GRASS)
    settle(colored)
    views.color.live.value = True
    settle(colored)
    np.testing.assert_array_equal(trio.planes[0].shown.labels, trio.map.data)


def test_a_hidden_dock_colors_nothing_until_it_is_shown(colored, settle):
    trio = colored.coordinator.trio
    colored.show()
    colored.hide()
    before = trio.color.data.copy()
    trio.map.paint((10, 10), GRASS)
    settle(colored)
    np.testing.assert_array_equal(trio.color.data, before)
    colored.show()
    settle(colored)
    assert (trio.color.data != before).any()


def test_foreign_ids_are_colored_as_no_class_and_left_in_the_map(
    colored, settle, notices
):
    trio = colored.coordinator.trio
    trio.map.data_setitem((np.array([3]), np.array([5])), [77])
    settle(colored)
    assert any('none of the 60' in words for words in notices())
    assert trio.map.data[3, 5] == 77
    assert trio.planes[0].shown.labels[3, 5] == 0


def test_a_map_of_another_size_is_explained(colored, settle, notices):
    trio = colored.coordinator.trio
    before = trio.color.data.copy()
    trio.map.data = np.zeros((10, 10), np.uint8)
    settle(colored)
    assert any('press Run' in words for words in notices())
    np.testing.assert_array_equal(trio.color.data, before)


def test_saturation_zero_is_gray_and_back_is_the_same(colored, settle):
    trio, views = colored.coordinator.trio, colored.views
    before = trio.color.data.copy()
    views.color.saturation.value = 0
    settle(colored)
    gray = trio.color.data
    assert (gray == gray[..., :1]).all()
    views.color.saturation.value = 1
    settle(colored)
    np.testing.assert_array_equal(trio.color.data, before)


def test_the_pace_follows_the_drawing(colored, qtbot):
    coloring = colored.coordinator.coloring
    watcher = coloring._watcher
    for wanted, given in ((3, 15), (60.4, 60), (5000, 200)):
        watcher.set_pace(wanted)
        assert watcher.pace == given
    colored.coordinator.trio.map.paint((10, 10), GRASS)
    # Drawing without a window takes no time.
    qtbot.waitUntil(lambda: watcher.pace < 200, timeout=30_000)


def test_an_edit_moves_only_its_rectangle(colored, settle):
    """What the worker hands over is as small as what an edit can change."""
    trio = colored.coordinator.trio
    seen = []
    colored.coordinator.coloring.painted.connect(
        lambda trio, painted: seen.append(painted)
    )
    trio.map.paint((3, 3), GRASS)
    settle(colored)
    (painted,) = seen
    assert not painted.whole
    ((box, pixels),) = painted.patches
    assert box[:2] == (0, 0)
    assert pixels.shape == (box[2], box[3], 3)


def test_other_pixels_of_the_photo_are_colored_and_late_ones_dropped(
    colored, settle, engine, viewer
):
    trio = colored.coordinator.trio
    coloring = colored.coordinator.coloring
    trio.map.paint((10, 10), GRASS)
    coloring.follow(trio)
    # The worker is at it, or has just begun: its result must not be shown.
    other = trio.photo.data[::-1].copy()
    trio.photo.data = other
    settle(colored)
    full = engine.get(None).colorize(other, trio.map.data)
    assert np.abs(trio.color.data.astype(int) - full.rgb).max() <= 1


def test_a_photo_of_another_size_asks_for_a_new_run(
    colored, settle, viewer, notices
):
    trio = colored.coordinator.trio
    labels = trio.map.data.copy()
    trio.photo.data = np.full((200, 120), 90, np.uint8)
    settle(colored)
    assert any('press Run' in words for words in notices())
    np.testing.assert_array_equal(trio.map.data, labels)
    colored.run()
    settle(colored)
    if colored.views.banner.isVisibleTo(colored):
        colored.coordinator.segment_and_color()
        settle(colored)
    assert trio.color.data.shape == (200, 120, 3)


def test_a_device_that_gives_up_is_replaced_by_the_cpu(
    colored, settle, engine, monkeypatch, notices
):
    from napari_sdcolor.core import engine as core_engine
    from napari_sdcolor.core import incremental
    from napari_sdcolor.core.device import Device

    trio = colored.coordinator.trio
    broken = engine.get(None)
    spare = core_engine.Colorizer(broken.parts, broken.device, size=64)
    broken.device = Device('cuda', 'GPU: Test')
    update = incremental.IncrementalPass.update

    def fail(steps, *inputs):
        if trio.painter.session.colorizer is broken:
            raise RuntimeError('CUDA error: unspecified launch failure')
        return update(steps, *inputs)

    monkeypatch.setattr(incremental.IncrementalPass, 'update', fail)
    monkeypatch.setattr(
        core_engine.Colorizer, 'load', lambda *names, **choices: spare
    )
    trio.map.paint((10, 10), GRASS)
    settle(colored)
    assert any('From now on the CPU' in words for words in notices())
    assert engine.get(None) is spare
    full = spare.colorize(trio.photo.data, trio.map.data)
    assert np.abs(trio.color.data.astype(int) - full.rgb).max() <= 1
    trio.map.paint((20, 20), SKY)
    settle(colored)
    np.testing.assert_array_equal(trio.planes[0].shown.labels, trio.map.data)


def test_the_first_event_after_a_pause_comes_before_the_drawing(
    colored, settle
):
    watcher = colored.coordinator.coloring._watcher
    layer = colored.coordinator.trio.map
    settle(colored)
    watcher.set_pace(200)
    watcher._told_at = -1e9
    told = []
    watcher.touched.connect(told.append)
    layer.paint((10, 10), GRASS)
    # Not inside of napari's own slot, and without any timer.
    assert not told
    QCoreApplication.sendPostedEvents(watcher)
    assert told == [layer]
    layer.paint((20, 20), SKY)
    QCoreApplication.sendPostedEvents(watcher)
    assert told == [layer]
    assert watcher.waiting
