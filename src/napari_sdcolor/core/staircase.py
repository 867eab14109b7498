"""From linear light to code values, by tables that know every border.

The sRGB curve takes a power, several times as long as looking up where the
next code value begins. The borders are found by asking the curve itself, so
that the codes are those of its own arithmetic, bit for bit.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.core import lab

_ROUNDINGS = {'nearest': np.rint, 'down': np.floor}

_SLACK = 2**7
"""Of a border, in units of the last place: more than its arithmetic errs."""


class Staircase:
    """Code values as a function of linear light.

    Parameters
    ----------
    bits
        8 or 16.
    dtype
        float32 or float64, the type of the linear light.
    rounding
        To the nearest code value, or down to the next one.

    Attributes
    ----------
    borders : NDArray
        (2**bits,) of ``dtype``: at entry n the least linear light whose code
        value is above n; infinity at the last entry.
    """

    def __init__(
        self,
        bits: int,
        dtype: type[np.floating],
        rounding: Literal['nearest', 'down'],
    ) -> None:
        self.borders = _borders(bits, dtype, _ROUNDINGS[rounding])
        # Over the square root of the light the steps are about equally
        # long: cells half as long as a code value hold one border at most.
        self._count = 2 ** (bits + 1)
        edges = (np.arange(self._count + 1) / self._count) ** 2
        # No light may be rounded into a cell that begins above it.
        edges *= 1 - _SLACK * np.finfo(dtype).eps
        found = np.searchsorted(self.borders, edges, side='right')
        self._cells = found.astype(np.uint8 if bits == 8 else np.uint16)

    def __call__(self, linear: NDArray) -> NDArray[np.intp]:
        """Code values of linear light in [0, 1]."""
        place = np.sqrt(linear)
        place *= self._count
        codes = place.astype(np.intp)
        # Given a mode other than 'raise', NumPy needs no buffer.
        codes[...] = np.take(self._cells, codes, mode='clip')
        codes += linear >= np.take(self.borders, codes, mode='clip')
        return codes


@cache
def staircase(
    bits: int,
    dtype: type[np.floating],
    rounding: Literal['nearest', 'down'],
) -> Staircase:
    """The ``Staircase`` of these parameters, made once."""
    return Staircase(bits, dtype, rounding)


def _borders(
    bits: int, dtype: type[np.floating], rounding: np.ufunc
) -> NDArray:
    """See ``Staircase.borders``; found by bisection among all numbers."""
    top = 2**bits - 1
    whole = np.int32 if dtype == np.float32 else np.int64
    first = 0.5 if rounding is np.rint else 1.0
    about = lab.srgb_to_linear((np.arange(top) + first) / top).astype(dtype)
    # Positive numbers are ordered as the integers of the same bits are.
    below = about.view(whole) - whole(_SLACK)
    above = about.view(whole) + whole(_SLACK)
    code = np.arange(top)
    while (above - below > 1).any():
        middle = below + (above - below) // 2
        encoded = lab.linear_to_srgb(middle.view(dtype)) * dtype(top)
        reached = rounding(encoded) > code
        above = np.where(reached, middle, above)
        below = np.where(reached, below, middle)
    return np.append(above.view(dtype), dtype(np.inf))
