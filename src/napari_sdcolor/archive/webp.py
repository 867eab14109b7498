"""Reading WebP files."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import numpy as np
from PIL.WebPImagePlugin import WebPImageFile

from napari_sdcolor.archive.raster_scan import Claim, raster_scan
from napari_sdcolor.archive.scan import Scan
from napari_sdcolor.errors import PhotoError

_EMPTY = 'its header is damaged'


def claimed(head: bytes) -> Claim | None:
    """What a WebP file says of its size; None if more of it is needed."""
    if len(head) < 30:
        return None
    kind = head[12:16]
    if kind == b'VP8X':
        width = 1 + int.from_bytes(head[24:27], 'little')
        height = 1 + int.from_bytes(head[27:30], 'little')
    elif kind == b'VP8L':
        bits = int.from_bytes(head[21:25], 'little')
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b'VP8 ':
        width = int.from_bytes(head[26:28], 'little') & 0x3FFF
        height = int.from_bytes(head[28:30], 'little') & 0x3FFF
    else:
        raise PhotoError(_EMPTY)
    # The decoder is one of animations: it holds two frames beside it.
    return Claim(width, height, 4, kept=8)


def read_webp(data: bytes) -> Scan:
    """Read a WebP file that is no animation."""
    missing = 8 + int.from_bytes(data[4:8], 'little') - len(data)
    damage: tuple[str, ...] = ()
    if missing > 0:
        damage = ('the file ends before the image does',)
        if missing > len(data):
            raise PhotoError(*damage)
        data += bytes(missing)  # else nothing would be decoded at all
    with WebPImageFile(io.BytesIO(data)) as image:
        frames = getattr(image, 'n_frames', 1)
        if frames > 1:
            raise PhotoError(f'it is an animation of {frames} pictures')
        info, pixels = image.info, np.array(image)
    scan = raster_scan(pixels, info, 'WebP, 8 bit')
    damage = damage or _damage(data, *pixels.shape[:2])
    return replace(scan, damage=damage)


def _damage(data: bytes, height: int, width: int) -> tuple[str, ...]:
    """Whether a part of the picture was never written.

    Its coder turns zeros into pixels as it does with any data. What is flat
    takes a zero for some forty blocks of 16 pixels squared at most.
    """
    blocks = -(-width // 16) * -(-height // 16)
    place = 12
    while place + 8 <= len(data):
        length = int.from_bytes(data[place + 4 : place + 8], 'little')
        if data[place : place + 4] in (b'VP8 ', b'VP8L'):
            hole = re.compile(rb'\0{%d}' % (32 + blocks // 16))
            if hole.search(data, place + 8, place + 8 + length):
                return ('a part of its data is nothing but zeros',)
        place += 8 + length + length % 2
    return ()
