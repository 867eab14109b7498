"""Mean colors of the classes, from the photos that training saw."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.archive.atomic import publish
from napari_sdcolor.classes import N_CLASSES, UNKNOWN
from napari_sdcolor.core import lab
from napari_sdcolor.errors import DataError
from napari_sdcolor.evaluation.entries import Entry, full_name
from napari_sdcolor.training.sources.entry import BadEntry

LEAST_PIXELS = 2000
"""Classes with fewer known pixels in a split have no figures."""


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


def class_means(
    entries: Sequence[Entry],
    progress: Callable[[Sequence[Entry]], Iterable[Entry]] = iter,
) -> ClassMeans:
    """Mean color of every class over all known pixels of training photos.

    Raises
    ------
    DataError
        If no photo has a label map.
    """
    sums = np.zeros((N_CLASSES, 2))
    pixels = np.zeros(N_CLASSES, np.int64)
    for entry in progress(entries):
        try:
            rgb, labels = entry.load()
        except BadEntry:
            # One photo of thousands does not matter for a mean.
            continue
        if labels is None:
            continue
        known = labels != UNKNOWN
        ids = labels[known]
        ab = lab.rgb_to_lab(rgb[known] / np.float32(255))[:, 1:]
        pixels += np.bincount(ids, minlength=N_CLASSES)
        for channel in (0, 1):
            sums[:, channel] += np.bincount(ids, ab[:, channel], N_CLASSES)
    if not pixels.any():
        raise DataError('No training photograph has a label map.')
    return ClassMeans(sums / np.maximum(pixels, 1)[:, None], pixels)


def kept_means(
    path: Path,
    entries: Sequence[Entry],
    progress: Callable[[Sequence[Entry]], Iterable[Entry]] = iter,
) -> ClassMeans:
    """Class means out of a file, which is made where it is missing.

    Looking through thousands of training photos takes a minute; whoever
    compares weights does it once.

    Raises
    ------
    DataError
        If the file is damaged or was made from other photos.
    """
    names = hashlib.sha256(
        '\n'.join(full_name(entry) for entry in entries).encode()
    ).hexdigest()
    if not path.exists():
        means = class_means(entries, progress)
        kept = {
            'names': names,
            'ab': means.ab.tolist(),
            'pixels': means.pixels.tolist(),
        }
        publish([(path, json.dumps(kept).encode())])
        return means
    try:
        kept = json.loads(path.read_text())
        ab, pixels = np.array(kept['ab'], float), np.array(kept['pixels'])
        if kept['names'] != names or ab.shape != (N_CLASSES, 2):
            raise DataError(
                f'{path} holds class means of other training photos; delete '
                'it to have them formed again.'
            )
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f'{path} holds no class means.') from error
    return ClassMeans(ab, pixels)
