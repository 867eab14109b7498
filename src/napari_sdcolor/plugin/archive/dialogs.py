"""Asking for folders and files, by the window system's own dialogs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from qtpy.QtWidgets import QFileDialog


class Chooser:
    """Asks; tests put another one in its place."""

    def folder(self, title: str, near: Sequence[str]) -> str:
        """A folder; empty if none was chosen."""
        found = QFileDialog.getExistingDirectory(None, title, start(near))
        return os.path.abspath(found) if found else ''

    def files(self, title: str, near: Sequence[str]) -> list[str]:
        """Some files; empty if none were chosen."""
        found, _ = QFileDialog.getOpenFileNames(None, title, start(near))
        return [os.path.abspath(path) for path in found]


def start(near: Sequence[str]) -> str:
    """Where a dialog begins: at the first of some places that is there.

    Of a place that is gone, the folder in which it lay counts.
    """
    for name in near:
        for place in (Path(name), *Path(name).parents):
            if name and place.exists() and place != place.parent:
                return str(place)
    return str(Path.home())
