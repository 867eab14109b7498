"""The class on the brush, always in view (paper, section 4.1)."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtWidgets import QHBoxLayout, QLabel, QWidget

from napari_sdcolor.classes import SemanticClass

MODE_WORDS = {
    'paint': 'Brush',
    'fill': 'Fill',
    'erase': 'Eraser',
    'polygon': 'Polygon',
    'pick': 'Picker',
}


SIDE = 16
"""Pixels of a swatch."""


def swatch(entry: SemanticClass) -> QPixmap:
    """A square in a class's color; crossed out for "No class"."""
    pixmap = QPixmap(SIDE, SIDE)
    pixmap.fill(QColor(*entry.color))
    if entry.id == 0:
        pixmap.fill(QColor(0, 0, 0, 0))
        painter = QPainter(pixmap)
        painter.setPen(QColor(150, 150, 150))
        painter.drawRect(0, 0, SIDE - 1, SIDE - 1)
        painter.drawLine(0, SIDE - 1, SIDE - 1, 0)
        painter.end()
    return pixmap


def swatch_icon(entry: SemanticClass) -> QIcon:
    """The swatch as an icon for lists; a selected row does not tint it."""
    icon = QIcon()
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
        icon.addPixmap(swatch(entry), mode)
    return icon


class BrushStatus(QWidget):
    """One line: swatch, tool and class name."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._swatch = QLabel()
        self._words = QLabel()
        self._words.setTextFormat(Qt.TextFormat.RichText)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._swatch)
        layout.addWidget(self._words, 1)
        self.setToolTip('What the next stroke paints into the semantic map.')
        self.show_nothing()

    @property
    def text(self) -> str:
        return self._words.text()

    def show_nothing(self) -> None:
        """There is no map to paint on yet."""
        self._swatch.clear()
        self._words.setText('No semantic map yet')

    def show_words(self, words: str) -> None:
        """What a click is for, while it is for no stroke."""
        self._swatch.clear()
        self._words.setText(words)

    def show_class(
        self,
        entry: SemanticClass,
        mode: str,
        *,
        alone: bool = False,
        preserving: bool = False,
    ) -> None:
        """Tool and class; a napari mode without tool says so.

        Parameters
        ----------
        entry, mode
            Class and napari mode of the map.
        alone
            All other classes are hidden.
        preserving
            Only "No class" is painted over.
        """
        self._swatch.setPixmap(swatch(entry))
        tool = MODE_WORDS.get(mode, 'Not painting; brush')
        others = ' (others hidden)' if alone else ''
        if preserving:
            others += ' (preserves other classes: key B)'
        self._words.setText(f'{tool}: <b>{entry.title}</b>{others}')
