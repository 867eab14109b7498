"""Choose a photo and run; progress in words; the device in use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox, ProgressBar, PushButton
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QWidget

from napari_sdcolor.plugin import forms
from napari_sdcolor.plugin.plain import plain
from napari_sdcolor.plugin.source import WINDOW_CHOICES
from napari_sdcolor.plugin.views.section import Section
from napari_sdcolor.plugin.views.words import Words
from napari_sdcolor.settings import Size

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_sdcolor.core.device import Device

ORANGE = '#e08a00'

RUN_WORDS = 'Run: find classes and color'


class DeviceBadge(QLabel):
    """Where the networks run; the CPU in a way that is not missed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setWordWrap(True)
        self.setText('Device: not checked yet')

    def show_device(self, device: Device) -> None:
        self.setText(f'Runs on {device.words}')
        color = ORANGE if device.kind == 'cpu' else '#2e8b57'
        self.setStyleSheet(
            f'background-color: {color}; color: white; border-radius: 4px;'
            'padding: 2px; font-weight: bold;'
        )
        slow = 'A supported GPU would be faster.'
        words = [slow] if device.kind == 'cpu' else []
        self.setToolTip(plain(' '.join([*words, *device.notes])))


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
        self._connect()
        # Only stacks have them.
        self.all_planes.visible = False
        self.show_idle()

    def _lay_out(self) -> None:
        bar = self.bar.native
        bar.setTextVisible(False)
        bar.setFixedHeight(6)
        # Kept free, so that nothing jumps when it appears.
        policy = bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        bar.setSizePolicy(policy)
        settings = forms.Form(self.window, self.detail, self.weights)
        inside = QWidget()
        forms.column(inside, settings.native, self.cost, spacing=2)
        self.options = Section(
            'Tones, detail and weights', inside, unfolded=False
        )
        forms.column(
            self,
            forms.Form(self.photo).native,
            self.understood,
            self.options,
            self.button.native,
            self.all_planes.native,
            bar,
            self.status,
        )

    def _connect(self) -> None:
        self.photo.changed.connect(self._on_photo)
        self.window.changed.connect(self.window_requested.emit)
        self.detail.changed.connect(self.detail_requested.emit)
        self.weights.changed.connect(self._on_weights)
        self.button.changed.connect(self._on_button)
        self.all_planes.native.clicked.connect(self.run_all_requested)

    def _on_photo(self, photo: Image | None) -> None:
        if photo is not None:
            self.photo_requested.emit(photo)

    def _on_weights(self, name: str | None) -> None:
        if name:
            self.weights_requested.emit(name)

    def _on_button(self, pressed: bool) -> None:
        if self._running:
            self.stop_requested.emit()
        else:
            self.run_requested.emit()

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

    def _enable(self, has_photo: bool) -> None:
        self.button.enabled = has_photo or self._running
        self.all_planes.enabled = has_photo and not self._running
