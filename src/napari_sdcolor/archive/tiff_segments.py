"""Decoding the strips and tiles of a TIFF page one by one.

What is damaged gives the pixels that can be had, and words on what is
missing.
"""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from tifffile import COMPRESSION, PHOTOMETRIC, TiffPage

from napari_sdcolor.archive.tiff_ccitt import decode_ccitt
from napari_sdcolor.archive.tiff_ojpeg import is_old_jpeg, old_jpeg
from napari_sdcolor.archive.tiff_pictures import (
    BROKEN,
    CUT,
    bare_jpeg2000,
    jpeg_trouble,
)
from napari_sdcolor.archive.tiff_tones import nodata_value
from napari_sdcolor.archive.tiff_unpack import DECODERS, unpack

GRAY = (PHOTOMETRIC.MINISWHITE, PHOTOMETRIC.MINISBLACK)
COLOR = (PHOTOMETRIC.RGB, PHOTOMETRIC.YCBCR)

ASSOCIATED, UNASSOCIATED = 1, 2
"""Kinds of extra samples that are alpha; the first is multiplied in."""

JPEG = (COMPRESSION.OJPEG, COMPRESSION.JPEG)
JPEG2000 = (
    COMPRESSION.JPEG2000,
    COMPRESSION.APERIO_JP2000_YCBC,
    COMPRESSION.APERIO_JP2000_RGB,
    COMPRESSION.JPEG_2000_LOSSY,
)
CCITT = (COMPRESSION.CCITTRLE, COMPRESSION.CCITT_T4, COMPRESSION.CCITT_T6)

WORKERS = min(8, os.cpu_count() or 1)
"""Strips or tiles that are decoded at the same time."""

MISSING = 'missing'
LOST = 'not to be decoded'
MISPLACED = 'said to be where the file holds no pixels'
SHARED = 'said to be where another one is'

REVERSED = 2
"""Value of the tag FillOrder: the first bit is the lowest of a byte."""

Decoded = tuple[NDArray | None, str]
# Pixels (rows, columns, samples), and what is wrong with them; '' if nothing.
Decode = Callable[[bytes, int], Decoded]


@dataclass(frozen=True)
class Grid:
    """How a page is cut into strips or tiles.

    Parameters
    ----------
    planes
        Number of planes, each with strips or tiles of its own.
    height, width
        Of the image.
    samples
        Per pixel of a plane.
    rows, columns
        Of a strip or tile.
    """

    planes: int
    height: int
    width: int
    samples: int
    rows: int
    columns: int

    @classmethod
    def of(cls, page: TiffPage) -> Grid:
        """That of a page."""
        planes, _, height, width, samples = page.shaped
        if is_old_jpeg(page):  # one stream, however it is cut
            rows, columns = height, width
        elif page.is_tiled:
            rows, columns = page.tilelength, page.tilewidth
        else:
            rows, columns = min(page.rowsperstrip, height), width
        return cls(planes, height, width, samples, max(1, rows), columns)

    @property
    def down(self) -> int:
        """Number of strips or tiles from top to bottom."""
        return -(-self.height // self.rows)

    @property
    def across(self) -> int:
        """Number of tiles from left to right."""
        return -(-self.width // self.columns)

    @property
    def count(self) -> int:
        """Number of strips or tiles."""
        return self.planes * self.down * self.across

    def place(self, index: int) -> tuple[int, int, int]:
        """Plane, first row and first column of a strip or tile."""
        plane, rest = divmod(index, self.down * self.across)
        row, column = divmod(rest, self.across)
        return plane, row * self.rows, column * self.columns

    def rows_at(self, top: int) -> int:
        """Rows of the image in a strip or tile."""
        return min(self.rows, self.height - top)


class Segments:
    """The strips or tiles of one page of an open file.

    Parameters
    ----------
    page
        The page.
    size
        Bytes of the file.
    taken
        Bytes of the file where no pixels can be.

    Attributes
    ----------
    misplaced : frozenset of int
        Strips or tiles that begin there, or run into them.
    """

    def __init__(
        self, page: TiffPage, size: int, taken: Sequence[range] = ()
    ) -> None:
        self.page = page
        self.grid = Grid.of(page)
        self._size = size
        self._decode = _decoder(page, self.grid)
        self._empty = nodata_value(page)
        self.misplaced, self._shared = _odd_places(page, self.grid, taken)

    def read(self, index: int) -> tuple[bytes, bool]:
        """Bytes of a strip or tile, and whether the file has all of them."""
        page = self.page
        if is_old_jpeg(page):
            return old_jpeg(page, self._size)
        offset, count = 0, 0
        if index < min(len(page.dataoffsets), len(page.databytecounts)):
            offset = page.dataoffsets[index]
            count = page.databytecounts[index]
        if not offset or not count or offset >= self._size:
            return b'', not (offset or count)
        stream = page.parent.filehandle
        stream.seek(offset)
        return stream.read(count), offset + count <= self._size

    def decode(self, index: int, data: bytes, whole: bool) -> Decoded:
        """Pixels of a strip or tile.

        Parameters
        ----------
        index
            Which one.
        data, whole
            As ``read`` gives them.

        Returns
        -------
        pixels
            (rows, columns, samples), as large as the strip or tile or as
            what the image has of it; None where there are none.
        trouble
            What is wrong with them; '' if nothing is.
        """
        if not data:
            if self._empty is None or not whole:
                return None, MISSING
            # GDAL leaves out tiles without data.
            return np.full((1, 1, 1), self._empty), ''
        pixels, trouble = self._decode(data, index)
        plain = self.page.compression == COMPRESSION.NONE
        trouble = trouble or ('' if whole or plain else CUT)
        if index in self.misplaced:
            trouble = MISPLACED
        elif index in self._shared and not _is_blank(pixels):
            # Some writers store blank ones once.
            trouble = trouble or SHARED
        return pixels, trouble


def _odd_places(
    page: TiffPage, grid: Grid, taken: Sequence[range]
) -> tuple[frozenset[int], frozenset[int]]:
    """Strips or tiles in places where none can be, and those that share
    their bytes with others."""
    if is_old_jpeg(page):
        return frozenset(), frozenset()
    pairs = zip(page.dataoffsets, page.databytecounts, strict=False)
    spans = np.array(list(islice(pairs, grid.count)), float).reshape(-1, 2)
    there = np.flatnonzero((spans > 0).all(axis=1))
    starts, counts = spans[there].T
    # What is compressed may end before the bytes that it is said to have.
    solid = np.ones(len(there))
    if page.compression == COMPRESSION.NONE:
        rows = [grid.rows_at(grid.place(index)[1]) for index in there]
        solid = np.minimum(np.array(rows) * _row_bytes(page, grid), counts)
    ends = starts + solid
    misplaced = np.zeros(len(there), bool)
    for place in taken:
        misplaced |= (starts < place.stop) & (ends > place.start)
    others = np.flatnonzero(~misplaced)
    others = others[np.argsort(starts[others], kind='stable')]
    starts, ends = starts[others], ends[others]
    shared = np.zeros(len(others), bool)
    shared[1:] = starts[1:] < np.maximum.accumulate(ends)[:-1]
    shared[:-1] |= ends[:-1] > starts[1:]
    return (
        frozenset(there[misplaced].tolist()),
        frozenset(there[others[shared]].tolist()),
    )


def _is_blank(pixels: NDArray) -> bool:
    first = np.broadcast_to(pixels[:1, :1], pixels.shape)
    return np.array_equal(pixels, first, equal_nan=pixels.dtype.kind == 'f')


def _row_bytes(page: TiffPage, grid: Grid, columns: int = 0) -> int:
    """Bytes of a row of a strip or tile, or of some of its columns."""
    bits = page.bitspersample
    bits = sum(bits) if isinstance(bits, tuple) else bits * grid.samples
    return math.ceil((columns or grid.columns) * bits / 8)


def _decoder(page: TiffPage, grid: Grid) -> Decode:
    if page.compression in CCITT:
        return _fax(page, grid)
    if page.compression in JPEG:
        return _jpeg(page)
    if page.compression in DECODERS or page.compression == COMPRESSION.NONE:
        return _packed(page, grid)
    decode = page.decode
    is_jpeg2000 = page.compression in JPEG2000

    def picture(data: bytes, index: int) -> Decoded:
        trouble = ''
        if is_jpeg2000:
            data, trouble = bare_jpeg2000(data)
        if not data:
            return None, LOST
        return decode(data, index)[0][0], trouble

    return picture


def _fax(page: TiffPage, grid: Grid) -> Decode:
    options = page.tags.valueof(292) or 0  # T4Options
    paper = int(page.photometric == PHOTOMETRIC.MINISBLACK)

    def fax(data: bytes, index: int) -> Decoded:
        if page.fillorder == REVERSED:
            data = imagecodecs.bitorder_decode(data)
        height = grid.rows_at(grid.place(index)[1])
        pixels, lost = decode_ccitt(
            data,
            page.compression,
            height,
            grid.columns,
            options=options,
            paper=paper,
        )
        return pixels[..., None], lost

    return fax


def _jpeg(page: TiffPage) -> Decode:
    tables = page.jpegtables
    if is_old_jpeg(page):
        page = _like(page, rowsperstrip=page.imagelength, tilewidth=0)
    decode = page.decode

    def jpeg(data: bytes, index: int) -> Decoded:
        pixels = decode(data, index, jpegtables=tables)[0][0]
        return pixels, jpeg_trouble(data, tables)

    return jpeg


def _packed(page: TiffPage, grid: Grid) -> Decode:
    # How samples are packed is known to tifffile: it is asked of a page that
    # is the same but for the compression.
    decode = _like(page, compression=COMPRESSION.NONE, fillorder=1).decode

    def bytes_of(rows: int, columns: int) -> int:
        return rows * _row_bytes(page, grid, columns)

    def packed(data: bytes, index: int) -> Decoded:
        if page.fillorder == REVERSED:
            data = imagecodecs.bitorder_decode(data)
        _, top, left = grid.place(index)
        there = grid.rows_at(top)
        full = bytes_of(grid.rows, grid.columns)
        needed = full if page.is_tiled else bytes_of(there, grid.columns)
        found, whole = unpack(page.compression, data, needed, full)
        trouble = '' if whole else BROKEN
        # Some writers cut off what tiles have beyond the image.
        columns = min(grid.columns, grid.width - left)
        sizes = needed, bytes_of(there, grid.columns), bytes_of(there, columns)
        if len(found) not in sizes:
            trouble = trouble or CUT
            found = bytes(found).ljust(needed, b'\0')
        return decode(found, index)[0][0], trouble

    return packed


def _like(page: TiffPage, **changes: int) -> TiffPage:
    """A page with other attributes, which decodes accordingly."""
    other = copy.copy(page)
    for cached in ('decode', 'hash', 'chunks', 'chunked'):
        other.__dict__.pop(cached, None)
    for name, value in changes.items():
        setattr(other, name, value)
    return other
