"""The chain of pages of a TIFF file, followed before anything is trusted.

Libraries read the tables of pages as they are told to. Tables that run in a
circle, lie over each other or point a thousand times to the same megabytes
would keep them busy for hours, so such files are found out here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.errors import PhotoError

MAX_PAGES = 2**17
"""Files that chain more pages than this are refused."""

MAX_TAGS = 4096
"""No page has more tags."""

HARMLESS_VALUES = 2**22
"""Bytes of tag values up to which nobody looks whether they overlap."""

_TYPE_BYTES = np.zeros(2**16, np.uint64)
_TYPE_BYTES[1:19] = (1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)

_LISTS = (258, 270, 273, 277, 279, 282, 283, 305, 324, 325, 330, 338, 339)
_LISTS += (347, 513, 514, 530, 33628, 42113, 50838, 50839)
# Tags that the library reads at once, whatever their size.


@dataclass(frozen=True)
class _Layout:
    """How the numbers of a file are stored."""

    order: str
    number: str
    place: str

    @property
    def entry(self) -> np.dtype:
        return np.dtype(
            [
                ('code', f'{self.order}u2'),
                ('type', f'{self.order}u2'),
                ('count', self.place),
                ('value', self.place),
            ]
        )

    def read(self, stream: BinaryIO, form: str, count: int = 1) -> NDArray:
        """Numbers at the present place; fewer where the file ends."""
        dtype = np.dtype(form)
        data = stream.read(count * dtype.itemsize)
        whole = len(data) // dtype.itemsize * dtype.itemsize
        return np.frombuffer(data[:whole], dtype)


def follow_chain(stream: BinaryIO, size: int) -> tuple[int, str]:
    """Follow the chain of pages.

    Parameters
    ----------
    stream
        A TIFF or BigTIFF file.
    size
        Its bytes.

    Returns
    -------
    count
        Number of pages whose tables are whole.
    trouble
        Why the chain does not go on to its end; '' if it does.

    Raises
    ------
    PhotoError
        If it runs in a circle, or its tables overlap. With the reason
        only; the caller names the file.
    """
    stream.seek(0)
    order = '<' if stream.read(2) == b'II' else '>'
    (version,) = np.frombuffer(stream.read(2), f'{order}u2')
    if version == 43:
        layout = _Layout(order, f'{order}u8', f'{order}u8')
        stream.seek(8)
    else:
        layout = _Layout(order, f'{order}u2', f'{order}u4')
    following = layout.read(stream, layout.place)
    if not following.size:
        return 0, 'the file ends inside its header'
    seen: set[int] = set()
    tables = values = 0
    while offset := int(following[0]):
        if offset in seen:
            raise PhotoError(
                'its chain of pages runs in a circle, as only damaged and '
                'hostile files do'
            )
        if offset >= size:
            return len(seen), (
                'it refers to a further page that is not in the file'
            )
        if len(seen) == MAX_PAGES:
            raise PhotoError(f'it chains more than {MAX_PAGES} pages')
        stream.seek(offset)
        count = layout.read(stream, layout.number)
        if not count.size or count[0] > MAX_TAGS:
            return len(seen), f'the table of its page {len(seen)} is damaged'
        entries = layout.read(stream, layout.entry, int(count[0]))
        following = layout.read(stream, layout.place)
        if len(entries) < count[0] or not following.size:
            return len(seen), 'the file ends inside its table of pages'
        seen.add(offset)
        tables += entries.nbytes
        values += _value_bytes(entries)
        if tables > size or values > max(size, HARMLESS_VALUES):
            raise PhotoError(
                'the tables of its pages lie over each other, as only '
                'damaged and hostile files do'
            )
    return len(seen), ''


def _value_bytes(entries: NDArray) -> int:
    """Bytes of the values that are read with a table of tags."""
    read = entries[np.isin(entries['code'], _LISTS)]
    sizes = read['count'].astype(float) * _TYPE_BYTES[read['type']]
    return int(sizes.sum())
