"""The bytes of a TIFF file, and those that are added in memory."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Layout:
    """How the numbers of a file are stored.

    Parameters
    ----------
    order
        '<' or '>'.
    big
        Whether it is a BigTIFF file.
    """

    order: str
    big: bool

    @classmethod
    def of(cls, stream: BinaryIO) -> Layout:
        """That of a TIFF file."""
        stream.seek(0)
        head = stream.read(4)
        order = '<' if head[:2] == b'II' else '>'
        (version,) = np.frombuffer(head[2:], f'{order}u2')
        return cls(order, version == 43)

    @property
    def first(self) -> int:
        """Where the place of the first table stands."""
        return 8 if self.big else 4

    @property
    def number(self) -> str:
        """Form of the number of tags."""
        return f'{self.order}u{8 if self.big else 2}'

    @property
    def place(self) -> str:
        """Form of places in the file, and of numbers of values."""
        return f'{self.order}u{8 if self.big else 4}'

    @property
    def entry(self) -> np.dtype:
        """Form of a tag."""
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


class Overlay(io.RawIOBase):
    """A file and, behind its end, bytes that are not in it."""

    def __init__(self, stream: BinaryIO, size: int, layout: Layout) -> None:
        super().__init__()
        self._stream = stream
        self.file_size = size
        self._head = bytearray()
        self._behind = bytearray()
        self._place = 0
        self._layout = layout

    @property
    def end(self) -> int:
        """Place of the bytes that would be added next."""
        return self.file_size + len(self._behind)

    def add(self, data: bytes) -> int:
        """Add bytes and tell their place."""
        place = self.end
        self._behind += data
        return place

    def begin_with(self, table: int) -> None:
        """Make a table the first one."""
        self._stream.seek(0)
        self._head[:] = self._stream.read(self._layout.first)
        self._head += np.array(table, self._layout.place).tobytes()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_CUR: self._place, io.SEEK_END: self.end}
        self._place = max(0, start.get(whence, 0) + offset)
        return self._place

    def readinto(self, buffer) -> int:  # noqa: ANN001
        target = memoryview(buffer).cast('B')
        done = 0
        while done < len(target):
            place, wanted = self._place, len(target) - done
            if place < len(self._head):
                found = self._head[place : place + wanted]
            elif place < self.file_size:
                self._stream.seek(place)
                found = self._stream.read(min(wanted, self.file_size - place))
            else:
                start = place - self.file_size
                found = self._behind[start : start + wanted]
            if not found:
                break
            target[done : done + len(found)] = found
            done += len(found)
            self._place += len(found)
        return done
