"""The sizes that compressed pictures claim in their own headers."""

from __future__ import annotations

import io
import struct

from PIL.WebPImagePlugin import WebPImageFile

from napari_sdcolor.errors import PhotoError

MAX_SCANS = 256
"""No JPEG file draws its picture more often over itself."""

FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""Markers of a JPEG picture's frame, which tells its size."""

_BARE = {0x00, 0x01, *range(0xD0, 0xD9)}
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
    place = 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            place += 1
            continue
        marker = data[place + 1]
        if marker == 0xFF:  # a fill byte
            place += 1
        elif marker in FRAMES:
            if place + 9 > len(data):
                break
            height, width = struct.unpack_from('>HH', data, place + 5)
            return width, height
        elif marker in _BARE:
            place += 2
        elif marker == 0xDA:
            break
        else:
            place += 2 + int.from_bytes(data[place + 2 : place + 4], 'big')
    return 0, 0


def jpeg2000_start(data: bytes) -> int:
    """Where the codestream of a JPEG 2000 file or codestream begins.

    Raises
    ------
    NoCodestream
        If there is none.
    """
    if data.startswith(CODESTREAM):
        return 0
    place = 0
    while place + 8 <= len(data):
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
