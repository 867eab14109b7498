"""Asks under which name a colored photo is saved."""

from __future__ import annotations

from itertools import chain, count
from pathlib import Path

from napari.utils.history import get_save_history, update_save_history
from qtpy.QtWidgets import QFileDialog

from napari_sdcolor.archive.formats import FORMATS, SUFFIXES, TITLES
from napari_sdcolor.archive.saving import output_paths

TYPES = {
    f'{title} (*{SUFFIXES[form]})': form for form, title in TITLES.items()
}
"""What the dialog offers, and the format behind it."""


def ask_path(name: str, beside: Path | None) -> Path | None:
    """Let the person choose a file name; None if none was chosen.

    Parameters
    ----------
    name
        NAME of the photo.
    beside
        Folder of the photo, where nothing was saved yet.
    """
    proposed = free_path(start_folder(beside), name)
    chosen, kind = QFileDialog.getSaveFileName(
        None,
        'Save the colored photo',
        str(proposed),
        ';;'.join(TYPES),
        # An existing file is refused with a sentence: never overwritten.
        options=QFileDialog.Option.DontConfirmOverwrite,
    )
    if not chosen:
        return None
    path = with_suffix(Path(chosen), kind)
    update_save_history(str(path))
    return path


def start_folder(beside: Path | None) -> Path:
    """Where the dialog begins: where was saved last, else by the photo."""
    last = Path(get_save_history()[0])
    # napari's history begins with the home folder, before anything is saved.
    if last.is_dir() and last != Path.home():
        return last
    if beside is not None and beside.is_dir():
        return beside
    return Path.home()


def free_path(folder: Path, name: str) -> Path:
    """A name beside which no file would have to be overwritten."""
    numbered = (f'{name}-{number}' for number in count(2))
    for tried in chain([name], numbered):
        paths = output_paths(folder, tried)
        if not any(path.exists() for path in paths):
            break
    return paths.color


def with_suffix(path: Path, kind: str) -> Path:
    """The path with the suffix of the chosen type, unless it has one."""
    if path.suffix.lower() in FORMATS:
        return path
    return path.with_name(path.name + SUFFIXES[TYPES.get(kind, 'tiff')])
