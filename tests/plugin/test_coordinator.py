"""Run, stop, layers that come and go, stacks, and a person's edits."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_sdcolor.classes import N_CLASSES
from napari_sdcolor.plugin import autosave
from napari_sdcolor.settings import Settings

GRASS = 36


def shown_planes(trio) -> set[int]:
    """Planes that have color."""
    return {n for n, plane in trio.planes.items() if plane.shown is not None}


def test_opening_before_any_layer_says_what_to_do(
    viewer, make_widget, settle, pixels
):
    widget = make_widget(viewer)
    settle(widget)
    assert 'Open a gray photo' in widget.views.run.status.text()
    assert not widget.views.run.button.enabled
    widget.run()
    settle(widget)
    assert len(viewer.layers) == 0

    viewer.add_image(pixels, name='late')
    assert widget.views.run.photo.current_choice == 'late'
    assert widget.views.run.button.enabled


def test_a_run_adds_color_above_the_photo_and_the_map_on_top(colored, viewer):
    photo, color, map_ = viewer.layers
    assert [type(layer) for layer in (photo, color, map_)] == [
        Image,
        Image,
        Labels,
    ]
    assert color.rgb
    assert color.data.dtype == map_.data.dtype == np.uint8
    # Outlines leave the colors as they are.
    assert map_.contour == 2
    assert map_.data.shape == (64, 85)
    assert map_.data.max() < N_CLASSES


def test_the_photo_is_never_changed(colored, viewer, pixels):
    np.testing.assert_array_equal(viewer.layers[0].data, pixels)


def test_status_and_understood_speak_after_a_run(colored):
    run = colored.views.run
    assert 'paint on the photo' in run.status.text()
    assert '120 × 90' in run.understood.text()
    assert 'CPU' in colored.views.badge.text()
    assert colored.views.color.confidence.text().endswith('%')


def test_a_color_photo_is_accepted_and_said(
    viewer, make_widget, settle, pixels
):
    channels = pixels, pixels[::-1], pixels
    viewer.add_image(np.stack(channels, -1), rgb=True)
    widget = make_widget(viewer)
    widget.run()
    settle(widget)
    words = widget.views.run.understood.text()
    assert 'only its lightness is used' in words


def test_twelve_bits_in_sixteen_do_not_come_out_black(
    viewer, make_widget, settle, pixels
):
    viewer.add_image(pixels.astype(np.uint16) * 16)
    widget = make_widget(viewer)
    widget.views.color.saturation.value = 0
    widget.run()
    settle(widget)
    assert widget.coordinator.trio.color.data.max() > 200


@pytest.mark.shows_errors
@pytest.mark.parametrize(
    ('shape', 'words'),
    [((2, 3, 40, 40), 'axes'), ((10, 40), 'shorter side')],
)
def test_what_is_no_photo_is_refused_with_a_sentence(
    viewer, make_widget, settle, shape, words
):
    viewer.add_image(np.zeros(shape, np.uint8))
    widget = make_widget(viewer)
    widget.run()
    settle(widget)
    assert words in widget.views.run.status.text()
    assert len(viewer.layers) == 1


def test_stop_answers_at_once_and_drops_the_late_result(
    viewer, make_widget, settle, pixels, engine, monkeypatch
):
    reached, go_on = threading.Event(), threading.Event()
    get = engine.get

    def slow(settings):
        reached.set()
        go_on.wait(10)
        return get(settings)

    monkeypatch.setattr(engine, 'get', slow)
    viewer.add_image(pixels)
    widget = make_widget(viewer)
    settle(widget)
    widget.run()
    assert reached.wait(10)
    assert widget.views.run.button.text == 'Stop'
    widget.views.run.button.native.click()
    assert 'Stopped' in widget.views.run.status.text()
    assert widget.views.run.button.text.startswith('Run')
    go_on.set()
    settle(widget)
    assert len(viewer.layers) == 1

    widget.run()
    settle(widget)
    assert len(viewer.layers) == 3


def test_stop_of_a_recolor_keeps_the_picture_and_the_next_is_whole(
    colored, settle, engine, monkeypatch
):
    trio = colored.coordinator.trio
    before = trio.color.data.copy()
    reached, go_on = threading.Event(), threading.Event()
    paint = trio.painter.paint

    def slow(*arguments, **choices):
        result = paint(*arguments, **choices)
        reached.set()
        go_on.wait(10)
        return result

    monkeypatch.setattr(trio.painter, 'paint', slow)
    trio.map.paint((10, 10), GRASS)
    colored.coordinator.coloring.follow(trio)
    assert reached.wait(10)
    # With Live on, the map's difference would be followed again at once.
    colored.coordinator.coloring.live = False
    colored.coordinator.stop()
    go_on.set()
    monkeypatch.undo()
    settle(colored)
    np.testing.assert_array_equal(trio.color.data, before)

    colored.coordinator.update()
    settle(colored)
    photo = trio.source.photo(0, 'type')
    full = engine.get(None).colorize(photo, trio.map.data)
    # Within one count: the window follows edits, a file is one full pass.
    assert np.abs(trio.color.data.astype(int) - full.rgb).max() <= 1


def test_deleting_each_layer_is_survived(colored, viewer, settle):
    coordinator = colored.coordinator
    trio = coordinator.trio
    viewer.layers.remove(trio.color)
    assert 'color layer was deleted' in colored.views.run.status.text()
    coordinator.update()
    settle(colored)
    assert trio.color in viewer.layers

    viewer.layers.remove(trio.map)
    assert 'map was deleted' in colored.views.run.status.text()
    assert 'No semantic map' in colored.views.brush.text
    colored.run()
    settle(colored)
    assert trio.map in viewer.layers

    viewer.layers.remove(trio.photo)
    settle(colored)
    assert coordinator.trio is None
    assert not coordinator.coloring.trios
    assert len(viewer.layers) == 2


def test_deleting_layers_in_the_middle_of_a_run_is_survived(
    colored, viewer, settle
):
    trio = colored.coordinator.trio
    trio.map.paint((10, 10), GRASS)
    colored.coordinator.coloring.follow(trio)
    viewer.layers.remove(trio.color)
    settle(colored)
    trio.map.paint((20, 20), GRASS)
    colored.coordinator.coloring.follow(trio)
    viewer.layers.remove(trio.map)
    settle(colored)
    colored.run()
    viewer.layers.remove(trio.photo)
    settle(colored)
    assert colored.coordinator.trio is None


def test_renaming_and_reordering_change_nothing(colored, viewer, settle):
    trio = colored.coordinator.trio
    for layer in viewer.layers:
        layer.name = 'same'
    viewer.layers.reverse()
    assert colored.views.run.photo.current_choice == trio.photo.name
    before = trio.color.data.copy()
    trio.map.paint((10, 10), GRASS)
    settle(colored)
    assert (trio.color.data != before).any()


def test_two_photos_at_once(colored, viewer, settle, pixels):
    first = colored.coordinator.trio
    viewer.add_image(pixels[:, ::-1].copy(), name='second')
    colored.views.run.photo.value = viewer.layers['second']
    colored.run()
    settle(colored)
    second = colored.coordinator.trio
    assert second is not first
    assert len(viewer.layers) == 6

    before = second.color.data.copy()
    first.map.paint((10, 10), GRASS)
    settle(colored)
    np.testing.assert_array_equal(first.planes[0].shown.labels, first.map.data)
    np.testing.assert_array_equal(second.color.data, before)
    viewer.layers.selection.active = first.map
    assert colored.coordinator.trio is first


def test_a_fresh_map_over_a_changed_one_is_one_undo_step(colored, settle):
    trio = colored.coordinator.trio
    trio.map.data_setitem(
        (np.arange(40), np.arange(40)), np.full(40, GRASS, np.uint8)
    )
    settle(colored)
    edited = trio.map.data.copy()
    colored.run()
    assert 'replace your edits' in colored.views.banner.text
    np.testing.assert_array_equal(trio.map.data, edited)

    colored.views.banner.answered.emit('replace')
    settle(colored)
    np.testing.assert_array_equal(trio.map.data, trio.planes[0].baseline)
    trio.map.undo()
    settle(colored)
    np.testing.assert_array_equal(trio.map.data, edited)
    np.testing.assert_array_equal(trio.planes[0].shown.labels, edited)


def test_keeping_the_map_keeps_it(colored, settle):
    trio = colored.coordinator.trio
    trio.map.paint((10, 10), GRASS)
    settle(colored)
    edited = trio.map.data.copy()
    colored.run()
    colored.views.banner.answered.emit('keep')
    settle(colored)
    np.testing.assert_array_equal(trio.map.data, edited)


def test_an_edited_map_is_kept_and_offered_to_the_next_start(
    colored, viewer, settle, make_widget, pixels, autosave_folder
):
    trio = colored.coordinator.trio
    trio.map.paint((10, 10), GRASS)
    settle(colored)
    edited = trio.map.data.copy()
    colored.coordinator.autosaver.save_now()
    settle(colored)
    assert len(list(autosave_folder.glob('*.png'))) == 1

    # As after a crash: a new viewer, the same photo.
    again = type(viewer)()
    again.add_image(pixels, name='another name')
    widget = make_widget(again)
    widget.run()
    settle(widget)
    assert 'kept on' in widget.views.banner.text
    widget.views.banner.answered.emit('restore')
    settle(widget)
    restored = widget.coordinator.trio
    np.testing.assert_array_equal(restored.map.data, edited)
    restored.map.undo()
    settle(widget)
    np.testing.assert_array_equal(
        restored.map.data, restored.planes[0].baseline
    )


def test_a_question_is_about_the_photo_that_it_was_asked_for(
    colored, viewer, settle, pixels
):
    first = colored.coordinator.trio
    first.map.paint((10, 10), GRASS)
    settle(colored)
    viewer.add_image(pixels[::-1].copy(), name='second')
    colored.run()
    settle(colored)
    second = colored.coordinator.trio
    assert second is not first
    second.map.paint((30, 30), GRASS)
    settle(colored)
    edited = second.map.data.copy()

    viewer.layers.selection.active = first.map
    colored.run()
    assert 'castle' in colored.views.banner.text
    viewer.layers.selection.active = second.map
    assert colored.views.banner.isHidden()
    colored.views.banner.answered.emit('replace')
    settle(colored)
    np.testing.assert_array_equal(second.map.data, edited)


def test_an_edited_map_keeps_its_size_when_another_is_preferred(
    colored, settle, engine, monkeypatch
):
    trio = colored.coordinator.trio
    trio.map.paint((10, 10), GRASS)
    settle(colored)
    edited = trio.map.data.copy()
    monkeypatch.setattr(
        engine, 'settings', lambda: Settings(size=96, device='cpu')
    )
    colored.run()
    colored.views.banner.answered.emit('replace')
    settle(colored)
    trio.map.undo()
    settle(colored)
    np.testing.assert_array_equal(trio.map.data, edited)


def test_a_new_dock_goes_on_where_the_old_one_was(
    colored, viewer, settle, make_widget
):
    trio = colored.coordinator.trio
    colored.coordinator.close()
    again = make_widget(viewer)
    settle(again)
    assert again.coordinator.trio is trio
    assert len(again.views.run.photo.choices) == 1
    assert again.views.save.save.enabled
    before = trio.color.data.copy()
    trio.map.paint((10, 10), GRASS)
    settle(again)
    assert (trio.color.data != before).any()
    trio.photo.scale = (2, 3)
    np.testing.assert_allclose(trio.color.scale, (2, 3))
    assert len(viewer.layers) == 3


def test_the_color_of_a_deleted_photo_is_no_photo(colored, viewer, settle):
    viewer.layers.remove(colored.coordinator.trio.photo)
    settle(colored)
    assert len(colored.views.run.photo.choices) == 0


@pytest.mark.shows_errors
def test_a_failed_save_speaks_below_its_button(colored, settle, tmp_path):
    trio = colored.coordinator.trio
    colored.coordinator.saver.save(
        trio, tmp_path / 'nowhere' / 'castle.color.tif'
    )
    settle(colored)
    assert 'nowhere' in colored.views.save.words.text()


def test_a_kept_map_can_be_forgotten(colored, viewer, settle, make_widget):
    trio = colored.coordinator.trio
    trio.map.paint((10, 10), GRASS)
    settle(colored)
    colored.coordinator.autosaver.save_now()
    settle(colored)
    name = trio.planes[0].fingerprint
    assert autosave.find(name, trio.map.data.shape) is not None
    again = type(viewer)()
    again.add_image(trio.photo.data)
    widget = make_widget(again)
    widget.run()
    settle(widget)
    widget.views.banner.answered.emit('discard')
    assert autosave.find(name, trio.map.data.shape) is None


def test_a_stack_goes_plane_by_plane(viewer, make_widget, settle, pixels):
    stack = np.stack([pixels, pixels[::-1], pixels[:, ::-1]])
    viewer.add_image(stack, name='film')
    viewer.dims.set_current_step(0, 1)
    widget = make_widget(viewer)
    widget.run()
    settle(widget)
    trio = widget.coordinator.trio
    assert trio.map.data.shape == (3, 64, 85)
    assert trio.color.data.shape == (3, 90, 120, 3)
    assert 'Plane 2 of 3' in widget.views.run.status.text()
    assert shown_planes(trio) == {1}

    viewer.dims.set_current_step(0, 2)
    settle(widget)
    assert 'Plane 3 of 3: press Run' in widget.views.run.status.text()
    # Not black: its own grays, until it is colored.
    gray = trio.color.data[2]
    np.testing.assert_array_equal(gray, np.stack([stack[2]] * 3, -1))

    widget.run()
    settle(widget)
    assert shown_planes(trio) == {1, 2}
    before = trio.color.data.copy()
    trio.map.data_setitem(
        (np.full(9, 2), np.arange(9), np.arange(9)), np.full(9, GRASS)
    )
    settle(widget)
    assert (trio.color.data[2] != before[2]).any()
    np.testing.assert_array_equal(trio.color.data[:2], before[:2])


def test_before_and_after_follow_the_layer_and_back(colored):
    trio, button = colored.coordinator.trio, colored.views.color.before
    button.native.click()
    assert not trio.color.visible
    trio.color.visible = True
    assert not button.value


def test_opacity_follows_the_layer_and_back(colored):
    trio, view = colored.coordinator.trio, colored.views.color
    view.opacity.value = 0.7
    assert trio.map.opacity == pytest.approx(0.7)
    trio.map.opacity = 0.1
    assert view.opacity.value == pytest.approx(0.1)


@pytest.mark.shows_errors
def test_failing_networks_leave_a_sentence_and_the_old_picture(
    colored, settle, engine, monkeypatch
):
    from napari_sdcolor.errors import WeightsError

    def broken(settings):
        raise WeightsError('The weights are truncated; get them again.')

    trio = colored.coordinator.trio
    before = trio.color.data.copy()
    monkeypatch.setattr(engine, 'get', broken)
    colored.coordinator.update()
    settle(colored)
    assert 'truncated' in colored.views.run.status.text()
    np.testing.assert_array_equal(trio.color.data, before)


@pytest.mark.shows_errors
def test_save_writes_three_files_and_refuses_to_overwrite(
    colored, settle, tmp_path
):
    trio = colored.coordinator.trio
    chosen = tmp_path / 'castle.color.tif'
    colored.coordinator.saver.choose = lambda name, beside: chosen
    colored.views.save.save.native.click()
    settle(colored)
    names = {path.name for path in tmp_path.glob('castle*')}
    assert names == {
        'castle.color.tif',
        'castle.labels.png',
        'castle.sdcolor.json',
    }
    assert 'Saved in' in colored.views.save.words.text()
    saved = chosen.read_bytes()

    trio.map.paint((10, 10), GRASS)
    settle(colored)
    colored.views.save.save.native.click()
    settle(colored)
    assert 'castle' in colored.views.run.status.text()
    assert chosen.read_bytes() == saved


def test_the_class_panel_shows_the_areas_of_the_map(colored, settle):
    trio = colored.coordinator.trio
    trio.map.data = np.full_like(trio.map.data, GRASS)
    settle(colored)
    panel = colored.views.classes
    panel.only_present.setChecked(True)
    assert panel.filter.rowCount() == 1
    assert panel.filter.index(0, 0).data() == 'grass   100.0%'
