"""The tone window: which value is black and which is white."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.core import lab
from napari_sdcolor.core.planes import bands

STRIP = 2**20
"""Pixels converted at a time."""

MOST_DIGITS = 1e12
"""Whole numbers up to here are written with all their digits."""

TAGS, POWER, TYPE = 'tags', 'power of two', 'type'
UNIT, EXTREMES = 'float range', 'min-max'
GIVEN, RECORDED = 'given', 'recorded'
"""What a tone window can be chosen by."""


@dataclass(frozen=True)
class ToneWindow:
    """A tone window and why it was chosen.

    Parameters
    ----------
    low, high
        The values that become black and white; what lies outside is cut.
    rule
        What it was chosen by, one of the words above.
    reason
        Words for a person, such as 'the whole range of uint16'.
    nodata
        Values that stand for no measurement; shown black.
    notes
        Further sentences for a person.
    """

    low: float
    high: float
    rule: str
    reason: str
    nodata: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def recorded(cls, low: float, high: float) -> ToneWindow:
        """The window of a record that tells two points and no rule."""
        return cls(low, high, RECORDED, 'as an earlier version recorded it')

    @property
    def words(self) -> str:
        """What was chosen and why, such as in a list of facts."""
        points = f'{number(self.low)} to {number(self.high)}'
        return f'tone window {points}, {self.reason}'

    @property
    def sentence(self) -> str:
        """The same as a sentence."""
        return f'T{self.words[1:]}.'

    def facts(self) -> dict[str, Any]:
        """What was chosen, for a program; JSON-serializable."""
        return {
            'low': self.low,
            'high': self.high,
            'rule': self.rule,
            'words': self.sentence,
        }

    def missing(self, pixels: NDArray) -> NDArray[np.bool_] | None:
        """(H, W), where there is no data; None if it is everywhere.

        Parameters
        ----------
        pixels
            (H, W) gray or (H, W, 3) color as stored. A color is missing if
            all of its channels are.
        """
        found = None
        for value in self.nodata:
            here = pixels == value
            here = here.all(-1) if pixels.ndim == 3 else here
            found = here if found is None else found | here
        return found if found is not None and found.any() else None

    def blacken(
        self, pixels: NDArray, missing: NDArray[np.bool_] | None
    ) -> NDArray:
        """The same pixels, those without data black.

        Parameters
        ----------
        pixels
            (H, W) gray or (H, W, 3) color, black lowest.
        missing
            (H, W), as ``missing`` gives it.
        """
        if missing is None:
            return pixels
        pixels = pixels.copy()
        pixels[missing] = as_code(self.low, pixels.dtype)
        return pixels


@dataclass(frozen=True)
class ToneTags:
    """What a file says about its tones.

    Parameters
    ----------
    low, high
        The values that it calls black and white; None if it does not.
    source
        Where it says so, such as 'the display range of ImageJ'.
    exact
        Whether no value can lie outside, as with 12 bits per sample.
    bits
        Depth of its values, if none needs more.
    nodata
        Value of pixels that hold no data.
    """

    low: float | None = None
    high: float | None = None
    source: str = ''
    exact: bool = False
    bits: int | None = None
    nodata: float | None = None

    @property
    def points(self) -> tuple[float, float] | None:
        """The two values, if they are in order."""
        if self.low is None or self.high is None or not self.low < self.high:
            return None
        return float(self.low), float(self.high)


NO_TAGS = ToneTags()


def number(value: float) -> str:
    """A value as a person reads it."""
    whole = value == int(value) and abs(value) < MOST_DIGITS
    return str(int(value)) if whole else f'{value:g}'


def as_code(value: float, dtype: np.dtype) -> float | int:
    """The highest value of a type that is no brighter than this one."""
    if dtype.kind == 'f':
        return value
    limits = np.iinfo(dtype)
    return int(min(max(np.floor(value), limits.min), limits.max))


def type_range(dtype: np.dtype) -> tuple[float, float]:
    """Lowest and highest value of an integer type; 0 and 1 for floats."""
    if dtype.kind in 'bf':
        return 0.0, 1.0
    limits = np.iinfo(dtype)
    return float(limits.min), float(limits.max)


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
