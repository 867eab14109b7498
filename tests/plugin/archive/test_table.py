"""The table: filter, order, and ten thousand rows."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtGui import QIcon

from napari_sdcolor.batch.outcome import DONE, FAILED, Outcome
from napari_sdcolor.plugin.archive import table as module
from napari_sdcolor.plugin.archive.choices import holdings
from napari_sdcolor.plugin.archive.table import (
    ALL,
    BROKEN,
    CONFIDENCE,
    HEIGHT,
    NAME,
    PERSON,
    STATUS,
    PhotoTable,
)
from napari_sdcolor.plugin.archive.views import RunBar


def strip() -> bytes:
    """A report's picture: black photo, gray map, red color."""
    picture = Image.new('RGB', (3 * 60 + 6, 45), 'black')
    picture.paste((255, 0, 0), (126, 0, 186, 45))
    stream = io.BytesIO()
    picture.save(stream, 'WEBP', lossless=True)
    return stream.getvalue()


@pytest.fixture
def table(qtbot, tmp_path) -> PhotoTable:
    """Ten thousand photos, some failed."""
    model = PhotoTable()
    items = [
        Outcome(
            f'box/{number:05d}',
            f'/scans/{number}.tif',
            FAILED if number % 10 == 0 else DONE,
            'It is broken.' if number % 10 == 0 else '',
            confidence=None
            if number % 10 == 0
            else (number * 7919 % 1000) / 1000,
            thumbnail=strip() if number == 1 else b'',
        )
        for number in range(10_000)
    ]
    model.fill(tmp_path, items)
    model.set_threshold(0.5)
    return model


def test_filter(table):
    assert table.rowCount() == 10_000
    table.show_kind(BROKEN)
    assert table.rowCount() == 1000
    table.show_kind(PERSON)
    assert table.rowCount() == table.counts()[PERSON] == 4500
    table.show_kind(ALL)
    assert table.rowCount() == table.counts()[ALL]


def test_order_by_confidence(table):
    table.sort(CONFIDENCE, Qt.SortOrder.AscendingOrder)
    words = [table.data(table.index(row, CONFIDENCE)) for row in range(9000)]
    numbers = [int(text.rstrip('%')) for text in words]
    assert numbers == sorted(numbers)
    assert table.data(table.index(9999, CONFIDENCE)) == ''
    table.sort(NAME, Qt.SortOrder.DescendingOrder)
    assert table.key_at(0) == 'box/09999'


def test_qt_asks_only_for_what_it_shows(table, qtbot, monkeypatch):
    """The number of questions does not grow with the number of photos."""
    from napari_sdcolor.plugin.archive.photos_view import PhotosView

    view = PhotosView()
    qtbot.addWidget(view)
    asked = []
    real = PhotoTable.data

    def counting(self, index, role=0):
        asked.append(index.row())
        return real(self, index, role)

    monkeypatch.setattr(PhotoTable, 'data', counting)
    items = [table.get(table.key_at(row)) for row in range(10_000)]
    view.resize(700, 300)
    view.show()
    view.model.fill(table.output, items)
    view.grab()
    assert 0 < len(set(asked)) < 100


def test_a_change_of_one_photo_tells_of_one_row(table, qtbot):
    changed, resets = [], []
    table.dataChanged.connect(lambda first, *_: changed.append(first.row()))
    table.modelReset.connect(lambda: resets.append(1))
    item = table.get('box/00003')
    table.update([replace(item, status=FAILED, reason='Gone.')])
    assert changed == [3]
    assert not resets
    assert table.data(table.index(3, STATUS)) == 'failed: Gone.'


def test_before_and_after(table):
    role = Qt.ItemDataRole.DecorationRole
    picture = table.data(table.index(1, 0), role)
    # Neither is tinted in a row that is selected.
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
        image = picture.pixmap(4 * HEIGHT, HEIGHT, mode).toImage()
        ends = [image.pixelColor(x, 20) for x in (5, image.width() - 5)]
        assert [color.getRgb()[:3] for color in ends] == [
            (0, 0, 0),
            (255, 0, 0),
        ]
    assert table.data(table.index(2, 0), role) is None
    assert table.data(table.index(1, 0), role).cacheKey() == picture.cacheKey()


def test_a_damaged_picture_is_an_empty_one(qtbot):
    assert module.before_and_after(b'RIFFnothing').isNull()


def test_words_come_and_go_and_nothing_jumps(qtbot):
    bar = RunBar()
    qtbot.addWidget(bar)
    bar.resize(300, 90)
    bar.show_idle('Start', '', ready=False)
    bar.show()

    def places():
        qtbot.wait(1)  # lay out
        parts = (bar.button, bar.bar, bar.status)
        return [(part.y(), bar.minimumSizeHint().height()) for part in parts]

    before = places()
    bar.show_running('Starting…')
    bar.show_progress(3, 9, '3 of 9, 2 to look at, 10.3 photos per minute.')
    assert places() == before
    words = 'Stopped. 3 of 9 photos are colored. ' * 2
    bar.show_idle('Resume', words, ready=True)
    assert places() == before


def test_what_a_folder_holds_in_words():
    assert holdings(1, {}) == '1 photograph.'
    reasons = {f'Reason {n}.': n for n in range(1, 5)}
    assert holdings(312, reasons) == (
        '312 photographs, 10 files left out. 4: Reason 4. 3: Reason 3. '
        '2: Reason 2. …'
    )
