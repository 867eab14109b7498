"""What a person does while looking at the colors."""

from __future__ import annotations

from magicgui.widgets import CheckBox, ComboBox, FloatSlider, PushButton
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QWidget

from napari_sdcolor.plugin import forms

OUTLINES, FILLED = 'outlines', 'filled'
STYLES = (('Outlines', OUTLINES), ('Filled areas', FILLED))


class ColorView(QWidget):
    """Undo, what is shown, and how strong.

    Signals
    -------
    undo_requested, redo_requested
    map_requested(bool), before_requested(bool)
        Show the map; show the photo as it was.
    style_requested(str), opacity_requested(float)
        How the map is drawn.
    live_requested(bool), update_requested, saturation_requested(float)
    """

    undo_requested = Signal()
    redo_requested = Signal()
    map_requested = Signal(bool)
    before_requested = Signal(bool)
    style_requested = Signal(str)
    opacity_requested = Signal(float)
    live_requested = Signal(bool)
    update_requested = Signal()
    saturation_requested = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.undo = PushButton(
            text='Undo', tooltip='Take the last stroke back (Ctrl+Z).'
        )
        self.redo = PushButton(
            text='Redo', tooltip='Paint it again (Ctrl+Shift+Z).'
        )
        self.map = PushButton(
            text='Map', tooltip='Show or hide the semantic map.'
        )
        self.before = PushButton(
            text='Before', tooltip='Show the photo as it was (key C).'
        )
        for button in (self.map, self.before):
            button.native.setCheckable(True)
        self.style = ComboBox(
            label='Map as',
            choices=STYLES,
            value=OUTLINES,
            tooltip='Outlines leave the colors as they are.',
        )
        self.opacity = FloatSlider(
            label='Map opacity',
            min=0,
            max=1,
            step=0.05,
            value=1,
            tooltip='How strongly the map covers the picture.',
        )
        self.saturation = forms.setting('saturation')
        self.live = CheckBox(
            text='Live',
            tooltip='Colors follow every change of the map at once.',
        )
        self.update_now = PushButton(
            text='Update now', tooltip='Color the map as it is now.'
        )
        self.confidence = QLabel()
        self.confidence.setToolTip(
            'Mean probability that GridNet gives its own map. Low values ask '
            'for a look.'
        )
        forms.column(
            self,
            forms.row(self.undo, self.redo, self.map, self.before).native,
            forms.Form(self.opacity, self.style, self.saturation).native,
            forms.row(self.live, self.update_now).native,
            self.confidence,
        )
        self._connect()
        self.set_confidence(None)

    def _connect(self) -> None:
        self.undo.native.clicked.connect(self.undo_requested)
        self.redo.native.clicked.connect(self.redo_requested)
        self.update_now.native.clicked.connect(self.update_requested)
        self.map.changed.connect(self.map_requested.emit)
        self.before.changed.connect(self.before_requested.emit)
        self.style.changed.connect(self.style_requested.emit)
        self.opacity.changed.connect(self.opacity_requested.emit)
        self.live.changed.connect(self.live_requested.emit)
        self.saturation.changed.connect(self.saturation_requested.emit)

    def set_ready(self, has_map: bool, has_color: bool) -> None:
        """What there is to show and to take back."""
        for widget in (self.undo, self.redo, self.map):
            widget.enabled = has_map
        self.before.enabled = has_color
        self.update_now.enabled = has_map

    def set_confidence(self, mean: float | None) -> None:
        """Mean confidence in [0, 1], None when the map is not predicted."""
        words = '–' if mean is None else f'{mean:.0%}'
        self.confidence.setText(f'Confidence of the map: {words}')
