"""Choose a photo and run; progress in words; the device in use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox, ProgressBar, PushButton
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_sdcolor.plugin import forms
from napari_sdcolor.plugin.source import WINDOW_CHOICES
from napari_sdcolor.plugin.views.section import Section
from napari_sdcolor.plugin.views.words import Words
from napari_sdcolor.settings import Size

if TYPE_CHECKING:
    from napari.layers import Image

ORANGE = '#e08a00'

RUN_WORDS = 'Run: find classes and color'


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
    """Photo, settings of the next run, Run or Stop, progress.

    Signals
    -------
    photo_requested(Image)
        The photo that was chosen.
    window_requested(str), detail_requested(object), weights_requested(str)
        Tone window, working size (a number or 'native') and weights that
        were chosen.
    run_requested, run_all_requested, stop_requested
        A button was pressed.
    """

    photo_requested = Signal(object)
    window_requested = Signal(str)
    detail_requested = Signal(object)
    weights_requested = Signal(str)
    run_requested = Signal()
    run_all_requested = Signal()
    stop_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.photo = ComboBox(
            name='photo',
            label='Photo',
            choices=(),
            tooltip='The image layer to color. It stays untouched.',
        )
        self.window = forms.setting(
            'window',
            choices=[(words, key) for key, words in WINDOW_CHOICES.items()],
            tooltip='Which value is black and which is white. Automatic: as '
            'the file says, else the range that its values need; contrast '
            'limits that you set yourself count instead.',
        )
        self.detail = forms.setting('size')
        self.weights = forms.setting('weights')
        self.cost = Words(2)
        self.understood = Words(2)
        self.button = PushButton(name='run', text=RUN_WORDS)
        self.all_planes = PushButton(
            name='run_all',
            text='Run all planes',
            tooltip='Find classes and color plane after plane of the stack. '
            'Planes whose map you edited keep it.',
        )
        self.bar = ProgressBar(name='progress', min=0, max=0, value=0)
        self.status = Words(3)
        self._running = False
        self._lay_out()
        for widget, slot in self._pairs():
            widget.changed.connect(slot)
        self.set_stack(False)
        self.show_idle()

    def _lay_out(self) -> None:
        bar = self.bar.native
        bar.setTextVisible(False)
        bar.setFixedHeight(6)
        # Kept free, so that nothing jumps when it appears.
        policy = bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        bar.setSizePolicy(policy)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        settings = forms.Form(self.window, self.detail, self.weights)
        column.addWidget(settings.native)
        column.addWidget(self.cost)
        self.options = Section(
            'Tones, detail and weights', inside, unfolded=False
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        for part in (
            forms.Form(self.photo).native,
            self.understood,
            self.options,
            self.button.native,
            self.all_planes.native,
            bar,
            self.status,
        ):
            layout.addWidget(part)

    def _pairs(self) -> list[tuple]:
        return [
            (self.photo, self._on_photo),
            (self.window, self._on_window),
            (self.detail, self._on_detail),
            (self.weights, self._on_weights),
            (self.button, self._on_button),
            (self.all_planes, self._on_all_planes),
        ]

    def _on_photo(self, photo: Image | None) -> None:
        if photo is not None:
            self.photo_requested.emit(photo)

    def _on_window(self, key: str) -> None:
        self.window_requested.emit(key)

    def _on_detail(self, size: Size) -> None:
        self.detail_requested.emit(size)

    def _on_weights(self, name: str | None) -> None:
        if name:
            self.weights_requested.emit(name)

    def _on_button(self, pressed: bool = False) -> None:
        if self._running:
            self.stop_requested.emit()
        else:
            self.run_requested.emit()

    def _on_all_planes(self, pressed: bool = False) -> None:
        self.run_all_requested.emit()

    def set_photos(
        self, photos: Sequence[tuple[str, Image]], chosen: Image | None
    ) -> None:
        """List the photos with their names, and show which is chosen."""
        with self.photo.changed.blocked():
            # Emptied first, or rows that stay would keep their old order.
            self.photo.choices = ()
            self.photo.choices = tuple(photos)
            if photos:
                self.photo.value = chosen
        self.photo.enabled = bool(photos)
        self._enable(chosen is not None)

    def set_window(self, key: str) -> None:
        """Show a photo's own tone window."""
        with self.window.changed.blocked():
            self.window.value = key

    def set_details(self, names: dict[Size, str], chosen: Size) -> None:
        """List the working sizes."""
        with self.detail.changed.blocked():
            self.detail.choices = [(names[size], size) for size in names]
            forms.choose(self.detail, chosen)

    def set_weights(self, name: str) -> None:
        """List the weights as they are now, and show which are used."""
        with self.weights.changed.blocked():
            forms.choose(self.weights, name)
            self.weights.reset_choices()

    def set_cost(self, words: str) -> None:
        """Say what the chosen detail means for the photo."""
        self.cost.setText(words)

    def set_understood(self, words: str) -> None:
        self.understood.setText(words)

    def set_stack(self, is_stack: bool) -> None:
        """Offer what only stacks have."""
        self.all_planes.visible = is_stack

    def show_running(self, words: str) -> None:
        """A long task is under way."""
        self._running = True
        self.button.text = 'Stop'
        self.button.tooltip = 'Stop now and keep the previous result.'
        self._enable(True)
        self.bar.native.show()
        self.status.setText(words)

    def show_idle(self, words: str = '') -> None:
        """Nothing runs; ``words`` say what to do next."""
        self._running = False
        self.button.text = RUN_WORDS
        self.button.tooltip = (
            'Predict the semantic map of the photo, then color the photo.'
        )
        self._enable(self.photo.value is not None)
        self.bar.native.hide()
        if words:
            self.status.setText(words)

    def show_status(self, words: str) -> None:
        self.status.setText(words)

    def _enable(self, has_photo: bool) -> None:
        self.button.enabled = has_photo or self._running
        self.all_planes.enabled = has_photo and not self._running
