"""The table of photos and the buttons of the person who corrects them."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QModelIndex, QSize, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSizePolicy,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_sdcolor.plugin.archive.choices import need
from napari_sdcolor.plugin.archive.open_photo import (
    BACK_KEY,
    SAVE_KEY,
    SKIP_KEY,
)
from napari_sdcolor.plugin.archive.table import (
    ALL,
    BROKEN,
    CONFIDENCE,
    HEIGHT,
    NAME,
    PERSON,
    PICTURE,
    STATUS,
    PhotoTable,
)
from napari_sdcolor.words import shown

KINDS = {ALL: 'All photos', PERSON: 'Need a person', BROKEN: 'Failed'}


class PhotosView(QWidget):
    """Rows of photos; one of them may be open for correction.

    Signals
    -------
    kind_requested(str)
        Which photos to show.
    open_requested(str)
        Key of a photo to correct.
    queue_requested, save_requested, skip_requested, back_requested
        Walking through the photos that need a person.
    """

    kind_requested = Signal(str)
    open_requested = Signal(str)
    queue_requested = Signal()
    save_requested = Signal()
    skip_requested = Signal()
    back_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = PhotoTable(self)
        self.kind = QComboBox()
        for kind, words in KINDS.items():
            self.kind.addItem(words, kind)
        self.words = QLabel()
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred
        )
        self.open = QPushButton('Open')
        self.open.setToolTip(
            'Show the chosen photo with its color and its map, to repaint '
            'what is wrong (or double-click it).'
        )
        self.back = QPushButton(f'Back ({BACK_KEY})')
        self.back.setToolTip('To the photo that was open before.')
        self.skip = QPushButton(f'Skip ({SKIP_KEY})')
        self.skip.setToolTip('To the next one; this one stays as it is.')
        self.save = QPushButton()
        self._lay_out()
        self.model.modelReset.connect(self._on_reset)
        self.model.modelAboutToBeReset.connect(self._on_about_to_reset)
        self.kind.activated.connect(self._on_kind)
        self.table.doubleClicked.connect(self._on_double)
        self.table.selectionModel().selectionChanged.connect(self._on_select)
        self.open.clicked.connect(self._on_open)
        self.back.clicked.connect(self.back_requested)
        self.skip.clicked.connect(self.skip_requested)
        self.save.clicked.connect(self._on_save)
        self._chosen: str | None = None
        self._correcting = False
        self.show_queue(None, 0, can_go_back=False)

    def _lay_out(self) -> None:
        self.table = QTableView()
        self.table.setModel(self.model)
        self.table.setSortingEnabled(True)
        header = self.table.horizontalHeader()
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setSectionResizeMode(STATUS, QHeaderView.ResizeMode.Stretch)
        self.table.setColumnWidth(PICTURE, 140)
        self.table.setColumnWidth(NAME, 220)
        self.table.setColumnWidth(CONFIDENCE, 90)
        vertical = self.table.verticalHeader()
        vertical.hide()
        # One height for all, so that nothing is measured row by row.
        vertical.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        vertical.setDefaultSectionSize(HEIGHT + 6)
        self.table.setIconSize(QSize(4 * HEIGHT, HEIGHT))
        # Two photos are in view however low the dock is made.
        self.table.setMinimumHeight(
            header.sizeHint().height() + 2 * (HEIGHT + 8)
        )
        self.table.setWordWrap(False)
        self.table.setSelectionBehavior(
            QAbstractItemView.SelectionBehavior.SelectRows
        )
        self.table.setSelectionMode(
            QAbstractItemView.SelectionMode.SingleSelection
        )
        self.table.setEditTriggers(
            QAbstractItemView.EditTrigger.NoEditTriggers
        )
        row = QHBoxLayout()
        row.addWidget(self.kind)
        row.addWidget(self.words, 1)
        for button in (self.open, self.back, self.skip, self.save):
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 2, 4, 4)
        layout.addLayout(row)
        layout.addWidget(self.table, 1)

    def sizeHint(self) -> QSize:
        return QSize(700, 210)

    # --- requests ---------------------------------------------------------

    def _on_kind(self, row: int) -> None:
        self.kind_requested.emit(self.kind.itemData(row))

    def _on_double(self, index: QModelIndex) -> None:
        self.open_requested.emit(self.model.key_at(index.row()))

    def _on_open(self) -> None:
        if self.chosen is not None:
            self.open_requested.emit(self.chosen)

    def _on_save(self) -> None:
        if self._correcting:
            self.save_requested.emit()
        else:
            self.queue_requested.emit()

    # --- the row that is chosen -------------------------------------------

    @property
    def chosen(self) -> str | None:
        """Key of the selected photo."""
        rows = self.table.selectionModel().selectedRows()
        return self.model.key_at(rows[0].row()) if rows else None

    def choose(self, key: str | None) -> None:
        """Select a photo and bring it into view."""
        row = self.model.row_of(key)
        if row >= 0:
            self.table.selectRow(row)
            self.table.scrollTo(self.model.index(row, 0))

    def _on_about_to_reset(self) -> None:
        self._chosen = self.chosen

    def _on_reset(self) -> None:
        row = self.model.row_of(self._chosen)
        if row >= 0:
            self.table.selectRow(row)
        self._on_select()

    def _on_select(self, *_: object) -> None:
        self.open.setEnabled(self.chosen is not None)

    # --- what is shown ----------------------------------------------------

    def show_counts(self, counts: Mapping[str, int]) -> None:
        """How many photos each choice shows."""
        for row, (kind, words) in enumerate(KINDS.items()):
            self.kind.setItemText(row, f'{words} ({counts[kind]})')

    def show_queue(
        self, name: str | None, left: int, *, can_go_back: bool
    ) -> None:
        """Which photo is open, and how many wait for a person."""
        self._correcting = name is not None
        self.back.setEnabled(can_go_back)
        self.skip.setEnabled(name is not None)
        if name is not None:
            self.save.setText(f'Save and next ({SAVE_KEY})')
            self.save.setToolTip(
                'Keep the map as it is now, color the photo by it, and open '
                'the next one that needs a person.'
            )
            self.save.setEnabled(True)
            more = f'{left} more {need(left)} a person.'
            if not left:
                more = 'The last one.'
            self.words.setText(f'{more} Open: {shown(name)}')
            self.words.setToolTip('Repaint what is wrong on its map.')
            return
        those = f'the {left}' if left else 'those'
        self.save.setText(f'Correct {those} that {need(left)} a person')
        self.save.setToolTip('Open them one after the other.')
        self.save.setEnabled(left > 0)
        self.words.setText(
            'Choose a photo and press Open to correct it.' if not left else ''
        )

    def show_words(self, words: str) -> None:
        self.words.setText(shown(words))
