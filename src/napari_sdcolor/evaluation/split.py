"""What is evaluated: photos with known colors, and what training saw."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.classes import N_CLASSES, UNKNOWN
from napari_sdcolor.datasets.coverage import (
    ClassMeans,
    mean_colors,
    readable,
)
from napari_sdcolor.datasets.entry import BadEntry, Entry
from napari_sdcolor.errors import DataError, said
from napari_sdcolor.files import publish
from napari_sdcolor.opening import read_json

LEAST_PIXELS = 2000
"""Classes with fewer known pixels in a split have no figures."""

Progress = Callable[[Sequence[Entry]], Iterable[Entry]]
"""Wraps entries while they are gone through, and tells how far it is."""


@dataclass
class Split:
    """The photos of a split, looked through once before any is colored.

    Parameters
    ----------
    entries
        All photos of the split.
    means
        Of the training split, None if there is none.
    progress
        Wraps the entries while they are looked through.

    Attributes
    ----------
    usable : list of Entry
        Those of ``entries`` that can be read.
    skipped : list of str
        A sentence on every other one.
    shapes : list of tuple
        (H, W) of every usable photo.
    labeled : list of int
        Places in ``usable`` of the entries that have a label map.
    pixels : NDArray
        (60,) known pixels of every class.

    Raises
    ------
    DataError
        If there is no photo that can be read.
    """

    entries: Sequence[Entry]
    means: ClassMeans | None = None
    progress: Progress = iter
    usable: list[Entry] = field(init=False, default_factory=list)
    skipped: list[str] = field(init=False, default_factory=list)
    shapes: list[tuple[int, int]] = field(init=False, default_factory=list)
    labeled: list[int] = field(init=False, default_factory=list)
    pixels: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        if not self.entries:
            raise DataError('There is no photograph to evaluate.')
        self.pixels = np.zeros(N_CLASSES, np.int64)
        for entry in self.progress(self.entries):
            try:
                rgb, labels = entry.load()
            except BadEntry as error:
                self.skipped.append(str(error))
                continue
            if labels is not None:
                self.labeled.append(len(self.usable))
                counts = np.bincount(labels.ravel(), minlength=UNKNOWN + 1)
                self.pixels += counts[:N_CLASSES]
            self.usable.append(entry)
            self.shapes.append(rgb.shape[:2])
        if not self.usable:
            raise DataError(
                f'No photograph can be evaluated. {self.skipped[0]}'
            )
        self._others = _circle(self.labeled)

    @property
    def classes(self) -> NDArray[np.intp]:
        """Ids of the classes that have figures, in ascending order.

        They are those of the whole split, however many of its photos are
        looked at.
        """
        return np.flatnonzero(self.pixels >= LEAST_PIXELS)

    def places(self, limit: int | None = None) -> list[int]:
        """Places of at most ``limit`` entries, evenly spread."""
        count = len(self.usable)
        wanted = count if limit is None else min(limit, count)
        return [place * count // wanted for place in range(wanted)]

    def other(self, place: int) -> Entry | None:
        """Another labeled photo for a labeled one, always the same."""
        other = self._others.get(place)
        return None if other is None else self.usable[other]


def _circle(places: Sequence[int]) -> dict[int, int]:
    if len(places) < 2:
        return {}
    order = np.random.default_rng(0).permutation(len(places))
    return {
        places[one]: places[other]
        for one, other in zip(order, np.roll(order, 1), strict=True)
    }


def class_means(
    entries: Sequence[Entry],
    progress: Progress = iter,
) -> ClassMeans | None:
    """Mean color of every class over all known pixels of training photos.

    Returns
    -------
    ClassMeans or None
        None if no pixel of any photo has a known class.
    """
    means = mean_colors(
        (rgb, labels)
        for rgb, labels in readable(progress(entries))
        if labels is not None
    )
    return means if means.pixels.any() else None


def kept_means(
    path: Path,
    entries: Sequence[Entry],
    progress: Progress = iter,
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
        '\n'.join(entry.full_name for entry in entries).encode()
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
        kept = read_json(path)
        ab = np.array(kept['ab'], float)
        pixels = np.array(kept['pixels'], np.int64)
        if kept['names'] != names or ab.shape != (N_CLASSES, 2):
            raise DataError(
                f'{path} holds class means of other training photos; delete '
                'it to have them formed again.'
            )
        if pixels.shape != (N_CLASSES,) or pixels.min() < 0:
            raise ValueError('its counts are none')
    except OSError as error:
        raise DataError(f'{path} cannot be read ({said(error)}).') from error
    except (ValueError, LookupError, TypeError, ArithmeticError) as error:
        raise DataError(f'{path} holds no class means.') from error
    return ClassMeans(ab, pixels)
