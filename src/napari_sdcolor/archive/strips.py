"""Photos larger than memory: rows decoded when they are needed.

A page whose strips or tiles can be decoded one by one never lies in memory
as a whole. It is understood band by band, by the same code that understands
whole pages, so that every value is the same.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Lock

import numpy as np
from numpy.typing import DTypeLike, NDArray
from tifffile import TiffPage

from napari_sdcolor.archive.scan import Scan
from napari_sdcolor.archive.tiff_memory import memory_of
from napari_sdcolor.archive.tiff_rows import PageRows, plane_start
from napari_sdcolor.archive.tiff_segments import Grid
from napari_sdcolor.core import cancel, progress
from napari_sdcolor.core.photo import MIN_SIDE, Photo, is_gray
from napari_sdcolor.core.tone import ToneWindow
from napari_sdcolor.memory import free_memory

LARGE = 2**25
"""Photos with more pixels are read in bands.

By estimate, a photo in memory needs about 30 bytes per pixel from reading to
saving, so that this many take 1 GB.
"""

BAND = 2**22
"""Pixels of a band, where the file's own tiles do not ask for more."""

MAX_SEGMENT = 2**25
"""Pages whose strips or tiles have more pixels are read as a whole."""


def band_rows(page: TiffPage, size: int) -> int | None:
    """How many rows of a page are read at a time; None for all of them.

    Parameters
    ----------
    page
        Of an open file.
    size
        Bytes of the file.
    """
    if page.dtype is None or page.dtype.kind not in 'bui':
        return None  # only whole ones can be understood
    pixels = page.imagewidth * page.imagelength
    step = 1 if plane_start(page, size) else Grid.of(page).rows
    if not pixels or step * page.imagewidth > MAX_SEGMENT:
        return None
    rows = step * max(1, BAND // (page.imagewidth * step))
    too_much = rows < page.imagelength and memory_of(page) > free_memory()
    return rows if pixels > LARGE or too_much else None


class Bands:
    """A page as photos of a few rows each, the latest of which are kept.

    Parameters
    ----------
    rows
        Tells shape and step.
    scan
        Decodes rows and tells what they mean.
    understand
        Makes a photo of a scan and the tone window.
    """

    KEPT = 2

    def __init__(
        self,
        rows: PageRows,
        scan: Callable[[slice], Scan],
        understand: Callable[[Scan, ToneWindow], Photo],
    ) -> None:
        self.shape = rows.shape
        self.tones: ToneWindow | None = None
        self._scan = scan
        self._understand = understand
        self._kept: OrderedDict[int, Photo] = OrderedDict()
        self._lock = Lock()
        height, width = rows.shape
        least = -(-MIN_SIDE // rows.step)
        self.step = rows.step * max(least, BAND // (width * rows.step))
        # The smallest photo has some rows: a thin last band joins the one
        # before it.
        thin = 0 < height % self.step < MIN_SIDE
        self.count = max(1, -(-height // self.step) - thin)

    def slice(self, number: int) -> slice:
        """Rows of a band."""
        last = number == self.count - 1
        end = self.shape[0] if last else (number + 1) * self.step
        return slice(number * self.step, end)

    def scan(self, number: int) -> Scan:
        """What the file says of a band."""
        cancel.check()
        return self._scan(self.slice(number))

    def photo(self, number: int) -> Photo:
        """A band, understood with ``tones``."""
        with self._lock:
            if number not in self._kept:
                found = self._understand(self.scan(number), self.tones)
                self._kept[number] = found
                while len(self._kept) > self.KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(number)
            return self._kept[number]

    def scans(self) -> Iterator[Scan]:
        """What the file says of each band, from the top."""
        for number in range(self.count):
            progress.say(f'Looking through part {number + 1} of {self.count}')
            yield self.scan(number)


class PlaneOnDisk:
    """A plane (H, W) of a photo, read from its file band by band.

    Parameters
    ----------
    bands
        The file's page.
    name
        Which plane: 'lightness' or 'alpha'.
    dtype
        Of the plane.
    """

    def __init__(self, bands: Bands, name: str, dtype: DTypeLike) -> None:
        self.shape: tuple[int, ...] = bands.shape
        self.dtype = np.dtype(dtype)
        self._bands = bands
        self._name = name

    @property
    def nbytes(self) -> int:
        """Bytes that the whole plane would take."""
        return math.prod(self.shape) * self.dtype.itemsize

    def __getitem__(self, key: slice | tuple[slice, slice]) -> NDArray:
        rows, columns = key if isinstance(key, tuple) else (key, slice(None))
        start, stop, _ = rows.indices(self.shape[0])
        bands = self._bands
        parts = []
        while start < stop:
            number = min(start // bands.step, bands.count - 1)
            own = bands.slice(number)
            end = min(stop, own.stop)
            plane = getattr(bands.photo(number), self._name)
            parts.append(plane[start - own.start : end - own.start, columns])
            start = end
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray:
        whole = self[0 : self.shape[0]]
        return whole if dtype is None else whole.astype(dtype, copy=False)


def photo_on_disk(bands: Bands, tones: ToneWindow) -> Photo:
    """A photo whose planes stay in its file.

    Parameters
    ----------
    bands
        The page.
    tones
        Its tone window.

    Returns
    -------
    Photo
        The same as of the whole page, but for the place of its planes.
    """
    bands.tones = tones
    first = bands.photo(_telling(bands))
    alpha = first.alpha
    if alpha is not None:
        alpha = PlaneOnDisk(bands, 'alpha', alpha.dtype)
    lightness = PlaneOnDisk(bands, 'lightness', np.float32)
    return replace(first, lightness=lightness, alpha=alpha)


def _telling(bands: Bands) -> int:
    """The band whose kind is that of the photo: the first in color, if any."""
    if bands.scan(0).pixels.ndim == 3:
        for number, part in enumerate(bands.scans()):
            if not is_gray(part.pixels):
                return number
    return 0
