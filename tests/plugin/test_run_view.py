"""Choose a photo, run or stop, and see where it runs."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtCore import Qt

from napari_sdcolor.core.device import Device
from napari_sdcolor.plugin.source import WINDOW_CHOICES
from napari_sdcolor.plugin.views.run_view import DeviceBadge, RunView


def record(signal) -> list:
    """The values that a signal carries from now on."""
    seen: list = []

    def note(*values: object) -> None:
        seen.append(values[0] if len(values) == 1 else values)

    signal.connect(note)
    return seen


# --- run ------------------------------------------------------------------


@pytest.fixture
def run_view(qtbot) -> RunView:
    view = RunView()
    qtbot.addWidget(view)
    return view


def photos(*names: str) -> list[tuple[str, Image]]:
    """Named layers, as the view lists them."""
    return [(name, Image(np.zeros((20, 20)), name=name)) for name in names]


def test_without_a_photo_there_is_nothing_to_press(run_view):
    run_view.set_photos([], None)
    assert not run_view.button.enabled
    assert not run_view.photo.enabled


def test_the_button_runs_and_while_running_stops(run_view):
    runs = record(run_view.run_requested)
    stops = record(run_view.stop_requested)
    ((name, photo),) = photos('castle')
    run_view.set_photos([(name, photo)], photo)
    for _ in range(2):
        assert run_view.button.text.startswith('Run')
        assert run_view.bar.native.isHidden()
        run_view.button.native.click()
        run_view.show_running('Starting…')
        assert run_view.button.text == 'Stop'
        assert not run_view.bar.native.isHidden()
        assert run_view.status.text() == 'Starting…'
        run_view.button.native.click()
        run_view.show_idle('Stopped.')
        assert run_view.status.text() == 'Stopped.'
    assert (len(runs), len(stops)) == (2, 2)


def test_a_running_task_can_be_stopped_after_its_photo_is_gone(run_view):
    ((name, photo),) = photos('castle')
    run_view.set_photos([(name, photo)], photo)
    run_view.show_running('Coloring…')
    run_view.set_photos([], None)
    assert run_view.button.enabled
    run_view.show_idle()
    assert not run_view.button.enabled


def test_idle_without_words_keeps_the_last_ones(run_view):
    run_view.show_idle('The weights are missing.')
    run_view.show_idle()
    assert run_view.status.text() == 'The weights are missing.'


def test_listing_photos_does_not_choose_one(run_view):
    asked = record(run_view.photo_requested)
    listed = photos('castle', 'boat', 'bridge')
    run_view.set_photos(listed, listed[2][1])
    assert run_view.photo.value == listed[2][1]
    assert len(run_view.photo.choices) == 3
    run_view.set_photos(listed[1:2], listed[1][1])
    assert run_view.photo.current_choice == 'boat'
    assert asked == []


def test_choosing_a_photo_asks_for_it(run_view, qtbot):
    asked = record(run_view.photo_requested)
    listed = photos('castle', 'boat', 'bridge')
    run_view.set_photos(listed, listed[0][1])
    run_view.show()
    box = run_view.photo.native
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_End)
    assert asked == [listed[2][1]]


def test_every_tone_window_is_offered_by_words_and_asked_for_by_key(
    run_view, qtbot
):
    asked = record(run_view.window_requested)
    box = run_view.window.native
    words = [box.itemText(row) for row in range(box.count())]
    assert words == list(WINDOW_CHOICES.values())
    run_view.options.header.click()
    run_view.show()
    box.setFocus()
    for _ in words[1:]:
        qtbot.keyClick(box, Qt.Key.Key_Down)
    assert asked == list(WINDOW_CHOICES)[1:]


@pytest.mark.parametrize('name', ['status', 'cost', 'understood'])
def test_words_keep_their_room_whatever_they_say(run_view, name):
    label = getattr(run_view, name)
    run_view.resize(300, 400)
    height = label.height()
    long = 'The scan in /archives/' + '/'.join(['box'] * 60) + ' is damaged.'
    label.setText(long)
    assert label.height() == height
    assert label.text() == label.toolTip() == long
    label.setText('')
    assert label.height() == height


def test_showing_progress_moves_nothing(run_view, qtbot):
    run_view.resize(300, 500)
    run_view.show()
    qtbot.waitExposed(run_view)
    place = run_view.status.pos()
    run_view.show_running('Coloring…')
    qtbot.wait(20)
    assert run_view.status.pos() == place


def test_models_that_were_added_meanwhile_are_offered(run_view, tiny_parts):
    from napari_sdcolor.core import models

    run_view.set_weights('default')
    assert 'mine' not in run_view.weights.choices
    models.add(list(tiny_parts.values()), 'mine')
    run_view.set_weights('default')
    assert 'mine' in run_view.weights.choices
    assert run_view.weights.value == 'default'


# --- the device -----------------------------------------------------------


@pytest.fixture
def badge(qtbot) -> DeviceBadge:
    view = DeviceBadge()
    qtbot.addWidget(view)
    return view


def test_before_the_check_no_device_is_claimed(badge):
    assert 'not checked' in badge.text()
    assert badge.styleSheet() == ''


def test_the_device_is_named_and_the_cpu_stands_out(badge):
    badge.show_device(Device('cuda', 'GPU: NVIDIA H200'))
    assert badge.text() == 'Runs on GPU: NVIDIA H200'
    assert 'faster' not in badge.toolTip()
    fast = badge.styleSheet()
    badge.show_device(Device('cpu', 'CPU (8 threads)', ('No GPU was found.',)))
    assert badge.text() == 'Runs on CPU (8 threads)'
    assert badge.styleSheet() != fast
    assert 'GPU would be faster' in badge.toolTip()
    assert 'No GPU was found.' in badge.toolTip()
