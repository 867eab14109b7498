"""Photos larger than memory: rows decoded when they are needed.

A page whose strips or tiles can be decoded one by one never lies in memory
as a whole. It is understood band by band, by the same code that understands
whole pages, so that every value is the same.
"""

from __future__ import annotations

import math
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product
from threading import Lock

import numpy as np
from numpy.typing import DTypeLike, NDArray
from tifffile import TiffPage

from napari_sdcolor.archive.scan import Scan
from napari_sdcolor.core import cancel, progress
from napari_sdcolor.core.photo import MIN_SIDE, Photo, is_gray
from napari_sdcolor.core.tone import ToneWindow

LARGE = 2**25
"""Photos with more pixels are read in bands.

By estimate, a photo in memory needs about 30 bytes per pixel from reading to
saving, so that this many take 1 GB.
"""

BAND = 2**22
"""Pixels of a band, where the file's own tiles do not ask for more."""

MAX_SEGMENT = 2**25
"""Pages whose strips or tiles have more pixels are read as a whole."""

_JPEG = (6, 7, 34892, 33007)
_WORKERS = min(8, os.cpu_count() or 1)


class PageRows:
    """Rows of one page of an open TIFF file.

    Parameters
    ----------
    page
        Of the file.
    plane
        Which of the planes that follow each other without pages of their
        own, from 0.

    Attributes
    ----------
    shape : tuple of int
        (H, W).
    step : int
        Bands of a multiple of so many rows are decoded once only.
    """

    def __init__(self, page: TiffPage, plane: int = 0) -> None:
        self.page = page
        self.shape = (page.imagelength, page.imagewidth)
        self._plane = plane
        self._plain = bool(page.is_contiguous and not _packed(page))
        self.step = 1 if self._plain else _segment_rows(page)

    @staticmethod
    def suit(page: TiffPage) -> bool:
        """Whether a page can be decoded, and understood, a band at a time."""
        whole = page.dtype is None or page.dtype.kind not in 'bui'
        if whole or page.imagedepth != 1:
            return False
        if page.is_contiguous:
            # The bytes of the pixels themselves.
            return not _packed(page)
        if page.jpegheader is not None and 273 in page.tags:
            return False  # one strip that only looks like tiles
        return _segment_rows(page) * page.imagewidth <= MAX_SEGMENT

    def __getitem__(self, rows: slice) -> NDArray:
        """Samples as ``TiffPage.asarray`` has them, of these rows only."""
        samples, _, _, width, contiguous = self.page.shaped
        shape = (samples, rows.stop - rows.start, width, contiguous)
        result = np.empty(shape, self.page.dtype)
        if self._plain:
            self._read(rows, result)
        else:
            self._decode(rows, result)
        if samples > 1:
            return result[..., 0]
        return result[0] if contiguous > 1 else result[0, ..., 0]

    def _read(self, rows: slice, result: NDArray) -> None:
        page, stream = self.page, self.page.parent.filehandle
        dtype = np.dtype(page.parent.byteorder + page.dtype.char)
        samples, height, width, contiguous = result.shape
        row = width * contiguous * dtype.itemsize
        start = page.dataoffsets[0] + self._plane * page.nbytes
        for sample in range(samples):
            first = sample * self.shape[0] + rows.start
            stream.seek(start + first * row)
            count = height * width * contiguous
            found = stream.read_array(dtype, count)
            result[sample] = found.reshape(result.shape[1:])

    def _decode(self, rows: slice, result: NDArray) -> None:
        page, extra = self.page, {}
        if page.compression in _JPEG:
            extra['jpegtables'] = page.jpegtables
            extra['jpegheader'] = page.jpegheader

        def place(item: tuple[bytes, int]) -> None:
            segment, position, shape = page.decode(*item, **extra)
            sample, _, top, left, _ = position
            right = min(left + shape[2], self.shape[1])
            bottom = min(top + shape[1], self.shape[0])
            first, last = max(top, rows.start), min(bottom, rows.stop)
            result[sample, first - rows.start : last - rows.start][
                :, left:right
            ] = segment[0, first - top : last - top, : right - left]

        with ThreadPoolExecutor(_WORKERS) as decoders:
            for _ in decoders.map(place, self._segments(rows)):
                pass

    def _segments(self, rows: slice) -> Iterator[tuple[bytes, int]]:
        page, stream = self.page, self.page.parent.filehandle
        down = -(-self.shape[0] // self.step)
        width = page.tilewidth if page.is_tiled else page.imagewidth
        across = -(-page.imagewidth // width)
        samples = page.shaped[0]
        needed = range(rows.start // self.step, -(-rows.stop // self.step))
        for sample, y, x in product(range(samples), needed, range(across)):
            index = (sample * down + y) * across + x
            stream.seek(page.dataoffsets[index])
            yield stream.read(page.databytecounts[index]), index


def _packed(page: TiffPage) -> bool:
    """Whether the bytes are not yet the pixels, though they lie in a row."""
    bits = page.bitspersample
    return (
        page.fillorder != 1
        or page.predictor != 1
        or page.is_subsampled
        or bits != page.dtype.itemsize * 8
    )


def _segment_rows(page: TiffPage) -> int:
    rows = page.tilelength if page.is_tiled else page.rowsperstrip
    return max(1, min(rows, page.imagelength))


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
