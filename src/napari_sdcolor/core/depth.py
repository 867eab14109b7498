"""Codes of 8 and of 16 bits."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Rounding = Literal['nearest', 'down', 'upper byte']


def in_eight_bits(
    codes: NDArray[np.uint8 | np.uint16], rounding: Rounding = 'nearest'
) -> NDArray[np.uint8]:
    """Codes of any shape, uint8 or uint16, as uint8.

    Parameters
    ----------
    codes
        Those of 8 bits are given back as they are.
    rounding
        Codes of 16 bits stand for 257 times as much. 'nearest' is for all
        that is shown or saved. 'down' is how photographs to learn from are
        read, and 'upper byte' how thumbnails are made: both as ever, so that
        the same files give the same bytes.
    """
    if codes.dtype.itemsize == 1:
        return codes
    if rounding == 'upper byte':
        return (codes >> 8).astype(np.uint8)
    more = 128 if rounding == 'nearest' else 0
    return ((codes.astype(np.uint32) + more) // 257).astype(np.uint8)


def in_sixteen_bits(codes: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Codes of any shape, so that white stays white."""
    return codes.astype(np.uint16) * np.uint16(257)
