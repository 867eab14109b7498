"""What is missing of a JPEG picture."""

from __future__ import annotations

import re
import struct
from contextlib import suppress

import imagecodecs

from napari_sdcolor.archive.heard import hearing
from napari_sdcolor.archive.jpeg_parts import (
    EOI,
    PROGRESSIVE,
    RESTARTS,
    SOI,
    Frame,
    Jpeg,
    scans,
)
from napari_sdcolor.archive.scan import DECODE_ERRORS

MAX_FILL = 64
"""So many equal bytes behind the picture are padding, not a part of it."""

_EXTRANEOUS = re.compile(r'(\d+) extraneous bytes before marker 0x(\w+)')


def damage_of(jpeg: Jpeg, frame: Frame) -> tuple[str, ...]:
    """What is missing of a picture, by the warnings of its decoder.

    The common decoder fills what is missing with gray and warns; but those
    who call it keep the warnings to themselves, except where it serves to
    read TIFF files. So the picture is handed over as one.
    """
    if not jpeg.ended:
        return ('the file ends before the image does',)
    if frame.marker in PROGRESSIVE and _lacks_scans(jpeg, frame):
        return ('the last refinements of the picture are missing',)
    with (
        hearing() as words,
        # A kind of JPEG that TIFF files do not hold.
        suppress(*DECODE_ERRORS, MemoryError),
    ):
        imagecodecs.tiff_decode(_as_tiff(jpeg, frame), verbose=2)
    for said in words:
        if said.startswith('Corrupt JPEG data') and not _is_fill(said, jpeg):
            if 'premature end' in said:
                return ('a part of the picture is missing in its data',)
            return ('the data of a part of the picture is not as it was',)
    return ()


def _lacks_scans(jpeg: Jpeg, frame: Frame) -> bool:
    """Whether a coefficient was never sent, or not to its last bit.

    Scans tell which of the 64 coefficients of which channels they send, and
    how many bits of these are left for later ones.
    """
    left = {channel: [1] * 64 for channel in frame.components}
    for head in scans(jpeg):
        channels = head[1 : 1 + 2 * head[0] : 2]
        first, last, bits = head[1 + 2 * head[0] : 4 + 2 * head[0]]
        for channel in channels:
            if channel in left:
                count = len(range(first, min(last, 63) + 1))
                left[channel][first : last + 1] = [bits & 15] * count
    return any(any(bits) for bits in left.values())


def _is_fill(said: str, jpeg: Jpeg) -> bool:
    """Whether no more is meant than padding behind the picture."""
    found = _EXTRANEOUS.search(said)
    if not found or int(found[2], 16) in RESTARTS:
        return False
    count = int(found[1])
    end = jpeg.picture.removesuffix(EOI).rstrip(b'\xff')
    return count <= 2 or (count <= MAX_FILL and len(set(end[-count:])) == 1)


def _as_tiff(jpeg: Jpeg, frame: Frame) -> bytes:
    """A TIFF file of one strip that holds a JPEG picture."""
    strip = SOI + jpeg.tables + jpeg.picture
    channels = len(frame.samplings)
    tags = {
        256: frame.width,
        257: frame.height,
        258: frame.bits,
        259: 7,  # JPEG
        # YCbCr; four channels as inks, for which nothing is said of alpha.
        262: {3: 6, 4: 5}.get(channels, 1),
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
