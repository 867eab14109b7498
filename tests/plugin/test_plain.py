"""Names of files on widgets: plain text, whatever they hold."""

from __future__ import annotations

import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from napari_sdcolor.batch.outcome import FAILED, Outcome
from napari_sdcolor.plugin import notices
from napari_sdcolor.plugin.archive.photos_view import PhotosView
from napari_sdcolor.plugin.archive.table import NAME, STATUS
from napari_sdcolor.plugin.plain import plain
from napari_sdcolor.plugin.views.banner import Banner
from napari_sdcolor.plugin.views.words import Words

NAMES = [
    '<b>bold.tif',
    '<img src=x>.tif',
    '<a href="file:">a</a>',
    'a &lt;b&gt;',
    '<!-- a',
    '<br/>',
    '1 < 2 <i>',
]


def width_of(words: str, form: Qt.TextFormat) -> int:
    label = QLabel()
    label.setTextFormat(form)
    label.setText(words)
    return label.sizeHint().width()


@pytest.mark.parametrize('name', NAMES)
def test_qt_takes_no_name_for_html(qtbot, name) -> None:
    """A label of unknown format is as wide as one of plain text."""
    words = plain(name)
    assert words.replace('\u2060', '') == name
    auto = width_of(words, Qt.TextFormat.AutoText)
    assert auto == width_of(words, Qt.TextFormat.PlainText)


def test_what_cannot_be_seen_is_escaped_line_by_line() -> None:
    assert plain('a\u202eb\nc\x1b') == 'a\\u202eb\nc\\x1b'


def test_notices_are_plain() -> None:
    with notification_manager:
        before = len(notification_manager.records)
        notices.show_info('<b>a')
        notices.show_warning('<b>b')
        messages = [
            record.message for record in notification_manager.records[before:]
        ]
    assert messages == ['<\u2060b>a', '<\u2060b>b']


def test_widgets_show_plain_text(qtbot) -> None:
    label, banner, photos = Words(2), Banner(), PhotosView()
    for widget in (label, banner, photos):
        qtbot.addWidget(widget)
    label.setText('<b>a\u202e')
    assert label.text() == '<b>a\u202e'
    assert QLabel.text(label).replace('\u200b', '') == '<b>a\\u202e'
    assert label.textFormat() == Qt.TextFormat.PlainText
    assert label.toolTip() == plain('<b>a\u202e')
    banner.ask('<b>a\u202e?', {'yes': 'Yes'})
    assert banner.text == '<b>a\\u202e?'
    photos.show_queue('<b>a\u202e', 2, can_go_back=False)
    assert photos.words.text().endswith('<b>a\\u202e')
    for found in (*banner.findChildren(QLabel), photos.words):
        assert found.textFormat() == Qt.TextFormat.PlainText


def test_the_table_shows_plain_text(qtbot, tmp_path) -> None:
    view = PhotosView()
    qtbot.addWidget(view)
    name = '<b>a\u202e'
    view.model.fill(
        tmp_path, [Outcome(name, f'{name}.tif', FAILED, name)], begun=True
    )
    index = view.model.index(0, NAME)
    assert view.model.data(index) == '<b>a\\u202e'
    status = view.model.data(view.model.index(0, STATUS))
    assert status == 'failed: <b>a\\u202e'
    tip = view.model.data(index, Qt.ItemDataRole.ToolTipRole)
    assert tip == plain(name)
