"""What the training photographs show of each class: how often, what color."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.classes import CLASSES, N_CLASSES, UNKNOWN
from napari_sdcolor.core import lab
from napari_sdcolor.datasets.entry import BadEntry, Entry
from napari_sdcolor.errors import DataError

LEAST_PIXELS = 100
"""A class counts as shown in a photo from this many pixels on."""

LEAST_KNOWN = 2000
"""A class seen in fewer pixels has no mean color to speak of."""


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
    for entry in labeled(entries):
        try:
            labels = entry.load()[1]
        except DataError:
            continue
        counts = np.bincount(labels.ravel(), minlength=N_CLASSES)
        photos += counts[:N_CLASSES] >= LEAST_PIXELS
    return {entry.name: int(photos[entry.id]) for entry in CLASSES}


@dataclass(frozen=True)
class ClassMeans:
    """Mean color of every class in the training split.

    Parameters
    ----------
    ab
        (60, 2) mean a and b; 0 for classes that it does not hold.
    pixels
        (60,) known pixels that the mean is over.
    """

    ab: NDArray[np.float64]
    pixels: NDArray[np.int64]


def mean_colors(
    photos: Iterable[tuple[NDArray[np.uint8], NDArray[np.uint8]]],
) -> ClassMeans:
    """Mean color of every class over all known pixels.

    Parameters
    ----------
    photos
        RGB (h, w, 3) and label map (h, w) of each, 255 for unknown.
    """
    sums = np.zeros((N_CLASSES, 2))
    pixels = np.zeros(N_CLASSES, np.int64)
    for rgb, labels in photos:
        known = labels != UNKNOWN
        ids = labels[known]
        ab = lab.rgb_to_lab(rgb[known] / np.float32(255))[:, 1:]
        pixels += np.bincount(ids, minlength=N_CLASSES)
        for channel in (0, 1):
            sums[:, channel] += np.bincount(ids, ab[:, channel], N_CLASSES)
    return ClassMeans(sums / np.maximum(pixels, 1)[:, None], pixels)


def labeled(entries: Iterable[Entry]) -> list[Entry]:
    """Those that have a label map."""
    return [entry for entry in entries if entry.labels is not None]


def readable(
    entries: Iterable[Entry],
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8] | None]]:
    """Photos and their maps; one bad photo of thousands does not matter."""
    for entry in entries:
        try:
            yield entry.load()
        except BadEntry:
            continue


def some(
    entries: Sequence[Entry],
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8] | None]]:
    """About 400 photos and their maps, evenly chosen, that are fine."""
    return readable(entries[:: max(1, len(entries) // 400)])


def class_colors(entries: Iterable[Entry]) -> dict[int, NDArray[np.float32]]:
    """Mean ab (2,) in Lab units of the classes that were seen enough.

    Parameters
    ----------
    entries
        Training photographs.
    """
    means = mean_colors(some(labeled(entries)))
    return {
        int(number): means.ab[number].astype(np.float32)
        for number in np.flatnonzero(means.pixels >= LEAST_KNOWN)
        if number
    }
