"""A JPEG file taken apart (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from napari_sdcolor.archive.headers import FRAMES, jpeg_segments
from napari_sdcolor.errors import PhotoError

SOI, EOI = b'\xff\xd8', b'\xff\xd9'
SOS, COMMENT = 0xDA, 0xFE
JFIF, EXIF, PROFILE, ADOBE = 0xE0, 0xE1, 0xE2, 0xEE
RESTARTS = range(0xD0, 0xD8)
PROGRESSIVE = {0xC2, 0xCA}
LOSSLESS = {0xC3, 0xC7, 0xCB, 0xCF}
ARITHMETIC = range(0xC9, 0xD0)

BETWEEN = {
    *(0xC4, 0xCC, SOS, 0xDB, 0xDC, 0xDD, COMMENT),
    *range(0xE0, 0xF0),
}
"""Segments that may stand between two scans."""

# Beside the picture itself, only these mean anything to us; and only if they
# are as long as their fields. Other programs skip what is not.
_KEPT = (
    (JFIF, b'JFIF\0', 14),
    (EXIF, b'Exif\0', 6),
    (PROFILE, b'ICC_PROFILE\0', 14),
    (ADOBE, b'Adobe', 12),
)

NEXT_MARKER = re.compile(rb'\xff[^\x00\xd0-\xd7\xff]')
"""Within a scan, 0xFF is followed by zero, a restart or more 0xFF."""


@dataclass(frozen=True)
class Jpeg:
    """A JPEG file, taken apart.

    Parameters
    ----------
    about
        Segments that tell of colors, camera and profile: marker and content.
    tables
        Segments without which the picture cannot be decoded.
    picture
        From the first scan to the end of the picture, its mark included.
    ended
        Whether the end is marked in the file.
    """

    about: tuple[tuple[int, bytes], ...]
    tables: bytes
    picture: bytes
    ended: bool

    @classmethod
    def of(cls, data: bytes) -> Jpeg:
        """Take a file apart; raises PhotoError if there is no picture."""
        about, tables = [], []
        for marker, start, stop in jpeg_segments(data):
            content = data[start:stop]
            if marker == SOS:
                end = _end(data, stop)
                return cls(
                    tuple(about),
                    b''.join(tables),
                    data[start - 4 : end] + EOI,
                    data[end : end + 2] == EOI,
                )
            if (marker & 0xF0) == 0xE0:
                if _is_kept(marker, content):
                    about.append((marker, content))
            elif marker != COMMENT:
                tables.append(segment(marker, content))
        raise PhotoError('the file ends before the image does')

    def told(self, marker: int) -> list[bytes]:
        """Contents of the segments of one kind."""
        return [content for kind, content in self.about if kind == marker]

    @property
    def frame(self) -> Frame:
        """The frame; raises PhotoError if there is none."""
        found = read_frame(SOI + self.tables)
        if found is None:
            raise PhotoError('its header is missing')
        return found


@dataclass(frozen=True)
class Frame:
    """What a JPEG picture says of itself.

    Parameters
    ----------
    marker
        Tells how it is coded.
    bits
        Of its samples.
    height, width
        In pixels.
    components, samplings
        Number of each channel, and how finely it is sampled.
    """

    marker: int
    bits: int
    height: int
    width: int
    components: tuple[int, ...]
    samplings: tuple[int, ...]


def segment(marker: int, content: bytes) -> bytes:
    return (
        bytes((0xFF, marker)) + struct.pack('>H', 2 + len(content)) + content
    )


def _is_kept(marker: int, content: bytes) -> bool:
    return any(
        kind == marker and content.startswith(name) and len(content) >= least
        for kind, name, least in _KEPT
    )


def _end(data: bytes, place: int) -> int:
    """Where a picture ends whose first scan begins somewhere.

    In front of a segment of which the end is missing: decoders would wait
    for it.
    """
    while found := NEXT_MARKER.search(data, place):
        start, marker = found.start(), data[found.start() + 1]
        if marker == EOI[1]:
            return start
        place = start + 2
        if marker in BETWEEN:
            place += int.from_bytes(data[place : place + 2], 'big')
            if place > len(data):
                return start
    return len(data)


def read_frame(data: bytes) -> Frame | None:
    for marker, start, stop in jpeg_segments(data):
        if marker in FRAMES and start + 6 <= stop <= len(data):
            fields = struct.unpack_from('>BHHB', data, start)
            channels = data[start + 6 : start + 6 + 3 * fields[3]]
            return Frame(
                marker,
                *fields[:3],
                tuple(channels[::3]),
                tuple(channels[1::3]),
            )
    return None
