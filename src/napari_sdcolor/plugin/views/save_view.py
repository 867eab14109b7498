"""Save the result; copy the command that makes the same file."""

from __future__ import annotations

from magicgui.widgets import PushButton
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_sdcolor.plugin import forms
from napari_sdcolor.plugin.views.words import Words


class SaveView(QWidget):
    """Two buttons, and what became of the last save.

    Signals
    -------
    save_requested, command_requested
    """

    save_requested = Signal()
    command_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.save = PushButton(
            text='Save…',
            tooltip='Color, map and sidecar: full resolution and depth, '
            'marked as machine-colored. Nothing is ever overwritten.',
        )
        self.command = PushButton(
            text='Copy command line',
            tooltip='The sdcolor command that makes the same file, to the '
            'clipboard.',
        )
        self.words = Words(3)
        buttons = forms.row(self.save, self.command)
        forms.column(self, buttons.native, self.words)
        self.save.native.clicked.connect(self.save_requested)
        self.command.native.clicked.connect(self.command_requested)
        self.set_ready(False)

    def set_ready(self, ready: bool) -> None:
        """There is something to save."""
        self.save.enabled = ready
        self.command.enabled = ready
