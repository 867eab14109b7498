"""What is evaluated: photos with known colors, and what the training knew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.classes import N_CLASSES, UNKNOWN
from napari_sdcolor.core import lab
from napari_sdcolor.errors import DataError
from napari_sdcolor.training.sources.entry import BadEntry

LEAST_PIXELS = 2000
"""Classes with fewer known pixels in the split have no figures."""


class Entry(Protocol):
    """One photograph of a data folder."""

    @property
    def dataset(self) -> str: ...

    @property
    def name(self) -> str: ...

    def load(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        """RGB (h, w, 3) and label map (h, w) with 255 for unknown."""


def full_name(entry: Entry) -> str:
    """Data set and name, which together are unique."""
    return f'{entry.dataset}/{entry.name}'


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
    progress: Callable[[Sequence[Entry]], Iterable[Entry]] = iter
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
