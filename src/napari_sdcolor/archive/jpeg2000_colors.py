"""Color spaces of JPEG 2000 files, brought to gray or RGB."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import ImageCms

from napari_sdcolor.archive.jpeg2000_boxes import (
    ENUMERATED,
    PROFILES,
    ColorSpace,
)
from napari_sdcolor.archive.profiles import srgb_profile
from napari_sdcolor.errors import PhotoError

_BILEVEL, _LAB, _BILEVEL_2, _SRGB, _GRAY, _SYCC = 0, 14, 15, 16, 17, 18
_CHANNELS = {_BILEVEL: 1, _LAB: 3, _BILEVEL_2: 1, _SRGB: 3, _GRAY: 1, _SYCC: 3}
_PROFILE_CHANNELS = {b'GRAY': 1, b'RGB ': 3}

_NAMES = {
    1: 'YCbCr',
    3: 'YCbCr',
    4: 'YCbCr',
    9: 'PhotoYCC',
    11: 'CMY',
    12: 'CMYK',
    13: 'YCCK',
    19: 'CIEJab',
    20: 'e-sRGB',
    21: 'ROMM-RGB',
    22: 'YPbPr',
    23: 'YPbPr',
    24: 'e-sYCC',
}
"""Enumerated spaces that are not read (ISO/IEC 15444-2, table M.25)."""


@dataclass(frozen=True)
class Colors:
    """What the channels mean.

    Parameters
    ----------
    number
        Of an enumerated space that is read.
    icc
        A profile instead.
    parameters
        Of the enumerated space.
    """

    number: int
    icc: bytes = b''
    parameters: bytes = b''

    @property
    def converts(self) -> bool:
        """Whether samples are anything else than gray or RGB."""
        return self.number in (_LAB, _SYCC)

    @property
    def full_range(self) -> bool:
        """Whether converted samples fill their data type."""
        return self.number == _LAB

    @property
    def inverted(self) -> bool:
        """Whether the lowest value is white."""
        return self.number == _BILEVEL

    def converted(self, pixels: NDArray, bits: int) -> NDArray:
        """(H, W, C) samples of so many bits as gray or RGB."""
        if self.number == _SYCC:
            return _from_sycc(pixels, bits)
        if self.number == _LAB:
            return _from_lab(pixels, bits, self.parameters)
        return pixels


def choose_colors(
    spaces: Sequence[ColorSpace], channels: int, notes: list[str]
) -> Colors:
    """Which statement on the color space counts.

    Parameters
    ----------
    spaces
        All that the file makes.
    channels
        Of color: 1 or 3.
    notes
        Receives a sentence if none is understood.

    Raises
    ------
    PhotoError
        If all that are understood mean what is not read, such as inks.
    """
    plain = Colors(_SRGB if channels == 3 else _GRAY)
    ranked = sorted(spaces, key=_rank, reverse=True)
    for space in ranked:
        if _channels_of(space) == channels:
            if space.method in PROFILES:
                return Colors(-1, icc=space.content)
            return Colors(space.number, parameters=space.content)
    for space in ranked:
        if _channels_of(space) and space.method in PROFILES:
            return Colors(-1, icc=space.content)  # kept, not applied
        name = _name(space)
        if name:
            raise PhotoError(
                f'its colors are stored as {name}; convert it to gray or RGB'
            )
    if spaces:
        words = 'RGB' if channels == 3 else 'gray'
        notes.append(
            f'The color space that the file states is not known: {words}.'
        )
    return plain


def _rank(space: ColorSpace) -> tuple[int, int]:
    return space.rank


def _channels_of(space: ColorSpace) -> int:
    """Channels of a space that is read; 0 for others."""
    if space.method == ENUMERATED:
        return _CHANNELS.get(space.number, 0)
    if space.method in PROFILES:
        return _PROFILE_CHANNELS.get(space.content[16:20], 0)
    return 0


def _name(space: ColorSpace) -> str:
    """The name of a space that is not read; '' if there is none."""
    if space.method == ENUMERATED:
        return _NAMES.get(space.number, '')
    if space.method in PROFILES:
        name = space.content[16:20].decode('ascii', 'ignore').strip()
        return name if name.isalnum() else ''
    return ''


def _from_sycc(pixels: NDArray, bits: int) -> NDArray:
    """RGB of luma and chroma over their full range (IEC 61966-2-1, G)."""
    top, half = 2**bits - 1, 2 ** (bits - 1)
    luma, blue, red = np.moveaxis(pixels.astype(np.float32), -1, 0)
    blue -= half
    red -= half
    rgb = np.stack(
        (
            luma + 1.402 * red,
            luma - 0.344136 * blue - 0.714136 * red,
            luma + 1.772 * blue,
        ),
        axis=-1,
    )
    return np.rint(rgb).clip(0, top).astype(pixels.dtype)


def _from_lab(pixels: NDArray, bits: int, parameters: bytes) -> NDArray:
    """sRGB over the whole range of its type, of CIELab (D50)."""
    told = (100, 0, 170, 2 ** (bits - 1), 200, 3 * 2 ** (bits - 3))
    if len(parameters) >= 24:
        told = struct.unpack_from('>6I', parameters)
    ranges, offsets = np.float64(told[::2]), np.float64(told[1::2])
    lab = (pixels - offsets) * ranges / (2**bits - 1)
    # As ICC profiles of version 4 code it in 16 bits.
    codes = (lab + (0, 128, 128)) * (655.35, 257, 257)
    return imagecodecs.cms_transform(
        np.rint(codes).clip(0, 65535).astype(np.uint16),
        _lab_profile(),
        srgb_profile(),
        colorspace='lab',
        outcolorspace='rgb',
        outdtype=np.uint8 if bits <= 8 else np.uint16,
    )


@cache
def _lab_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile('LAB')).tobytes()
