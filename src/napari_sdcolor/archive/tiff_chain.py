"""The pages of a TIFF file, followed before anything is trusted.

Libraries read the tables of pages as they are told to. Tables that run in a
circle, lie over each other or point a thousand times to the same megabytes
would keep them busy for hours, so such files are found out here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.archive.tiff_bounds import value_bytes
from napari_sdcolor.archive.tiff_overlay import Layout, Overlay
from napari_sdcolor.archive.tiff_tables import (
    MAX_TAGS,
    Table,
    standard_table,
)
from napari_sdcolor.errors import PhotoError

MAX_PAGES = 2**17
"""Files that chain more pages than this are refused."""

HARMLESS_VALUES = 2**22
"""Bytes of tag values up to which nobody looks whether they overlap."""

_LISTS = (258, 270, 273, 277, 279, 282, 283, 305, 324, 325, 330, 338, 339)
_LISTS += (347, 513, 514, 530, 33628, 42113, 50838, 50839)
# Tags that the library reads at once, whatever their size.


@dataclass(frozen=True)
class Chain:
    """What was found.

    Parameters
    ----------
    stream
        The file, its tables as they should be.
    tables
        Of the pages, in their order.
    below
        Tables that the tag SubIFDs of each page names; those that cannot be
        read are left out.
    trouble
        Why the chain does not go on to its end; '' if it does.
    """

    stream: BinaryIO
    tables: list[Table]
    below: list[list[Table]]
    trouble: str


class Tables:
    """Reads tables, each once.

    Parameters
    ----------
    stream
        A TIFF or BigTIFF file.
    size
        Its bytes.
    """

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._size = size
        self._layout = Layout.of(stream)
        self._overlay = Overlay(stream, size, self._layout)
        self._seen: set[int] = set()
        self._tables = self._values = 0

    def chain(self) -> Chain:
        """Follow the chain of pages.

        Raises
        ------
        PhotoError
            If it runs in a circle, or its tables overlap. With the reason
            only; the caller names the file.
        """
        self._stream.seek(self._layout.first)
        following = self._layout.read(self._stream, self._layout.place)
        found: list[Table] = []
        trouble = ''
        if not following.size:
            trouble = 'the file ends inside its header'
        offset = int(following[0]) if following.size else 0
        while offset:
            if offset in self._seen:
                raise PhotoError(
                    'its chain of pages runs in a circle, as only damaged and '
                    'hostile files do'
                )
            table, offset, trouble = self._read(offset, len(found))
            if table is None:
                break
            found.append(table)
        below = [self._below(table) for table in found]
        stream = self._stream
        if found and self._overlay.end > self._size:
            self._overlay.begin_with(found[0].place)
            stream = self._overlay
        stream.seek(0)
        return Chain(stream, found, below, trouble)

    def _below(self, table: Table) -> list[Table]:
        found = []
        for offset in table.below:
            if offset not in self._seen and len(self._seen) < MAX_PAGES:
                one, _, _ = self._read(offset, 0)
                found += [one] if one else []
        return found

    def _read(self, offset: int, number: int) -> tuple[Table | None, int, str]:
        """A table, the place of the next one, and what is wrong."""
        stream, layout = self._stream, self._layout
        if offset >= self._size:
            trouble = 'it refers to a further page that is not in the file'
            return None, 0, trouble
        if len(self._seen) == MAX_PAGES:
            raise PhotoError(f'it chains more than {MAX_PAGES} pages')
        stream.seek(offset)
        count = layout.read(stream, layout.number)
        if not count.size or count[0] > MAX_TAGS:
            return None, 0, f'the table of its page {number} is damaged'
        entries = layout.read(stream, layout.entry, int(count[0]))
        rest = stream.read(np.dtype(layout.place).itemsize)
        following = np.frombuffer(rest.ljust(8, b'\0'), layout.place)
        # Some writers leave out that there is no further page.
        cut = 0 < len(rest) < np.dtype(layout.place).itemsize
        if len(entries) < count[0] or cut:
            return None, 0, 'the file ends inside its table of pages'
        self._seen.add(offset)
        self._refuse_overlap(entries)
        table = standard_table(self._overlay, layout, offset, entries)
        return table, int(following[0]), ''

    def _refuse_overlap(self, entries: NDArray) -> None:
        self._tables += entries.nbytes
        self._values += _value_bytes(entries)
        most = max(self._size, HARMLESS_VALUES)
        if self._tables > self._size or self._values > most:
            raise PhotoError(
                'the tables of its pages lie over each other, as only '
                'damaged and hostile files do'
            )


def _value_bytes(entries: NDArray) -> int:
    """Bytes of the values that are read with a table of tags."""
    read = entries[np.isin(entries['code'], _LISTS)]
    return int(value_bytes(read).sum())
