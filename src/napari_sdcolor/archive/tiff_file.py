"""What a TIFF file holds: which of its pages are photos.

Nothing is decoded here; ``tiff_pages`` does that, page by page.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import BinaryIO
from xml.etree import ElementTree

from numpy.typing import NDArray
from tifffile import TiffFile, TiffPage

from napari_sdcolor.archive.scan import Scan
from napari_sdcolor.archive.strips import band_rows
from napari_sdcolor.archive.tiff_chain import MAX_PAGES, Tables
from napari_sdcolor.archive.tiff_checks import READ_AGAIN, check_page
from napari_sdcolor.archive.tiff_choice import Chosen, choose
from napari_sdcolor.archive.tiff_log import quiet
from napari_sdcolor.archive.tiff_memory import shown_bytes
from napari_sdcolor.archive.tiff_pages import interpret
from napari_sdcolor.archive.tiff_rows import PageRows
from napari_sdcolor.archive.tiff_tones import display_tags
from napari_sdcolor.core.tone import ToneTags
from napari_sdcolor.errors import PhotoError

Interpret = Callable[[NDArray], Scan]

HARMLESS_IN_ALL = 2**31
"""Up to this many decoded bytes, pages may share those of the file."""

_FLAGS = {
    # Proprietary layouts would be read by other rules than those of TIFF.
    'is_lsm': False,
    'is_ndpi': False,
    'is_scanimage': False,
}

_SHAPED = '{"shape'
"""With this begins what tifffile writes into a description."""


@dataclass(frozen=True)
class _Place:
    """Where a photo lies: the page, and the plane of a bare stack."""

    page: Chosen
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
    missing : str
        What the file tells of and does not hold.
    moved : bool
        Whether bytes are missing nobody knows where, so that a photo may
        begin in the middle of another one.
    result_bytes : int
        Bytes of the pixels of all results before they are packed.
    page_bytes : list of int
        Of the codes of each photo and of its color in 8 bits.

    Raises
    ------
    PhotoError
        With the reason only; the caller names the file.
    """

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._size = size
        chain = Tables(stream, size).chain()
        self.trouble, self.missing = '', chain.trouble
        self.moved = False
        if not chain.tables:
            raise PhotoError('it holds no page that can be read')
        with quiet():
            self._tif = TiffFile(
                chain.stream, name='photo.tif', _multifile=False, **_FLAGS
            )
            self._tif.pages.cache = False
            self._places = [_Place(page) for page in choose(chain)]
            self.result_bytes = 0
            self.page_bytes: list[int] = []
            self._add_up()
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
        with quiet():
            rows, understand = self._opened(number)
            return understand(rows[0 : rows.shape[0]])

    def samples(self, number: int) -> NDArray:
        """Samples of a photo as they are stored, not understood yet.

        Axes as ``TiffPage.asarray`` gives them: planar color has its
        channels first.

        Raises
        ------
        PhotoError
            As ``scan``.
        """
        with quiet():
            rows, _ = self._opened(number)
            return rows[0 : rows.shape[0]]

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
        with quiet():
            page = self._page(self._places[number])
            rows = band_rows(page, self._size)
            return None if rows is None else self._opened(number, rows)

    def _opened(
        self, number: int, at_a_time: int | None = None
    ) -> tuple[PageRows, Interpret]:
        place = self._places[number]
        page = self._page(place)
        check_page(page, self._size, at_a_time)
        rows = PageRows(page, place.plane, self._size, place.page.table.taken)

        def understand(array: NDArray) -> Scan:
            found = interpret(page, array, self._words(number), self._display)
            return replace(
                found,
                notes=(
                    *place.page.table.notes,
                    *place.page.notes,
                    *found.notes,
                ),
                damage=rows.damage,
            )

        return rows, understand

    def _words(self, number: int) -> str:
        several = self.count > 1
        return f'page={number} of {self.count} pages' if several else ''

    def _page(self, place: _Place) -> TiffPage:
        self._tif.filehandle.seek(place.page.table.place)
        return TiffPage(self._tif, index=place.page.number)

    def _add_up(self) -> None:
        """Look at the pages as a whole: at what they ask for together."""
        decoded = read = 0
        for place in self._places:
            page = self._page(place)
            self.result_bytes += _result_bytes(page)
            self.page_bytes.append(shown_bytes(page))
            decoded += page.nbytes
            read += sum(page.databytecounts)
        again = read > READ_AGAIN * self._size
        if again and decoded > HARMLESS_IN_ALL:
            words = 'its pages share the same bytes'
            if self.count == 1:
                words = 'the parts of its image lie over each other'
            self.trouble = f'{words}, as only damaged and hostile files do'

    def _look_at_stack(self) -> None:
        """Refuse several axes; find planes that have no page."""
        first = self._page(self._places[0])
        if _is_broken(first.description):
            self.missing, self.moved = 'its list of planes is damaged', True
        axes = _stack_axes(self._tif, first)
        long = [f'{name} of {length}' for name, length in axes if length > 1]
        if len(long) > 1:
            self.trouble = (
                f'it is a stack with {len(long)} axes beside those of the '
                f'picture ({", ".join(long)}); photos are stacked along one'
            )
        planes = math.prod(length for _, length in axes)
        plain = first.is_contiguous and first.fillorder == first.predictor == 1
        bare = len(self._places) == 1 < planes and plain
        if bare and first.nbytes:
            end = first.dataoffsets[0] + planes * first.nbytes
            if end <= self._size:
                if planes > MAX_PAGES:
                    raise PhotoError(f'it claims to hold {planes} planes')
                page = self._places[0].page
                self._places = [_Place(page, n) for n in range(planes)]
                self.result_bytes *= planes
                self.page_bytes *= planes
                return
        there = len(self._places)
        if planes > there:
            self.missing = self.missing or (
                f'it says that it holds {planes} planes, but only {there} '
                f'{"is" if there == 1 else "are"} there'
            )
            # Those of an OME stack may lie in other files.
            self.moved = bare and not self._tif.is_ome


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


def _is_broken(description: str) -> bool:
    """Whether it is one of tifffile's that was cut through."""
    if not description.startswith(_SHAPED):
        return False
    try:
        json.JSONDecoder().raw_decode(description)
    except (ValueError, RecursionError):
        return True
    return False


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
