"""Fax compression (CCITT RLE, group 3 and group 4), with its damage told.

Every line is held against its width and every code word against the tables,
so that a damaged line is known as one. In group 3 the next end-of-line mark
starts afresh; in the other kinds all that follows is lost.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from tifffile import COMPRESSION

from napari_sdcolor.archive.ccitt_codes import (
    HORIZONTAL,
    MODES,
    PASS,
    RUNS,
    STRAIGHT,
)

_EOL_ZEROS = 11
"""Zeros before the one that ends a line; no code word has as many."""

_END = 0x001001
"""The 24 bits that end a picture in group 4."""

_TWO_DIMENSIONS = 1
"""Bit of the tag T4Options: lines may refer to the one above."""

Line = list[int]
# Where the color changes, from white on the left; ends before the width.


class _Broken(Exception):
    """Bits that are no line."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place


@dataclass
class _Lines:
    """Lines that were found; None stands for one that is lost."""

    found: list[Line | None] = field(default_factory=list)
    harmed: bool = False

    def fitted(self, height: int) -> list[Line | None]:
        """Exactly so many, what is too many or too few put right where the
        damage is."""
        lines = self.found
        while len(lines) > height and None in lines:
            lines.remove(None)
        missing = height - len(lines)
        if missing > 0:
            self.harmed = True
            place = lines.index(None) if None in lines else len(lines)
            lines[place:place] = [None] * missing
        return lines[:height]


def decode_ccitt(
    data: bytes,
    compression: int,
    height: int,
    width: int,
    *,
    options: int = 0,
    paper: int = 0,
) -> tuple[NDArray[np.uint8], str]:
    """Decode a strip or tile.

    Parameters
    ----------
    data
        Its bytes, the first bit the highest of a byte.
    compression
        ``COMPRESSION.CCITTRLE``, ``CCITT_T4`` or ``CCITT_T6``.
    height, width
        Of the strip; lines beyond are left out.
    options
        Value of the tag T4Options.
    paper
        Value of lost lines: 0 for white runs, 1 for black ones.

    Returns
    -------
    pixels
        (height, width), 0 in white runs and 1 in black ones.
    damage
        What is lost, as a sentence without its subject; '' if nothing is.
    """
    bits = _Bits(data)
    if compression == COMPRESSION.CCITT_T6:
        lines = _group4(bits, height, width)
    elif compression == COMPRESSION.CCITT_T4:
        lines = _group3(bits, height, width, bool(options & _TWO_DIMENSIONS))
    else:
        lines = _run_lengths(bits, height, width, aligned=True)
    pixels = np.zeros((height, width + 1), np.uint8)
    lost = 0
    for number, line in enumerate(lines.fitted(height)):
        if line is None:
            lost += 1
            pixels[number, 0] = paper
        elif line:
            pixels[number, line] = 1
    np.bitwise_xor.accumulate(pixels, axis=1, out=pixels)
    if lost:
        were = 'is' if lost == 1 else 'are'
        return pixels[:, :width], f'{lost} of its {height} lines {were} lost'
    if lines.harmed:
        return pixels[:, :width], 'its lines do not end where they should'
    return pixels[:, :width], ''


class _Bits:
    """Bytes to be read bit by bit; zeros follow their end."""

    def __init__(self, data: bytes) -> None:
        self.end = 8 * len(data)
        raw = np.frombuffer(data + bytes(4), np.uint8).astype(np.uint32)
        words = raw[:-3] << 24 | raw[1:-2] << 16 | raw[2:-1] << 8 | raw[3:]
        # At each byte, the 32 bits from there on.
        self.words = array('I', words.tobytes())

    def at(self, place: int, count: int) -> int:
        """Up to 25 bits from some place on."""
        if place >= self.end:
            return 0
        word = self.words[place >> 3]
        return (word >> (32 - count - (place & 7))) & ((1 << count) - 1)

    def next_one(self, place: int) -> int:
        """Where the next bit is 1; ``end`` if there is none."""
        while place < self.end:
            word = self.words[place >> 3] & (0xFFFFFFFF >> (place & 7))
            if word:
                return (place & ~7) + 32 - word.bit_length()
            place = (place & ~7) + 32
        return self.end

    def mark(self, place: int) -> int:
        """Where the next end-of-line mark ends; 0 if there is none."""
        while place < self.end:
            one = self.next_one(place)
            if one == self.end:
                return 0
            if one - place >= _EOL_ZEROS:
                return one + 1
            place = one + 1
        return 0

    def run(self, place: int, black: int) -> tuple[int, int]:
        """Length of a run, and the place behind it."""
        words, table, run = self.words, RUNS[black], 0
        while place < self.end:
            found = table[(words[place >> 3] >> (19 - (place & 7))) & 0x1FFF]
            if found < 0:
                break
            place += found & 15
            run += found >> 4
            if found < 1024:  # the last part is shorter than 64
                return run, place
        raise _Broken(place)

    def line(self, place: int, width: int) -> tuple[Line, int]:
        """A line that stands for itself, and the place behind it."""
        line: Line = []
        here = black = 0
        while here < width:
            run, place = self.run(place, black)
            here += run
            black ^= 1
            line.append(here)
        if here > width or place > self.end:
            raise _Broken(place)
        return _changes(line, width), place

    def line_below(
        self, place: int, above: Line, width: int
    ) -> tuple[Line, int]:
        """A line that is coded against the one above it."""
        words, end = self.words, self.end
        above = [*above, width, width, width, width]
        line: Line = []
        here, black, next_above = -1, 0, 0
        while here < width:
            if place >= end:
                raise _Broken(place)
            found = MODES[(words[place >> 3] >> (25 - (place & 7))) & 0x7F]
            if found < 0:
                raise _Broken(place)
            place += found & 15
            mode = found >> 4
            if mode > HORIZONTAL:
                there = above[next_above] + mode - STRAIGHT
                if there < here or there < 0 or there > width:
                    raise _Broken(place)
                line.append(there)
                here, black = there, black ^ 1
                next_above += 1
                if next_above > 1 and above[next_above - 2] > here:
                    next_above -= 2
            elif mode == PASS:
                here = above[next_above + 1]
            else:
                one, place = self.run(place, black)
                other, place = self.run(place, black ^ 1)
                there = max(here, 0) + one
                here = there + other
                if here > width:
                    raise _Broken(place)
                line += (there, here)
            while above[next_above] <= here < width:
                next_above += 2
        if place > end:
            raise _Broken(place)
        return _changes(line, width), place


def _changes(line: Line, width: int) -> Line:
    """The changes that are ones: no runs of length 0, none at the end."""
    kept: Line = []
    for place in line:
        if kept and kept[-1] == place:
            kept.pop()
        else:
            kept.append(place)
    while kept and kept[-1] >= width:
        kept.pop()
    return kept


def _run_lengths(
    bits: _Bits, height: int, width: int, *, aligned: bool
) -> _Lines:
    """Lines that follow each other without marks."""
    lines, place = _Lines(), 0
    try:
        while len(lines.found) < height:
            line, place = bits.line(place, width)
            lines.found.append(line)
            place += -place % 8 if aligned else 0
    except _Broken:
        lines.harmed = True
    return lines


def _group4(bits: _Bits, height: int, width: int) -> _Lines:
    lines, place = _Lines(), 0
    above: Line = []
    # With an end mark in its place, lines must lead there.
    end = bits.end - 1
    while end >= 24 and not bits.at(end, 1):
        end -= 1
    end -= 23
    marked = end >= 0 and bits.at(end, 24) == _END
    try:
        while len(lines.found) < height and not (marked and place == end):
            above, place = bits.line_below(place, above, width)
            lines.found.append(above)
        while marked and place != end:
            above, place = bits.line_below(place, above, width)
    except _Broken:
        lines.harmed = True
    return lines


def _group3(bits: _Bits, height: int, width: int, both: bool) -> _Lines:
    """Lines behind marks; with ``both``, some refer to the one above."""
    if bits.next_one(0) < _EOL_ZEROS and not both:
        # Some writers leave out the first mark, some all of them.
        lines = _run_lengths(bits, height, width, aligned=False)
        if not lines.harmed:
            return lines
        place = 0
    else:
        place = bits.mark(0)
    lines, above, most = _Lines(), None, 2 * height + 16
    while place < bits.end and len(lines.found) < most:
        one = bits.next_one(place)
        if one == bits.end or one - place == _EOL_ZEROS:
            break  # marks without lines end a picture
        try:
            alone = True
            if both:
                alone = bool(bits.at(place, 1))
                place += 1
                if bits.next_one(place) - place >= _EOL_ZEROS:
                    break
            if alone:
                above, place = bits.line(place, width)
            elif above is None:
                raise _Broken(place)
            else:
                above, place = bits.line_below(place, above, width)
        except _Broken as broken:
            above, place = None, broken.place
            lines.harmed = True
        lines.found.append(above)
        behind = bits.next_one(place)
        following = bits.mark(place)
        if behind < bits.end and following != behind + 1:
            lines.harmed = lines.harmed or len(lines.found) < height
        if not following:
            break
        place = following
    return lines
