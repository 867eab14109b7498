"""Where the packets of a JPEG 2000 precinct end.

ISO/IEC 15444-1, annex B.9 and B.10. The headers are read and the data is
skipped.
"""

from __future__ import annotations

from collections.abc import Sequence

MAX_STEPS = 2**20
"""Packets and code-blocks that are looked at in a codestream: seconds."""

_SOP, _EPH = b'\xff\x91', b'\xff\x92'
_BYPASS, _END_ALL = 0x01, 0x04
_MAX_LENGTH_BITS = 32


class NotLookedAt(Exception):
    """A codestream of a kind that is left to the decoder."""


class Damaged(Exception):
    """Packets that end early, or whose headers make no sense."""


class Steps:
    """How much was looked at so far."""

    def __init__(self) -> None:
        self._left = MAX_STEPS

    def take(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise NotLookedAt


class Precinct:
    """What the packets of a precinct have told so far.

    Parameters
    ----------
    component, resolution, x, y
        Its place in the order of packets.
    grids
        Code-blocks across and down, of each band that has any.
    style
        Of the code-blocks.
    steps
        Counts them.

    Attributes
    ----------
    layers : int
        Of which a packet was skipped so far.
    """

    def __init__(
        self,
        *,
        component: int,
        resolution: int,
        x: int,
        y: int,
        grids: Sequence[tuple[int, int]],
        style: int,
        steps: Steps,
    ) -> None:
        self.component, self.resolution = component, resolution
        self.x, self.y = x, y
        self.layers = 0
        self._grids, self._style, self._steps = grids, style, steps
        self._count = sum(across * down for across, down in grids)
        self._bands: list[_Band] = []

    def skip(self, data: bytes, place: int, layer: int) -> int:
        """Where the packet of a layer ends that begins at a place."""
        self.layers = layer + 1
        if data[place : place + 2] == _SOP:
            place += 6
        bits, length = _Bits(data, place), 0
        if bits.read():
            self._steps.take(self._count)
            if not self._bands:
                self._bands = [_Band(*g, self._style) for g in self._grids]
            length = sum(band.length(bits, layer) for band in self._bands)
        place = bits.end()
        if data[place : place + 2] == _EPH:
            place += 2
        if place + length > len(data):
            raise Damaged
        return place + length


class _Band:
    """The code-blocks of a precinct in one band."""

    def __init__(self, across: int, down: int, style: int) -> None:
        self._across, self._style = across, style
        self._first = _TagTree(across, down)
        self._planes = _TagTree(across, down)
        count = across * down
        self._length_bits = bytearray(count)  # 0: in no packet so far
        self._passes = bytearray(count)  # of the present segment
        self._most = bytearray(count)  # passes that it takes

    def length(self, bits: _Bits, layer: int) -> int:
        """Bytes that a packet holds of it."""
        total = 0
        for block, old in enumerate(self._length_bits):
            y, x = divmod(block, self._across)
            if old:
                if bits.read():
                    total += self._segments(bits, block)
            elif self._first.below(bits, x, y, layer + 1):
                planes = 1
                while not self._planes.below(bits, x, y, planes):
                    planes += 1
                self._length_bits[block] = 3
                self._most[block] = self._next(0)
                total += self._segments(bits, block)
        return total

    def _segments(self, bits: _Bits, block: int) -> int:
        passes = _number_of_passes(bits)
        wide = self._length_bits[block]
        while bits.read():
            wide += 1
            if wide > _MAX_LENGTH_BITS:
                raise Damaged
        self._length_bits[block] = wide
        total = 0
        while passes:
            done, most = self._passes[block], self._most[block]
            if done == most:
                done, most = 0, self._next(most)
            now = min(passes, most - done)
            total += bits.number(wide + now.bit_length() - 1)
            self._passes[block], self._most[block] = done + now, most
            passes -= now
        return total

    def _next(self, most: int) -> int:
        """Passes of a segment that follows one of so many; 0 for none."""
        if self._style & _END_ALL:
            return 1
        if self._style & _BYPASS:
            return 10 if not most else 1 if most == 2 else 2
        return 255


def _number_of_passes(bits: _Bits) -> int:
    if not bits.read():
        return 1
    if not bits.read():
        return 2
    for least, wide in ((3, 2), (6, 5)):
        more = bits.number(wide)
        if more < 2**wide - 1:
            return least + more
    return 37 + bits.number(7)


class _TagTree:
    """Numbers on a grid, told little by little (B.10.2)."""

    def __init__(self, across: int, down: int) -> None:
        self._levels: list[tuple[int, list[int], bytearray]] = []
        while True:
            count = across * down
            self._levels.append((across, [0] * count, bytearray(count)))
            if count == 1:
                break
            across, down = -(-across // 2), -(-down // 2)

    def below(self, bits: _Bits, x: int, y: int, limit: int) -> bool:
        """Whether the number at a place is below a limit."""
        least, sure = 0, 0
        for level in range(len(self._levels) - 1, -1, -1):
            across, numbers, known = self._levels[level]
            place = (y >> level) * across + (x >> level)
            least, sure = max(least, numbers[place]), known[place]
            while least < limit and not sure:
                if bits.read():
                    sure = known[place] = 1
                else:
                    least += 1
            numbers[place] = least
        return bool(sure) and least < limit


class _Bits:
    """Bits of the header of a packet; one is stuffed behind a byte 255."""

    def __init__(self, data: bytes, place: int) -> None:
        self._data, self._place = data, place
        self._byte = self._left = 0

    def read(self) -> int:
        if not self._left:
            if self._place >= len(self._data):
                raise Damaged
            self._left = 7 if self._byte == 0xFF else 8
            self._byte = self._data[self._place]
            self._place += 1
        self._left -= 1
        return self._byte >> self._left & 1

    def number(self, wide: int) -> int:
        """A number of so many bits."""
        value = 0
        for _ in range(wide):
            value = value << 1 | self.read()
        return value

    def end(self) -> int:
        """Where the bytes begin that follow the last bit."""
        return self._place + (self._byte == 0xFF)
