"""Save the result; copy the command that makes the same file."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget


class SaveView(QWidget):
    """Two buttons.

    Signals
    -------
    save_requested, command_requested
    """

    save_requested = Signal()
    command_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.save = QPushButton('Save color, map and sidecar…')
        self.save.setToolTip(
            'Full resolution and depth, marked as machine-colored. Nothing '
            'is ever overwritten.'
        )
        self.command = QPushButton('Copy command line')
        self.command.setToolTip(
            'The sdcolor command that makes the same file, to the clipboard.'
        )
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self.save, self.command, self.words):
            layout.addWidget(part)
        self.save.clicked.connect(self._on_save)
        self.command.clicked.connect(self._on_command)
        self.set_ready(False)

    def _on_save(self) -> None:
        self.save_requested.emit()

    def _on_command(self) -> None:
        self.command_requested.emit()

    def set_ready(self, ready: bool) -> None:
        """There is something to save."""
        self.save.setEnabled(ready)
        self.command.setEnabled(ready)

    def show_words(self, words: str) -> None:
        self.words.setText(words)
        self.words.setVisible(bool(words))
