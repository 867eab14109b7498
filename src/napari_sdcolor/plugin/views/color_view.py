"""What a person does while looking at the colors."""

from __future__ import annotations

from magicgui.widgets import (
    CheckBox,
    ComboBox,
    FloatSlider,
    PushButton,
)
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

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
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        for part in (
            forms.row(self.undo, self.redo, self.map, self.before).native,
            forms.Form(self.opacity, self.style, self.saturation).native,
            forms.row(self.live, self.update_now).native,
            self.confidence,
        ):
            layout.addWidget(part)
        for widget, slot in self._pairs():
            widget.changed.connect(slot)
        self.set_confidence(None)

    def _pairs(self) -> list[tuple]:
        return [
            (self.undo, self._on_undo),
            (self.redo, self._on_redo),
            (self.map, self._on_map),
            (self.before, self._on_before),
            (self.style, self._on_style),
            (self.opacity, self._on_opacity),
            (self.saturation, self._on_saturation),
            (self.live, self._on_live),
            (self.update_now, self._on_update),
        ]

    def _on_undo(self, pressed: bool) -> None:
        self.undo_requested.emit()

    def _on_redo(self, pressed: bool) -> None:
        self.redo_requested.emit()

    def _on_map(self, shown: bool) -> None:
        self.map_requested.emit(shown)

    def _on_before(self, before: bool) -> None:
        self.before_requested.emit(before)

    def _on_style(self, style: str) -> None:
        self.style_requested.emit(style)

    def _on_opacity(self, opacity: float) -> None:
        self.opacity_requested.emit(opacity)

    def _on_saturation(self, saturation: float) -> None:
        self.saturation_requested.emit(saturation)

    def _on_live(self, live: bool) -> None:
        self.live_requested.emit(live)

    def _on_update(self, pressed: bool) -> None:
        self.update_requested.emit()

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

    def set_live(self, live: bool) -> None:
        """Show what is preferred."""
        with self.live.changed.blocked():
            self.live.value = live

    def set_opacity(self, opacity: float) -> None:
        """Follow an opacity that was changed elsewhere."""
        with self.opacity.changed.blocked():
            self.opacity.value = opacity

    def set_style(self, style: str) -> None:
        """Follow a style that was changed elsewhere."""
        with self.style.changed.blocked():
            self.style.value = style

    def set_map(self, shown: bool) -> None:
        """Follow a visibility that was changed elsewhere."""
        self.map.native.setChecked(shown)

    def set_before(self, before: bool) -> None:
        """Follow a visibility that was changed elsewhere."""
        self.before.native.setChecked(before)

    def set_saturation(self, saturation: float) -> None:
        """Show a photo's own saturation."""
        with self.saturation.changed.blocked():
            self.saturation.value = saturation
