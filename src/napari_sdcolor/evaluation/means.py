"""Mean colors of the classes, from the photos that training saw."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.classes import N_CLASSES
from napari_sdcolor.datasets.coverage import ClassMeans, mean_colors
from napari_sdcolor.datasets.entry import BadEntry
from napari_sdcolor.errors import DataError
from napari_sdcolor.evaluation.entries import Entry, full_name
from napari_sdcolor.files import publish

LEAST_PIXELS = 2000
"""Classes with fewer known pixels in a split have no figures."""


def class_means(
    entries: Sequence[Entry],
    progress: Callable[[Sequence[Entry]], Iterable[Entry]] = iter,
) -> ClassMeans | None:
    """Mean color of every class over all known pixels of training photos.

    Returns
    -------
    ClassMeans or None
        None if no pixel of any photo has a known class.
    """
    means = mean_colors(_labeled(progress(entries)))
    return means if means.pixels.any() else None


def _labeled(
    entries: Iterable[Entry],
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    for entry in entries:
        try:
            rgb, labels = entry.load()
        except BadEntry:
            # One photo of thousands does not matter for a mean.
            continue
        if labels is not None:
            yield rgb, labels


def kept_means(
    path: Path,
    entries: Sequence[Entry],
    progress: Callable[[Sequence[Entry]], Iterable[Entry]] = iter,
) -> ClassMeans | None:
    """Class means out of a file, which is made where it is missing.

    Looking through thousands of training photos takes a minute; whoever
    compares weights does it once. Without any, there is nothing to keep.

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
        if means is None:
            return None
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
