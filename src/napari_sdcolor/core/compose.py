"""From lightness and chroma to sRGB code values.

Lightness is never traded: chroma that lies outside the gamut is lowered at
constant L* and hue, and rounding errors of red and blue are taken up by
green, which carries most of the luminance.
"""

from __future__ import annotations

from functools import cache, reduce

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.core import lab
from napari_sdcolor.core.staircase import staircase

BISECTIONS = 12
"""Steps of the search for the largest chroma inside the gamut."""

_SLACK = 1e-6

_ABSURD = 1e5
"""Chroma (Lab units) above which float32 arithmetic may overflow."""

_WIDEST = 150.0
"""No sRGB color has more chroma (Lab units); the search starts here."""


def compose(
    lightness: NDArray, chroma: NDArray, bits: int, saturation: float = 1.0
) -> NDArray:
    """sRGB code values of a lightness plane and its chroma.

    Parameters
    ----------
    lightness
        (H, W), L* in [0, 100].
    chroma
        (H, W, 2), a and b in Lab units, any finite value.
    bits
        8 or 16.
    saturation
        Factor on the chroma before it is fitted into the gamut.

    Returns
    -------
    NDArray
        (H, W, 3) uint8 or uint16 with |ΔL*| <= 0.26 (8 bits) or 0.001
        (16 bits) against ``lightness``; R = G = B where the chroma is 0.
    """
    dtype = np.float32 if bits == 8 else np.float64
    lightness = np.asarray(lightness, dtype)
    chroma = limit(np.asarray(chroma, dtype), _ABSURD) * dtype(saturation)
    codes = quantize(lightness, fit_gamut(lightness, chroma), bits)
    # Between two grays green would round by itself and tint the pixel.
    neutral = (chroma[..., 0] == 0) & (chroma[..., 1] == 0)
    if neutral.any():
        codes[neutral] = codes[neutral, :1]
    return codes


def limit(chroma: NDArray, bound: float) -> NDArray:
    """Chroma (…, 2) with |a| and |b| up to a bound, at the same hue."""
    largest = _largest(np.abs(chroma))[..., None]
    if not (largest > bound).any():
        return chroma
    factor = chroma.dtype.type(bound) / np.maximum(largest, bound)
    return chroma * factor


def fit_gamut(lightness: NDArray, chroma: NDArray) -> NDArray:
    """Linear RGB (…, 3) in [0, 1] with the largest chroma that fits.

    Where the color of (L*, a, b) is no sRGB color, a and b are scaled by
    the same factor below 1; L* and hue stay.
    """
    linear = lab.lab_to_linear(lightness, chroma)
    outside = _smallest(linear) < -_SLACK
    outside |= _largest(linear) > 1 + _SLACK
    if outside.any():
        level, color = lightness[outside], limit(chroma[outside], _WIDEST)
        low = np.zeros_like(level)
        high = np.ones_like(level)
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            trial = lab.lab_to_linear(level, color * middle[..., None])
            fits = (_smallest(trial) >= 0) & (_largest(trial) <= 1)
            low = np.where(fits, middle, low)
            high = np.where(fits, high, middle)
        linear[outside] = lab.lab_to_linear(level, color * low[..., None])
    return np.clip(linear, 0, 1, out=linear)


def _smallest(colors: NDArray) -> NDArray:
    """Minimum over the last axis; several times faster than ``min``."""
    channels = np.moveaxis(colors, -1, 0)
    return reduce(np.minimum, channels)


def _largest(colors: NDArray) -> NDArray:
    """Maximum over the last axis; several times faster than ``max``."""
    channels = np.moveaxis(colors, -1, 0)
    return reduce(np.maximum, channels)


@cache
def _code_to_linear(bits: int, dtype: type) -> NDArray:
    top = 2**bits - 1
    return lab.srgb_to_linear(np.arange(top + 1) / top).astype(dtype)


def quantize(lightness: NDArray, linear: NDArray, bits: int) -> NDArray:
    """Round linear RGB to code values so that L* survives the rounding.

    Green takes up what the rounding of red and blue did to the lightness,
    but stays next to its own value. A step of a bright red is worth many
    steps of a dark green: without the bound the least change of the color
    could move green by several code values.
    """
    dtype = linear.dtype.type
    depth = np.uint8 if bits == 8 else np.uint16
    codes = np.empty(linear.shape, depth)
    nearest = staircase(bits, dtype, 'nearest')
    table = _code_to_linear(bits, dtype)
    share = lab.LUMINANCE.astype(dtype)
    green = lab.lightness_to_luminance(lightness)
    for channel in (0, 2):
        plane = nearest(linear[..., channel])
        codes[..., channel] = plane
        green -= share[channel] * np.take(table, plane, mode='clip')
    green /= share[1]
    own = staircase(bits, dtype, 'down')(linear[..., 1])
    own += green >= np.take(nearest.borders, own, mode='clip')
    codes[..., 1] = own
    return codes
