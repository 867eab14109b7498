"""Color profiles: sRGB for results, other ones understood on reading."""

from __future__ import annotations

import io
import struct
from functools import cache

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import ImageCms

from napari_sdcolor.core.tone import scale

_DATE = struct.pack('>6H', 2000, 1, 1, 0, 0, 0)
_EXACT = 0x0100
# Little CMS: no shortcuts; they cost up to 0.4 L* in the shadows.

_NOT_APPLIED = 'The color profile {} is kept in the sidecar but not applied.'
_SPACES = {'GRAY': 'gray', 'RGB': 'rgb'}


@cache
def srgb_profile() -> bytes:
    """The sRGB profile's bytes, the same at any time of day."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB'))
    data = bytearray(profile.tobytes())
    data[24:36] = _DATE  # the library writes the present moment here
    return bytes(data)


def to_srgb(
    pixels: NDArray, icc: bytes, points: tuple[float, float] | None
) -> tuple[NDArray, tuple[str, ...]]:
    """Bring pixels from their profile to sRGB.

    Parameters
    ----------
    pixels
        (H, W) gray or (H, W, 3) color codes.
    icc
        The profile's bytes.
    points
        The codes of the profile's black and white; None if nobody knows.

    Returns
    -------
    pixels, notes
        In the type of the input. Pixels that are sRGB already, or of
        another type than uint8 and uint16, come back as they are.
    """
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc)).profile
        space = _SPACES.get(profile.xcolor_space.strip(), '')
        name = (profile.profile_description or '').strip() or 'unnamed'
        if _is_srgb(icc, space):
            return pixels, ()
        channels = 'gray' if pixels.ndim == 2 else 'rgb'
        if (
            space != channels
            or points is None
            or pixels.dtype not in (np.uint8, np.uint16)
        ):
            return pixels, (_NOT_APPLIED.format(f'({name})'),)
        if channels == 'gray':
            codes = np.arange(np.iinfo(pixels.dtype).max + 1)
            codes = codes.astype(pixels.dtype)[None]
            table = _within(codes, icc, space, points)
            converted = table[0, :, 1][pixels]
        else:
            converted = _within(pixels, icc, space, points)
    except (OSError, imagecodecs.CmsError, ImageCms.PyCMSError):
        return pixels, (_NOT_APPLIED.format('(damaged)'),)
    return converted, (f'Converted from the color profile ({name}) to sRGB.',)


def _transform(pixels: NDArray, icc: bytes, space: str) -> NDArray:
    return imagecodecs.cms_transform(
        pixels,
        icc,
        srgb_profile(),
        colorspace=space,
        outcolorspace='rgb',
        outdtype=pixels.dtype,
        flags=_EXACT,
    )


def _within(
    pixels: NDArray, icc: bytes, space: str, points: tuple[float, float]
) -> NDArray:
    """Converted codes that stay between two points."""
    low, high = points
    top = np.iinfo(pixels.dtype).max
    if points == (0, top):
        return _transform(np.ascontiguousarray(pixels), icc, space)
    codes = np.rint(scale(pixels, low, high) * top).astype(pixels.dtype)
    share = _transform(codes, icc, space) / top
    return np.rint(low + share * (high - low)).clip(0, top).astype(codes.dtype)


def _is_srgb(icc: bytes, space: str) -> bool:
    """Whether the profile leaves 8-bit colors where they are.

    The name would not tell: sRGB profiles come under dozens of names.
    """
    if not space:
        return False
    steps = np.arange(256, dtype=np.uint8)
    if space == 'gray':
        probe, wanted = steps[None], steps[None, :, None]
    else:
        coarse = steps[::17]
        mesh = np.meshgrid(coarse, coarse, coarse, indexing='ij')
        colors = np.stack(mesh, axis=-1).reshape(1, -1, 3)
        ramp = np.repeat(steps[None, :, None], 3, axis=-1)
        probe = wanted = np.concatenate((colors, ramp), axis=1)
    seen = _transform(np.ascontiguousarray(probe), icc, space)
    return bool(np.abs(seen.astype(int) - wanted).max() <= 1)
