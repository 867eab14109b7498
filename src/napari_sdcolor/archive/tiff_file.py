"""What a TIFF file holds: which of its pages are photos.

Nothing is decoded here; ``tiff_pages`` does that, page by page.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import BinaryIO
from xml.etree import ElementTree

from numpy.typing import NDArray
from tifffile import TiffFile, TiffPage

from napari_sdcolor.archive import strips
from napari_sdcolor.archive.scan import Scan
from napari_sdcolor.archive.strips import PageRows
from napari_sdcolor.archive.tiff_chain import MAX_PAGES, follow_chain
from napari_sdcolor.archive.tiff_checks import check_page
from napari_sdcolor.archive.tiff_pages import decoded, interpret, scan_page
from napari_sdcolor.archive.tiff_tones import display_tags
from napari_sdcolor.core.tone import ToneTags
from napari_sdcolor.errors import PhotoError

Interpret = Callable[[NDArray], Scan]

_FLAGS = {
    # Proprietary layouts would be read by other rules than those of TIFF.
    'is_lsm': False,
    'is_ndpi': False,
    'is_scanimage': False,
}


@dataclass(frozen=True)
class _Place:
    """Where a photo lies: the page, and the plane of a bare stack."""

    page: int
    plane: int = 0


class TiffPhotos:
    """The photos of an open TIFF file.

    Thumbnails, masks and the smaller levels of a pyramid do not count. A
    stack whose planes follow one page without pages of their own, as ImageJ
    writes large ones, counts plane by plane.

    Parameters
    ----------
    stream
        The open file; stays open.
    size
        Its bytes.

    Attributes
    ----------
    count : int
        Number of photos.
    trouble : str
        Why the photos cannot be taken as a whole; single ones still can.
    result_bytes : int
        Bytes of the pixels of all results before they are packed.

    Raises
    ------
    PhotoError
        With the reason only; the caller names the file.
    """

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._size = size
        chained, self.trouble = follow_chain(stream, size)
        stream.seek(0)
        self._tif = TiffFile(
            stream, name='photo.tif', _multifile=False, **_FLAGS
        )
        self._tif.pages.cache = False
        self._places: list[_Place] = []
        self.result_bytes = 0
        small: list[_Place] = []
        for number in range(min(chained, len(self._tif.pages))):
            page = self._page(number)
            spare = page.is_reduced or page.is_mask
            (small if spare else self._places).append(_Place(number))
            if not spare:
                self.result_bytes += _result_bytes(page)
        self._places = self._places or small
        if not self._places:
            raise PhotoError('it holds no page')
        self._look_at_stack()

    @cached_property
    def _display(self) -> ToneTags:
        return display_tags(self._tif)

    @property
    def count(self) -> int:
        return len(self._places)

    def scan(self, number: int) -> Scan:
        """Decode a photo.

        Raises
        ------
        PhotoError
            With the reason only; the caller names the file.
        """
        place = self._places[number]
        page = self._page(place.page)
        return scan_page(
            page, self._size, place.plane, self._words(number), self._display
        )

    def samples(self, number: int) -> NDArray:
        """Samples of a photo as they are stored, not understood yet.

        Axes as ``TiffPage.asarray`` gives them: planar color has its
        channels first.

        Raises
        ------
        PhotoError
            As ``scan``.
        """
        place = self._places[number]
        page = self._page(place.page)
        check_page(page, self._size)
        return decoded(page, place.plane)

    def rows(self, number: int) -> tuple[PageRows, Interpret] | None:
        """Rows of a photo that is too large for the memory as a whole.

        Returns
        -------
        rows
            Decodes samples, a few rows at a time.
        interpret
            Tells what they mean.

        Raises
        ------
        PhotoError
            As ``scan``.
        """
        place = self._places[number]
        page = self._page(place.page)
        if page.imagewidth * page.imagelength <= strips.LARGE:
            return None
        if not PageRows.suit(page):
            return None
        check_page(page, self._size, in_rows=True)
        words = self._words(number)
        rows = PageRows(page, place.plane)
        return rows, partial(
            interpret, page, words=words, display=self._display
        )

    def _words(self, number: int) -> str:
        several = self.count > 1
        return f'page={number} of {self.count} pages' if several else ''

    def _page(self, number: int) -> TiffPage:
        page = self._tif.pages[number]
        if not isinstance(page, TiffPage):
            raise PhotoError(f'its page {number} cannot be read')
        return page

    def _look_at_stack(self) -> None:
        """Refuse several axes; find planes that have no page."""
        first = self._page(self._places[0].page)
        axes = _stack_axes(self._tif, first)
        long = [f'{name} of {length}' for name, length in axes if length > 1]
        if len(long) > 1:
            self.trouble = (
                f'it is a stack with {len(long)} axes beside those of the '
                f'picture ({", ".join(long)}); photos are stacked along one'
            )
        planes = math.prod(length for _, length in axes)
        plain = first.is_contiguous and first.fillorder == first.predictor == 1
        if len(self._places) == 1 < planes and plain:
            end = first.dataoffsets[0] + planes * first.nbytes
            if first.nbytes and end <= self._size:
                if planes > MAX_PAGES:
                    raise PhotoError(f'it claims to hold {planes} planes')
                page = self._places[0].page
                self._places = [_Place(page, n) for n in range(planes)]
                self.result_bytes *= planes
                return
        if planes > len(self._places):
            self.trouble = self.trouble or (
                f'it says that it holds {planes} planes, but only '
                f'{len(self._places)} are there'
            )


def _result_bytes(page: TiffPage) -> int:
    deep = page.dtype is None or page.dtype.itemsize > 1
    channels = 3 + bool(page.extrasamples)
    return page.imagewidth * page.imagelength * channels * (1 + deep)


def _stack_axes(tif: TiffFile, first: TiffPage) -> list[tuple[str, int]]:
    """Names and lengths of the axes along which pages are stacked."""
    if tif.is_imagej:
        said = tif.imagej_metadata or {}
        names = ('channels', 'slices', 'frames')
        axes = [(name, _length(said.get(name))) for name in names]
        if math.prod(length for _, length in axes) == 1:
            axes = [('images', _length(said.get('images')))]
        if first.samplesperpixel > 1:
            axes = [axis for axis in axes if axis[0] != 'channels']
        return axes
    if tif.is_ome:
        return _ome_axes(tif.ome_metadata or '', first.samplesperpixel)
    if first.is_shaped:
        return _shaped_axes(first.shaped_description or '', first.ndim)
    return []


def _ome_axes(xml: str, samples: int) -> list[tuple[str, int]]:
    """Those of the image of an OME-TIFF file with the most axes."""
    found: list[list[tuple[str, int]]] = [[]]
    try:
        root = ElementTree.fromstring(xml.encode())
    except ElementTree.ParseError as error:
        raise PhotoError('its OME description is damaged') from error
    for node in root.iter():
        if node.tag.rpartition('}')[2] == 'Pixels':
            channels = _length(node.get('SizeC')) // max(1, samples)
            found.append(
                [
                    ('T', _length(node.get('SizeT'))),
                    ('C', max(1, channels)),
                    ('Z', _length(node.get('SizeZ'))),
                ]
            )
    axes = max(found, key=lambda axes: sum(length > 1 for _, length in axes))
    # Several images may share a file, so pages are not counted here.
    return axes if len(found) == 2 or _several(axes) else []


def _several(axes: list[tuple[str, int]]) -> bool:
    return sum(length > 1 for _, length in axes) > 1


def _shaped_axes(description: str, ndim: int) -> list[tuple[str, int]]:
    """Those that tifffile writes into a description."""
    try:
        shape = json.loads(description).get('shape', [])
        lengths = [_length(length) for length in shape]
    except (AttributeError, TypeError, ValueError, RecursionError):
        return []
    stacked = lengths[: max(0, len(lengths) - ndim)]
    return [(f'axis {number}', one) for number, one in enumerate(stacked)]


def _length(value: object) -> int:
    try:
        return max(1, int(value))  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        return 1
