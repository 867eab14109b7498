"""A question inside the dock, so that nothing blocks the window."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_sdcolor.plugin.plain import visible


class Banner(QFrame):
    """Asks one question at a time.

    Signals
    -------
    answered(str)
        Key of the answer.
    """

    answered = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._words = QLabel()
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._words.setWordWrap(True)
        self._buttons = QHBoxLayout()
        self._keys: list[str] = []
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self._on_clicked)
        layout = QVBoxLayout(self)
        layout.addWidget(self._words)
        layout.addLayout(self._buttons)
        self.hide()

    @property
    def text(self) -> str:
        return self._words.text()

    def ask(self, words: str, answers: dict[str, str]) -> None:
        """Show a question.

        Parameters
        ----------
        words
            The question.
        answers
            Key to button text, in order.
        """
        self._clear()
        self._words.setText(visible(words))
        self._keys = list(answers)
        for number, text in enumerate(answers.values()):
            button = QPushButton(text)
            self._group.addButton(button, number)
            self._buttons.addWidget(button)
        self.show()

    def withdraw(self) -> None:
        """The question no longer matters."""
        self.hide()
        self._clear()

    def _on_clicked(self, number: int) -> None:
        key = self._keys[number]
        self.withdraw()
        self.answered.emit(key)

    def _clear(self) -> None:
        while self._buttons.count():
            button = self._buttons.takeAt(0).widget()
            self._group.removeButton(button)
            button.hide()
            button.deleteLater()
