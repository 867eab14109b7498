"""The photos of an archive as a table that Qt asks for what it shows.

Filter and order are kept here, not in a proxy: Python sorts ten thousand
rows at once faster than Qt asks about each pair of them.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image
from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from qtpy.QtGui import QColor, QIcon, QImage, QPixmap

from napari_sdcolor.batch.outcome import (
    CORRECTED,
    FAILED,
    WAITING,
    Outcome,
)
from napari_sdcolor.batch.thumbnails import GAP, read_thumbnail
from napari_sdcolor.plugin.plain import plain
from napari_sdcolor.words import shown

ALL, PERSON, BROKEN = 'all', 'person', FAILED
"""What the table shows: all, photos whose map needs a person, failures."""

PICTURE, NAME, STATUS, CONFIDENCE = range(4)
HEADERS = ('Before | after', 'Photo', 'Status', 'Confidence')

HEIGHT = 44
"""Of the pictures, in pixels."""

_NOBODY = QModelIndex()


class PhotoTable(QAbstractTableModel):
    """One row per photo.

    Parameters
    ----------
    parent
        Owns it.

    Attributes
    ----------
    output : Path
        Folder of the results.
    begun : bool
        Whether a batch has worked there.
    threshold : float
        Maps with a lower mean confidence in [0, 1] need a person.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.output = Path()
        self.begun = False
        self.threshold = 0.0
        self._all: dict[str, Outcome] = {}
        self._shown: list[str] = []
        self._rows: dict[str, int] = {}
        self._kind = ALL
        self._order: tuple[int, bool] | None = None
        # Far more than a screen shows, and what it shows is asked for often.
        self._before_and_after = lru_cache(400)(before_and_after)
        self._stored_picture = lru_cache(400)(_stored_picture)

    # --- what Qt asks -----------------------------------------------------

    def rowCount(self, parent: QModelIndex = _NOBODY) -> int:
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: QModelIndex = _NOBODY) -> int:
        return 0 if parent.isValid() else len(HEADERS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = 0
    ) -> Any:
        wanted = role == Qt.ItemDataRole.DisplayRole
        if wanted and orientation == Qt.Orientation.Horizontal:
            return HEADERS[section]
        return None

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        item = self._all[self._shown[index.row()]]
        column = index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return shown(self._words(item, column))
        if role == Qt.ItemDataRole.DecorationRole and column == PICTURE:
            return self._picture(item)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain(item.reason) or '\n'.join(
                plain(words)
                for words in (item.source, item.understood)
                if words
            )
        if role == Qt.ItemDataRole.ForegroundRole and column == STATUS:
            return self._color(item)
        if role == Qt.ItemDataRole.TextAlignmentRole and column == CONFIDENCE:
            return Qt.AlignmentFlag.AlignCenter
        return None

    def sort(
        self,
        column: int,
        order: Qt.SortOrder = Qt.SortOrder.AscendingOrder,
    ) -> None:
        """Order by a column; -1 is the order of the plan."""
        descending = order == Qt.SortOrder.DescendingOrder
        self._order = None if column < 0 else (column, descending)
        self._renew()

    # --- what the coordinator tells ---------------------------------------

    def fill(
        self,
        output: Path,
        statuses: Iterable[Outcome],
        *,
        begun: bool = False,
    ) -> None:
        """Show other photos."""
        self.output, self.begun = output, begun
        self._all = {item.key: item for item in statuses}
        self._renew()

    def update(self, statuses: Sequence[Outcome]) -> None:
        """Something became of some photos."""
        for item in statuses:
            self._all[item.key] = item
        moved = self._kind != ALL or any(
            item.key not in self._rows for item in statuses
        )
        if moved:
            self._renew()
            return
        for item in statuses:
            row = self._rows[item.key]
            left, right = self.index(row, 0), self.index(row, CONFIDENCE)
            self.dataChanged.emit(left, right)

    def show_kind(self, kind: str) -> None:
        """Show only some of the photos: ``ALL``, ``PERSON``, ``BROKEN``."""
        self._kind = kind
        self._renew()

    def set_threshold(self, confidence: float) -> None:
        """Maps with a lower mean confidence in [0, 1] need a person."""
        self.threshold = confidence
        self._renew()

    # --- what others ask --------------------------------------------------

    def get(self, key: str) -> Outcome | None:
        """What is known about a photo."""
        return self._all.get(key)

    def key_at(self, row: int) -> str | None:
        """Key of the photo in a row."""
        return self._shown[row] if 0 <= row < len(self._shown) else None

    def row_of(self, key: str | None) -> int:
        """Row of a photo, -1 if it is not shown."""
        return self._rows.get(key, -1)

    def needs_person(self, item: Outcome) -> bool:
        """Whether somebody should look at the map of a photo."""
        return item.needs_person(self.threshold)

    def flagged(self) -> list[str]:
        """Keys of the photos that need a person, in the order shown."""
        keys = self._sorted(self._all)
        return [key for key in keys if self.needs_person(self._all[key])]

    def counts(self) -> Counter[str]:
        """Number of photos by status, and by ``ALL`` and ``PERSON``."""
        found = Counter(item.status for item in self._all.values())
        found[PERSON] = sum(map(self.needs_person, self._all.values()))
        found[ALL] = len(self._all)
        return found

    # --- inside -----------------------------------------------------------

    def _renew(self) -> None:
        self.beginResetModel()
        self._shown = self._sorted(
            key for key, item in self._all.items() if self._fits(item)
        )
        self._rows = {key: row for row, key in enumerate(self._shown)}
        self.endResetModel()

    def _fits(self, item: Outcome) -> bool:
        if self._kind == PERSON:
            return self.needs_person(item)
        return self._kind == ALL or item.status == FAILED

    def _sorted(self, keys: Iterable[str]) -> list[str]:
        if self._order is None:
            return list(keys)
        column, descending = self._order

        def value(key: str) -> Any:
            item = self._all[key]
            if column == CONFIDENCE:
                unsure = item.confidence
                return (unsure is None, unsure or 0.0)
            return self._words(item, NAME if column == PICTURE else column)

        return sorted(keys, key=value, reverse=descending)

    def _words(self, item: Outcome, column: int) -> str:
        if column == NAME:
            return item.key
        if column == STATUS:
            status = self._status(item)
            return (
                f'{status}: {item.understood}' if item.understood else status
            )
        if column == CONFIDENCE and item.confidence is not None:
            return f'{item.confidence:.0%}'
        return ''

    def _status(self, item: Outcome) -> str:
        if item.status == FAILED:
            return f'failed: {item.reason}'
        if item.status == CORRECTED:
            return 'map saved, to be colored'
        if item.status == WAITING:
            return 'waiting'
        if item.confidence is None:
            return 'colored by your map'
        return 'needs a person' if self.needs_person(item) else 'colored'

    def _color(self, item: Outcome) -> QColor | None:
        if item.status == FAILED:
            return QColor('#d9534f')
        if self.needs_person(item):
            return QColor('#c97700')
        return None

    def _picture(self, item: Outcome) -> Any:
        if item.thumbnail:
            return self._before_and_after(item.thumbnail)
        if item.thumbnail_place is None:
            return None
        return self._stored_picture(self.output, item.thumbnail_place)


def _stored_picture(output: Path, place: tuple[int, int]) -> QIcon | None:
    """The picture of a photo that an earlier run colored, if it is there."""
    strip = read_thumbnail(output, place)
    return before_and_after(strip) if strip else None


def before_and_after(strip: bytes) -> QIcon:
    """The photo and its color side by side, out of a report's picture.

    Parameters
    ----------
    strip
        WebP of photo, map and color side by side. What is damaged gives an
        empty picture.
    """
    try:
        with Image.open(io.BytesIO(strip)) as image:
            whole = image.convert('RGB')
    except (OSError, ValueError, SyntaxError):
        return QIcon()
    width = (whole.width - 2 * GAP) // 3
    pair = Image.new('RGB', (2 * width + GAP, whole.height), 'gray')
    pair.paste(whole.crop((0, 0, width, whole.height)), (0, 0))
    right = (whole.width - width, 0, whole.width, whole.height)
    pair.paste(whole.crop(right), (width + GAP, 0))
    pair.thumbnail((4 * HEIGHT, HEIGHT), Image.Resampling.BOX)
    data = pair.tobytes()
    image = QImage(
        data,
        pair.width,
        pair.height,
        3 * pair.width,
        QImage.Format.Format_RGB888,
    )
    # fromImage copies, so that ``data`` may go.
    pixmap = QPixmap.fromImage(image)
    icon = QIcon(pixmap)
    # Qt would tint it in a row that is selected.
    icon.addPixmap(pixmap, QIcon.Mode.Selected)
    return icon
