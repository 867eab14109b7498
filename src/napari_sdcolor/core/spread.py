"""How the values of a photo spread: what a tone window is chosen by.

Looked at a part at a time, in any order, so that a photo may be larger than
the memory and the pages of one file may be taken together. Values that stand
for no measurement (a constant far outside of all others, many times over)
and the few that stray (dead pixels, overshoot) are told apart from the rest.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FEW = 1e-4
"""Share of integers up to which values outside are strays."""

MANY = 16
"""A constant that is found less often is no stand-in for missing values."""

FAR = 8
"""A gap of so many times the spread of the others is no tone of a photo."""

OVERSHOOT = 0.1
"""How far sharpening and resampling take floats beyond 0 to 1."""

FAR_FEW, NEAR_FEW = 1e-3, 1e-2
"""Shares of floats that may lie farther, and less far, outside of 0 to 1."""

NOISE = 32
"""Values below zero by no such part of the highest are noise of black."""

VARIED = 64
"""So many different tones are a photo's, fewer may be a drawing's."""

SAMPLE = 2**18
"""Values looked at together, or by which the bulk of all is known."""


class Spread:
    """What is known of the values looked at so far.

    Parameters
    ----------
    nodata
        A value that the file itself calls missing; left out.
    hint
        Two points that a file proposes; what lies outside is counted.

    Attributes
    ----------
    count, outside : int
        Values that are numbers, and those of them outside of the hint.
    low, high : float
        Darkest and brightest value.
    """

    def __init__(
        self,
        nodata: float | None = None,
        hint: tuple[float, float] | None = None,
    ) -> None:
        self.count = self.outside = 0
        self.low, self.high = math.inf, -math.inf
        self._nodata, self._hint = nodata, hint

    def look(self, values: NDArray) -> None:
        """Take in further values, of any shape."""
        if values.dtype.kind == 'f' and not np.isfinite(values).all():
            values = values[np.isfinite(values)]
        if self._nodata is not None:
            values = values[values != self._nodata]
        if not values.size:
            return
        if self._hint is not None:
            low, high = self._hint
            below = np.count_nonzero(values < low)
            self.outside += int(below + np.count_nonzero(values > high))
        self.count += values.size
        self._measure(values)

    def _measure(self, values: NDArray) -> None:
        raise NotImplementedError

    def _repeated(self, times: int) -> bool:
        """Whether a constant is found too often for a dead pixel."""
        return times >= max(MANY, FEW * self.count)


class Integers(Spread):
    """Integers of more than 8 bits.

    After ``settle``, ``low`` and ``high`` are those of the valid values.

    Attributes
    ----------
    quarter : int
        Highest value of those that need a quarter of the type.
    gaps : tuple of float
        Constants that stand for no measurement.
    strays : int
        Values outside of ``low`` to ``high`` that are not counted in.
    """

    def __init__(
        self,
        dtype: np.dtype,
        nodata: float | None = None,
        hint: tuple[float, float] | None = None,
    ) -> None:
        super().__init__(nodata, hint)
        self.quarter = 2 ** (8 * dtype.itemsize - 2) - 1
        self.gaps: tuple[float, ...] = ()
        self.strays = 0
        self._lowest = self._highest = 0  # how often found
        self._negative = self._deep = self._above = 0
        self._top = -math.inf  # of those within a quarter
        self._bottom = self._nonnegative = math.inf

    def _measure(self, values: NDArray) -> None:
        flat = values.reshape(-1)
        for start in range(0, flat.size, SAMPLE):
            self._measure_part(flat[start : start + SAMPLE])

    def _measure_part(self, values: NDArray) -> None:
        # As int: the largest of 64 bits are no floats.
        high = int(values.max())
        if high >= self.high:
            times = np.count_nonzero(values == high)
            self._highest = times + self._highest * (high == self.high)
            self.high = high
        top = high
        if high > self.quarter:
            inside = values <= self.quarter
            self._above += values.size - np.count_nonzero(inside)
            top = int((values * inside).max())
        self._top = max(self._top, top)
        low = int(values.min())
        if low <= self.low:
            times = np.count_nonzero(values == low)
            self._lowest = times + self._lowest * (low == self.low)
            self.low = low
        if low < 0:
            self._measure_negative(values)
        else:
            self._bottom = min(self._bottom, low)
            self._nonnegative = min(self._nonnegative, low)

    def _measure_negative(self, values: NDArray) -> None:
        below = values < 0
        self._negative += np.count_nonzero(below)
        if not below.all():
            rest = np.where(below, values.max(), values)
            self._nonnegative = min(self._nonnegative, int(rest.min()))
        deep = values < -self.quarter - 1
        self._deep += np.count_nonzero(deep)
        if not deep.all():
            rest = np.where(deep, values.max(), values)
            self._bottom = min(self._bottom, int(rest.min()))

    def settle(self, *, strays: bool = True) -> None:
        """Tell what is valid, when all has been looked at.

        Parameters
        ----------
        strays
            Whether to leave out strays, and not only gaps.
        """
        few = FEW * self.count if strays else 0
        span = self._top - max(0.0, min(self._bottom, self._top))
        if 0 < self._above <= few:
            self.strays += self._above
            self.high = self._top
        elif (
            self._above == self._highest
            and self._repeated(self._above)
            and self._above <= self.count / 2
            and span >= 255
            and self.high > FAR * self._top
        ):
            self._gap(self.high)
            self.high = self._top
        noise = strays and -NOISE * self.low <= self.high
        if self._negative and (self._negative <= few or noise):
            self.strays += self._negative
            self.low = self._nonnegative
        elif (
            self._negative == self._lowest
            and self._repeated(self._negative)
            and self._nonnegative < self.high
        ):
            self._gap(self.low)
            self.low = self._nonnegative
        elif self._deep == self._lowest and self._repeated(self._deep):
            self._gap(self.low)
            self.low = self._bottom

    def _gap(self, value: float) -> None:
        self.gaps = (*self.gaps, value)


class Floats(Spread):
    """Floating-point values.

    Attributes
    ----------
    bulk : tuple of float
        Darkest and brightest value without the strays.
    strays : int
        Values outside of the bulk.
    near, far : int
        Values outside of 0 to 1: by no more than an overshoot, and farther.
    negative : int
        Values below zero.
    whole : bool
        Whether all are whole numbers, as counts are.
    gaps : tuple of float
        Constants that stand for no measurement.
    """

    def __init__(
        self,
        nodata: float | None = None,
        hint: tuple[float, float] | None = None,
    ) -> None:
        super().__init__(nodata, hint)
        self.near = self.far = self.negative = self.strays = 0
        self.bulk = (math.inf, -math.inf)
        self.whole = True
        self.gaps: tuple[float, ...] = ()

    def _measure(self, values: NDArray) -> None:
        low, high = float(values.min()), float(values.max())
        if low < 0 or high > 1:
            kept = self._without_gaps(values)
            self.count -= values.size - kept.size
            low, high = float(kept.min()), float(kept.max())
            self._measure_outside(kept)
        else:
            self.whole = self.whole and _all_whole(values)
            self.bulk = min(self.bulk[0], low), max(self.bulk[1], high)
        self.low, self.high = min(self.low, low), max(self.high, high)

    def _measure_outside(self, values: NDArray) -> None:
        negative = np.count_nonzero(values < 0)
        beyond = negative + np.count_nonzero(values > 1)
        far = np.count_nonzero(values < -OVERSHOOT)
        far += np.count_nonzero(values > 1 + OVERSHOOT)
        self.near += int(beyond - far)
        self.far += int(far)
        self.negative += int(negative)
        self.whole = self.whole and _all_whole(values)
        low, high = _bulk(values)
        self.strays += int(
            np.count_nonzero(values < low) + np.count_nonzero(values > high)
        )
        self.bulk = min(self.bulk[0], low), max(self.bulk[1], high)

    @property
    def in_unit(self) -> bool:
        """Whether practically all lie in 0 to 1."""
        return (
            self.far <= FAR_FEW * self.count
            and self.near + self.far <= NEAR_FEW * self.count
        )

    def _without_gaps(self, values: NDArray) -> NDArray:
        for _ in range(4):
            low, high = float(values.min()), float(values.max())
            found = _low_gap(values, low) or _high_gap(values, high)
            if not found:
                break
            gap = low if found == 'low' else high
            if gap not in self.gaps:
                self.gaps = (*self.gaps, gap)
            values = values[values != values.dtype.type(gap)]
        return values


def _often(values: NDArray, constant: float) -> bool:
    times = np.count_nonzero(values == values.dtype.type(constant))
    return max(MANY, FEW * values.size) <= times < values.size


def _low_gap(values: NDArray, low: float) -> str:
    if low >= 0 or not _often(values, low):
        return ''
    rest = values[values > low]
    dark, bright = float(rest.min()), float(rest.max())
    alone = dark >= 0  # the only value below zero
    far = dark - low > FAR * (bright - dark)
    return 'low' if bright > dark and (alone or far) else ''


def _high_gap(values: NDArray, high: float) -> str:
    if high <= 1 or not _often(values, high):
        return ''
    rest = values[values < high]
    dark, bright = float(rest.min()), float(rest.max())
    far = high - bright > FAR * (bright - dark)
    # The paper of a drawing may be as far from its ink.
    photo = len(np.unique(_sample(rest))) >= VARIED
    return 'high' if bright > dark and far and photo else ''


def _bulk(values: NDArray) -> tuple[float, float]:
    """Darkest and brightest value but for few that lie far outside."""
    low, high = float(values.min()), float(values.max())
    # In float64: the spread of the largest floats is none of float32.
    q0, q1 = np.quantile(
        _sample(values).astype(np.float64), (FAR_FEW, 1 - FAR_FEW)
    )
    reach = 2 * (q1 - q0)
    floor, ceiling = float(q0 - reach), float(q1 + reach)
    if not reach > 0 or (low >= floor and high <= ceiling):
        return low, high
    kept = (values >= floor) & (values <= ceiling)
    if np.count_nonzero(kept) < (1 - FAR_FEW) * values.size:
        return low, high
    inside = values[kept]
    return float(inside.min()), float(inside.max())


def _all_whole(values: NDArray) -> bool:
    # Most floats are no counts, which some of them tell.
    return all(
        bool((np.rint(part) == part).all())
        for part in (_sample(values)[:1000], values)
    )


def _sample(values: NDArray) -> NDArray:
    flat = values.reshape(-1)
    return flat[:: max(1, flat.size // SAMPLE)]
