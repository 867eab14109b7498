"""Sentences in a dock that keep their room, so that nothing below jumps."""

from __future__ import annotations

from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

from napari_sdcolor.plugin.plain import plain, visible

LETTERS = (
    QEvent.Type.Polish,
    QEvent.Type.Show,
    QEvent.Type.FontChange,
    QEvent.Type.StyleChange,
)
"""Events after which a label may have other letters."""


class Words(QLabel):
    """Some lines of text; what does not fit is shown under the mouse.

    Parameters
    ----------
    lines
        Height of the label, whatever it says.
    """

    def __init__(self, lines: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
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
        self._fit()

    def hasHeightForWidth(self) -> bool:
        """The height is reserved, whatever the width."""
        return False

    def text(self) -> str:
        """All of it, also what does not fit."""
        return self._words

    def setText(self, words: str) -> None:
        self._words = words
        self.setToolTip(plain(words))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def event(self, event: QEvent) -> bool:
        """A theme brings its letters after the label was made."""
        done = super().event(event)
        if event.type() in LETTERS:
            self._reserve()
            self._fit()
        return done

    def _reserve(self) -> None:
        """Take the height of so many lines, with what a theme puts around."""
        super().setText('\n'.join(['Ag'] * self._lines))
        self.setFixedHeight(super().sizeHint().height())

    def _fit(self) -> None:
        """Cut what is too long at a word, with three dots."""
        fitting = breakable(visible(self._words))
        super().setText(fitting)
        while ' ' in fitting and super().heightForWidth(self.width()) > (
            self.height()
        ):
            fitting = fitting.removesuffix(' …').rpartition(' ')[0] + ' …'
            super().setText(fitting)


def breakable(words: str) -> str:
    """Words that may be broken after each folder of a path."""
    return words.replace('/', '/\u200b').replace('\\', '\\\u200b')
