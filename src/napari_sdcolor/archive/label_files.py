"""The ids in the PNG file of a label map.

The header is judged before anything is decoded, and the file before it is
read: what lies under the name of a map may be anything.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from typing import BinaryIO

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile

from napari_sdcolor.archive.scan import (
    DECODE_ERRORS,
    refuse_beyond_memory,
    refuse_bomb,
)
from napari_sdcolor.classes import CLASSES
from napari_sdcolor.errors import LabelsError, PhotoError, said
from napari_sdcolor.opening import open_regular

PALETTE = np.array([entry.color for entry in CLASSES], np.uint8)
"""(60, 3) RGB, the color of each id."""

Fits = Callable[[tuple[int, int]], None]
"""Raises a LabelsError if a map of this shape (h, w) is of no use."""

_HEADER = 33
"""Bytes of the signature and of the chunk IHDR."""

_SIGNATURE = b'\x89PNG\r\n\x1a\n\0\0\0\rIHDR'

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples of a pixel, by the type of its color."""

_WORK_BYTES = {1: 16, 2: 40, 3: 60, 4: 64}
"""Memory for a pixel of so many samples until its id is known."""

_SPARE = 2**24
"""Bytes that a file may hold beside its pixels."""


def read_ids(
    path: str | os.PathLike[str], fits: Fits | None = None
) -> NDArray[np.uint16]:
    """The ids (h, w) in a PNG file, whatever they may be.

    Parameters
    ----------
    path
        Of the file.
    fits
        Looks at the shape before the pixels are decoded.

    Raises
    ------
    LabelsError
        If it cannot be read, or holds other colors than those of the
        classes; and what ``fits`` raises.
    """
    path = os.fspath(path)
    try:
        with open_regular(path) as stream:
            return _ids(stream, path, fits)
    except LabelsError:
        raise
    except PhotoError as error:
        raise LabelsError(
            f'{path} cannot be used as a label map: {error}. Export the map '
            'at the size of its photo.'
        ) from error
    except MemoryError as error:
        raise LabelsError(f'{path} does not fit into memory.') from error
    except DECODE_ERRORS as error:
        if isinstance(error, OSError) and error.strerror:
            raise LabelsError(
                f'{path} cannot be opened: {said(error)}.'
            ) from error
        raise LabelsError(
            f'{path} is no intact PNG file ({said(error)}). Export the map again.'
        ) from error


def _ids(stream: BinaryIO, path: str, fits: Fits | None) -> NDArray[np.uint16]:
    header = stream.read(_HEADER)
    if len(header) < _HEADER or not header.startswith(_SIGNATURE):
        raise ValueError('its first bytes are others')
    width, height, depth, kind = struct.unpack_from('>IIBB', header, 16)
    channels = _CHANNELS.get(kind, 4)
    size = os.fstat(stream.fileno()).st_size
    refuse_bomb(width, height, channels * max(1, depth / 8), size)
    if fits is not None:
        fits((height, width))
    unpacked = height * (1 + width * channels * depth // 8)
    if size > unpacked * 1.01 + _SPARE:
        raise ValueError(f'{size} bytes are too many for its pixels')
    refuse_beyond_memory(size + width * height * _WORK_BYTES[channels])
    data = header + stream.read(size - _HEADER)
    imagecodecs.png_decode(data)  # checks what Pillow does not: CRCs
    with PngImageFile(io.BytesIO(data)) as image:
        if image.mode not in ('1', 'L', 'P', 'I', 'I;16'):
            return _ids_of_colors(np.array(image), path)
        values = np.array(image).astype(np.uint16)
    if kind == 0 and depth in (2, 4):
        # Pillow stretches these to 0..255, which would shift the ids.
        values //= 255 // (2**depth - 1)
    return values


def _ids_of_colors(pixels: NDArray, path: str) -> NDArray[np.uint16]:
    """The ids behind the colors of our palette, (h, w).

    Raises
    ------
    LabelsError
        If there is any other color, or one that is not opaque.
    """
    rgb = pixels[..., :3].astype(np.uint32)
    foreign = pixels.ndim != 3 or pixels.shape[-1] < 3
    if not foreign:
        codes = rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2]
        known = PALETTE.astype(np.uint32) @ (1 << 16, 1 << 8, 1)
        order = np.argsort(known)
        place = np.searchsorted(known[order], codes).clip(max=len(known) - 1)
        ids = order[place]
        foreign = (known[ids] != codes).any() or (pixels[..., 3:] < 255).any()
    if foreign:
        raise LabelsError(
            f'{path} holds colors that are not those of the classes, and no '
            'ids. Export the map as gray or palette PNG.'
        )
    return ids.astype(np.uint16)
