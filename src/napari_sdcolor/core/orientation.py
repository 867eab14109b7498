"""EXIF orientation: stored order and how a photo is looked at.

Pixels and maps stay as they are stored; only the networks see them upright.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    return upright(array, inverse)
