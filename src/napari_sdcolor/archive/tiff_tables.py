"""The tables of tags of a TIFF file, put into the form of the standard.

Writers store tags as another integer type than the standard says, count
wrongly or leave out what can be worked out. Careful readers take all that.
The library behind this package takes some of it, so what it would stumble
over is written anew, in memory: it then reads a stream that has the file's
bytes and, behind them, tables as they should be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.archive.tiff_bounds import beyond_bounds, left_out
from napari_sdcolor.archive.tiff_overlay import Layout, Overlay
from napari_sdcolor.errors import PhotoError

MAX_TAGS = 4096
"""No page has more tags."""

MAX_VALUES = 2**22
"""Lists of more values are left as they are."""

FEW_STRIPS = 16
"""Of images with more, nobody looks whether all their bytes are 0."""

_KIND, _OLD_KIND, _BELOW = 254, 255, 330
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _COLORS = 256, 257, 258, 259, 262
_OFFSETS, _SAMPLES, _ROWS, _COUNTS, _PLANAR = 273, 277, 278, 279, 284
_TILE_WIDTH, _TILE_HEIGHT = 322, 323
_RGB = 2

_ONE_NUMBER = {254, 255, 256, 257, 259, 262, 266, 274, 277, 278, 284, 292}
_ONE_NUMBER |= {293, 296, 317, 322, 323, 512}
_NUMBERS = {258, 273, 279, 320, 324, 325, 330, 338, 339, 513, 514, 530}

_SHORT, _LONG, _LONG8 = 3, 4, 16
_INTEGERS = {_SHORT, _LONG, 8, 9, 13, _LONG8, 17, 18}
"""Types that the library takes where a whole number belongs."""

_FORMS = {1: 'u1', 2: 'u1', 3: 'u2', 4: 'u4', 5: 'u4', 6: 'i1', 7: 'u1'}
_FORMS |= {8: 'i2', 9: 'i4', 10: 'i4', 11: 'f4', 12: 'f8', 13: 'u4'}
_FORMS |= {16: 'u8', 17: 'i8', 18: 'u8'}
_FRACTIONS = (5, 10)


@dataclass(frozen=True)
class Table:
    """What a table says of its page, before a library reads it.

    Parameters
    ----------
    place
        Where it is.
    width, height
        Of the image; 0 if it does not say.
    kind
        Value of the tag NewSubfileType, or what the older SubfileType
        means in it; 0 if it has neither.
    below
        Places of the tables that the tag SubIFDs names.
    notes
        Sentences on tags that were left out.
    taken
        Bytes of the file where no pixels can be: its header and the table.
    """

    place: int
    width: int
    height: int
    kind: int = 0
    below: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    taken: tuple[range, ...] = ()


def standard_table(
    overlay: Overlay, layout: Layout, offset: int, entries: NDArray
) -> Table:
    """A table as it should be, written anew where it is not.

    Parameters
    ----------
    overlay
        The file; takes the new table.
    layout
        Of the file.
    offset
        Where the table is.
    entries
        Its tags.

    Returns
    -------
    Table
        At ``offset``, if nothing is amiss.

    Raises
    ------
    PhotoError
        If a tag claims more values than it can have. With the reason only.
    """
    tags = _Tags(overlay, layout, entries)
    end = offset + np.dtype(layout.number).itemsize + entries.nbytes
    single = np.isin(entries['code'], list(_ONE_NUMBER))
    beyond = ~single
    beyond[~single] = beyond_bounds(entries[~single], _parts(tags))
    notes = left_out(entries[beyond])
    if beyond.any():
        entries = entries[~beyond]
        tags = _Tags(overlay, layout, entries)
    changed = _changed(tags, offset)
    taken = range(2 * layout.first), range(offset, end)
    if changed or beyond.any():
        if overlay.end + 2**20 < np.iinfo(layout.place).max:
            offset = _written(overlay, layout, entries, changed)
        elif beyond.any():
            raise PhotoError(
                'its tags claim more bytes than such tags have, as only '
                'damaged and hostile files do'
            )
    old = {2: 1, 3: 2}.get(tags.number(_OLD_KIND), 0)
    return Table(
        place=offset,
        width=tags.number(_WIDTH),
        height=tags.number(_HEIGHT),
        kind=tags.number(_KIND) or old,
        below=tuple(tags.numbers(_BELOW)),
        notes=notes,
        taken=taken,
    )


def _parts(tags: _Tags) -> int:
    """Strips or tiles that the image can have, at the most."""
    width, height = tags.number(_WIDTH), tags.number(_HEIGHT)
    across, down = width, tags.number(_ROWS) or height
    if _TILE_WIDTH in tags:
        across, down = tags.number(_TILE_WIDTH), tags.number(_TILE_HEIGHT)
    count = -(-width // max(1, across)) * -(-height // max(1, down))
    return count * max(3, tags.number(_SAMPLES))


def _written(
    overlay: Overlay,
    layout: Layout,
    entries: NDArray,
    changed: dict[int, list[int]],
) -> int:
    kept = entries[~np.isin(entries['code'], list(changed))]
    parts = [kept]
    for code, values in changed.items():
        if values:
            parts.append(_entry(overlay, layout, code, values))
    # Joined, numbers would get the order of this machine.
    table = np.concatenate(parts).astype(layout.entry)
    table = table[np.argsort(table['code'], kind='stable')]
    return overlay.add(
        np.array(len(table), layout.number).tobytes()
        + table.tobytes()
        + np.array(0, layout.place).tobytes()
    )


def _entry(
    overlay: Overlay, layout: Layout, code: int, values: list[int]
) -> NDArray:
    kind = _SHORT if code == 320 else _LONG8 if layout.big else _LONG
    form = f'{layout.order}{_FORMS[kind]}'
    top = np.iinfo(form).max
    data = np.array([min(value, top) for value in values], form).tobytes()
    entry = np.zeros(1, layout.entry)
    entry['code'], entry['type'], entry['count'] = code, kind, len(values)
    room = np.dtype(layout.place).itemsize
    if len(data) > room:
        entry['value'] = overlay.add(data)
    else:
        entry['value'] = np.frombuffer(data.ljust(room, b'\0'), layout.place)
    return entry


class _Tags:
    """The tags of a table; the first one counts where one comes twice."""

    def __init__(
        self, overlay: Overlay, layout: Layout, entries: NDArray
    ) -> None:
        self.overlay = overlay
        self._layout = layout
        self.entries: dict[int, NDArray] = {}
        for code, entry in zip(entries['code'].tolist(), entries, strict=True):
            self.entries.setdefault(code, entry)

    def __contains__(self, code: int) -> bool:
        return code in self.entries

    def numbers(self, code: int) -> list[int]:
        """Values as whole numbers; none if there is no telling."""
        if code not in self.entries:
            return []
        entry = self.entries[code]
        count = int(entry['count'])
        if code in _ONE_NUMBER:
            count = min(count, 1)
        if count > MAX_VALUES:
            return []
        return _values(self.overlay, self._layout, entry, count) or []

    def number(self, code: int, default: int = 0) -> int:
        """The first of its values."""
        return next(iter(self.numbers(code)), default)

    def odd(self, code: int) -> bool:
        """Whether its type or number of values is not the standard's."""
        entry = self.entries[code]
        if int(entry['type']) not in _INTEGERS or entry['count'] == 0:
            return True
        return code in _ONE_NUMBER and entry['count'] > 1


def _changed(tags: _Tags, offset: int) -> dict[int, list[int]]:
    """Tags that must be other ones; an empty list stands for none."""
    changed: dict[int, list[int]] = {}
    for code in tags.entries.keys() & (_ONE_NUMBER | _NUMBERS):
        if tags.odd(code):
            values = tags.numbers(code)
            changed[code] = values[:1] if code in _ONE_NUMBER else values
    samples = tags.number(_SAMPLES, 1)
    if _SAMPLES not in tags:
        bits = len(tags.numbers(_BITS))
        if tags.number(_COLORS) == _RGB or bits == 3:
            samples = max(3, bits)
            changed[_SAMPLES] = [samples]
    if _TILE_WIDTH in tags:
        return changed
    height = tags.number(_HEIGHT)
    rows = min(tags.number(_ROWS, height) or height, height)
    if _ROWS in tags and not tags.number(_ROWS):
        changed[_ROWS] = [height]
    places = _uncounted(tags)
    if places and rows:
        row = tags.number(_WIDTH) * tags.number(_BITS, 1)
        if tags.number(_PLANAR, 1) == 1:
            row *= samples
        plain = tags.number(_COMPRESSION, 1) == 1
        full = math.ceil(row / 8) * rows if plain else 0
        changed[_COUNTS] = _counts(tags.overlay, places, offset, full)
    return changed


def _uncounted(tags: _Tags) -> list[int]:
    """Places of strips of which not one tells how many bytes it has."""
    if _OFFSETS not in tags:
        return []
    if _COUNTS in tags:
        many = tags.entries[_COUNTS]['count'] > FEW_STRIPS
        if many or any(tags.numbers(_COUNTS)):
            return []
    places = tags.numbers(_OFFSETS)
    return places if any(places) else []


def _counts(
    overlay: Overlay, places: list[int], table: int, full: int
) -> list[int]:
    """Bytes of strips of which only the places are known.

    Uncompressed ones have ``full``; others go on to the next one, to the
    table, or to the end of the file.
    """
    ends = np.array(sorted({*places, table, overlay.file_size}))
    found = []
    for place in places:
        after = ends[ends > place]
        room = int(after[0]) - place if after.size and place else 0
        found.append(min(full, overlay.file_size - place) if full else room)
    return [max(0, count) for count in found]


def _values(
    overlay: Overlay, layout: Layout, entry: NDArray, count: int
) -> list[int] | None:
    """The first values of a tag as whole numbers; None if there is no
    telling."""
    kind, claimed = int(entry['type']), int(entry['count'])
    form = _FORMS.get(kind)
    if form is None:
        return None
    dtype = np.dtype(f'{layout.order}{form}')
    each = 2 if kind in _FRACTIONS else 1
    count *= each
    room = np.dtype(layout.place).itemsize
    if claimed * each * dtype.itemsize <= room:
        data = np.array(entry['value'], layout.place).tobytes()
    elif int(entry['value']) < layout.first + 4:
        return None  # within the header
    else:
        overlay.seek(int(entry['value']))
        data = overlay.read(count * dtype.itemsize) or b''
    if len(data) < count * dtype.itemsize:
        return None
    values = np.frombuffer(data, dtype, count).tolist()
    if kind in _FRACTIONS:
        pairs = zip(values[::2], values[1::2], strict=True)
        values = [Fraction(one, other or 1) for one, other in pairs]
    if not all(math.isfinite(value) for value in values):
        return None
    return [max(0, round(value)) for value in values]
