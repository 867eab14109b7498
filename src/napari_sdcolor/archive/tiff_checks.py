"""What a TIFF page must be like before it is decoded.

What a page claims would be asked for as memory and as work: this is found
out before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from tifffile import COMPRESSION, PHOTOMETRIC, TiffPage

from napari_sdcolor.archive.headers import (
    NoCodestream,
    jpeg2000_size,
    jpeg_size,
    webp_size,
)
from napari_sdcolor.archive.scan import (
    DECODE_ERRORS,
    refuse_beyond_memory,
    refuse_bomb,
)
from napari_sdcolor.archive.tiff_memory import memory_of
from napari_sdcolor.archive.tiff_ojpeg import is_old_jpeg, old_jpeg
from napari_sdcolor.archive.tiff_pictures import judge_jpeg2000
from napari_sdcolor.archive.tiff_segments import COLOR, GRAY, JPEG, JPEG2000
from napari_sdcolor.errors import PhotoError

MAX_TILE = 2**24
"""Pixels of a tile, unless the image itself has as many."""

HARMLESS_TILE = 2**27
"""Bytes of a tile, unless the image itself has as many."""

READ_AGAIN = 4
"""How often the same bytes of a file may stand for parts of an image."""

HARMLESS_READS = 2**28
"""Up to this many bytes nobody counts how often they are read."""

_PLAIN = (
    COMPRESSION.NONE,
    COMPRESSION.CCITTRLE,
    COMPRESSION.CCITT_T4,
    COMPRESSION.CCITT_T6,
    COMPRESSION.LZW,
    COMPRESSION.ADOBE_DEFLATE,
    COMPRESSION.DEFLATE,
    COMPRESSION.PACKBITS,
    COMPRESSION.LZMA,
    COMPRESSION.ZSTD,
    COMPRESSION.ZSTD_DEPRECATED,
)
_RAW = {
    PHOTOMETRIC.CFA: 'the mosaic of the sensor',
    PHOTOMETRIC.LINEAR_RAW: 'the linear colors of the sensor',
}
# Decoded into a buffer of the expected size. The others bring a size of
# their own along, which must be looked at.
_SIZED: dict[int, Callable[[bytes], tuple[int, int]]] = {
    **dict.fromkeys(JPEG, jpeg_size),
    **dict.fromkeys(JPEG2000, jpeg2000_size),
    COMPRESSION.WEBP: webp_size,
}


def check_page(page: TiffPage, size: int, rows: int | None = None) -> None:
    """Refuse what cannot be decoded, or only at a ruinous price.

    Parameters
    ----------
    page
        Of an open file.
    size
        Bytes of the file.
    rows
        Decoded so many at a time; None for all.

    Raises
    ------
    PhotoError
        With the reason only; the caller names the file.
    """
    if page.imagedepth != 1 or page.tiledepth != 1:
        raise PhotoError('it holds a volume, not a photo')
    if page.dtype is None:
        raise PhotoError(
            f'samples of {page.bitspersample} bits are not supported'
        )
    pixel_bytes = page.samplesperpixel * page.dtype.itemsize
    pixels = page.imagewidth * page.imagelength
    refuse_bomb(page.imagewidth, page.imagelength, pixel_bytes, size)
    if page.photometric in _RAW:
        raise PhotoError(
            f'it holds {_RAW[page.photometric]} of a camera (DNG or another '
            'raw format), which is no picture yet; convert it to TIFF with a '
            'raw converter'
        )
    if page.photometric not in (*GRAY, *COLOR, PHOTOMETRIC.PALETTE):
        name = getattr(page.photometric, 'name', page.photometric)
        raise PhotoError(
            f'its colors are stored as {name}; convert it to gray or RGB'
        )
    if page.photometric == PHOTOMETRIC.YCBCR and (
        page.compression not in JPEG
    ):
        raise PhotoError('its colors are stored as YCbCr; convert it to RGB')
    if page.compression not in _PLAIN and page.compression not in _SIZED:
        name = getattr(page.compression, 'name', page.compression)
        raise PhotoError(
            f'it is compressed with {name}, which is not read; save it with '
            'deflate or without compression'
        )
    _check_segments(page, size, pixels)
    refuse_beyond_memory(memory_of(page, rows))


def _check_segments(page: TiffPage, size: int, pixels: int) -> None:
    spans = list(zip(page.dataoffsets, page.databytecounts, strict=False))
    if page.is_contiguous:
        spans, wanted = [(page.dataoffsets[0], page.nbytes)], 1
    else:
        wanted = math.prod(page.chunked)
        across, down = _segment_size(page)
        pixel = page.samplesperpixel * page.dtype.itemsize
        most = max(2 * pixels * pixel, HARMLESS_TILE)
        if across * down > max(2 * pixels, MAX_TILE) or (
            across * down * pixel > most
        ):
            raise PhotoError(
                f'its tiles claim {across} × {down} pixels each, more than '
                'the image itself'
            )
    if 2 * len(spans) < wanted:
        raise PhotoError('most parts of the image are missing')
    read = sum(count for _, count in spans)
    if read > max(READ_AGAIN * size, HARMLESS_READS):
        raise PhotoError(
            'the parts of its image lie over each other, as only damaged and '
            'hostile files do'
        )
    if page.compression in _SIZED:
        _check_sizes(page, spans, size)


def _check_sizes(
    page: TiffPage, spans: list[tuple[int, int]], size: int
) -> None:
    """Look at the sizes that compressed parts claim themselves."""
    size_of = _SIZED[page.compression]
    if is_old_jpeg(page):
        across, down = page.imagewidth, page.imagelength
        parts = iter([old_jpeg(page, size)[0]])
    else:
        across, down = _segment_size(page)
        parts = _parts(page, spans)
    for part in parts:
        try:
            width, height = size_of(part)
        except (*DECODE_ERRORS, NoCodestream):
            continue  # so it will not be decoded either
        if page.compression in JPEG2000:
            judge_jpeg2000(part)
        # Coders round up to blocks of 8 or 16 pixels.
        if width > across + 64 or height > down + 64:
            raise PhotoError(
                f'a part of {across} × {down} pixels claims to be {width} × '
                f'{height} pixels large'
            )


def _parts(page: TiffPage, spans: list[tuple[int, int]]) -> Iterator[bytes]:
    stream = page.parent.filehandle
    for offset, count in spans:
        stream.seek(offset)
        yield stream.read(count)


def _segment_size(page: TiffPage) -> tuple[int, int]:
    """Pixels across and down of a tile or strip."""
    if page.is_tiled:
        return page.tilewidth, page.tilelength
    return page.imagewidth, min(page.rowsperstrip, page.imagelength)
