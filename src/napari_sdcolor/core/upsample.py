"""Edge-guided upsampling of chroma onto the photo's own lightness.

A joint bilateral interpolation: every pixel of the photo takes the chroma
of the 4 x 4 nearest working pixels, weighted by distance and by how close
their lightness is to its own.  The support is finite: a working pixel
reaches photo pixels less than ``REACH`` working pixels away.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.core.planes import Box, Rows, bands

REACH = 2
"""Radius of the support in working pixels."""

TONE = 6.0
"""Lightness difference (L* units) at which a neighbor counts a quarter."""

STRIP = 2**18
"""Pixels computed at a time. Fewer stay in the nearest cache, but threads that
paint side by side then wait for Python's lock more often."""


class Upsampler:
    """Brings chroma from working size to the size of one photo.

    Parameters
    ----------
    lightness
        (H, W) float32, the photo's L*.
    guide
        (h, w) float32, the same photo's L* at working size.
    """

    def __init__(
        self,
        lightness: NDArray[np.float32] | Rows,
        guide: NDArray[np.float32],
    ) -> None:
        self.lightness = lightness
        self.guide = guide
        self._rows = _taps(lightness.shape[0], guide.shape[0])
        self._columns = _taps(lightness.shape[1], guide.shape[1])

    def reach(self, box: Box) -> Box:
        """Photo pixels whose chroma a box of working pixels can change."""
        (height, width), (h, w) = self.lightness.shape, self.guide.shape
        y0, x0, y1, x1 = box
        top, bottom = _span(y0, y1, height / h, height)
        left, right = _span(x0, x1, width / w, width)
        return top, left, bottom, right

    def __call__(
        self, chroma: NDArray[np.float32], box: Box | None = None
    ) -> NDArray[np.float32]:
        """Chroma of a box of the photo (default: all of it).

        Parameters
        ----------
        chroma
            (h, w, 2) float32 at working size.
        box
            In photo pixels.

        Returns
        -------
        NDArray
            (box height, box width, 2) float32.
        """
        y0, x0, y1, x1 = box or (0, 0, *self.lightness.shape)
        result = np.empty((y1 - y0, x1 - x0, 2), np.float32)
        columns = slice(x0, x1)
        for strip in bands(result.shape, STRIP):
            rows = slice(y0 + strip.start, y0 + strip.stop)
            own = self.lightness[rows, columns]
            result[strip] = self.strip(chroma, own, rows, columns)
        return result

    def strip(
        self,
        chroma: NDArray[np.float32],
        own: NDArray[np.float32],
        rows: slice,
        columns: slice,
    ) -> NDArray[np.float32]:
        """Chroma of a few rows whose lightness is at hand.

        Parameters
        ----------
        chroma
            (h, w, 2) float32 at working size.
        own
            Lightness of the rows and columns.
        rows, columns
            Where they lie in the photo.

        Returns
        -------
        NDArray
            (rows, columns, 2) float32.
        """
        if chroma.shape[:2] == self.lightness.shape:
            return np.asarray(chroma[rows, columns], np.float32)
        own = own * np.float32(1 / TONE)
        total = np.zeros(own.shape, np.float32)
        sums = np.zeros((2, *own.shape), np.float32)
        weight, share = np.empty((2, *own.shape), np.float32)
        # Working rows that this strip sees; only they get its columns.
        places = [y[rows] for y, _ in self._rows]
        first, last = places[0].min(), places[-1].max() + 1
        guide = self.guide[first:last] * np.float32(1 / TONE)
        planes = np.moveaxis(chroma[first:last], -1, 0).astype(np.float32)
        for x, near_x in self._columns:
            x, near_x = x[columns], near_x[columns]
            wide_guide = np.take(guide, x, axis=1)
            wide_chroma = np.take(planes, x, axis=2)
            for place, (_, near_y) in zip(places, self._rows, strict=True):
                y = place - first
                _take_rows(wide_guide, y, weight)
                weight -= own
                weight *= weight
                weight += 1
                weight *= weight
                np.divide(near_x, weight, out=weight)
                weight *= near_y[rows, None]
                total += weight
                for plane, wide_plane in zip(sums, wide_chroma, strict=True):
                    _take_rows(wide_plane, y, share)
                    share *= weight
                    plane += share
        sums /= total
        return np.moveaxis(sums, 0, -1)


def _take_rows(plane: NDArray, y: NDArray, out: NDArray) -> NDArray:
    # Given a mode other than 'raise', NumPy needs no buffer for ``out``.
    return np.take(plane, y, axis=0, out=out, mode='clip')


def _taps(full: int, small: int) -> list[tuple[NDArray, NDArray]]:
    """The four neighbors of every photo row and their hat weights."""
    center = (np.arange(full) + 0.5) * (small / full) - 0.5
    base = np.floor(center).astype(np.intp)
    taps = []
    for offset in range(1 - REACH, REACH + 1):
        place = base + offset
        distance = np.abs(center - place)
        weight = np.maximum(1 - distance / REACH, 0) ** 2
        taps.append(
            (np.clip(place, 0, small - 1), (weight + 1e-6).astype(np.float32))
        )
    return taps


def _span(first: int, last: int, ratio: float, size: int) -> tuple[int, int]:
    low = math.floor((first - REACH - 1 + 0.5) * ratio) - 1
    high = math.ceil((last + REACH + 0.5) * ratio) + 1
    return max(0, low), min(size, high)
