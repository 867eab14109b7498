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
from napari_sdcolor.core.planes import Rows, bands
from napari_sdcolor.core.upsample import STRIP, Upsampler

PAINTERS = min(8, os.cpu_count() or 1)
"""Threads that paint strips; NumPy lets them run side by side."""

LONG = 2**24
"""Pixels from which on painting takes long enough to be told about."""

PARTS = 20
"""How often the progress is told."""


class Painting:
    """The colors of a photo: an (H, W, 3) picture that paints itself.

    ``np.asarray`` paints all of it into memory, ``bands`` some rows at a time.

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

    def bands(
        self, height: int, alpha: NDArray | Rows | None = None
    ) -> Iterator[NDArray]:
        """Every row once, from the top, so many at a time.

        Parameters
        ----------
        height
            Rows of a band; the last one may have fewer.
        alpha
            (H, W) in the type of the picture; becomes the fourth channel.

        Yields
        ------
        NDArray
            (rows, W, 3) or (rows, W, 4) uint8 or uint16.
        """
        channels = 3 if alpha is None else 4
        waiting: deque[tuple[Future, NDArray | None]] = deque()
        with ThreadPoolExecutor(PAINTERS) as painters:
            try:
                for band, part, rows in self._strips(height, channels):
                    # Read here: files like one reader that goes on.
                    own = self.photo.lightness[rows]
                    if alpha is not None:
                        band[part, :, 3] = alpha[rows]
                    work = painters.submit(self._paint, rows, own, band[part])
                    last = part.stop == len(band)
                    waiting.append((work, band if last else None))
                    if len(waiting) > 2 * PAINTERS:
                        yield from _finished(waiting)
                while waiting:
                    yield from _finished(waiting)
            finally:
                for work, _ in waiting:
                    work.cancel()

    def _strips(
        self, height: int, channels: int
    ) -> Iterator[tuple[NDArray, slice, slice]]:
        """Empty bands, strip by strip: the rows in the band, in the photo."""
        said = 0
        long = self.shape[0] * self.shape[1] >= LONG
        for top in range(0, self.shape[0], height):
            count = min(height, self.shape[0] - top)
            band = np.empty((count, self.shape[1], channels), self.dtype)
            for part in bands(band.shape, STRIP):
                cancel.check()
                rows = slice(top + part.start, top + part.stop)
                share = rows.start * PARTS // self.shape[0]
                if share > said and long:
                    said = share
                    progress.say(f'Painting: {share * 100 // PARTS} %')
                yield band, part, rows

    def _paint(self, rows: slice, own: NDArray, target: NDArray) -> None:
        every = slice(0, self.shape[1])
        chroma = self._upsample.strip(self.chroma, own, rows, every)
        rgb = compose(own, chroma, self.photo.bits, self.saturation)
        target[..., :3] = rgb

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray:
        (rgb,) = self.bands(self.shape[0])
        return rgb if dtype is None else rgb.astype(dtype, copy=False)


def _finished(
    waiting: deque[tuple[Future, NDArray | None]],
) -> Iterator[NDArray]:
    """Wait for the next strip; the band that it is the last one of."""
    work, band = waiting.popleft()
    work.result()
    if band is not None:
        yield band


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
