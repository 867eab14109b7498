"""The 60 classes: swatches, names, search, and what is in the photo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from magicgui.widgets import ComboBox, PushButton
from qtpy.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QVBoxLayout,
    QWidget,
)
from superqt import QLabeledSlider

from napari_sdcolor.classes import CLASSES, GROUPS, N_CLASSES, SemanticClass
from napari_sdcolor.plugin import forms
from napari_sdcolor.plugin.views.brush_status import swatch_icon
from napari_sdcolor.plugin.views.section import Section

ID_ROLE = int(Qt.ItemDataRole.UserRole)
SHARE_ROLE = ID_ROLE + 1
NAME_ROLE = ID_ROLE + 2

RARE_WORDS = '(rarely seen in training)'

MAX_BRUSH = 250
"""Largest brush diameter offered, in map pixels."""


class ClassModel(QAbstractListModel):
    """All classes, group by group, with their share of the map."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._order = sorted(
            CLASSES, key=lambda entry: (GROUPS.index(entry.group), entry.title)
        )
        self._icons = [swatch_icon(entry) for entry in self._order]
        self._shares = np.zeros(N_CLASSES)
        self._rare: Mapping[int, int] = {}

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else N_CLASSES

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        entry = self._order[index.row()]
        share = float(self._shares[entry.id])
        if role == Qt.ItemDataRole.DisplayRole:
            words = f'{entry.title}   {share:.1%}' if share else entry.title
            return (
                f'{words}   {RARE_WORDS}' if entry.id in self._rare else words
            )
        if role == Qt.ItemDataRole.DecorationRole:
            return self._icons[index.row()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(entry)
        if role == ID_ROLE:
            return entry.id
        if role == NAME_ROLE:
            return entry.title
        if role == SHARE_ROLE:
            return share
        return None

    def _tip(self, entry: SemanticClass) -> str:
        words = f'{entry.title} (id {entry.id}), {entry.group}'
        if entry.id not in self._rare:
            return words
        photos = self._rare[entry.id]
        shown = {0: 'No training photograph', 1: 'One training photograph'}
        return (
            f'{words}\n'
            f'{shown.get(photos, f"Only {photos} training photographs")} '
            'showed it: it hardly has a color of its own.'
        )

    def set_rare(self, photos: Mapping[int, int]) -> None:
        """Mark classes that the networks have rarely seen in training.

        Parameters
        ----------
        photos
            Class id to number of training photographs that show it.
        """
        self._rare = photos
        self.dataChanged.emit(self.index(0), self.index(N_CLASSES - 1))

    def row_of(self, number: int) -> int:
        """Row of a class id."""
        return next(row for row, e in enumerate(self._order) if e.id == number)

    @property
    def shares(self) -> np.ndarray:
        """Share of the map's area of each id, (60,) in [0, 1]."""
        return self._shares

    def set_shares(self, shares: np.ndarray) -> None:
        """Show other shares."""
        self._shares = np.asarray(shares, float)
        self.dataChanged.emit(self.index(0), self.index(N_CLASSES - 1))


class ClassFilter(QSortFilterProxyModel):
    """Rows whose name holds the searched words, or that are in the photo."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._only_present = False
        self._words = ''

    def set_words(self, words: str) -> None:
        self._words = words.strip().casefold()
        self.invalidate()

    def set_only_present(self, only: bool) -> None:
        """List what the map holds, the largest area first."""
        self._only_present = only
        self.invalidate()
        self.sort(0)

    def lessThan(self, one: QModelIndex, other: QModelIndex) -> bool:
        if not self._only_present:
            return one.row() < other.row()
        larger = other.data(SHARE_ROLE) - one.data(SHARE_ROLE)
        return larger < 0 or (larger == 0 and one.row() < other.row())

    def filterAcceptsRow(self, row: int, parent: QModelIndex) -> bool:
        index = self.sourceModel().index(row, 0, parent)
        if self._only_present and not index.data(SHARE_ROLE):
            return False
        # The shown text also holds the share: search the name alone.
        return self._words in index.data(NAME_ROLE).casefold()


class ClassPanel(QWidget):
    """Choose what the brush paints.

    Signals
    -------
    class_requested(int)
        The person clicked a class.
    alone_requested(int)
        A class was double-clicked: hide all others, or show them again.
    brush_size_requested(int)
        Diameter in map pixels.
    replace_requested(int, int)
        One class becomes another one, in the whole map.
    region_requested(int, int)
        The region of one class that is clicked next becomes another one.
    """

    class_requested = Signal(int)
    alone_requested = Signal(int)
    replace_requested = Signal(int, int)
    region_requested = Signal(int, int)
    brush_size_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.search = QLineEdit()
        self.search.setPlaceholderText('Search, e.g. sky')
        self.search.setClearButtonEnabled(True)
        self.only_present = QCheckBox('in this photo')
        self.only_present.setToolTip('List only classes that the map holds.')
        self.model = ClassModel(self)
        self.filter = ClassFilter(self)
        self.filter.setSourceModel(self.model)
        self.list = QListView()
        self.list.setModel(self.filter)
        self.list.setUniformItemSizes(True)
        self.list.setMinimumHeight(80)
        self.list.setToolTip(
            'Click a class to paint it. Double-click it to see it alone.'
        )
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.brush = QLabeledSlider(Qt.Orientation.Horizontal)
        self.brush.setRange(1, MAX_BRUSH)
        self.brush.setValue(20)
        self.brush.setToolTip('Diameter of the brush in map pixels.')

        top = QHBoxLayout()
        top.addWidget(self.search, 1)
        top.addWidget(self.only_present)
        bottom = QHBoxLayout()
        bottom.addWidget(QLabel('Brush size'))
        bottom.addWidget(self.brush, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addWidget(self.list, 1)
        layout.addLayout(bottom)

        self.old = ComboBox(label='Replace', choices=self._present)
        self.new = ComboBox(label='by', choices=_all_classes())
        self.everywhere = PushButton(
            text='Everywhere',
            tooltip='In the whole map, as one step that Undo takes back.',
        )
        self.region = PushButton(
            text='In a region…',
            tooltip='Click the region afterwards.',
        )
        replace = QWidget()
        forms.column(
            replace,
            forms.Form(self.old, self.new).native,
            forms.row(self.everywhere, self.region).native,
            spacing=2,
        )
        layout.addWidget(Section('Replace a class', replace, unfolded=False))

        self.everywhere.changed.connect(self._on_everywhere)
        self.region.changed.connect(self._on_region)
        self.list.doubleClicked.connect(self._on_double_clicked)
        self.search.textChanged.connect(self.filter.set_words)
        self.search.returnPressed.connect(self._on_return)
        self.only_present.toggled.connect(self.filter.set_only_present)
        self.list.clicked.connect(self._on_clicked)
        self.list.activated.connect(self._on_clicked)
        self.brush.valueChanged.connect(self.brush_size_requested)

    def _on_clicked(self, index: QModelIndex) -> None:
        self.class_requested.emit(index.data(ID_ROLE))

    def _on_double_clicked(self, index: QModelIndex) -> None:
        self.alone_requested.emit(index.data(ID_ROLE))

    def _present(self, widget: object = None) -> list[tuple[str, int]]:
        """Names and ids of what the map holds, the largest area first."""
        shares = self.model.shares
        return [
            (CLASSES[number].title, int(number))
            for number in np.argsort(-shares, kind='stable')
            if shares[number]
        ]

    def _on_everywhere(self, pressed: bool) -> None:
        if self.old.value is not None and self.new.value is not None:
            self.replace_requested.emit(self.old.value, self.new.value)

    def _on_region(self, pressed: bool) -> None:
        if self.old.value is not None and self.new.value is not None:
            self.region_requested.emit(self.old.value, self.new.value)

    def _on_return(self) -> None:
        """Enter in the search box takes the first hit."""
        if self.filter.rowCount():
            self._on_clicked(self.filter.index(0, 0))

    def select(self, number: int) -> None:
        """Show a class as chosen, without asking for it again."""
        source = self.model.index(self.model.row_of(number))
        index = self.filter.mapFromSource(source)
        if index.isValid():
            self.list.setCurrentIndex(index)
            self.list.scrollTo(index)
        else:
            self.list.clearSelection()

    @property
    def selected(self) -> int | None:
        """Id of the class that is shown as chosen."""
        chosen = self.list.selectedIndexes()
        return chosen[0].data(ID_ROLE) if chosen else None

    def set_shares(self, shares: np.ndarray) -> None:
        """Share of the map's area of each id, (60,) in [0, 1]."""
        chosen = self.selected
        self.model.set_shares(shares)
        self.old.reset_choices()
        if self.only_present.isChecked():
            self.filter.invalidate()
            if chosen is not None:
                self.select(chosen)

    def set_brush_size(self, size: int) -> None:
        """Follow a brush size that was changed elsewhere."""
        self.brush.blockSignals(True)
        self.brush.setValue(min(MAX_BRUSH, round(size)))
        self.brush.blockSignals(False)


def _all_classes() -> list[tuple[str, int]]:
    """Names and ids of all classes, by name."""
    return sorted((entry.title, entry.id) for entry in CLASSES)
