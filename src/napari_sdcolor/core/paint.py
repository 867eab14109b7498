"""The picture, painted a few rows at a time.

Each row depends on the chroma at working size and on its own lightness
only, so that a picture of any size needs memory for a few strips.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_sdcolor.core import cancel, progress
from napari_sdcolor.core.compose import compose
from napari_sdcolor.core.photo import Photo
from napari_sdcolor.core.rows import bands
from napari_sdcolor.core.upsample import STRIP, Upsampler

PAINTERS = min(8, os.cpu_count() or 1)
"""Threads that paint strips; NumPy lets them run side by side."""

LONG = 2**24
"""Pixels from which on painting takes long enough to be told about."""

PARTS = 20
"""How often the progress is told."""


class Painting:
    """The colors of a photo: an (H, W, 3) picture that paints itself.

    ``np.asarray`` paints all of it into memory, ``strips`` row by row.

    Parameters
    ----------
    photo
        Gives the lightness.
    chroma
        (h, w, 2) float32, a and b in Lab units at working size.
    guide
        (h, w) float32, the photo's L* at working size.
    saturation
        Factor on the chroma.
    """

    def __init__(
        self,
        photo: Photo,
        chroma: NDArray[np.float32],
        guide: NDArray[np.float32],
        saturation: float = 1.0,
    ) -> None:
        self.photo = photo
        self.chroma = chroma
        self.saturation = saturation
        self.shape = (*photo.shape, 3)
        self.dtype = np.dtype(np.uint8 if photo.bits == 8 else np.uint16)
        self._upsample = Upsampler(photo.lightness, guide)

    @property
    def nbytes(self) -> int:
        """Bytes of the picture when it is painted."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def strips(self) -> Iterator[tuple[slice, NDArray]]:
        """Every row once, from the top.

        Yields
        ------
        rows
            Where they lie in the picture.
        rgb
            (rows, W, 3) uint8 or uint16.
        """
        waiting: deque[tuple[slice, Future]] = deque()
        said = 0
        long = self.shape[0] * self.shape[1] >= LONG
        with ThreadPoolExecutor(PAINTERS) as painters:
            try:
                for rows in bands(self.shape, STRIP):
                    cancel.check()
                    part = rows.start * PARTS // self.shape[0]
                    if part > said and long:
                        said = part
                        progress.say(f'Painting: {part * 100 // PARTS} %')
                    # Read here: files like one reader that goes on.
                    own = self.photo.lightness[rows]
                    work = painters.submit(self._paint, rows, own)
                    waiting.append((rows, work))
                    if len(waiting) > 2 * PAINTERS:
                        rows, work = waiting.popleft()
                        yield rows, work.result()
                while waiting:
                    rows, work = waiting.popleft()
                    yield rows, work.result()
            finally:
                for _, work in waiting:
                    work.cancel()

    def _paint(self, rows: slice, own: NDArray) -> NDArray:
        every = slice(0, self.shape[1])
        chroma = self._upsample.strip(self.chroma, own, rows, every)
        return compose(own, chroma, self.photo.bits, self.saturation)

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray:
        rgb = np.empty(self.shape, self.dtype)
        for rows, painted in self.strips():
            rgb[rows] = painted
        return rgb if dtype is None else rgb.astype(dtype, copy=False)


def notes_on(chroma: NDArray) -> tuple[str, ...]:
    """Sentences about chroma that no photo has."""
    largest = max(float(chroma.max()), -float(chroma.min()))
    if largest <= 128:
        return ()
    return (
        (
            f'The network asked for chroma up to {largest:.0f} Lab '
            'units; it was lowered into the gamut.'
        ),
    )
