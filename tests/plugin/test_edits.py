"""No stroke of a person is lost, and nothing else is called one."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from napari_sdcolor.plugin import autosave

GRASS, SKY = 36, 50


@pytest.fixture
def kept(autosave_folder: Path) -> Callable[[], list[np.ndarray]]:
    """All maps that were autosaved."""

    def read() -> list[np.ndarray]:
        return [
            autosave.find(path.stem, (64, 85))[0]
            for path in sorted(autosave_folder.glob('*.png'))
        ]

    return read


def holds(maps: list[np.ndarray], wanted: np.ndarray) -> bool:
    return any(np.array_equal(one, wanted) for one in maps)


@pytest.fixture
def film(viewer, make_widget, settle, pixels):
    """The dock after a run on the first plane of two."""
    viewer.add_image(np.stack([pixels, 255 - pixels]), name='film')
    viewer.dims.set_current_step(0, 0)
    widget = make_widget(viewer)
    widget.run()
    settle(widget)
    return widget


# --- autosave -------------------------------------------------------------


def test_edits_of_two_photos_within_a_moment_are_both_kept(
    colored, viewer, settle, pixels, kept
):
    first = colored.coordinator.trio
    viewer.add_image(pixels[:, ::-1].copy(), name='tower')
    colored.run()
    settle(colored)
    second = colored.coordinator.trio
    first.map.paint((10, 10), GRASS)
    second.map.paint((40, 40), GRASS)
    settle(colored)
    colored.coordinator.autosaver.save_now()
    settle(colored)
    assert len(kept()) == 2
    assert holds(kept(), first.map.data)
    assert holds(kept(), second.map.data)


def test_edits_of_two_planes_are_both_kept(film, viewer, settle, kept):
    viewer.dims.set_current_step(0, 1)
    film.run()
    settle(film)
    trio = film.coordinator.trio
    trio.map.data_setitem(
        (np.array([0, 1]), np.array([5, 6]), np.array([7, 8])), GRASS
    )
    settle(film)
    film.coordinator.autosaver.save_now()
    settle(film)
    assert holds(kept(), trio.map.data[0])
    assert holds(kept(), trio.map.data[1])


def test_edits_are_kept_with_live_off(colored, settle, kept):
    colored.views.color.live.value = False
    trio = colored.coordinator.trio
    trio.map.paint((10, 10), GRASS)
    settle(colored)
    colored.coordinator.autosaver.save_now()
    settle(colored)
    assert holds(kept(), trio.map.data)


def test_edits_are_kept_by_themselves_after_a_while(
    colored, settle, kept, qtbot
):
    trio = colored.coordinator.trio
    trio.map.paint((10, 10), GRASS)
    qtbot.waitUntil(lambda: holds(kept(), trio.map.data), timeout=30_000)


@pytest.mark.shows_errors
def test_a_full_disk_is_told_in_a_sentence(
    colored, notices, monkeypatch, autosave_folder, qtbot
):
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, 'no space left')

    monkeypatch.setattr(os, 'fsync', full)
    colored.coordinator.trio.map.paint((10, 10), GRASS)
    colored.coordinator.autosaver.save_now()
    words = f'kept in {autosave_folder}: the disk is full. Save it yourself'
    qtbot.waitUntil(lambda: words in ' '.join(notices()), timeout=30_000)
    assert not list(autosave_folder.iterdir())


@pytest.mark.parametrize('how', ['close', 'delete photo', 'delete map'])
def test_edits_are_kept_when_photo_map_or_dock_go(
    colored, viewer, settle, kept, qtbot, how
):
    trio = colored.coordinator.trio
    colored.views.color.live.value = False
    trio.map.paint((10, 10), GRASS)
    edited = trio.map.data.copy()
    settle(colored)
    assert kept() == []
    if how == 'close':
        colored.coordinator.close()
    else:
        viewer.layers.remove(trio.photo if 'photo' in how else trio.map)
    qtbot.waitUntil(lambda: holds(kept(), edited), timeout=30_000)


def test_what_is_undone_to_the_end_is_not_offered(colored, settle, kept):
    trio = colored.coordinator.trio
    keep = colored.coordinator.autosaver.save_now
    trio.map.paint((10, 10), GRASS)
    settle(colored)
    keep()
    settle(colored)
    assert len(kept()) == 1
    trio.map.undo()
    settle(colored)
    keep()
    settle(colored)
    assert kept() == []


def test_a_run_is_no_edit(colored, settle, kept):
    colored.coordinator.segment_and_color()
    settle(colored)
    colored.coordinator.autosaver.save_now()
    settle(colored)
    assert kept() == []


def test_strokes_during_a_saving_are_not_forgotten_with_what_was_saved(
    colored, settle, tmp_path, engine, hold, kept
):
    trio = colored.coordinator.trio
    trio.map.paint((10, 10), GRASS)
    settle(colored)
    with hold() as worker:
        colored.coordinator.saver.save(trio, tmp_path / 'castle.color.tif')
        assert worker.reached.wait(60)
        trio.map.paint((50, 50), GRASS)
    settle(colored)
    colored.coordinator.autosaver.save_now()
    settle(colored)
    assert holds(kept(), trio.map.data)


# --- a run over strokes ---------------------------------------------------


@pytest.mark.parametrize('answer', ['take', 'keep'])
def test_a_stroke_during_a_second_run_is_asked_about(
    colored, settle, engine, hold, answer
):
    trio = colored.coordinator.trio
    predicted = trio.map.data.copy()
    with hold() as worker:
        colored.run()
        assert worker.reached.wait(60)
        trio.map.paint((10, 10), GRASS)
    edited = trio.map.data.copy()
    settle(colored)
    np.testing.assert_array_equal(trio.map.data, edited)
    assert 'while it was being segmented' in colored.views.banner.text
    np.testing.assert_array_equal(trio.planes[0].shown.labels, edited)
    assert trio.edited_share(0) > 0

    colored.views.banner.answered.emit(answer)
    settle(colored)
    wanted = predicted if answer == 'take' else edited
    np.testing.assert_array_equal(trio.map.data, wanted)
    np.testing.assert_array_equal(trio.planes[0].shown.labels, wanted)
    full = engine.get(None).colorize(trio.photo.data, trio.map.data)
    assert np.abs(trio.color.data.astype(int) - full.rgb).max() <= 1
    if answer == 'take':
        trio.map.undo()
        np.testing.assert_array_equal(trio.map.data, edited)


def test_the_question_is_there_again_when_the_photo_is(
    colored, viewer, settle, engine, hold, pixels
):
    trio = colored.coordinator.trio
    other = viewer.add_image(pixels[::-1].copy(), name='other')
    viewer.layers.selection.active = trio.photo
    with hold() as worker:
        colored.run()
        assert worker.reached.wait(60)
        trio.map.paint((10, 10), GRASS)
        viewer.layers.selection.active = other
    settle(colored)
    assert colored.views.banner.isHidden()
    viewer.layers.selection.active = trio.photo
    assert 'while it was being segmented' in colored.views.banner.text


def test_another_map_set_during_a_run_is_asked_about(
    colored, settle, engine, hold
):
    trio = colored.coordinator.trio
    with hold() as worker:
        colored.run()
        assert worker.reached.wait(60)
        trio.map.data = np.full_like(trio.map.data, SKY)
    settle(colored)
    assert (trio.map.data == SKY).all()
    assert (trio.planes[0].shown.labels == SKY).all()
    assert not colored.views.banner.isHidden()


def test_saturation_moved_during_a_run_is_that_of_the_new_color(
    colored, settle, engine, hold
):
    trio = colored.coordinator.trio
    with hold() as worker:
        colored.run()
        assert worker.reached.wait(60)
        colored.views.color.saturation.value = 0
    settle(colored)
    assert (trio.color.data == trio.color.data[..., :1]).all()


# --- other pixels ---------------------------------------------------------


@pytest.mark.parametrize('first', [True, False], ids=['first', 'second'])
def test_a_run_goes_on_with_the_new_pixels(
    viewer, make_widget, settle, pixels, engine, hold, first
):
    viewer.add_image(pixels, name='castle')
    widget = make_widget(viewer)
    if not first:
        widget.run()
    settle(widget)
    other = 255 - pixels
    with hold() as worker:
        widget.run()
        assert worker.reached.wait(60)
        viewer.layers[0].data = other
    settle(widget)
    trio = widget.coordinator.trio
    found = engine.get(None).segment(other).labels
    np.testing.assert_array_equal(trio.map.data, found)
    full = engine.get(None).colorize(other, found)
    assert np.abs(trio.color.data.astype(int) - full.rgb).max() <= 1
    assert 'then paint' in widget.views.run.status.text()


def test_old_colors_are_not_called_those_of_the_new_pixels(colored, settle):
    trio = colored.coordinator.trio
    colored.views.color.live.value = False
    trio.photo.data = 255 - trio.photo.data
    settle(colored)
    assert 'The photo was changed' in colored.views.run.status.text()
    colored.views.color.update_now.native.click()
    settle(colored)
    assert 'then paint' in colored.views.run.status.text()


@pytest.mark.parametrize('shape', [(90, 120), (200, 120)])
def test_other_pixels_are_no_edit(colored, settle, shape):
    trio = colored.coordinator.trio
    trio.photo.data = np.full(shape, 90, np.uint8)
    settle(colored)
    assert trio.edited_share(0) == 0
    colored.run()
    settle(colored)
    assert colored.views.banner.isHidden()
    assert trio.edited_share(0) == 0


@pytest.mark.shows_errors
def test_a_photo_that_gets_a_fourth_axis_is_let_go(colored, settle, notices):
    photo = colored.coordinator.photo
    photo.data = np.zeros((2, 2, 40, 40), np.uint8)
    settle(colored)
    assert colored.coordinator.trio is None
    assert any('4 axes' in words for words in notices())
    assert '4 axes' in colored.views.run.status.text()


# --- the map layer gets another array -------------------------------------


@pytest.mark.parametrize('shape', [(64, 85), (10, 10)])
def test_undo_does_not_spoil_an_array_that_was_set(colored, settle, shape):
    trio = colored.coordinator.trio
    trio.map.paint((60, 60), GRASS)
    trio.map.mode = 'paint'
    trio.map.data = np.full(shape, SKY, np.uint8)
    settle(colored)
    assert str(trio.map.mode) == 'paint'
    trio.map.undo()
    trio.map.redo()
    assert (trio.map.data == SKY).all()
    trio.map.paint((5, 5), GRASS)
    trio.map.undo()
    assert (trio.map.data == SKY).all()


def test_a_map_of_another_size_is_said_to_be_one(colored, settle):
    trio = colored.coordinator.trio
    trio.map.data = np.zeros((10, 10), np.uint8)
    settle(colored)
    assert 'another size' in colored.views.run.status.text()


# --- what counts as an edit -----------------------------------------------


def test_a_plane_that_was_never_run_is_not_edited(film, viewer, settle):
    trio = film.coordinator.trio
    viewer.dims.set_current_step(0, 1)
    settle(film)
    assert trio.edited_share(1) == 0
    assert 'press Run' in film.views.run.status.text()
    trio.map.data_setitem((np.array([1]), np.array([5]), np.array([6])), 9)
    assert trio.edited_share(1) == pytest.approx(1 / (64 * 85))


def test_with_live_off_it_is_said_that_the_colors_are_behind(colored, settle):
    colored.views.color.live.value = False
    trio = colored.coordinator.trio
    trio.map.paint((10, 10), GRASS)
    settle(colored)
    assert 'press Update now' in colored.views.run.status.text()
    colored.views.color.live.value = True
    settle(colored)
    assert 'the color follows' in colored.views.run.status.text()
