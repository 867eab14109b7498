"""A JPEG 2000 codestream: which of its tiles are there.

ISO/IEC 15444-1, annex A.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from napari_sdcolor.archive.jpeg2000_layout import Layout
from napari_sdcolor.archive.jpeg2000_packets import unfinished
from napari_sdcolor.errors import PhotoError

_SOT, _EOC = b'\xff\x90', b'\xff\xd9'
TILE_PART = struct.Struct('>HHHIBB')


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
    def of(cls, data: bytes, start: int, layout: Layout) -> Stream:
        """Take a codestream apart.

        Parameters
        ----------
        data, start
            The file, and where the codestream begins.
        layout
            What it should have.

        Raises
        ------
        PhotoError
            If its head is not whole.
        """
        first = _first_tile(data, start)
        place, parts = first, []
        wanted: dict[int, int] = {}
        found = dict.fromkeys(range(layout.tiles), 0)
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
            if tile < layout.tiles and count < wanted.get(tile, 1)
        }
        ended = data[place : place + 2] == _EOC
        head = data[start:first]
        # Of the others it is known by now.
        own = [(tile, part) for tile, part in parts if tile not in broken]
        broken |= unfinished(layout, head, own)
        return cls(head, tuple(parts), frozenset(broken), ended)

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
