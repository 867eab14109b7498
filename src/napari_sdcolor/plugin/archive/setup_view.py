"""Choose folders and options, start, stop and resume."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt import QLabeledDoubleSlider

from napari_sdcolor.plugin.archive.choices import Choices
from napari_sdcolor.settings import Size, declared

FORMATS = {
    'tiff': 'TIFF, exact',
    'png': 'PNG, exact',
    'jpeg': 'JPEG access copy',
}


def wrapped(words: str = '') -> QLabel:
    """A label that breaks lines, also inside of long paths."""
    label = QLabel(words)
    label.setWordWrap(True)
    label.setSizePolicy(
        QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred
    )
    return label


def slider(low: float, high: float, step: float) -> QLabeledDoubleSlider:
    found = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
    found.setRange(low, high)
    found.setDecimals(2)
    found.setSingleStep(step)
    return found


class FoldersView(QWidget):
    """Which photos, and where their results go.

    Signals
    -------
    folder_requested, files_requested, output_requested
        The person wants to choose.
    """

    folder_requested = Signal()
    files_requested = Signal()
    output_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.inputs = wrapped()
        self.output = wrapped()
        self.folder = QPushButton('Folder…')
        self.folder.setToolTip('All photos in a folder. They are only read.')
        self.files = QPushButton('Files…')
        self.files.setToolTip('Single photos. They are only read.')
        self.choose = QPushButton('Results to…')
        self.choose.setToolTip(
            'Folder for the colored photos, outside of the photos. Nothing '
            'of yours in it is ever overwritten.'
        )
        row = QHBoxLayout()
        row.addWidget(self.folder)
        row.addWidget(self.files)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.inputs)
        layout.addWidget(self.choose)
        layout.addWidget(self.output)
        self.folder.clicked.connect(self._on_folder)
        self.files.clicked.connect(self._on_files)
        self.choose.clicked.connect(self._on_output)

    def _on_folder(self) -> None:
        self.folder_requested.emit()

    def _on_files(self) -> None:
        self.files_requested.emit()

    def _on_output(self) -> None:
        self.output_requested.emit()

    def show_choices(self, choices: Choices) -> None:
        """Say what was chosen."""
        inputs = choices.inputs
        words = 'No photos chosen yet.'
        if inputs:
            words = 'Photos: ' + breakable(inputs[0])
            if len(inputs) > 1:
                words += f' and {len(inputs) - 1} more'
        self.inputs.setText(words)
        self.inputs.setToolTip('\n'.join(inputs[:20]))
        self.output.setText(
            f'Results: {breakable(choices.output)}'
            if choices.output
            else 'No folder for the results yet.'
        )
        self.output.setToolTip(choices.output)

    def set_enabled(self, enabled: bool) -> None:
        for button in (self.folder, self.files, self.choose):
            button.setEnabled(enabled)


def breakable(path: str) -> str:
    """A path that a label may break after each of its folders."""
    return path.replace('/', '/\u200b').replace('\\', '\\\u200b')


class OptionsView(QWidget):
    """How the photos are colored.

    Signals
    -------
    changed
        Any option.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.detail = QComboBox()
        self.detail.setToolTip(
            'How closely the networks look. More detail takes longer; '
            'results always have the full size.'
        )
        self.format = QComboBox()
        for form, words in FORMATS.items():
            self.format.addItem(words, form)
        for box in (self.detail, self.format):
            box.setSizePolicy(
                QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed
            )
        limits = declared('saturation')
        self.saturation = slider(
            limits.metadata['minimum'], limits.metadata['maximum'], 0.05
        )
        self.saturation.setToolTip(limits.metadata['help'])
        self.confidence = slider(0, 1, 0.05)
        self.confidence.setToolTip(
            'Photos whose map the machine is less sure of are marked '
            '"needs a person".'
        )
        self.recursive = QCheckBox('Folders inside folders, too')
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow('Detail', self.detail)
        form.addRow('Format', self.format)
        form.addRow('Saturation', self.saturation)
        form.addRow('Ask below', self.confidence)
        form.addRow(self.recursive)
        self.detail.activated.connect(self._on_changed)
        self.format.activated.connect(self._on_changed)
        self.saturation.valueChanged.connect(self._on_changed)
        self.confidence.valueChanged.connect(self._on_changed)
        self.recursive.toggled.connect(self._on_changed)

    def _on_changed(self, value: object = None) -> None:
        self.changed.emit()

    def set_details(self, names: dict[Size, str]) -> None:
        """List the working sizes."""
        self.detail.clear()
        for size, words in names.items():
            self.detail.addItem(words, size)

    def show_choices(self, choices: Choices) -> None:
        """Show options without telling anybody that they changed."""
        blocked = self.blockSignals(True)
        settings = choices.settings
        if self.detail.findData(settings.size) < 0:
            self.detail.addItem(str(settings.size), settings.size)
        self.detail.setCurrentIndex(self.detail.findData(settings.size))
        self.format.setCurrentIndex(self.format.findData(choices.format))
        self.saturation.setValue(settings.saturation)
        self.confidence.setValue(choices.confidence)
        self.recursive.setChecked(choices.recursive)
        self.blockSignals(blocked)


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
        self.status = wrapped()
        self.photos = QPushButton('Show the table of photos')
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self.button, self.bar, self.status, self.photos):
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
