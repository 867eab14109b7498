"""EXIF orientation: stored order and how a photo is looked at.

Pixels and maps stay as they are stored; only the networks see them upright.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.core.planes import Box

_INVERSE = {6: 8, 8: 6}
"""The others undo themselves."""


def upright(array: NDArray, orientation: int) -> NDArray:
    """Turn an array (h, w, …) from stored order to how it is looked at."""
    if orientation in (2, 3):
        array = array[:, ::-1]
    if orientation in (3, 4):
        array = array[::-1]
    if orientation in (5, 6, 7, 8):
        array = np.swapaxes(array, 0, 1)
        if orientation in (6, 7):
            array = array[:, ::-1]
        if orientation in (7, 8):
            array = array[::-1]
    return array


def as_stored(array: NDArray, orientation: int) -> NDArray:
    """Undo ``upright``."""
    return upright(array, _INVERSE.get(orientation, orientation))


def box_as_stored(box: Box, shape: tuple[int, int], orientation: int) -> Box:
    """Where a box of an upright plane (h, w) lies in stored order."""
    y0, x0, y1, x1 = box
    h, w = shape
    inverse = _INVERSE.get(orientation, orientation)
    if inverse in (2, 3):
        x0, x1 = w - x1, w - x0
    if inverse in (3, 4):
        y0, y1 = h - y1, h - y0
    if inverse in (5, 6, 7, 8):
        (y0, y1, h), (x0, x1, w) = (x0, x1, w), (y0, y1, h)
        if inverse in (6, 7):
            x0, x1 = w - x1, w - x0
        if inverse in (7, 8):
            y0, y1 = h - y1, h - y0
    return y0, x0, y1, x1
