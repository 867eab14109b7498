"""Color arithmetic: sRGB, CIE L*a*b* (D65) and the gamut.

Everything here works on arrays of any shape whose last axis holds the
channels, in the floating-point type of its input.  The white point is the
sum of the rows of the sRGB matrix, so that a = b = 0 gives R = G = B exactly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

RGB_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
WHITE = RGB_TO_XYZ.sum(axis=1)
"""X, Y, Z of R = G = B = 1 (D65)."""

XYZ_TO_RGB = np.linalg.inv(RGB_TO_XYZ)
LUMINANCE = RGB_TO_XYZ[1] / WHITE[1]
"""Share of linear R, G and B in the relative luminance Y."""

_DELTA = 6 / 29


def _floating(values: ArrayLike) -> NDArray:
    values = np.asarray(values)
    if not np.issubdtype(values.dtype, np.floating):
        values = values.astype(np.float64)
    return values


def srgb_to_linear(encoded: ArrayLike) -> NDArray:
    """Undo the sRGB curve: code values in [0, 1] to linear light."""
    encoded = _floating(encoded)
    power = ((np.maximum(encoded, 0.04045) + 0.055) / 1.055) ** 2.4
    return np.where(encoded <= 0.04045, encoded / 12.92, power)


def linear_to_srgb(linear: ArrayLike) -> NDArray:
    """Apply the sRGB curve: linear light in [0, 1] to code values."""
    linear = _floating(linear)
    encoded = np.maximum(linear, 0.0031308) ** (1 / 2.4)
    encoded = np.asarray(1.055 * encoded - 0.055)
    np.copyto(encoded, linear * 12.92, where=linear <= 0.0031308)
    return encoded


def _f(t: NDArray) -> NDArray:
    linear = t / (3 * _DELTA**2) + 4 / 29
    return np.where(t > _DELTA**3, np.cbrt(np.maximum(t, 0)), linear)


def _f_inverse(f: NDArray) -> NDArray:
    # Products, as powers take six times as long; and what is dark is rare,
    # so that it is computed where it is needed only.
    t = np.asarray(f * f)
    t *= f
    dark = f <= _DELTA
    if dark.any():
        t[dark] = 3 * _DELTA**2 * (f[dark] - 4 / 29)
    return t


def luminance_to_lightness(luminance: ArrayLike) -> NDArray:
    """Relative luminance Y in [0, 1] to L* in [0, 100]."""
    return 116 * _f(_floating(luminance)) - 16


def lightness_to_luminance(lightness: ArrayLike) -> NDArray:
    """L* in [0, 100] to relative luminance Y in [0, 1]."""
    return _f_inverse((_floating(lightness) + 16) / 116)


def gray_to_lightness(encoded: ArrayLike) -> NDArray:
    """L* of sRGB-encoded gray values in [0, 1]."""
    return luminance_to_lightness(srgb_to_linear(encoded))


def lightness_to_gray(lightness: ArrayLike) -> NDArray:
    """sRGB-encoded gray value in [0, 1] of L*."""
    return linear_to_srgb(lightness_to_luminance(lightness))


def rgb_to_lightness(encoded: ArrayLike) -> NDArray:
    """L* of sRGB-encoded colors (…, 3) in [0, 1]."""
    linear = srgb_to_linear(encoded)
    return luminance_to_lightness(linear @ LUMINANCE.astype(linear.dtype))


def rgb_to_lab(encoded: ArrayLike) -> NDArray:
    """sRGB code values (…, 3) in [0, 1] to L*a*b* (…, 3)."""
    linear = srgb_to_linear(encoded)
    matrix = (RGB_TO_XYZ / WHITE[:, None]).astype(linear.dtype)
    f = _f(linear @ matrix.T)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=-1)


def lab_to_linear(lightness: NDArray, ab: NDArray) -> NDArray:
    """L* (…) and ab (…, 2) to linear RGB (…, 3), not clipped.

    Each channel is a plane of its own in memory, which what comes after can
    read several times faster.
    """
    fy = (lightness + 16) / 116
    x = _f_inverse(fy + ab[..., 0] / 500)
    y = _f_inverse(fy)
    z = _f_inverse(fy - ab[..., 1] / 200)
    linear = np.empty((3, *y.shape), y.dtype)
    share = np.empty_like(y)
    matrix = (XYZ_TO_RGB * WHITE).astype(y.dtype)
    for plane, (of_x, of_y, of_z) in zip(linear, matrix, strict=True):
        np.multiply(x, of_x, out=plane)
        plane += np.multiply(y, of_y, out=share)
        plane += np.multiply(z, of_z, out=share)
    return np.moveaxis(linear, 0, -1)
