"""The pixels of colored files, as this program writes them.

Under the name of an earlier result may lie anything. It is decoded only if
its header tells the sizes that are expected.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import imagecodecs
from numpy.typing import NDArray
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from tifffile import TiffFile, TiffPage

from napari_sdcolor.archive.formats import FORMATS
from napari_sdcolor.archive.headers import jpeg_size
from napari_sdcolor.archive.scan import refuse_beyond_memory, refuse_bomb
from napari_sdcolor.archive.tiff_chain import Tables
from napari_sdcolor.archive.tiff_checks import check_page
from napari_sdcolor.errors import PhotoError
from napari_sdcolor.opening import open_regular

Shape = tuple[int, int]
"""(H, W)."""

_PIXEL_BYTES = 8
"""Of red, green, blue and alpha in 16 bits."""

_SPARE = 2**26
"""Bytes that a file may hold beside its pixels: mark, profile and texts."""


def planes(path: Path, shapes: Sequence[Shape]) -> Iterator[NDArray]:
    """Red, green and blue of each page, one after the other.

    Parameters
    ----------
    path
        TIFF, PNG or JPEG file, as its suffix says.
    shapes
        Of the pages.

    Yields
    ------
    NDArray
        (H, W, 3), in the type of the file.

    Raises
    ------
    PhotoError
        If the sizes are others, before anything is decoded; if it asks for
        too much. The message is the reason only.
    OSError, ValueError, RuntimeError, KeyError
        If it cannot be read or decoded.
    """
    with open_regular(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        form = FORMATS.get(path.suffix.lower())
        if form == 'tiff':
            yield from _tiff_pages(stream, size, shapes)
        elif len(shapes) > 1:
            raise PhotoError('it has one page only')
        elif form == 'png':
            _judge(PngImageFile, stream, size, shapes[0])
            yield imagecodecs.png_decode(stream.read(size))[..., :3]
        else:
            _judge(JpegImageFile, stream, size, shapes[0])
            data = stream.read(size)
            jpeg_size(data)  # refuses what would be decoded for hours
            yield imagecodecs.jpeg8_decode(data)[..., :3]


def _tiff_pages(
    stream: BinaryIO, size: int, shapes: Sequence[Shape]
) -> Iterator[NDArray]:
    chain = Tables(stream, size).chain()
    count = len(chain.tables)
    if chain.trouble or count != len(shapes):
        raise PhotoError(
            chain.trouble or f'it has {count} instead of {len(shapes)} pages'
        )
    with TiffFile(chain.stream, name='color.tif', _multifile=False) as tif:
        for number, shape in enumerate(shapes):
            page = tif.pages[number]
            if not isinstance(page, TiffPage):
                raise PhotoError(f'its page {number} cannot be read')
            _refuse_other((page.imagelength, page.imagewidth), shape)
            check_page(page, size)
            yield page.asarray()[..., :3]


def _judge(
    opener: Callable[[BinaryIO], ImageFile],
    stream: BinaryIO,
    size: int,
    shape: Shape,
) -> None:
    """Look at the header; the stream is at its beginning then."""
    if size > math.prod(shape) * _PIXEL_BYTES * 1.01 + _SPARE:
        raise PhotoError(f'{size} bytes are too many for its pixels')
    image = opener(stream)
    _refuse_other((image.height, image.width), shape)
    refuse_bomb(*image.size, _PIXEL_BYTES, size)
    refuse_beyond_memory(size + math.prod(shape) * 2 * _PIXEL_BYTES)
    stream.seek(0)


def _refuse_other(shape: Shape, wanted: Shape) -> None:
    if shape != wanted:
        raise PhotoError(
            f'it has another size, {shape[1]} × {shape[0]} pixels instead of '
            f'{wanted[1]} × {wanted[0]}'
        )
