"""Sentences in a dock that keep their room, so that nothing below jumps."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget


class Words(QLabel):
    """Some lines of text; what does not fit is shown under the mouse.

    Parameters
    ----------
    lines
        Height of the label, whatever it says.
    """

    def __init__(self, lines: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setAlignment(
            Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft
        )
        # Long names must not widen the dock.
        self.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed
        )
        self._lines = lines
        self._words = ''
        self._reserve()

    def hasHeightForWidth(self) -> bool:
        """The height is reserved, whatever the width."""
        return False

    def text(self) -> str:
        """All of it, also what does not fit."""
        return self._words

    def setText(self, words: str) -> None:
        self._words = words
        self.setToolTip(words)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: object) -> None:
        """Another theme has other letters."""
        super().changeEvent(event)
        if event.type() in (event.Type.FontChange, event.Type.StyleChange):
            self._reserve()

    def _reserve(self) -> None:
        self.setFixedHeight(self._lines * self.fontMetrics().lineSpacing() + 2)

    def _fit(self) -> None:
        """Cut what is too long at a word, with three dots."""
        shown = breakable(self._words)
        while shown and not self._fits(shown):
            shown = shown.rstrip('… ').rpartition(' ')[0]
            shown = shown and f'{shown} …'
        super().setText(shown or self._words[:40])

    def _fits(self, words: str) -> bool:
        room = self.contentsRect()
        if room.width() < 40:
            return True
        flags = Qt.TextFlag.TextWordWrap
        room.setHeight(100_000)
        needed = self.fontMetrics().boundingRect(room, int(flags), words)
        return needed.height() <= self.height()


def breakable(words: str) -> str:
    """Words that may be broken after each folder of a path."""
    return words.replace('/', '/\u200b').replace('\\', '\\\u200b')
