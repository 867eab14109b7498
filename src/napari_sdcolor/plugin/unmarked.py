"""Says when colors were saved by napari itself, which marks nothing.

napari's own file types come first in its Save dialog, and there is no way
to take part in what they write. So the files are looked at afterwards.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from napari.layers import Image
from napari.utils.history import get_save_history
from napari.utils.notifications import show_warning
from qtpy.QtCore import QObject

from napari_sdcolor.plugin import writers
from napari_sdcolor.plugin.trio import METADATA_KEY

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtGui import QAction

RECENT = 10.0
"""Seconds: a file that is younger was written by the Save just before."""

_SAVE_SELECTED = 'napari.window.file.save_layers_dialog.selected'
_SAVE_ALL = 'napari.window.file.save_layers_dialog'


class UnmarkedWarning(QObject):
    """Watches the two Save actions of napari's File menu.

    Parameters
    ----------
    viewer
        Whose window; a viewer without one is left alone.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self.viewer = viewer
        self._slots: list[tuple[QAction, object]] = []
        window = getattr(viewer, 'window', None)
        if window is None:
            return
        slots = {
            _SAVE_SELECTED: self._on_saved_selected,
            _SAVE_ALL: self._on_saved_all,
        }
        for action in window.file_menu.actions():
            slot = slots.get(action.objectName())
            if slot is not None:
                # After napari's own slot, which returns when it has saved.
                action.triggered.connect(slot)
                self._slots.append((action, slot))

    def close(self) -> None:
        """The dock goes away."""
        slots, self._slots = self._slots, []
        for action, slot in slots:
            action.triggered.disconnect(slot)

    def _on_saved_selected(self, checked: bool = False) -> None:
        self._tell(self.viewer.layers.selection)

    def _on_saved_all(self, checked: bool = False) -> None:
        self._tell(self.viewer.layers)

    def _tell(self, layers: object) -> None:
        if not any(
            isinstance(layer, Image) and METADATA_KEY in layer.metadata
            for layer in layers
        ):
            return
        path = newest(Path(get_save_history()[0]))
        if path is None or path in writers.written:
            return
        show_warning(
            f'{path.name} was saved by napari itself: it carries no mark '
            'that a machine colored it, and no sidecar. "Save…" in the dock '
            'Colorize, or the type "Colored photo with mark and sidecar", '
            'writes both.'
        )


def newest(folder: Path) -> Path | None:
    """What was written in a folder just now, if anything."""
    try:
        dated = [(path.stat().st_mtime, path) for path in folder.iterdir()]
    except OSError:
        return None
    when, path = max(dated, default=(0.0, folder))
    return path if time.time() - when < RECENT else None
