"""Rows of a TIFF page, decoded when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, product

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffPage

from napari_sdcolor.archive.scan import DECODE_ERRORS
from napari_sdcolor.archive.tiff_segments import (
    ASSOCIATED,
    COLOR,
    LOST,
    MISSING,
    REVERSED,
    UNASSOCIATED,
    WORKERS,
    Segments,
)
from napari_sdcolor.errors import PhotoError

_LISTED = 3

Item = tuple[int, bytes, bool]


class PageRows:
    """Rows of one page of an open TIFF file.

    Parameters
    ----------
    page
        Of the file.
    plane
        Which of the planes that follow each other without pages of their
        own, from 0.
    size
        Bytes of the file, if the stream of the page has more.
    taken
        Bytes of the file where no pixels can be.

    Attributes
    ----------
    shape : tuple of int
        (H, W).
    step : int
        Bands of a multiple of so many rows are decoded once only.
    """

    def __init__(
        self,
        page: TiffPage,
        plane: int = 0,
        size: int | None = None,
        taken: Sequence[range] = (),
    ) -> None:
        self.page = page
        self.shape = (page.imagelength, page.imagewidth)
        size = page.parent.filehandle.size if size is None else size
        self._segments = Segments(page, size, taken)
        self._start = plane_start(page, size, plane)
        if self._segments.misplaced and not plane:
            self._start = 0  # so that it is told
        self.step = 1 if self._start else self._segments.grid.rows
        self._troubles: dict[int, str] = {}
        self._needed = _needed_planes(page)

    def __getitem__(self, rows: slice) -> NDArray:
        """Samples as ``TiffPage.asarray`` has them, of these rows only.

        Raises
        ------
        PhotoError
            If nothing of the whole page can be decoded.
        """
        samples, _, _, width, contiguous = self.page.shaped
        shape = (samples, rows.stop - rows.start, width, contiguous)
        if self._start:
            result = self._read(rows, shape)
        else:
            result = np.zeros(shape, self.page.dtype)
            self._decode(rows, result)
        if samples > 1:
            return result[..., 0]
        return result[0] if contiguous > 1 else result[0, ..., 0]

    @property
    def damage(self) -> tuple[str, ...]:
        """What was found to be missing so far: one sentence, or none."""
        found = sorted(self._troubles.items())
        if not found:
            return ()
        kind = 'tile' if self.page.is_tiled else 'strip'
        count = self._segments.grid.count
        if count == 1:
            return (f'its only {kind}: {found[0][1]}',)
        listed = [f'{number}: {trouble}' for number, trouble in found]
        more = ['…'] if len(listed) > _LISTED else []
        which = '; '.join(listed[:_LISTED] + more)
        return (
            f'{len(found)} of its {count} {kind}s are not whole ({which})',
        )

    def _read(self, rows: slice, shape: tuple[int, ...]) -> NDArray:
        page, stream = self.page, self.page.parent.filehandle
        dtype = np.dtype(page.parent.byteorder + page.dtype.char)
        samples, height, width, contiguous = shape
        result = np.empty(shape, page.dtype)
        row = width * contiguous * dtype.itemsize
        for sample in range(samples):
            first = sample * self.shape[0] + rows.start
            stream.seek(self._start + first * row)
            stream.read_array(dtype, out=result[sample])
        return result

    def _decode(self, rows: slice, result: NDArray) -> None:
        """Decode into an array of zeros."""
        grid = self._segments.grid

        def place(item: Item) -> None:
            index, data, whole = item
            sample, top, left = grid.place(index)
            try:
                pixels, trouble = self._segments.decode(index, data, whole)
            except DECODE_ERRORS:
                pixels, trouble = None, LOST
            if trouble and sample in self._needed:
                self._troubles[index] = trouble
            if pixels is None:
                return
            first = max(top, rows.start)
            last = min(top + grid.rows, rows.stop)
            target = result[
                sample,
                first - rows.start : last - rows.start,
                left : left + grid.columns,
            ]
            if pixels.size == 1:
                target[...] = pixels
                return
            source = pixels[first - top : last - top, : target.shape[1]]
            target[: source.shape[0], : source.shape[1]] = source

        items = self._items(rows)
        with ThreadPoolExecutor(WORKERS) as decoders:
            # Not all at once, or all their bytes would lie in memory.
            while turn := list(islice(items, 2 * WORKERS)):
                for _ in decoders.map(place, turn):
                    pass
        self._refuse_nothing()

    def _items(self, rows: slice) -> Iterator[Item]:
        grid = self._segments.grid
        needed = range(rows.start // grid.rows, -(-rows.stop // grid.rows))
        for sample, y, x in product(
            range(grid.planes), needed, range(grid.across)
        ):
            index = (sample * grid.down + y) * grid.across + x
            yield index, *self._segments.read(index)

    def _refuse_nothing(self) -> None:
        """A page of which nothing is left is no damaged picture."""
        found = list(self._troubles.values())
        if len(found) < self._segments.grid.count:
            return
        if not {*found} <= {MISSING, LOST}:
            return
        raise PhotoError(
            'all parts of its image are missing, damaged or of a kind that is '
            'not read; get an intact copy, or convert it'
        )


def _needed_planes(page: TiffPage) -> range:
    """Planes that a photo is made of; what others hold does not matter."""
    colors = 3 if page.photometric in COLOR else 1
    alpha = {ASSOCIATED, UNASSOCIATED} & set(page.extrasamples)
    return range(page.shaped[0] if alpha else min(page.shaped[0], colors))


def plane_start(page: TiffPage, size: int, plane: int = 0) -> int:
    """Where the bytes of a page or plane begin that are the pixels
    themselves, in a row; 0 if they must be decoded or are not all there."""
    bits = page.bitspersample
    plain = (
        page.is_contiguous
        and page.fillorder != REVERSED
        and page.predictor == 1
        and not page.is_subsampled
        and bits == page.dtype.itemsize * 8
    )
    if not plain or not page.dataoffsets[0]:
        return 0
    start = page.dataoffsets[0] + plane * page.nbytes
    return start if start + page.nbytes <= size else 0
