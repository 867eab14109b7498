"""The parts of the dock: photos and results, options, the run, the table."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from magicgui.widgets import LineEdit, PushButton
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_sdcolor.archive.formats import TITLES
from napari_sdcolor.plugin import forms
from napari_sdcolor.plugin.archive.choices import Choices
from napari_sdcolor.plugin.archive.photos_view import PhotosView
from napari_sdcolor.plugin.forms import Form, row
from napari_sdcolor.plugin.plain import plain
from napari_sdcolor.plugin.source import WINDOW_CHOICES
from napari_sdcolor.plugin.views.run_view import DeviceBadge
from napari_sdcolor.plugin.views.words import Words
from napari_sdcolor.settings import Size, parse_window

TWO_VALUES = 'two values'
TONES = [
    (words, window)
    for window, words in WINDOW_CHOICES.items()
    if window != 'contrast'  # only layers have contrast limits
] + [('Two values', TWO_VALUES)]

COUNT_LINES = 2
"""Of words on what a folder holds that always have room."""

STATUS_LINES = 3
"""Of status words that always have room, so that nothing jumps."""


def read_only(label: str) -> LineEdit:
    """Shows one path, however long it is."""
    line = LineEdit(label=label)
    line.native.setReadOnly(True)
    return line


class FoldersForm(Form):
    """Which photos, and where their results go.

    Its buttons ask for them: of a path that is being typed, half would be
    looked through.
    """

    def __init__(self) -> None:
        folder = PushButton(
            text='Folder…',
            tooltip='All photos in a folder. They are only read.',
        )
        files = PushButton(
            text='Files…', tooltip='Single photos. They are only read.'
        )
        output = PushButton(
            text='Results to…',
            tooltip='Folder for the colored photos, outside of the photos. '
            'Nothing of yours in it is ever overwritten.',
        )
        inputs, results = read_only('Photos'), read_only('Results')
        super().__init__(inputs, row(folder, files), results, row(output))
        self.folder, self.files, self.output = folder, files, output
        self.inputs, self.results = inputs, results
        self.counted = Words(COUNT_LINES)
        self.native.layout().insertWidget(2, self.counted)

    def show_choices(self, choices: Choices) -> None:
        """Say what was chosen."""
        inputs = choices.inputs
        words = inputs[0] if inputs else 'None chosen yet'
        if len(inputs) > 1:
            words = f'{len(inputs)} files, the first one {inputs[0]}'
        self.inputs.value = words
        self.inputs.tooltip = plain('\n'.join(inputs[:20]))
        self.results.value = choices.output or 'No folder chosen yet'
        self.results.tooltip = plain(choices.output)
        for line in (self.inputs, self.results):
            line.native.setCursorPosition(0)

    def show_counted(self, words: str) -> None:
        """Say what the chosen folder holds."""
        self.counted.setText(words)
        self.counted.setToolTip(plain(words))


class OptionsForm(Form):
    """How the photos are colored; its widgets are named like the fields.

    Parameters
    ----------
    sizes
        Working sizes and their names.
    """

    def __init__(self, sizes: dict[Size, str]) -> None:
        details = [(words, size) for size, words in sizes.items()]
        points = LineEdit(
            name='points',
            label='Values',
            value='0,65535',
            tooltip='The two values that become black and white.',
        )
        points.enabled = False
        super().__init__(
            forms.setting('size', choices=details),
            forms.setting('window', choices=TONES),
            points,
            forms.setting('saturation'),
            forms.setting('weights'),
            forms.field(
                Choices,
                'format',
                choices=[(title, form) for form, title in TITLES.items()],
            ),
            forms.field(Choices, 'confidence'),
            forms.field(Choices, 'recursive'),
        )

    def show_choices(self, choices: Choices) -> None:
        """Show options without telling anybody that they changed."""
        settings = choices.settings
        two = ',' in settings.window
        with self.changed.blocked():
            forms.choose(self.size, settings.size)
            self.window.value = TWO_VALUES if two else settings.window
            self.points.enabled = two
            if two and self.points.value != settings.window:
                self.points.value = settings.window
            forms.choose(self.weights, settings.weights)
            self.saturation.value = settings.saturation
            self.format.value = choices.format
            self.confidence.value = choices.confidence
            self.recursive.value = choices.recursive

    def read(self, choices: Choices) -> Choices:
        """The choices with what this form says.

        Raises
        ------
        SettingsError
            If the two values of the tones are none.
        """
        two = self.window.value == TWO_VALUES
        window = self.points.value if two else self.window.value
        parse_window(window)
        settings = replace(
            choices.settings,
            size=self.size.value,
            window=window,
            saturation=round(self.saturation.value, 2),
            weights=self.weights.value,
        )
        return replace(
            choices,
            settings=settings,
            format=self.format.value,
            confidence=round(self.confidence.value, 2),
            recursive=self.recursive.value,
        )


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
        self.status = Words(STATUS_LINES)
        self.photos = QPushButton('Table')
        self.photos.setToolTip('Show the table of photos.')
        buttons = QHBoxLayout()
        buttons.addWidget(self.button, 1)
        buttons.addWidget(self.photos)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(buttons)
        layout.addWidget(self.bar)
        layout.addWidget(self.status)
        self._running = False
        self.button.clicked.connect(self._on_button)
        self.photos.clicked.connect(self.photos_requested)
        self.bar.hide()

    def _on_button(self) -> None:
        if self._running:
            self.stop_requested.emit()
        else:
            self.start_requested.emit()

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
        self.copy.clicked.connect(self.copy_requested)

    def show_command(self, words: str) -> None:
        self.words.setPlainText(words)
        self.copy.setEnabled(bool(words))


@dataclass(frozen=True)
class Views:
    """Everything that the dock shows."""

    options: OptionsForm
    badge: DeviceBadge = field(default_factory=DeviceBadge)
    folders: FoldersForm = field(default_factory=FoldersForm)
    run: RunBar = field(default_factory=RunBar)
    command: CommandView = field(default_factory=CommandView)
    photos: PhotosView = field(default_factory=PhotosView)
