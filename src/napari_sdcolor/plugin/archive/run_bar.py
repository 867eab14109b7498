"""Start, stop and resume; the command line that does the same."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_sdcolor.plugin.views.words import Words

LINES = 3
"""Of status words that always have room, so that nothing jumps."""


class RunBar(QWidget):
    """One button that starts, stops and resumes; progress in words.

    Signals
    -------
    start_requested, stop_requested, photos_requested
    """

    start_requested = Signal()
    stop_requested = Signal()
    photos_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.button = QPushButton('Start')
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(6)
        keep = self.bar.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.bar.setSizePolicy(keep)
        self.status = Words(LINES)
        self.photos = QPushButton('Table')
        self.photos.setToolTip('Show the table of photos.')
        row = QHBoxLayout()
        row.addWidget(self.button, 1)
        row.addWidget(self.photos)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(row)
        for part in (self.bar, self.status):
            layout.addWidget(part)
        self._running = False
        self.button.clicked.connect(self._on_button)
        self.photos.clicked.connect(self._on_photos)
        self.bar.hide()

    def _on_button(self) -> None:
        if self._running:
            self.stop_requested.emit()
        else:
            self.start_requested.emit()

    def _on_photos(self) -> None:
        self.photos_requested.emit()

    def show_running(self, words: str) -> None:
        """A long task is under way."""
        self._running = True
        self.button.setText('Stop')
        self.button.setToolTip('Stop now. What is done stays done.')
        self.button.setEnabled(True)
        self.bar.setRange(0, 0)
        self.bar.show()
        self.status.setText(words)

    def show_progress(self, done: int, total: int, words: str) -> None:
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        self.status.setText(words)

    def show_idle(self, button: str, words: str, *, ready: bool) -> None:
        """Nothing runs.

        Parameters
        ----------
        button
            What pressing it does.
        words
            How things are, and what to do next.
        ready
            Whether it can be pressed.
        """
        self._running = False
        self.button.setText(button)
        self.button.setToolTip('')
        self.button.setEnabled(ready)
        self.bar.hide()
        self.status.setText(words)

    def set_has_photos(self, has_photos: bool) -> None:
        """There is something to see in the table."""
        self.photos.setEnabled(has_photos)

    def show_status(self, words: str) -> None:
        self.status.setText(words)


class CommandView(QWidget):
    """The command line that does the same.

    Signals
    -------
    copy_requested
    """

    copy_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = QPlainTextEdit()
        self.words.setReadOnly(True)
        self.words.setPlaceholderText(
            'Appears when photos and a folder for the results are chosen.'
        )
        self.words.setMaximumHeight(70)
        self.copy = QPushButton('Copy command line')
        self.copy.setToolTip('The sdcolor command that does the same.')
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.words)
        layout.addWidget(self.copy)
        self.copy.clicked.connect(self._on_copy)

    def _on_copy(self) -> None:
        self.copy_requested.emit()

    def show_command(self, words: str) -> None:
        self.words.setPlainText(words)
        self.copy.setEnabled(bool(words))
