"""The sizes that a JPEG 2000 codestream claims.

ISO/IEC 15444-1, annexes A.5.1 and B.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from napari_sdcolor.errors import PhotoError

_SIZ = struct.Struct('>8IH')
_SIZ_AT = 8  # behind the markers SOC and SIZ, a length and the capabilities

Area = tuple[int, int, int, int]
"""Left, top, and the first column and row that are not in it any more."""


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
    area, grid
        Of the picture and of its first tile, on the grid that all
        components share; the tile may begin in front of the picture.
    """

    width: int
    height: int
    tiles: int
    components: tuple[Component, ...]
    area: Area
    grid: Area

    def tile_area(self, tile: int) -> Area:
        """What a tile covers of the picture."""
        left, top, right, bottom = self.grid
        across, down = right - left, bottom - top
        row, column = divmod(tile, -(-(self.area[2] - left) // across))
        left, top = left + column * across, top + row * down
        return (
            max(left, self.area[0]),
            max(top, self.area[1]),
            min(left + across, self.area[2]),
            min(top + down, self.area[3]),
        )


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
    if not all(part.across and part.down for part in components):
        raise PhotoError('its header is damaged: its channels have no size')
    tiles = -(-(x1 - left) // across) * -(-(y1 - top) // down)
    return Layout(
        width=max(0, x1 - x0),
        height=max(0, y1 - y0),
        tiles=tiles,
        components=components,
        area=(x0, y0, x1, y1),
        grid=(left, top, left + across, top + down),
    )
