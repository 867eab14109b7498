"""Reading photos from files and arrays.

Files are opened for reading only, and once: what is hashed is what is
decoded.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import BinaryIO

from numpy.typing import ArrayLike, NDArray

from napari_sdcolor.archive.explaining import explaining
from napari_sdcolor.archive.rasters import RasterPhoto
from napari_sdcolor.archive.scan import Scan
from napari_sdcolor.archive.signatures import HEAD, kind_of
from napari_sdcolor.archive.strips import Bands, PageRows, photo_on_disk
from napari_sdcolor.archive.tiff_file import Interpret, TiffPhotos
from napari_sdcolor.archive.tones import PageTones, Window, understood
from napari_sdcolor.archive.unchanged import Unchanged
from napari_sdcolor.core.photo import Origin, Photo, photo_from_array
from napari_sdcolor.core.tone import ToneWindow
from napari_sdcolor.errors import NoSuchPage, PhotoError, said
from napari_sdcolor.opening import open_regular

PHOTO_SUFFIXES = (
    '.tif',
    '.tiff',
    '.png',
    '.jpg',
    '.jpeg',
    '.webp',
    '.jp2',
    '.j2k',
)
"""Usual suffixes of the files that can be read; the content decides."""


def read_photo(
    source: str | os.PathLike[str] | ArrayLike,
    *,
    window: Window = 'auto',
    page: int | None = None,
    allow_damaged: bool = False,
) -> Photo:
    """Read a photo into memory.

    ``open_photos`` reads photos that are larger than the memory.

    Parameters
    ----------
    source
        TIFF, PNG, JPEG, WebP or JPEG 2000 file; or an array as
        ``core.photo.photo_from_array`` takes it.
    window
        Tone window (see ``settings.Settings.window``). Where a file says
        that it has fewer bits than its data type, such as 12 in 16, the
        range of the type is that of these bits. Pages of one file agree
        on an automatic window.
    page
        Page of a multi-page file, from 0.
    allow_damaged
        Take a photo of which parts are missing as it is; what is missing
        is told in its notes and in ``photo.origin.damage``.

    Returns
    -------
    Photo
        Pixels in stored order; ``photo.origin`` tells what the file held.

    Raises
    ------
    PhotoError
        If the file is missing, foreign, damaged or incomplete, holds
        several pages of which none was chosen, or is no photo.
    """
    if not isinstance(source, (str, os.PathLike)):
        if page not in (None, 0):
            raise PhotoError('An array has no pages: hand over one plane.')
        return photo_from_array(source, window=window)
    with open_photos(source, page, allow_damaged=allow_damaged) as file:
        if len(file.pages) > 1:
            raise PhotoError(
                f'{file.path} holds {len(file.pages)} pages and one must be '
                f'chosen: page=0 to page={len(file.pages) - 1}.'
            )
        return file.read(file.pages[0], window=window).loaded()


@contextmanager
def open_photos(
    path: str | os.PathLike[str],
    page: int | None = None,
    *,
    allow_damaged: bool = False,
) -> Iterator[PhotoFile]:
    """Open a file for reading its photos one after the other.

    Memory is needed for one page at a time::

        with open_photos('album.tif') as file:
            for page in file.pages:
                photo = file.read(page)

    A photo that is too large for the memory stays in its file, and its rows
    are decoded when they are asked for: it is of use as long as the file is
    open.

    Parameters
    ----------
    path
        TIFF, PNG, JPEG, WebP or JPEG 2000 file.
    page
        Only this page, from 0; None takes all.
    allow_damaged
        As for ``read_photo``.

    Yields
    ------
    PhotoFile

    Raises
    ------
    PhotoError
        If the file is missing, foreign or damaged, has no such page, or
        cannot be taken as a whole: a table of pages that is incomplete, or
        a stack with several axes beside those of the image. Single pages
        of such files can be taken.
    """
    name = os.fspath(path)
    with _open(name) as stream:
        with explaining(name):
            file = PhotoFile(name, stream, page, allow_damaged)
        yield file


def _open(path: str) -> BinaryIO:
    try:
        return open_regular(path)
    except (OSError, ValueError) as error:
        raise PhotoError(f'{path} cannot be opened: {said(error)}.') from error


class PhotoFile:
    """An open file of one or more photos; made by ``open_photos``.

    Attributes
    ----------
    path : str
        As given.
    count : int
        Number of photos in the file. Thumbnails, masks and the smaller
        levels of pyramids do not count.
    pages : range
        Numbers of the pages to read: all, or the chosen one.
    result_bytes : int
        Bytes of the pixels of all results of a TIFF file before they are
        packed; 0 where it is not known, as for other files.
    page_bytes : sequence of int
        Bytes of the codes of each page of a TIFF file and of its color in 8
        bits; empty for other files.
    """

    def __init__(
        self,
        path: str,
        stream: BinaryIO,
        page: int | None,
        allow_damaged: bool = False,
    ) -> None:
        self.path = path
        self.result_bytes = 0
        self.page_bytes: Sequence[int] = ()
        self._missing: tuple[str, ...] = ()
        self._stream = stream
        self._allow_damaged = allow_damaged
        self._raster: RasterPhoto | None = None
        self._tiff: TiffPhotos | None = None
        self._unchanged = Unchanged(stream)
        with self._unchanged.reading():
            self._look(page)
        self._tones = PageTones(self.count, self._parts)
        self.pages = range(self.count)
        if page is not None:
            self.pages = range(page, page + 1)

    def _look(self, page: int | None) -> None:
        """Find out what the file holds."""
        stream = self._stream
        size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        head = stream.read(HEAD)
        if kind_of(head) == 'tiff':
            tiff = self._tiff = TiffPhotos(stream, size)
            self._take(tiff, page)
            self.count, self._scan = tiff.count, tiff.scan
            self.result_bytes = tiff.result_bytes
            self.page_bytes = tiff.page_bytes
        else:
            self._raster = RasterPhoto(stream, size, head)
            self.count, self._scan = 1, self._raster.scan
        if page is not None and not 0 <= page < self.count:
            words = 'its pages are' if self.count > 1 else 'its only page is'
            raise NoSuchPage(
                f'it has no page {page}; {words} {_numbers(self.count)}'
            )

    def _take(self, tiff: TiffPhotos, page: int | None) -> None:
        """Refuse a file that cannot be taken as a whole."""
        if tiff.missing and (page is None or tiff.moved):
            self._missing = (tiff.missing,)
        words = tiff.trouble
        if tiff.missing and not self._allow_damaged:
            words = words or (
                f'{tiff.missing}. Get an intact copy, or color what is there '
                'with --allow-damaged'
            )
        if words and page is None:
            pages = _numbers(tiff.count, 'page=')
            raise PhotoError(f'{words}; one page can be chosen: {pages}')

    @property
    def is_album(self) -> bool:
        """Whether several pages are to be read, for one result of pages."""
        return len(self.pages) > 1

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the file's bytes: those that are decoded."""
        with explaining(self.path), self._unchanged.reading():
            if self._raster is not None:
                digest = hashlib.sha256(self._raster.data).hexdigest()
            else:
                digest = self._unchanged.hashed()
        self._unchanged.sha256 = digest
        return digest

    def read(self, page: int, *, window: Window = 'auto') -> Photo:
        """Read one photo.

        Parameters
        ----------
        page
            Of ``pages``.
        window
            Tone window, as for ``read_photo``; or one that was chosen
            before.

        Raises
        ------
        PhotoError
            If the page is damaged or incomplete, or is no photo.
        """
        bands = self._bands(page)
        if bands is None:
            return self.read_with_pixels(page, window=window)[0]
        digest, first = self.sha256, bands.scan(0)
        tones = self._tones.own(self._name(page), bands.scans(), window)
        photo = photo_on_disk(bands, tones or self._tones.shared(first))
        if self._allow_damaged:
            # What is missing further down is to be known from the start.
            *_, last = bands.scans()
            first = replace(first, damage=last.damage)
        return self._with_origin(photo, first, page, digest)

    def read_with_pixels(
        self, page: int, *, window: Window = 'auto'
    ) -> tuple[Photo, NDArray]:
        """Read one photo and the codes that its lightness comes from.

        Parameters
        ----------
        page, window
            As for ``read``.

        Returns
        -------
        photo
            As ``read`` gives it.
        pixels
            (H, W) gray or (H, W, 3) color in the data type of the file,
            without alpha; black lowest, palette and profile applied.

        Raises
        ------
        PhotoError
            As ``read``.
        """
        digest = self.sha256
        scan = self._whole(page)
        tones = self._tones.own(self._name(page), iter([scan]), window)
        if tones is None:
            kind = replace(scan, pixels=scan.pixels[:0], alpha=None)
            del scan  # memory is needed for one page only
            tones = self._tones.shared(kind)
            scan = self._whole(page)
        with explaining(self._name(page)):
            photo, scan = understood(self._name(page), scan, tones)
        return self._with_origin(photo, scan, page, digest), scan.pixels

    def samples(self, page: int) -> NDArray | None:
        """Samples of one photo as a TIFF file stores them.

        Nothing is understood of them: no palette or profile is applied,
        white may be lowest, channels may come first.

        Returns
        -------
        NDArray or None
            None for other files, of which every decoder makes its own.

        Raises
        ------
        PhotoError
            As ``read``.
        """
        if self._tiff is None:
            return None
        with explaining(self._name(page)), self._unchanged.reading():
            return self._tiff.samples(page)

    def _parts(self, page: int) -> Iterator[Scan]:
        bands = self._bands(page)
        if bands is None:
            yield self._whole(page)
        else:
            yield from bands.scans()

    def _whole(self, page: int) -> Scan:
        name = self._name(page)
        with explaining(name), self._unchanged.reading():
            scan = self._scan(page)
        return self._accepted(name, scan)

    def _accepted(self, name: str, scan: Scan) -> Scan:
        """A scan, unless it has holes that nobody said are welcome."""
        scan = replace(scan, damage=(*self._missing, *scan.damage))
        if scan.damage and not self._allow_damaged:
            words = '; '.join(words.rstrip('.') for words in scan.damage)
            raise PhotoError(
                f'{name} is damaged: {words}. Get an intact copy, or color '
                'it as it is with --allow-damaged.'
            )
        return scan

    def _bands(self, page: int) -> Bands | None:
        """A photo that is too large for the memory, a band at a time."""
        name = self._name(page)
        with explaining(name), self._unchanged.reading():
            found = self._tiff.rows(page) if self._tiff else None
        if found is None:
            return None
        rows: PageRows = found[0]
        interpret: Interpret = found[1]

        def scan(part: slice) -> Scan:
            with explaining(name), self._unchanged.reading():
                found = interpret(rows[part])
            return self._accepted(name, found)

        def understand(part: Scan, tones: ToneWindow) -> Photo:
            with explaining(name):
                return understood(name, part, tones)[0]

        return Bands(rows, scan, understand)

    def _with_origin(
        self, photo: Photo, scan: Scan, page: int, digest: str
    ) -> Photo:
        origin = Origin(
            path=self.path,
            sha256=digest,
            icc=scan.icc,
            orientation=scan.orientation,
            resolution=scan.resolution,
            texts=scan.texts,
            facts=scan.facts,
            page=page if self.count > 1 else None,
            damage=scan.damage,
        )
        told = tuple(f'Damaged: {words.rstrip(".")}.' for words in scan.damage)
        return replace(photo, origin=origin, notes=(*photo.notes, *told))

    def _name(self, page: int) -> str:
        return f'{self.path}, page {page}' if self.count > 1 else self.path


def _numbers(count: int, prefix: str = '') -> str:
    """Of the first page and the last one."""
    last = f' to {prefix}{count - 1}' if count > 1 else ''
    return f'{prefix}0{last}'
