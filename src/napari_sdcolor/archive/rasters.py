"""PNG, JPEG, WebP and JPEG 2000 files: one picture each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO

from napari_sdcolor.archive import jpeg, jpeg2000, png, webp
from napari_sdcolor.archive.raster_scan import Claim
from napari_sdcolor.archive.scan import Scan
from napari_sdcolor.archive.signatures import kind_of
from napari_sdcolor.errors import PhotoError

_HEADS = (2**16, 2**20, 2**26)
"""Bytes that are looked at until a file tells the size of its picture."""


@dataclass(frozen=True)
class _Format:
    """A kind of file.

    Parameters
    ----------
    claimed
        What the beginning of a file says of the size of its picture; None
        if that stands further down.
    read
        Decodes the whole file.
    """

    claimed: Callable[[bytes], Claim | None]
    read: Callable[[bytes], Scan]


_FORMATS = {
    'png': _Format(png.claimed, png.read_png),
    'jpeg': _Format(jpeg.claimed, jpeg.read_jpeg),
    'jpeg2000': _Format(jpeg2000.claimed, jpeg2000.read_jpeg2000),
    'webp': _Format(webp.claimed, webp.read_webp),
}
"""By what ``signatures.kind_of`` calls them."""


class RasterPhoto:
    """The photo of an open file that is no TIFF.

    Parameters
    ----------
    stream
        The open file; stays open.
    size
        Its bytes.
    head
        The first of them, at least 16 if it has as many.

    Raises
    ------
    PhotoError
        If it is of another kind; with the reason only, as everywhere here.
    """

    def __init__(self, stream: BinaryIO, size: int, head: bytes) -> None:
        self._stream, self._size = stream, size
        if not head:
            raise PhotoError('it is empty')
        kind = kind_of(head)
        if kind not in _FORMATS:
            raise PhotoError(
                'it is no TIFF, PNG, JPEG, WebP or JPEG 2000 file'
            )
        self._format = _FORMATS[kind]

    @cached_property
    def data(self) -> bytes:
        """The file's bytes, which are read once: hashed and decoded.

        Raises
        ------
        PhotoError
            If its header claims what no photo is, or what this machine
            cannot hold. Nothing was loaded then.
        """
        self._claim().judge(self._size)
        self._stream.seek(0)
        data = self._stream.read(self._size)
        if len(data) < self._size:
            raise PhotoError('it was changed while it was read')
        return data

    def scan(self, page: int = 0) -> Scan:
        """Decode the photo.

        Raises
        ------
        PhotoError
            If it cannot be decoded or is refused.
        """
        return self._format.read(self.data)

    def _claim(self) -> Claim:
        for most in _HEADS:
            self._stream.seek(0)
            claim = self._format.claimed(self._stream.read(most))
            if claim is not None:
                return claim
            if most >= self._size:
                raise PhotoError('the file ends before the image does')
        raise PhotoError(
            f'its first {_HEADS[-1] >> 20} MiB do not tell how large its '
            'picture is'
        )
