"""How often the training photographs show each class."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from napari_sdcolor.classes import CLASSES, N_CLASSES
from napari_sdcolor.errors import DataError
from napari_sdcolor.training.data import Entry

LEAST_PIXELS = 100
"""A class counts as shown in a photo from this many pixels on."""


def class_photos(entries: Iterable[Entry]) -> dict[str, int]:
    """Number of photographs that show each class.

    Parameters
    ----------
    entries
        Of the training split; those without a label map, or with one that
        cannot be read, count for no class.

    Returns
    -------
    dict
        Class name to number of photographs, all 60 classes.
    """
    photos = np.zeros(N_CLASSES, np.int64)
    for entry in entries:
        if entry.labels is None:
            continue
        try:
            labels = entry.load()[1]
        except DataError:
            continue
        counts = np.bincount(labels.ravel(), minlength=N_CLASSES)
        photos += counts[:N_CLASSES] >= LEAST_PIXELS
    return {entry.name: int(photos[entry.id]) for entry in CLASSES}
