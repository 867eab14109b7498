"""Choose a photo, run or stop, and see where it runs."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt

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


def test_without_a_photo_there_is_nothing_to_press(run_view):
    run_view.set_photos([], -1)
    assert not run_view.button.isEnabled()
    assert not run_view.photo.isEnabled()


def test_the_button_runs_and_while_running_stops(run_view, qtbot):
    runs = record(run_view.run_requested)
    stops = record(run_view.stop_requested)
    run_view.set_photos(['castle'], 0)
    for _ in range(2):
        assert run_view.button.text().startswith('Run')
        assert run_view.bar.isHidden()
        run_view.button.click()
        run_view.show_running('Starting…')
        assert run_view.button.text() == 'Stop'
        assert not run_view.bar.isHidden()
        assert run_view.status.text() == 'Starting…'
        run_view.button.click()
        run_view.show_idle('Stopped.')
        assert run_view.status.text() == 'Stopped.'
    assert (len(runs), len(stops)) == (2, 2)


def test_a_running_task_can_be_stopped_after_its_photo_is_gone(run_view):
    run_view.set_photos(['castle'], 0)
    run_view.show_running('Coloring…')
    run_view.set_photos([], -1)
    assert run_view.button.isEnabled()
    run_view.show_idle()
    assert not run_view.button.isEnabled()


def test_idle_without_words_keeps_the_last_ones(run_view):
    run_view.show_status('The weights are missing.')
    run_view.show_idle()
    assert run_view.status.text() == 'The weights are missing.'


def test_listing_photos_does_not_choose_one(run_view):
    asked = record(run_view.photo_requested)
    run_view.set_photos(['castle', 'boat', 'castle'], 2)
    assert run_view.photo.currentIndex() == 2
    assert run_view.photo.count() == 3
    run_view.set_photos(['boat'], 0)
    assert run_view.photo.currentText() == 'boat'
    assert asked == []


def test_choosing_a_photo_asks_for_its_row(run_view, qtbot):
    """Rows and not names: two photos may share a name."""
    asked = record(run_view.photo_requested)
    run_view.set_photos(['castle', 'boat', 'castle'], 0)
    run_view.show()
    run_view.photo.setFocus()
    qtbot.keyClick(run_view.photo, Qt.Key.Key_End)
    assert asked == [2]


def test_every_tone_window_is_offered_by_words_and_asked_for_by_key(
    run_view, qtbot
):
    asked = record(run_view.window_requested)
    box = run_view.window
    words = [box.itemText(row) for row in range(box.count())]
    assert words == list(WINDOW_CHOICES.values())
    run_view.show()
    box.setFocus()
    for _ in words[1:]:
        qtbot.keyClick(box, Qt.Key.Key_Down)
    assert asked == list(WINDOW_CHOICES)[1:]


def test_what_was_understood_takes_room_only_when_there_are_words(run_view):
    run_view.set_understood('Understood: gray.')
    assert not run_view.understood.isHidden()
    run_view.set_understood('')
    assert run_view.understood.isHidden()


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
    badge.show_device('cuda', 'GPU: NVIDIA H200', '')
    assert badge.text() == 'Runs on GPU: NVIDIA H200'
    assert 'faster' not in badge.toolTip()
    fast = badge.styleSheet()
    badge.show_device('cpu', 'CPU (8 threads)', 'No GPU was found.')
    assert badge.text() == 'Runs on CPU (8 threads)'
    assert badge.styleSheet() != fast
    assert 'GPU would be faster' in badge.toolTip()
    assert 'No GPU was found.' in badge.toolTip()
