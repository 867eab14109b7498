"""The tone window: which value is black and which is white."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.core import lab
from napari_sdcolor.core.rows import bands
from napari_sdcolor.settings import SettingsError

STRIP = 2**20
"""Pixels converted at a time."""


def find_window(
    array: NDArray, window: str | tuple[float, float]
) -> tuple[float, float]:
    """The black and the white point of an array.

    Parameters
    ----------
    array
        Pixel values, integer or float.
    window
        'auto', 'type', 'minmax' or the two points.

    Raises
    ------
    SettingsError
        If the two points are no numbers in rising order.
    """
    if not isinstance(window, str):
        low, high = float(window[0]), float(window[1])
        if not (np.isfinite((low, high)).all() and low < high):
            raise SettingsError(
                f'The tone window goes from {low:g} to {high:g}; it needs two '
                'numbers, the lower one first.'
            )
        return low, high
    if window in ('auto', 'type'):
        if array.dtype.kind in 'ui':
            limits = np.iinfo(array.dtype)
            return float(limits.min), float(limits.max)
        if window == 'type':
            return 0.0, 1.0
        finite = array[np.isfinite(array)]
        if finite.min() >= 0 and finite.max() <= 1:
            return 0.0, 1.0
    finite = array[np.isfinite(array)] if array.dtype.kind == 'f' else array
    low, high = float(finite.min()), float(finite.max())
    # One tone only: it becomes black, whatever its value.
    return (low, high) if low < high else (low, low + max(1.0, abs(low)))


def lightness_of(
    array: NDArray, low: float, high: float
) -> NDArray[np.float32]:
    """L* of encoded values, computed in float64.

    Parameters
    ----------
    array
        (H, W) gray or (H, W, 3) sRGB color, integer or finite floats.
    low, high
        The values that become black and white; what lies outside is cut.

    Returns
    -------
    NDArray
        (H, W) float32, L* in [0, 100].
    """
    result = np.empty(array.shape[:2], np.float32)
    if (
        array.ndim == 2
        and array.dtype.kind in 'ui'
        and array.dtype.itemsize <= 2
    ):
        limits = np.iinfo(array.dtype)
        codes = np.arange(limits.min, limits.max + 1, dtype=np.float64)
        table = lab.gray_to_lightness(scale(codes, low, high))
        table = table.astype(np.float32)
        for rows in bands(array.shape, STRIP):
            result[rows] = table[array[rows].astype(np.int64) - limits.min]
        return result
    convert = (
        lab.gray_to_lightness if array.ndim == 2 else lab.rgb_to_lightness
    )
    for rows in bands(array.shape, STRIP):
        strip = array[rows].astype(np.float64)
        result[rows] = convert(scale(strip, low, high))
    return result


def scale(values: NDArray, low: float, high: float) -> NDArray:
    """Values as a share in [0, 1] of the window from low to high."""
    return np.clip((values - low) / (high - low), 0, 1)
