"""What the boxes around a JPEG 2000 codestream tell.

ISO/IEC 15444-1, annex I (JP2), and 15444-2, annex M (JPX).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from napari_sdcolor.archive.headers import MAX_BOXES
from napari_sdcolor.errors import PhotoError

_SUPERBOXES = (b'jp2h', b'res ', b'jpch', b'jplh', b'cgrp')

MAX_ENTRIES = 1024
"""No palette has more of them (I.5.3.4)."""

MAX_CHANNELS = 2**14
"""No codestream has more of them."""

ENUMERATED, PROFILES = 1, (2, 3)
"""Ways in which a color space is told."""


@dataclass(frozen=True)
class ColorSpace:
    """One statement on the color space; a file may make several.

    Parameters
    ----------
    method
        ``ENUMERATED``, one of ``PROFILES``, or another.
    precedence
        The higher, the better.
    approximation
        1 is exact, 4 is poor; 0 where nothing is said.
    number
        Of an enumerated space; -1 for others.
    content
        An ICC profile, or the parameters of an enumerated space.
    """

    method: int
    precedence: int
    approximation: int
    number: int
    content: bytes

    @property
    def rank(self) -> tuple[int, int]:
        """The statement to follow has the highest."""
        return self.precedence, -max(1, self.approximation)


@dataclass(frozen=True)
class Palette:
    """Values that codes stand for.

    Parameters
    ----------
    bits
        Of each column.
    columns
        Values of each column.
    channels
        Component, and column or None if its codes are values themselves,
        of each channel.
    """

    bits: tuple[int, ...]
    columns: tuple[tuple[int, ...], ...]
    channels: tuple[tuple[int, int | None], ...]

    @property
    def value_bits(self) -> int:
        """Bits of the values that the channels show.

        Raises
        ------
        PhotoError
            If there are none.
        """
        used = {column for _, column in self.channels if column is not None}
        if not used or any(column >= len(self.bits) for column in used):
            raise PhotoError('its palette is damaged')
        return max(self.bits[column] for column in used)


@dataclass(frozen=True)
class Boxes:
    """What was found.

    Parameters
    ----------
    spaces
        Statements on the color space, in the order of the file.
    palette
        Or None.
    channels
        Number, type and association of each channel that is defined.
    resolution
        Dots per inch across and down, when captured if that is told.
    """

    spaces: tuple[ColorSpace, ...] = ()
    palette: Palette | None = None
    channels: tuple[tuple[int, int, int], ...] = ()
    resolution: tuple[float, float] | None = None


def read_boxes(data: bytes) -> Boxes:
    """Read what lies in front of the codestream.

    Raises
    ------
    struct.error, LookupError
        If a box is shorter than what it must hold.
    PhotoError
        If a palette cannot be true, or no picture has so much of it.
    """
    found: dict[bytes, list[bytes]] = {}
    for kind, content in _walk(data):
        found.setdefault(kind, []).append(content)
    spaces = tuple(map(_space, found.get(b'colr', ())))
    palette = None
    if b'pclr' in found:
        palette = _palette(found[b'pclr'][0], found.get(b'cmap', [b''])[0])
    defined = found.get(b'cdef', [b''])[0]
    stated = found.get(b'resc') or found.get(b'resd')
    return Boxes(
        spaces,
        palette,
        _rows('>3H', defined[2:]),
        _resolution(stated[0]) if stated else None,
    )


def _walk(data: bytes, depth: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each box, and of those inside of others.

    Of several codestreams or layers, the first is the picture.
    """
    place, seen = 0, set()
    for _ in range(MAX_BOXES):
        if place + 8 > len(data):
            return
        length, kind = struct.unpack_from('>I4s', data, place)
        head = 8
        if length == 1:
            (length,) = struct.unpack_from('>Q', data, place + 8)
            head = 16
        length = length or len(data) - place
        if length < head:
            return
        content = data[place + head : place + length]
        if kind in _SUPERBOXES and depth < 4:
            if kind not in seen:
                yield from _walk(content, depth + 1)
            seen.add(kind)
        else:
            yield kind, content
        place += length
    raise PhotoError('it has more boxes than any picture')


def _space(content: bytes) -> ColorSpace:
    method, precedence, approximation = struct.unpack_from('>BbB', content)
    number, rest = -1, content[3:]
    if method == ENUMERATED:
        (number,) = struct.unpack_from('>I', rest)
        rest = rest[4:]
    return ColorSpace(method, precedence, approximation, number, rest)


def _palette(content: bytes, mapping: bytes) -> Palette:
    entries, count = struct.unpack_from('>HB', content)
    depths = struct.unpack_from(f'{count}B', content, 3)
    if not 1 <= entries <= MAX_ENTRIES:
        raise PhotoError('its palette is damaged')
    place, columns = 3 + count, [[] for _ in range(count)]
    for _ in range(entries):
        for column, depth in zip(columns, depths, strict=True):
            size = (depth & 0x7F) // 8 + 1
            column.append(int.from_bytes(content[place : place + size], 'big'))
            place += size
    channels = [
        (component, column if kind == 1 else None)
        for component, kind, column in _rows('>HBB', mapping)
    ]
    return Palette(
        tuple((depth & 0x7F) + 1 for depth in depths),
        tuple(map(tuple, columns)),
        tuple(channels or ((0, column) for column in range(count))),
    )


def _rows(form: str, content: bytes) -> tuple[tuple[int, ...], ...]:
    """A table of what channels are, without a row that is cut."""
    size = struct.calcsize(form)
    count = len(content) // size
    if count > MAX_CHANNELS:
        raise PhotoError(f'it holds {count} channels')
    return tuple(struct.iter_unpack(form, content[: count * size]))


def _resolution(content: bytes) -> tuple[float, float] | None:
    """Dots per inch, of a box that counts per meter."""
    down, below, across, beneath, up, over = struct.unpack_from(
        '>4H2b', content
    )
    if not below or not beneath:
        return None
    inch = 0.0254
    found = (
        inch * across / beneath * 10.0**over,
        inch * down / below * 10.0**up,
    )
    return found if all(map(math.isfinite, found)) else None
