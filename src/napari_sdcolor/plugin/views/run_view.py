"""Choose a photo and run; progress in words; the device in use."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_sdcolor.plugin.source import WINDOW_CHOICES
from napari_sdcolor.settings import Size

ORANGE = '#e08a00'


class DeviceBadge(QLabel):
    """Where the networks run; the CPU in a way that is not missed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setWordWrap(True)
        self.setText('Device: not checked yet')

    def show_device(self, kind: str, words: str, notes: str) -> None:
        self.setText(f'Runs on {words}')
        color = ORANGE if kind == 'cpu' else '#2e8b57'
        self.setStyleSheet(
            f'background-color: {color}; color: white; border-radius: 4px;'
            'padding: 2px; font-weight: bold;'
        )
        slow = 'A supported GPU would be faster. ' if kind == 'cpu' else ''
        self.setToolTip(slow + notes)


class RunView(QWidget):
    """Photo, tone window, Run or Stop, progress.

    Signals
    -------
    photo_requested(int)
        Row of the photo that was chosen.
    window_requested(str)
        Name of the tone window that was chosen.
    detail_requested(object)
        Working size that was chosen, a number or 'native'.
    run_requested, stop_requested
        The button was pressed.
    """

    photo_requested = Signal(int)
    window_requested = Signal(str)
    detail_requested = Signal(object)
    run_requested = Signal()
    stop_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.photo = QComboBox()
        self.photo.setToolTip('The image layer to color. It stays untouched.')
        self.photo.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed
        )
        self.window = QComboBox()
        for key, words in WINDOW_CHOICES.items():
            self.window.addItem(words, key)
        self.window.setToolTip(
            'Which value is black and which is white. Automatic: as the file '
            'says, else the range that its values need; contrast limits that '
            'you set yourself count instead.'
        )
        self.window.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed
        )
        self.detail = QComboBox()
        self.detail.setToolTip(
            'How closely the networks look at the photo. More detail gives '
            'finer borders of color and takes longer; the result always has '
            'the full size of the photo.'
        )
        self.detail.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed
        )
        self.cost = QLabel()
        self.cost.setWordWrap(True)
        self.understood = QLabel()
        self.understood.setWordWrap(True)
        self.button = QPushButton()
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(6)
        self.status = QLabel()
        self.status.setWordWrap(True)

        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow('Photo', self.photo)
        form.addRow('Tones', self.window)
        form.addRow('Detail', self.detail)
        form.addRow(self.cost)
        row = QHBoxLayout()
        row.addWidget(self.button, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(form)
        layout.addWidget(self.understood)
        layout.addLayout(row)
        layout.addWidget(self.bar)
        layout.addWidget(self.status)

        self.photo.activated.connect(self.photo_requested)
        self.window.activated.connect(self._on_window)
        self.detail.activated.connect(self._on_detail)
        self.button.clicked.connect(self._on_button)
        self._running = False
        self.show_idle()

    def _on_window(self, row: int) -> None:
        self.window_requested.emit(self.window.itemData(row))

    def _on_detail(self, row: int) -> None:
        self.detail_requested.emit(self.detail.itemData(row))

    def _on_button(self) -> None:
        if self._running:
            self.stop_requested.emit()
        else:
            self.run_requested.emit()

    def set_photos(self, names: list[str], chosen: int) -> None:
        """List the photos; ``chosen`` is a row or -1."""
        self.photo.clear()
        self.photo.addItems(names)
        self.photo.setCurrentIndex(chosen)
        self.photo.setEnabled(bool(names))
        self.button.setEnabled(chosen >= 0 or self._running)

    def set_details(self, names: dict[Size, str], chosen: Size) -> None:
        """List the working sizes."""
        self.detail.clear()
        for size, words in names.items():
            self.detail.addItem(words, size)
        self.detail.setCurrentIndex(self.detail.findData(chosen))

    def set_cost(self, words: str) -> None:
        """Say what the chosen detail means for the photo."""
        self.cost.setText(words)
        self.cost.setVisible(bool(words))

    def set_understood(self, words: str) -> None:
        self.understood.setText(words)
        self.understood.setVisible(bool(words))

    def show_running(self, words: str) -> None:
        """A long task is under way."""
        self._running = True
        self.button.setText('Stop')
        self.button.setToolTip('Stop now and keep the previous result.')
        self.button.setEnabled(True)
        self.bar.show()
        self.status.setText(words)

    def show_idle(self, words: str = '') -> None:
        """Nothing runs; ``words`` say what to do next."""
        self._running = False
        self.button.setText('Run: find classes and color')
        self.button.setToolTip(
            'Predict the semantic map of the photo, then color the photo.'
        )
        self.button.setEnabled(self.photo.currentIndex() >= 0)
        self.bar.hide()
        if words:
            self.status.setText(words)

    def show_status(self, words: str) -> None:
        self.status.setText(words)
