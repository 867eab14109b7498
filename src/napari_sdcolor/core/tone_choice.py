"""Choosing the tone window: one rule for every way to color a photo.

8 bits and black and white: the range of the type. Wider integers and floats:
what the file says; else the smallest power of two above the brightest value,
where the values fill less than a quarter of their type (a 12-bit scan in 16
bits); else the type, which is 0 to 1 for floats. Values that stand for
missing data and the few that stray have no part in it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.core.spread import NOISE, Floats, Integers
from napari_sdcolor.core.tone import (
    EXTREMES,
    GIVEN,
    NO_TAGS,
    POWER,
    TAGS,
    TYPE,
    UNIT,
    ToneTags,
    ToneWindow,
    number,
    type_range,
)
from napari_sdcolor.settings import SettingsError, parse_window
from napari_sdcolor.words import counted

MOST_COUNTS = 2**24
"""Whole floats up to here are counts; beyond, not all are told apart."""


def choose_tones(
    array: NDArray,
    window: str | tuple[float, float] = 'auto',
    tags: ToneTags = NO_TAGS,
) -> ToneWindow:
    """The tone window of pixels.

    Parameters
    ----------
    array
        Pixel values of any shape, boolean, integer or float: a plane, or a
        stack whose planes are to agree.
    window
        'auto', 'type', 'minmax', 'LOW,HIGH' or the two points (see
        ``settings.Settings.window``).
    tags
        What a file says about them.

    Raises
    ------
    SettingsError
        If the window is none of these.
    """
    choice = ToneChoice(array.dtype, window, tags)
    if choice.needs_values:
        choice.look(array)
    return choice.chosen()


class ToneChoice:
    """Chooses a tone window for values that are seen a part at a time.

    Parameters
    ----------
    dtype
        Of the values.
    window, tags
        As for ``choose_tones``.

    Raises
    ------
    SettingsError
        If the window is none.
    """

    def __init__(
        self,
        dtype: np.dtype,
        window: str | tuple[float, float] = 'auto',
        tags: ToneTags = NO_TAGS,
    ) -> None:
        self._dtype = dtype
        self._window = (
            parse_window(window) if isinstance(window, str) else window
        )
        self._tags = tags
        self._nodata = _in_type(tags.nodata, dtype)
        args = (self._nodata, tags.points)
        self._spread: Integers | Floats = (
            Floats(*args) if dtype.kind == 'f' else Integers(dtype, *args)
        )

    @property
    def needs_values(self) -> bool:
        """Whether the window depends on the values themselves."""
        narrow = self._dtype.itemsize == 1 or self._dtype.kind == 'b'
        if self._window == 'minmax':
            return self._dtype.kind != 'b'
        by_rule = self._window == 'auto' or (
            self._window == 'type' and self._dtype.kind != 'f'
        )
        return by_rule and not narrow and not self._exact

    @property
    def _exact(self) -> bool:
        return self._tags.exact and self._tags.points is not None

    def look(self, values: NDArray) -> None:
        """Take in values; any number of times."""
        self._spread.look(values)

    def chosen(self) -> ToneWindow:
        """The tone window, when all values have been looked at."""
        if self._dtype.kind == 'b':
            return ToneWindow(0.0, 1.0, TYPE, 'black and white')
        if not isinstance(self._window, str):
            return self._made(_given(*self._window), GIVEN, 'as given')
        if self._window == 'minmax':
            return self._extremes()
        if self._exact:
            return self._by_tags(self._tags.points)
        if self._window == 'type':
            return self._by_type()
        if self._dtype.kind != 'f' and self._dtype.itemsize == 1:
            return self._by_type()
        return self._by_values()

    def _by_values(self) -> ToneWindow:
        points, spread = self._tags.points, self._spread
        if points is not None and 2 * spread.outside <= spread.count:
            return self._by_tags(points)
        notes = ()
        if points is not None:
            words = f'{points[0]:g} to {points[1]:g}, but most values lie'
            notes = (f'{self._tags.source} says {words} outside: not used.',)
        if isinstance(spread, Floats):
            return self._by_floats(spread, notes)
        spread.settle()
        return self._by_integers(spread, notes)

    def _by_tags(self, points: tuple[float, float]) -> ToneWindow:
        return self._made(
            points,
            TAGS,
            f'as the file says ({self._tags.source})',
            cut=self._spread.outside,
        )

    def _by_type(self) -> ToneWindow:
        if self._dtype.kind == 'f':
            return self._made((0.0, 1.0), TYPE, f'the range of {self._dtype}')
        points = type_range(self._dtype)
        notes: tuple[str, ...] = ()
        if self._window == 'type' and self._spread.count:
            used = (self._spread.high - points[0]) / (points[1] - points[0])
            more = "the tone window 'auto' shows more."
            words = f'{used:.1%} of the range of {self._dtype}'
            if used < 0.25:
                notes = (f'The brightest pixel uses {words}: {more}',)
        return self._made(
            points, TYPE, f'the whole range of {self._dtype}', notes
        )

    def _by_integers(
        self, spread: Integers, notes: tuple[str, ...]
    ) -> ToneWindow:
        low, high = spread.low, spread.high
        more = {'notes': notes, 'cut': spread.strays, 'gaps': spread.gaps}
        if not spread.count:
            low = high = 0  # nothing but missing data
        bits = _bits(low, high)
        if self._tags.bits is not None and bits <= self._tags.bits:
            points = _binary(low, self._tags.bits)
            reason = f'as the file says ({self._tags.source})'
            return self._made(points, TAGS, reason, **more)
        if low >= 0 and high <= spread.quarter:
            return self._made(
                _binary(low, bits),
                POWER,
                f'as of a photo of {counted(bits, "bit")}, since its highest '
                f'value is {number(high)}',
                **more,
            )
        if low >= 0 and self._dtype.kind == 'i':
            return self._made(
                (0.0, float(np.iinfo(self._dtype).max)),
                TYPE,
                f'the range of {self._dtype} without negative values, as '
                'there are none',
                **more,
            )
        if low < 0 and high - low <= spread.quarter:
            if -low <= high / 4:
                return self._made(
                    (float(low), float(high)),
                    EXTREMES,
                    'the lowest and the highest value',
                    **more,
                )
            return self._made(
                _binary(low, bits),
                POWER,
                f'as of a photo of {bits} bits with a sign, since its values '
                f'go from {number(low)} to {number(high)}',
                **more,
            )
        whole = self._by_type()
        return self._made((whole.low, whole.high), TYPE, whole.reason, **more)

    def _by_floats(self, spread: Floats, notes: tuple[str, ...]) -> ToneWindow:
        if spread.in_unit:
            return self._made(
                (0.0, 1.0),
                UNIT,
                'in which practically all floats lie',
                notes,
                cut=spread.near + spread.far,
                gaps=spread.gaps,
            )
        low, high = spread.bulk
        more = {'notes': notes, 'cut': spread.strays, 'gaps': spread.gaps}
        black = -high / NOISE <= low < high
        if spread.whole and black and high <= MOST_COUNTS:
            bits = _bits(0, int(high))
            more['cut'] = max(spread.strays, spread.negative)
            return self._made(
                _binary(0, bits),
                POWER,
                f'as of a photo of {counted(bits, "bit")}, since its values are '
                f'whole numbers up to {number(high)}',
                **more,
            )
        return self._made(
            _apart(low, high),
            EXTREMES,
            'the lowest and the highest value',
            **more,
        )

    def _extremes(self) -> ToneWindow:
        spread = self._spread
        if isinstance(spread, Integers) and self._dtype.itemsize > 1:
            spread.settle(strays=False)
        low, high = spread.low, spread.high
        gaps = spread.gaps if self._dtype.itemsize > 1 else ()
        if not spread.count:
            low = high = 0
        return self._made(
            _apart(float(low), float(high)),
            EXTREMES,
            'the lowest and the highest value',
            gaps=gaps,
        )

    def _made(
        self,
        points: tuple[float, float],
        rule: str,
        reason: str,
        notes: tuple[str, ...] = (),
        *,
        cut: int = 0,
        gaps: tuple[float, ...] = (),
    ) -> ToneWindow:
        """The window, with all that is to be said about it."""
        said = list(notes)
        if cut:
            values = 'value lies' if cut == 1 else 'values lie'
            said.append(
                f'{cut} {values} outside of the tone window and '
                f'{"is" if cut == 1 else "are"} cut to black or white.'
            )
        nodata = gaps
        if self._nodata is not None:
            nodata = (self._nodata, *gaps)
            said.append(
                f'The file says that {number(self._nodata)} stands for missing '
                'data: left out of the tone window and shown black.'
            )
        said += [
            f'The value {number(gap)} is found many times and far from all others, '
            'as if it stood for missing data: left out of the tone window '
            'and shown black.'
            for gap in gaps
        ]
        return ToneWindow(*points, rule, reason, nodata, tuple(said))


def _given(low: float, high: float) -> tuple[float, float]:
    low, high = float(low), float(high)
    if not (np.isfinite((low, high)).all() and low < high):
        raise SettingsError(
            f'The tone window goes from {low:g} to {high:g}; it needs two '
            'numbers, the lower one first.'
        )
    return low, high


def _apart(low: float, high: float) -> tuple[float, float]:
    """Two points; one tone only becomes black, whatever its value."""
    return (low, high) if low < high else (low, low + max(1.0, abs(low)))


def _bits(low: float, high: float) -> int:
    """Bits that whole numbers from low to high need."""
    high = max(int(high), 1 if low >= 0 else 0)
    if low >= 0:
        return high.bit_length()
    return max(high.bit_length(), (-int(low) - 1).bit_length()) + 1


def _binary(low: float, bits: int) -> tuple[float, float]:
    """The range of so many bits, with a sign if low is negative."""
    if low >= 0:
        return 0.0, float(2**bits - 1)
    return float(-(2 ** (bits - 1))), float(2 ** (bits - 1) - 1)


def _in_type(value: float | None, dtype: np.dtype) -> float | int | None:
    """A value as pixels of a type have it; None if they cannot."""
    if value is None or dtype.kind == 'b' or not np.isfinite(value):
        return None
    if dtype.kind == 'f':
        with np.errstate(over='ignore'):
            value = float(dtype.type(value))
        return value if np.isfinite(value) else None
    limits = np.iinfo(dtype)
    whole = value == int(value) and limits.min <= value <= limits.max
    return int(value) if whole else None
