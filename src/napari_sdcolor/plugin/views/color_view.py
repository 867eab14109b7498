"""Live recoloring, saturation, map opacity, before and after."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QLabeledDoubleSlider

from napari_sdcolor.settings import declared


class ColorView(QWidget):
    """What a person adjusts while looking at the color.

    Signals
    -------
    live_requested(bool), update_requested, saturation_requested(float),
    opacity_requested(float), before_requested(bool)
    """

    live_requested = Signal(bool)
    update_requested = Signal()
    saturation_requested = Signal(float)
    opacity_requested = Signal(float)
    before_requested = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.live = QCheckBox('Live')
        self.live.setToolTip('Colors follow every change of the map at once.')
        self.update_now = QPushButton('Update now')
        self.update_now.setToolTip('Color the map as it is now.')
        self.before = QPushButton('Before / after')
        self.before.setCheckable(True)
        self.before.setToolTip('Show the photo without its color (key C).')
        limits = declared('saturation')
        self.saturation = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.saturation.setRange(
            limits.metadata['minimum'], limits.metadata['maximum']
        )
        self.saturation.setDecimals(2)
        self.saturation.setSingleStep(0.05)
        self.saturation.setValue(limits.default)
        self.saturation.setToolTip(limits.metadata['help'])
        self.opacity = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 1)
        self.opacity.setDecimals(2)
        self.opacity.setSingleStep(0.05)
        self.opacity.setValue(0.3)
        self.opacity.setToolTip('How strongly the map covers the picture.')
        self.confidence = QLabel('–')
        self.confidence.setToolTip(
            'Mean probability that GridNet gives its own map. Low values ask '
            'for a look.'
        )

        buttons = QHBoxLayout()
        buttons.addWidget(self.live)
        buttons.addWidget(self.update_now, 1)
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow('Saturation', self.saturation)
        form.addRow('Map opacity', self.opacity)
        form.addRow('Confidence', self.confidence)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(buttons)
        layout.addLayout(form)
        layout.addWidget(self.before)

        self.live.toggled.connect(self.live_requested)
        self.update_now.clicked.connect(self._on_update)
        self.saturation.valueChanged.connect(self.saturation_requested)
        self.opacity.valueChanged.connect(self.opacity_requested)
        self.before.toggled.connect(self.before_requested)

    def _on_update(self) -> None:
        self.update_requested.emit()

    def set_confidence(self, mean: float | None) -> None:
        """Mean confidence in [0, 1], None when the map is not predicted."""
        self.confidence.setText('–' if mean is None else f'{mean:.0%}')

    def set_opacity(self, opacity: float) -> None:
        """Follow an opacity that was changed elsewhere."""
        self.opacity.blockSignals(True)
        self.opacity.setValue(opacity)
        self.opacity.blockSignals(False)

    def set_before(self, before: bool) -> None:
        """Follow a visibility that was changed elsewhere."""
        self.before.blockSignals(True)
        self.before.setChecked(before)
        self.before.blockSignals(False)

    def set_saturation(self, saturation: float) -> None:
        """Show a photo's own saturation."""
        self.saturation.blockSignals(True)
        self.saturation.setValue(saturation)
        self.saturation.blockSignals(False)
