"""Edited maps survive a crash.

Every map lies in a small PNG whose name is the photo's fingerprint, so that
it is found again however the photo is opened.
"""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from platformdirs import user_data_path

from napari_sdcolor.classes import N_CLASSES
from napari_sdcolor.files import replace_file

FOLDER_VARIABLE = 'SDCOLOR_AUTOSAVE'
"""Environment variable that moves the folder."""


def folder() -> Path:
    """Where the maps lie."""
    moved = os.environ.get(FOLDER_VARIABLE)
    if moved:
        return Path(moved)
    return user_data_path('napari-sdcolor', appauthor=False) / 'autosave'


def _path(fingerprint: str, place: Path | None = None) -> Path:
    return (place or folder()) / f'{fingerprint}.png'


def store(
    fingerprint: str, labels: NDArray[np.uint8], place: Path | None = None
) -> Path:
    """Keep a map (h, w) uint8; replaced atomically.

    Parameters
    ----------
    fingerprint
        Of the photo.
    labels
        Its map.
    place
        The folder, where it is not ``folder()``.

    Raises
    ------
    SaveError
        If the disk does not take it.
    """
    path = _path(fingerprint, place)
    stream = io.BytesIO()
    Image.fromarray(labels).save(stream, 'PNG')
    replace_file(path, stream.getvalue())
    return path


def find(
    fingerprint: str, shape: tuple[int, int]
) -> tuple[NDArray[np.uint8], str] | None:
    """A kept map of this shape and when it was kept, in words.

    Damaged files count as none.
    """
    path = _path(fingerprint)
    try:
        # Checks the sums in the file, as Pillow does not: a flipped bit
        # would be another class.
        labels = imagecodecs.png_decode(path.read_bytes())
        when = path.stat().st_mtime
    except (OSError, ValueError, RuntimeError):
        return None
    if labels.shape != tuple(shape) or labels.dtype != np.uint8:
        return None
    if labels.max(initial=0) >= N_CLASSES:
        return None
    words = time.strftime('%Y-%m-%d %H:%M', time.localtime(when))
    return labels, words


def discard(fingerprint: str, place: Path | None = None) -> None:
    """Forget a map; ``place`` as for ``store``."""
    _path(fingerprint, place).unlink(missing_ok=True)
