"""Which regions of a true map get which other class, chosen by rule.

A swap relabels one connected region of class i as class j.  Everything is
fixed by the photo's name and the class set, so that two evaluations make
the same swaps whatever the weights are.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage import measure

from napari_sdcolor.classes import UNKNOWN
from napari_sdcolor.datasets.coverage import ClassMeans
from napari_sdcolor.evaluation.split import LEAST_PIXELS

LEAST_DISTANCE = 8.0
"""Lab units between the mean ab of both classes of a swap, at least."""

LEAST_SHARE = 0.01
"""Of the photo's pixels: smaller regions are left alone."""

SWAPS = 2
"""At most this many swaps per photo."""

NO_CLASS = 0
"""Takes no part: it stands for anything, so its mean color says nothing."""


@dataclass(frozen=True, eq=False)
class Swap:
    """One region and its new class.

    Parameters
    ----------
    region
        (H, W) bool, at the photo's own size.
    before, after
        Class ids, i and j.
    """

    region: NDArray[np.bool_]
    before: int
    after: int

    def done(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A copy of a map (H, W) with the region relabeled."""
        swapped = labels.copy()
        swapped[self.region] = self.after
        return swapped


def partners(
    means: ClassMeans, classes: NDArray[np.intp]
) -> dict[int, NDArray[np.intp]]:
    """For every class the others that it can be swapped for.

    Parameters
    ----------
    means
        Of the training split; classes that it hardly holds are left out.
    classes
        The class set of the split.

    Returns
    -------
    dict
        From class id to ids, in ascending order.
    """
    taught = [
        number
        for number in classes
        if number != NO_CLASS and means.pixels[number] >= LEAST_PIXELS
    ]
    found = {}
    for number in taught:
        distance = np.linalg.norm(means.ab[taught] - means.ab[number], axis=1)
        others = np.array(taught)[distance >= LEAST_DISTANCE]
        if others.size:
            found[int(number)] = others
    return found


def choose_swaps(
    labels: NDArray[np.uint8],
    means: ClassMeans,
    classes: NDArray[np.intp],
    name: str,
    count: int = SWAPS,
) -> list[Swap]:
    """Swaps of one photo.

    Parameters
    ----------
    labels
        (H, W) true map, 255 for unknown.
    means, classes
        See ``partners``.
    name
        Of the photo; seeds the choice of regions and new classes.
    count
        At most this many.

    Returns
    -------
    list of Swap
        Of distinct regions.
    """
    allowed = partners(means, classes)
    regions = measure.label(labels, background=UNKNOWN, connectivity=1)
    sizes = np.bincount(regions.ravel())
    candidates = []
    for region in measure.regionprops(regions):
        y, x = region.coords[0]
        if (
            sizes[region.label] >= LEAST_SHARE * labels.size
            and int(labels[y, x]) in allowed
        ):
            candidates.append((region.label, int(labels[y, x])))
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    swaps = []
    for place in rng.permutation(len(candidates))[:count]:
        number, before = candidates[place]
        after = int(rng.choice(allowed[before]))
        swaps.append(Swap(regions == number, before, after))
    return swaps
