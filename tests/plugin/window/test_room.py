"""What must be in view in a small window, and stay where it is."""

from __future__ import annotations

import pytest
from qtpy.QtWidgets import QApplication


def in_view(widget) -> bool:
    """The whole of a widget can be seen."""
    visible = widget.visibleRegion().boundingRect()
    return widget.isVisible() and visible == widget.rect()


@pytest.fixture
def small(hands, qtbot):
    """The window at 1280 x 800, which is also napari's own size."""
    hands.viewer.window.resize(1280, 800)
    QApplication.processEvents()
    qtbot.wait(100)
    return hands


def test_undo_map_opacity_and_saving_need_no_scroll(small):
    views = small.widget.views
    color, save = views.color, views.save
    for control in (
        color.undo,
        color.redo,
        color.map,
        color.before,
        color.opacity,
        color.style,
        save.save,
        save.command,
        views.run.button,
    ):
        assert in_view(control.native), control.name
    for words in (views.run.status, views.run.understood, save.words):
        assert in_view(words)
    assert in_view(views.classes.list)


def test_nothing_jumps_when_words_change(small, qtbot):
    views = small.widget.views
    watched = (
        views.color.undo.native,
        views.classes.list,
        views.save.save.native,
    )
    places = [
        widget.mapToGlobal(widget.rect().topLeft()) for widget in watched
    ]
    long = 'The file /archive/' + 'box/' * 40 + 'a.tif is damaged. ' * 5
    for words in (long, '', 'Coloring…'):
        views.run.show_running(words)
        views.run.understood.setText(words)
        views.save.words.setText(words)
        qtbot.wait(50)
        assert places == [
            widget.mapToGlobal(widget.rect().topLeft()) for widget in watched
        ]
