"""Planes that are looked at a few rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

BAND = 2**22
"""Pixels of a plane that are looked at together."""


class Rows(Protocol):
    """What is as good as an array, as long as rows are asked for.

    An array is one; so is a file whose rows are decoded when needed. The
    first index of ``[...]`` is a slice of rows without a step.
    """

    shape: tuple[int, ...]
    dtype: np.dtype

    def __getitem__(self, key: Any) -> NDArray: ...


def bands(shape: tuple[int, ...], pixels: int = BAND) -> Iterator[slice]:
    """Consecutive rows of a plane (H, W, …), few enough to be handy.

    Parameters
    ----------
    shape
        Of the plane.
    pixels
        A band has at most this many, and at least one row.
    """
    height, width = shape[:2]
    rows = max(1, pixels // max(1, width))
    for top in range(0, height, rows):
        yield slice(top, min(height, top + rows))
