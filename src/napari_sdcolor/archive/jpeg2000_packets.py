"""Whether the tiles of a JPEG 2000 codestream hold all of their packets.

A tile that was cut between two packets decodes without a word, only coarser.
How many packets it should have follows from its size and from how it is
coded; where each ends, from its header. Nothing is decoded here.

ISO/IEC 15444-1, annexes A and B. Not looked at are codestreams that keep the
headers of packets elsewhere (PPM, PPT) or that are of part 15; and what is
beyond ``MAX_STEPS``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product
from operator import attrgetter

from napari_sdcolor.archive.jpeg2000_layout import Area, Component, Layout
from napari_sdcolor.archive.jpeg2000_precinct import (
    Damaged,
    NotLookedAt,
    Precinct,
    Steps,
)

_COD, _COC, _POC, _PPM, _PPT = 0xFF52, 0xFF53, 0xFF5F, 0xFF60, 0xFF61
_SOT, _SOD = 0xFF90, 0xFF93
_OWN_PRECINCTS = 1
_KNOWN_STYLES = 0x3F
_WHOLE, _MAX_LEVELS = 15, 32
_LRCP, _RLCP, _RPCL, _PCRL, _CPRL = range(5)


@dataclass(frozen=True)
class _Coding:
    """How a component is coded: levels, exponents of sizes, code-blocks."""

    levels: int
    block: tuple[int, int]
    style: int
    precincts: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, told: bytes, own_precincts: bool) -> _Coding:
        """That of the end of a COD or COC segment."""
        levels, across, down, style = struct.unpack_from('>4B', told)
        sizes = told[5 : 6 + levels] if own_precincts else b''
        if (
            levels > _MAX_LEVELS
            or style & ~_KNOWN_STYLES
            or (own_precincts and len(sizes) <= levels)
        ):
            raise NotLookedAt
        precincts = tuple((size & 15, size >> 4) for size in sizes)
        precincts = precincts or ((_WHOLE, _WHOLE),) * (levels + 1)
        if any(0 in size for size in precincts[1:]):
            raise NotLookedAt
        return cls(levels, (across + 2, down + 2), style, precincts)


@dataclass(frozen=True)
class _Volume:
    """Packets that follow each other in one order."""

    resolutions: range
    components: range
    layers: int
    order: int


@dataclass(frozen=True)
class _Codings:
    """What the segments of a header tell of the packets."""

    order: int = -1
    layers: int = 0
    volumes: tuple[_Volume, ...] = ()
    general: _Coding | None = None
    special: Mapping[int, _Coding] | None = None

    def told(self, header: bytes, components: int) -> _Codings:
        """With what the segments of a further header tell."""
        found, special = self, {}
        for marker, content in _segments(header):
            if marker in (_PPM, _PPT):
                raise NotLookedAt
            if marker == _COD:
                flags, order, layers = struct.unpack_from('>BBH', content)
                coding = _Coding.of(content[5:], bool(flags & _OWN_PRECINCTS))
                # It takes the place of all that is told above it.
                found = _Codings(order, layers, found.volumes, coding)
            elif marker == _POC:
                more = tuple(_volumes(content, components))
                found = replace(found, volumes=found.volumes + more)
            elif marker == _COC:
                form = '>BB' if components < 257 else '>HB'
                number, flags = struct.unpack_from(form, content)
                rest = content[struct.calcsize(form) :]
                special[number] = _Coding.of(
                    rest, bool(flags & _OWN_PRECINCTS)
                )
        return replace(found, special={**(found.special or {}), **special})

    def of(self, component: int) -> _Coding:
        """How a component is coded."""
        coding = (self.special or {}).get(component, self.general)
        if coding is None:
            raise NotLookedAt
        return coding


def _volumes(content: bytes, components: int) -> Iterator[_Volume]:
    form = '>BBHBBB' if components < 257 else '>BHHBHB'
    whole = len(content) // struct.calcsize(form) * struct.calcsize(form)
    for first, start, layers, last, stop, order in struct.iter_unpack(
        form, content[:whole]
    ):
        # 0 stands for more than there are.
        own = range(start, stop or components)
        yield _Volume(range(first, last), own, layers, order)


def unfinished(
    layout: Layout, head: bytes, parts: Sequence[tuple[int, bytes]]
) -> frozenset[int]:
    """Numbers of the tiles that end before their last packet does.

    Parameters
    ----------
    layout
        Of the picture.
    head
        The codestream in front of its first tile.
    parts
        Number of the tile and bytes of each of its parts.
    """
    tiles: dict[int, list[bytes]] = {}
    for tile, part in parts:
        tiles.setdefault(tile, []).append(part)
    steps, found = Steps(), set()
    try:
        codings = _Codings().told(head[2:], len(layout.components))
        for tile, own in tiles.items():
            if tile < layout.tiles and _lacks(
                layout, tile, codings, own, steps
            ):
                found.add(tile)
    except (NotLookedAt, struct.error):
        pass
    return frozenset(found)


def _lacks(
    layout: Layout,
    tile: int,
    codings: _Codings,
    parts: Sequence[bytes],
    steps: Steps,
) -> bool:
    own, data = replace(codings, volumes=()), []
    for part in parts:
        header = part[12:]
        own = own.told(header, len(layout.components))
        data.append(header[_length(header) + 2 :])
    own = replace(own, volumes=own.volumes or codings.volumes)
    packets = _packets(layout, tile, own, steps)
    stream = b''.join(data)
    place = 0
    try:
        for layer, precinct in packets:
            place = precinct.skip(stream, place, layer)
    except Damaged:
        return True
    return False


def _segments(header: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and content of each segment in front of the data."""
    place = 0
    while place + 4 <= len(header):
        marker, length = struct.unpack_from('>HH', header, place)
        if marker in (_SOT, _SOD) or marker < 0xFF00:
            return
        yield marker, header[place + 4 : place + 2 + length]
        place += 2 + max(2, length)


def _length(header: bytes) -> int:
    """Bytes of the segments in front of the data."""
    return sum(4 + len(content) for _, content in _segments(header))


# --- which packets there are, and in which order ---------------------------


def _up(value: int, step: int) -> int:
    return -(-value // step)


def _packets(
    layout: Layout, tile: int, codings: _Codings, steps: Steps
) -> Iterator[tuple[int, Precinct]]:
    """Layer and precinct of each packet of a tile."""
    area = layout.tile_area(tile)
    found = []
    for number, component in enumerate(layout.components):
        found += _precincts(area, component, number, codings.of(number), steps)
    everything = _Volume(
        range(_MAX_LEVELS + 1),
        range(len(layout.components)),
        codings.layers,
        codings.order,
    )
    for volume in codings.volumes or (everything,):
        steps.take(len(found))
        own = [
            precinct
            for precinct in found
            if precinct.resolution in volume.resolutions
            and precinct.component in volume.components
        ]
        layers = range(min(volume.layers, codings.layers))
        steps.take(len(own) * len(layers))
        for layer, precinct in _ordered(own, layers, volume.order):
            if layer == precinct.layers:  # else it came before
                yield layer, precinct


def _ordered(
    precincts: list[Precinct], layers: range, order: int
) -> Iterator[tuple[int, Precinct]]:
    """Layer and precinct of packets in the order of B.12."""
    # Sorting is stable: the precincts of a resolution stay as they come.
    keys = {
        _LRCP: lambda p: (p.resolution, p.component),
        _RLCP: lambda p: (p.resolution, p.component),
        _RPCL: lambda p: (p.resolution, p.y, p.x, p.component),
        _PCRL: lambda p: (p.y, p.x, p.component, p.resolution),
        _CPRL: lambda p: (p.component, p.y, p.x, p.resolution),
    }
    if order not in keys:
        raise NotLookedAt
    precincts = sorted(precincts, key=keys[order])
    if order == _LRCP:
        yield from product(layers, precincts)
    elif order == _RLCP:
        for _, own in groupby(precincts, attrgetter('resolution')):
            yield from product(layers, list(own))
    else:
        for precinct in precincts:
            for layer in layers:
                yield layer, precinct


def _precincts(
    tile: Area,
    component: Component,
    number: int,
    coding: _Coding,
    steps: Steps,
) -> Iterator[Precinct]:
    """Those of a component of a tile, from its coarsest resolution on."""
    left, top = _up(tile[0], component.across), _up(tile[1], component.down)
    right, end = _up(tile[2], component.across), _up(tile[3], component.down)
    for resolution, exponents in enumerate(coding.precincts):
        step = 2 ** (coding.levels - resolution)
        x0, y0, x1, y1 = (_up(v, step) for v in (left, top, right, end))
        if x0 >= x1 or y0 >= y1:
            continue
        # In a resolution above the coarsest, a precinct has half its size
        # in each of three bands, which lie beside each other.
        fine = min(resolution, 1)
        size = [2**exponent for exponent in exponents]
        block = [
            2 ** min(most, exponent - fine)
            for most, exponent in zip(coding.block, exponents, strict=True)
        ]
        bands = [
            tuple(
                _up(v - step * half, step << fine)
                for v, half in zip(
                    (left, top, right, end), (odd_x, odd_y) * 2, strict=True
                )
            )
            for odd_x, odd_y in (
                ((1, 0), (0, 1), (1, 1)) if fine else ((0, 0),)
            )
        ]
        columns = range(x0 // size[0], _up(x1, size[0]))
        rows = range(y0 // size[1], _up(y1, size[1]))
        steps.take(len(columns) * len(rows))
        for row, column in product(rows, columns):
            grids = [
                _blocks(band, (column, row), [s >> fine for s in size], block)
                for band in bands
            ]
            yield Precinct(
                component=number,
                resolution=resolution,
                x=max(tile[0], column * size[0] * step * component.across),
                y=max(tile[1], row * size[1] * step * component.down),
                grids=[grid for grid in grids if 0 not in grid],
                style=coding.style,
                steps=steps,
            )


def _blocks(
    band: Area, place: tuple[int, int], size: list[int], block: list[int]
) -> tuple[int, int]:
    """Code-blocks across and down of a band's share in a precinct."""
    counts = []
    for axis in range(2):
        start = max(band[axis], place[axis] * size[axis])
        stop = min(band[axis + 2], (place[axis] + 1) * size[axis])
        count = _up(stop, block[axis]) - start // block[axis]
        counts.append(count if stop > start else 0)
    return counts[0], counts[1]
