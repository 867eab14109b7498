"""What is done for one photo is never the end of another one's."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_sdcolor.errors import WeightsError

GRASS = 36


@pytest.fixture
def two(colored, viewer, settle, pixels):
    """The dock after runs on two photos; the second one is shown."""
    viewer.add_image(pixels[:, ::-1].copy(), name='tower')
    colored.run()
    settle(colored)
    return colored


def trios(widget) -> dict:
    return {t.photo.name: t for t in widget.coordinator.coloring.trios}


def show(widget, name: str) -> None:
    viewer = widget.coordinator.viewer
    viewer.layers.selection.active = trios(widget)[name].photo
    assert widget.coordinator.trio is trios(widget)[name]


def delete(widget, name: str) -> None:
    trio = trios(widget)[name]
    layers = widget.coordinator.viewer.layers
    layers.selection = {trio.photo, trio.color, trio.map}
    layers.remove_selected()


# --- saving ---------------------------------------------------------------


@pytest.mark.parametrize('deleted', ['castle', 'tower'])
def test_a_photo_is_saved_whoever_is_deleted_meanwhile(
    two, settle, tmp_path, hold, deleted, notices, assert_saved
):
    show(two, 'castle')
    castle = trios(two)['castle']
    shown = castle.color.data.copy()
    with hold() as worker:
        two.coordinator.saver.save(castle, tmp_path / 'castle.color.tif')
        assert worker.reached.wait(60)
        delete(two, deleted)
    settle(two)
    assert_saved(tmp_path / 'castle.color.tif', shown)
    if deleted == 'castle':
        # Its own line is gone with it.
        assert any('castle was saved in' in words for words in notices())
    else:
        show(two, 'castle')
        assert 'Saved in' in two.views.save.words.text()


@pytest.fixture
def assert_saved():
    def compare(path, shown) -> None:
        saved = tifffile.imread(path)
        assert np.abs(saved.astype(int) - shown).max() <= 1

    return compare


def test_a_saving_that_waits_outlives_its_photo(
    two, settle, tmp_path, hold, assert_saved
):
    castle = trios(two)['castle']
    shown = castle.color.data.copy()
    with hold() as worker:
        two.coordinator.update()
        assert worker.reached.wait(60)
        show(two, 'castle')
        two.coordinator.saver.save(castle, tmp_path / 'castle.color.tif')
        assert 'castle waits' in two.views.run.status.text()
        delete(two, 'castle')
    settle(two)
    assert_saved(tmp_path / 'castle.color.tif', shown)


def test_other_pixels_during_a_saving_do_not_get_into_the_file(
    colored, settle, tmp_path, hold, assert_saved
):
    trio = colored.coordinator.trio
    shown = trio.color.data.copy()
    with hold() as worker:
        colored.coordinator.saver.save(trio, tmp_path / 'castle.color.tif')
        assert worker.reached.wait(60)
        trio.photo.data = 255 - trio.photo.data
        trio.saturation = 0.0
    settle(colored)
    assert_saved(tmp_path / 'castle.color.tif', shown)


def test_a_stop_of_another_photo_leaves_a_saving_alone(
    two, settle, tmp_path, hold
):
    castle = trios(two)['castle']
    with hold() as worker:
        two.coordinator.saver.save(castle, tmp_path / 'castle.color.tif')
        assert worker.reached.wait(60)
        show(two, 'tower')
        two.coordinator.stop()
    settle(two)
    assert (tmp_path / 'castle.color.tif').exists()


def test_a_stopped_saving_writes_nothing_and_says_so(
    colored, settle, tmp_path, hold
):
    with hold() as worker:
        colored.coordinator.saver.save(
            colored.coordinator.trio, tmp_path / 'castle.color.tif'
        )
        assert worker.reached.wait(60)
        assert colored.views.run.button.text == 'Stop'
        colored.views.run.button.native.click()
        words = 'The saving was stopped: nothing was written.'
        assert colored.views.save.words.text() == words
    settle(colored)
    assert list(tmp_path.glob('castle*')) == []
    assert colored.views.save.words.text() == words


def test_two_plane_savings_that_wait_are_both_done(
    viewer, make_widget, settle, pixels, tmp_path, hold
):
    viewer.add_image(np.stack([pixels, 255 - pixels]), name='film')
    widget = make_widget(viewer)
    viewer.dims.set_current_step(0, 0)
    widget.run()
    settle(widget)
    trio = widget.coordinator.trio
    with hold():
        for plane in (0, 1):
            viewer.dims.set_current_step(0, plane)
            widget.coordinator.saver.save(
                trio, tmp_path / f'film.p{plane}.color.tif'
            )
    settle(widget)
    assert len(list(tmp_path.glob('film.p?.color.tif'))) == 2


def test_a_closed_dock_still_saves_what_it_was_asked_to(
    colored, tmp_path, hold, qtbot
):
    path = tmp_path / 'castle.color.tif'
    with hold() as worker:
        colored.coordinator.saver.save(colored.coordinator.trio, path)
        assert worker.reached.wait(60)
        colored.coordinator.close()
    qtbot.waitUntil(path.exists, timeout=30_000)


# --- coloring -------------------------------------------------------------


@pytest.mark.parametrize('how', ['delete', 'stop', 'switch'])
def test_a_run_goes_on_whatever_becomes_of_another_photo(
    two, settle, hold, how
):
    show(two, 'castle')
    castle = trios(two)['castle']
    castle.planes[0].shown = None
    with hold() as worker:
        two.run()
        assert worker.reached.wait(60)
        show(two, 'tower')
        if how == 'delete':
            delete(two, 'tower')
        elif how == 'stop':
            two.coordinator.stop()
    settle(two)
    assert castle.planes[0].shown is not None


def test_a_saturation_that_waits_is_not_lost_with_another_photo(
    two, settle, hold
):
    tower = trios(two)['tower']
    with hold() as worker:
        show(two, 'castle')
        two.coordinator.update()
        assert worker.reached.wait(60)
        show(two, 'tower')
        two.views.color.saturation.value = 0
        delete(two, 'castle')
    settle(two)
    assert (tower.color.data == tower.color.data[..., :1]).all()


@pytest.mark.shows_errors
def test_a_failure_of_one_photo_does_not_drop_the_color_of_another(
    two, settle, hold, engine, monkeypatch
):
    tower = trios(two)['tower']
    show(two, 'castle')
    get, failed = engine.get, []

    def once(settings):
        if not failed:
            failed.append(1)
            raise WeightsError('The weights are truncated; get them again.')
        return get(settings)

    tower.map.paint((10, 10), GRASS)
    monkeypatch.setattr(engine, 'get', once)
    two.coordinator.update()
    show(two, 'tower')
    two.coordinator.coloring.follow(tower)
    settle(two)
    assert failed
    np.testing.assert_array_equal(tower.planes[0].shown.labels, tower.map.data)
    assert 'truncated' not in two.views.run.status.text()
    show(two, 'castle')
    assert 'truncated' in two.views.run.status.text()


def test_a_stopped_run_that_waits_is_said_of_its_photo(two, settle, hold):
    with hold() as worker:
        show(two, 'castle')
        two.coordinator.update()
        assert worker.reached.wait(60)
        show(two, 'tower')
        two.coordinator.update()
        assert 'tower waits' in two.views.run.status.text()
        two.views.run.button.native.click()
        assert 'Stopped' in two.views.run.status.text()
    settle(two)
    assert 'Stopped' in two.views.run.status.text()
    show(two, 'castle')
    assert 'then paint' in two.views.run.status.text()


# --- fresh photo, fresh state ---------------------------------------------


def test_a_fresh_photo_has_nothing_of_the_one_before(
    colored, viewer, settle, pixels, tmp_path
):
    views = colored.views
    views.color.saturation.value = 0.4
    views.run.window_requested.emit('minmax')
    colored.coordinator.saver.save(
        colored.coordinator.trio, tmp_path / 'a.color.tif'
    )
    settle(colored)
    assert 'Saved in' in views.save.words.text()
    viewer.add_image(pixels[::-1].copy(), name='fresh')
    assert views.save.words.text() == ''
    assert views.color.saturation.value == 1
    assert views.run.window.value == 'auto'
    assert views.run.understood.text() == ''
    assert views.run.status.text() == 'Press Run to color fresh.'
    assert views.color.confidence.text().endswith('–')
    colored.run()
    settle(colored)
    fresh = colored.coordinator.trio
    assert (fresh.saturation, fresh.window) == (1, 'auto')

    show(colored, 'castle')
    assert 'Saved in' in views.save.words.text()
    assert views.color.saturation.value == 0.4
    assert views.run.window.value == 'minmax'
    assert 'Understood' in views.run.understood.text()


def test_what_is_chosen_before_the_run_is_used_by_it(
    viewer, make_widget, settle, pixels
):
    viewer.add_image(pixels // 2, name='castle')
    widget = make_widget(viewer)
    widget.views.color.saturation.value = 0
    widget.views.run.window_requested.emit('minmax')
    widget.run()
    settle(widget)
    color = widget.coordinator.trio.color.data
    assert (color == color[..., :1]).all()
    assert color.max() == 255


def test_planes_have_their_own_news(
    viewer, make_widget, settle, pixels, tmp_path
):
    viewer.add_image(np.stack([pixels, 255 - pixels]), name='film')
    widget = make_widget(viewer)
    viewer.dims.set_current_step(0, 0)
    widget.run()
    settle(widget)
    widget.coordinator.saver.save(
        widget.coordinator.trio, tmp_path / 'a.color.tif'
    )
    settle(widget)
    viewer.dims.set_current_step(0, 1)
    assert widget.views.save.words.text() == ''
    assert (
        widget.views.run.status.text()
        == 'Plane 2 of 2: press Run to color it.'
    )
    viewer.dims.set_current_step(0, 0)
    assert 'Saved in' in widget.views.save.words.text()


def test_all_layers_of_a_photo_deleted_at_once(
    colored, viewer, qtbot, notices
):
    viewer.layers.select_all()
    viewer.layers.remove_selected()
    qtbot.waitUntil(lambda: len(notices()) > 0)
    (words,) = notices()
    assert words == (
        'castle was removed with its map and its colors; no file was touched.'
    )


def test_only_the_photo_deleted(colored, viewer, qtbot, notices):
    viewer.layers.remove(colored.coordinator.trio.photo)
    qtbot.waitUntil(lambda: len(notices()) > 0)
    (words,) = notices()
    assert 'its color and map stay as ordinary layers' in words
