"""The sizes that compressed pictures claim in their own headers."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator

from PIL.WebPImagePlugin import WebPImageFile

from napari_sdcolor.errors import PhotoError

MAX_SCANS = 256
"""No JPEG file draws its picture more often over itself."""

FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""Markers of a JPEG picture's frame, which tells its size."""

MAX_SEGMENTS = 2**14
"""No JPEG picture has more segments in front of its first scan."""

MAX_BOXES = 2**14
"""No JPEG 2000 file has more boxes in front of its codestream."""

_NO_FILLING = re.compile(rb'[^\xff]')
_SCAN = 0xDA
_BARE = {0x00, 0x01, *range(0xD0, 0xD9)}
# Without a length; 0 is no marker at all, but a byte 255 that is none.
CODESTREAM = b'\xff\x4f\xff\x51'
"""Begins every JPEG 2000 codestream."""


class NoCodestream(PhotoError):
    """A JPEG 2000 file without its picture."""


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height of a JPEG picture, (0, 0) if it has none.

    Raises
    ------
    PhotoError
        If it would be drawn over and over again.
    """
    if data.count(b'\xff\xda') > MAX_SCANS:
        raise PhotoError(
            'it is drawn over itself hundreds of times, as only hostile '
            'files do'
        )
    for marker, start, _ in jpeg_segments(data):
        if marker in FRAMES:
            if start + 5 > len(data):
                break
            height, width = struct.unpack_from('>HH', data, start + 1)
            return width, height
    return 0, 0


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and stop of each segment, up to the first scan's.

    What lies between segments is skipped, as other readers do.

    Raises
    ------
    PhotoError
        If there are more than any picture has.
    """
    place = 2
    for _ in range(MAX_SEGMENTS):
        place = data.find(b'\xff', place)
        # Not by one pattern: it would begin anew at each byte of a filling.
        found = _NO_FILLING.search(data, place) if place >= 0 else None
        if found is None or found.end() + 2 > len(data):
            return
        marker, place = found[0][0], found.end()
        if marker in _BARE:
            continue
        length = int.from_bytes(data[place : place + 2], 'big')
        stop = place + max(2, length)
        yield marker, place + 2, stop
        if marker == _SCAN:
            return
        place = stop
    raise PhotoError('it has more segments than any picture')


def jpeg2000_start(data: bytes) -> int:
    """Where the codestream of a JPEG 2000 file or codestream begins.

    Raises
    ------
    NoCodestream
        If there is none.
    PhotoError
        If there is more in front of it than any picture has.
    """
    if data.startswith(CODESTREAM):
        return 0
    place = 0
    for _ in range(MAX_BOXES):
        if place + 8 > len(data):
            break
        length, kind = struct.unpack_from('>I4s', data, place)
        head = 8
        if length == 1 and place + 16 <= len(data):
            (length,) = struct.unpack_from('>Q', data, place + 8)
            head = 16
        if kind == b'jp2c':
            if data[place + head :][:4] == CODESTREAM:
                return place + head
            break
        if length < head:
            break
        place += length
    else:
        raise PhotoError('it has more boxes than any picture')
    raise NoCodestream('its codestream is missing')


def jpeg2000_size(data: bytes) -> tuple[int, int]:
    """Width and height of a JPEG 2000 picture."""
    fields = struct.unpack_from('>4I', data, jpeg2000_start(data) + 8)
    width, height, left, top = fields
    return max(0, width - left), max(0, height - top)


def webp_size(data: bytes) -> tuple[int, int]:
    """Width and height of a WebP picture."""
    with WebPImageFile(io.BytesIO(data)) as image:
        return image.size
