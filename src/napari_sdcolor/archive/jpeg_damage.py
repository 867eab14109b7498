"""What is missing of a JPEG picture."""

from __future__ import annotations

import re
import struct
import zlib

import imagecodecs

from napari_sdcolor.archive.headers import FRAMES, jpeg_segments
from napari_sdcolor.archive.heard import hearing
from napari_sdcolor.archive.jpeg_parts import (
    ARITHMETIC,
    EOI,
    LOSSLESS,
    RESTARTS,
    SOI,
    Frame,
    Jpeg,
)
from napari_sdcolor.archive.jpeg_scans import lacks_scans, with_more_data
from napari_sdcolor.archive.scan import DECODE_ERRORS

MAX_FILL = 64
"""So many equal bytes behind the picture are padding, not a part of it."""

_EXTRANEOUS = re.compile(r'(\d+) extraneous bytes before marker 0x(\w+)')

_NOISE = bytes(151 * n % 251 for n in range(1, 65))
"""Data that is none of a picture."""

_MISSING = 'a part of the picture is missing in its data'


def damage_of(jpeg: Jpeg, frame: Frame) -> tuple[str, ...]:
    """What is missing of a picture.

    Decoders fill what is missing with gray, and most keep silent about it.
    """
    if not jpeg.ended:
        return ('the file ends before the image does',)
    if lacks_scans(jpeg, frame):
        return ('scans that the picture is made of are missing',)
    try:
        found = _by_warnings(jpeg, frame)
        # The decoder keeps silent where arithmetic codes end early.
        checked = bool(found) or frame.marker not in ARITHMETIC
    except DECODE_ERRORS:
        checked = False  # a kind that TIFF files do not hold
    if not checked:
        try:
            found = _by_more_data(jpeg, frame)
        except DECODE_ERRORS:
            found = 'whether all of the picture is there cannot be told'
    return (found,) if found else ()


def _by_warnings(jpeg: Jpeg, frame: Frame) -> str:
    """What the common decoder warns of.

    Those who call it keep the warnings to themselves, except where it serves
    to read TIFF files. So the picture is handed over as one. There it decodes
    8 bits only; but its codes are the same ones whatever the bits, and what
    becomes of the pixels is of no interest here.
    """
    tables = SOI + jpeg.tables
    for marker, start, stop in jpeg_segments(tables):
        if marker in FRAMES:
            content = b'\x08' + tables[start + 1 : stop]
            tables = tables[:start] + content + tables[stop:]
            break
    with hearing() as words:
        imagecodecs.tiff_decode(
            _as_tiff(tables + jpeg.picture, frame), verbose=2
        )
    for said in words:
        if said.startswith('Corrupt JPEG data') and not _is_fill(said, jpeg):
            if 'premature end' in said:
                return _MISSING
            return 'the data of a part of the picture is not as it was'
    return ''


def _by_more_data(jpeg: Jpeg, frame: Frame) -> str:
    """Whether more data makes it another picture.

    Behind all that a picture needs it changes nothing, in a hole it does.
    """
    # Arithmetic codes are written without the zeros that they end with.
    zeros = bytes(8 if frame.marker in ARITHMETIC else 1)
    sums = {
        zlib.crc32(imagecodecs.jpeg_decode(SOI + jpeg.tables + picture))
        for picture in (jpeg.picture, with_more_data(jpeg, zeros + _NOISE))
    }
    return _MISSING if len(sums) > 1 else ''


def _is_fill(said: str, jpeg: Jpeg) -> bool:
    """Whether no more is meant than padding behind the picture."""
    found = _EXTRANEOUS.search(said)
    if not found or int(found[2], 16) in RESTARTS:
        return False
    count = int(found[1])
    end = jpeg.picture.removesuffix(EOI).rstrip(b'\xff')
    return count <= 2 or (count <= MAX_FILL and len(set(end[-count:])) == 1)


def _as_tiff(strip: bytes, frame: Frame) -> bytes:
    """A TIFF file of one strip, a JPEG picture of 8 bits."""
    channels = len(frame.samplings)
    tags = {
        256: frame.width,
        257: frame.height,
        258: 8,
        259: 7,  # JPEG
        # YCbCr, but lossless ones are not converted; four channels as inks,
        # for which nothing is said of alpha.
        262: {3: 2 if frame.marker in LOSSLESS else 6, 4: 5}.get(channels, 1),
        273: 0,  # where the strip begins: see below
        277: channels,
        278: frame.height,
        279: len(strip),
    }
    if channels == 2:
        tags[338] = 0
    if channels == 3:
        across, down = divmod(frame.samplings[0], 16)
        tags[530] = across | down << 16
    tags[273] = 8 + 2 + 12 * len(tags) + 4
    entries = (
        struct.pack('<HHII', tag, *((3, 2) if tag == 530 else (4, 1)), value)
        for tag, value in tags.items()
    )
    head = b'II*\0' + struct.pack('<IH', 8, len(tags))
    return head + b''.join(entries) + bytes(4) + strip
