"""Which photos, where their results go, and how they are colored."""

from __future__ import annotations

from dataclasses import replace

from magicgui.widgets import LineEdit, PushButton

from napari_sdcolor.archive.formats import TITLES
from napari_sdcolor.plugin import forms
from napari_sdcolor.plugin.archive.choices import Choices
from napari_sdcolor.plugin.forms import Form, row
from napari_sdcolor.plugin.views.words import Words
from napari_sdcolor.settings import Size, parse_window

TWO_VALUES = 'two values'
TONES = [
    ('Automatic', 'auto'),
    ('Whole range of the type', 'type'),
    ('Darkest to brightest', 'minmax'),
    ('Two values', TWO_VALUES),
]
COUNT_LINES = 2
"""Of words on what a folder holds that always have room."""


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
        self.inputs.tooltip = '\n'.join(inputs[:20])
        self.results.value = choices.output or 'No folder chosen yet'
        self.results.tooltip = choices.output
        for line in (self.inputs, self.results):
            line.native.setCursorPosition(0)

    def show_counted(self, words: str) -> None:
        """Say what the chosen folder holds."""
        self.counted.setText(words)
        self.counted.setToolTip(words)


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
