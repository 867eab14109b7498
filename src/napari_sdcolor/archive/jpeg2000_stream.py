"""A JPEG 2000 codestream: what it claims, and which of its tiles are there.

ISO/IEC 15444-1, annex A.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from napari_sdcolor.errors import PhotoError

_SOT, _EOC = b'\xff\x90', b'\xff\xd9'
_SIZ = struct.Struct('>8IH')
_SIZ_AT = 8  # behind the markers SOC and SIZ, a length and the capabilities
TILE_PART = struct.Struct('>HHHIBB')


@dataclass(frozen=True)
class Component:
    """Bits of its samples, whether they have a sign, steps between them."""

    bits: int
    signed: bool
    across: int
    down: int


@dataclass(frozen=True)
class Layout:
    """What the first marker segment of a codestream tells.

    Parameters
    ----------
    width, height
        Of the picture.
    tiles
        Their number.
    components
        Of the picture.
    """

    width: int
    height: int
    tiles: int
    components: tuple[Component, ...]


def read_layout(data: bytes, start: int) -> Layout:
    """Read it.

    Raises
    ------
    PhotoError
        If it cannot be true.
    struct.error
        If there is more of it than of the data.
    """
    x1, y1, x0, y0, across, down, left, top, count = _SIZ.unpack_from(
        data, start + _SIZ_AT
    )
    if not across or not down or left > x0 or top > y0:
        raise PhotoError('its header is damaged: its tiles have no size')
    place = start + _SIZ_AT + _SIZ.size
    components = tuple(
        Component((depth & 0x7F) + 1, bool(depth & 0x80), step_x, step_y)
        for depth, step_x, step_y in (
            struct.unpack_from('>3B', data, place + 3 * number)
            for number in range(count)
        )
    )
    tiles = -(-(x1 - left) // across) * -(-(y1 - top) // down)
    return Layout(max(0, x1 - x0), max(0, y1 - y0), tiles, components)


@dataclass(frozen=True)
class Stream:
    """A codestream, taken apart.

    Parameters
    ----------
    head
        All in front of the first tile.
    parts
        Number of the tile and bytes of each part that is whole.
    broken
        Numbers of the tiles of which something is missing.
    ended
        Whether the end is marked.
    """

    head: bytes
    parts: tuple[tuple[int, bytes], ...]
    broken: frozenset[int]
    ended: bool

    @classmethod
    def of(cls, data: bytes, start: int, tiles: int) -> Stream:
        """Take a codestream apart.

        Parameters
        ----------
        data, start
            The file, and where the codestream begins.
        tiles
            How many it should have.

        Raises
        ------
        PhotoError
            If its head is not whole.
        """
        first = _first_tile(data, start)
        place, parts = first, []
        wanted: dict[int, int] = {}
        found = dict.fromkeys(range(tiles), 0)
        broken = set()
        while data[place : place + 2] == _SOT and place + 12 <= len(data):
            _, _, tile, length, _, count = TILE_PART.unpack_from(data, place)
            stop = place + length if length else _last(data, place)
            if stop < place + 14:
                break
            wanted[tile] = max(count, wanted.get(tile, 1))
            if stop > len(data):
                broken.add(tile)
                break
            found[tile] = found.get(tile, 0) + 1
            parts.append((tile, data[place:stop]))
            place = stop
        broken |= {
            tile
            for tile, count in found.items()
            if tile < tiles and count < wanted.get(tile, 1)
        }
        ended = data[place : place + 2] == _EOC
        return cls(data[start:first], tuple(parts), frozenset(broken), ended)

    def whole(self, *, without_broken: bool = False) -> bytes:
        """A codestream that decoders take, with or without broken tiles."""
        kept = [
            part
            for tile, part in self.parts
            if not (without_broken and tile in self.broken)
        ]
        return b''.join((self.head, *kept, _EOC))


def _first_tile(data: bytes, start: int) -> int:
    place = start + 2
    while data[place : place + 2] != _SOT:
        if data[place : place + 1] != b'\xff' or place + 4 > len(data):
            raise PhotoError('the file ends before the image does')
        place += 2 + max(2, int.from_bytes(data[place + 2 : place + 4], 'big'))
    return place


def _last(data: bytes, place: int) -> int:
    """Where a part ends that says no more than that it is the last."""
    end = data.rfind(_EOC, place)
    return end if end >= 0 else len(data)
