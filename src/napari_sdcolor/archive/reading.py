"""Reading a photo from a file or an array.

Files are opened for reading only, and once: what is hashed is what is
decoded.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from typing import Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from napari_sdcolor.archive.profiles import to_srgb
from napari_sdcolor.archive.rasters import (
    read_jpeg,
    read_jpeg2000,
    read_png,
    read_webp,
)
from napari_sdcolor.archive.scan import DECODE_ERRORS, Scan
from napari_sdcolor.archive.tiff_pages import (
    choose_page,
    count_tiff_pages,
    read_tiff,
)
from napari_sdcolor.core.photo import Origin, Photo, photo_from_array
from napari_sdcolor.errors import PhotoError
from napari_sdcolor.settings import parse_window

T = TypeVar('T')

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

_TIFF = (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+')
_RASTERS: tuple[tuple[tuple[bytes, ...], Callable[[bytes], Scan]], ...] = (
    ((b'\x89PNG\r\n\x1a\n',), read_png),
    ((b'\xff\xd8\xff',), read_jpeg),
    ((b'\0\0\0\x0cjP  \r\n\x87\n', b'\xff\x4f\xff\x51'), read_jpeg2000),
)


def read_photo(
    source: str | os.PathLike[str] | ArrayLike,
    *,
    window: str | tuple[float, float] = 'auto',
    page: int | None = None,
) -> Photo:
    """Read a photo.

    Parameters
    ----------
    source
        TIFF, PNG, JPEG, WebP or JPEG 2000 file; or an array as
        ``core.photo.photo_from_array`` takes it.
    window
        Tone window (see ``settings.Settings.window``). Where a file says
        that it has fewer bits than its data type, such as 12 in 16, the
        range of the type is that of these bits.
    page
        Page of a multi-page file, from 0.

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
    path = os.fspath(source)
    scan, digest = _open(path, lambda *found: _decode(*found, page))
    photo = _understand(path, scan, digest, window)
    return replace(photo, origin=replace(photo.origin, page=page))


def count_pages(path: str | os.PathLike[str]) -> int:
    """Number of pages of a file; thumbnails and masks do not count.

    Raises
    ------
    PhotoError
        As ``read_photo``.
    """
    return _open(os.fspath(path), _count)[0]


def _open(path: str, work: Callable[[BinaryIO, int], T]) -> tuple[T, str]:
    """Run ``work`` on the opened file; its result and the file's SHA-256."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise PhotoError(f'{path} is a folder or device, not a file.')
        with open(path, 'rb') as stream:
            digest = hashlib.file_digest(stream, 'sha256').hexdigest()
            size = stream.seek(0, os.SEEK_END)
            stream.seek(0)
            return _checked(path, work, stream, size), digest
    except (OSError, ValueError) as error:
        reason = getattr(error, 'strerror', None) or str(error)
        raise PhotoError(f'{path} cannot be opened: {reason}.') from error


def _checked(
    path: str,
    work: Callable[[BinaryIO, int], T],
    stream: BinaryIO,
    size: int,
) -> T:
    try:
        return work(stream, size)
    except PhotoError as error:
        raise PhotoError(f'{path} cannot be used: {error}.') from error
    except MemoryError as error:
        raise PhotoError(f'{path} does not fit into memory.') from error
    except DECODE_ERRORS as error:
        detail = ' '.join(str(error).split())[:160] or type(error).__name__
        raise PhotoError(
            f'{path} is damaged, incomplete or of an unsupported kind '
            f'({detail}). Get an intact copy, or convert it.'
        ) from error


def _decode(stream: BinaryIO, size: int, page: int | None) -> Scan:
    head = stream.read(16)
    stream.seek(0)
    if head.startswith(_TIFF):
        return read_tiff(stream, size, page)
    reader = _raster_reader(head)
    choose_page(1, page)
    return reader(stream.read())


def _count(stream: BinaryIO, size: int) -> int:
    head = stream.read(16)
    stream.seek(0)
    if head.startswith(_TIFF):
        return count_tiff_pages(stream)
    _raster_reader(head)
    return 1


def _raster_reader(head: bytes) -> Callable[[bytes], Scan]:
    if not head:
        raise PhotoError('it is empty')
    for signatures, reader in _RASTERS:
        if head.startswith(signatures):
            return reader
    if head[:4] == b'RIFF' and head[8:12] == b'WEBP':
        return read_webp
    raise PhotoError('it is no TIFF, PNG, JPEG, WebP or JPEG 2000 file')


def _understand(
    path: str, scan: Scan, digest: str, window: str | tuple[float, float]
) -> Photo:
    pixels, notes = scan.pixels, scan.notes
    if scan.icc:
        pixels, said = to_srgb(pixels, scan.icc, scan.white)
        notes += said
    if isinstance(window, str):
        window = parse_window(window)
    if scan.white is not None and window in ('auto', 'type'):
        window = (0.0, float(scan.white))
    array: Any = pixels
    if scan.alpha is not None:
        array = np.dstack((pixels, scan.alpha))
    photo = photo_from_array(
        array,
        window=window,
        rgb=array.ndim == 3,
        name=path,
    )
    origin = Origin(
        path=path,
        sha256=digest,
        icc=scan.icc,
        orientation=scan.orientation,
        resolution=scan.resolution,
        texts=scan.texts,
        facts=scan.facts,
    )
    photo = replace(photo, notes=notes + photo.notes)
    return photo.with_origin(origin)
