"""The scans of a JPEG picture (ITU-T T.81, annexes B and G): are all there?

Decoders fill a missing one with gray, most of them without a word.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from napari_sdcolor.archive.jpeg_parts import (
    BETWEEN,
    NEXT_MARKER,
    PROGRESSIVE,
    SOS,
    Frame,
    Jpeg,
)

_IN_FRONT_OF_RESTARTS = re.compile(rb'(?=\xff[\xd0-\xd7])')


@dataclass(frozen=True)
class CodedScan:
    """One scan: a part of what the picture is made of.

    Parameters
    ----------
    components
        Numbers of the channels that it sends.
    first, last
        Coefficients that it sends of these, 0 to 63.
    before, left
        How many bits of the coefficients were still to come before it, 0 if
        it is the first to send them; and how many are after it.
    start, stop
        Where its data lies in the picture.
    """

    components: bytes
    first: int
    last: int
    before: int
    left: int
    start: int
    stop: int


def scans(jpeg: Jpeg) -> Iterator[CodedScan]:
    """Each scan of a picture.

    Raises
    ------
    struct.error
        If the header of one is shorter than what it holds.
    """
    picture, stop = jpeg.picture, 0
    while found := NEXT_MARKER.search(picture, stop):
        marker, start = found[0][1], found.end()
        stop = start
        if marker in BETWEEN:
            stop += int.from_bytes(picture[start : start + 2], 'big')
        if marker == SOS:
            head = picture[start + 2 : stop]
            (count,) = struct.unpack_from('B', head)
            first, last, bits = struct.unpack_from('3B', head, 1 + 2 * count)
            end = NEXT_MARKER.search(picture, stop)
            yield CodedScan(
                head[1 : 1 + 2 * count : 2],
                first,
                last,
                *divmod(bits, 16),
                stop,
                end.start() if end else len(picture),
            )


def lacks_scans(jpeg: Jpeg, frame: Frame) -> bool:
    """Whether a part of a channel was never sent, or not to its last bit.

    Progressive scans tell which of the 64 coefficients they send, and how
    many bits of these were sent before and are left for later ones. Others
    send all of their channels at once.
    """
    progressive = frame.marker in PROGRESSIVE
    unsent = -1
    left = {channel: [unsent] * 64 for channel in frame.components}
    for scan in scans(jpeg):
        for channel in scan.components:
            bits = left.get(channel)
            if bits is None:
                continue
            if not progressive:
                bits[:] = [0] * 64
                continue
            for place in range(scan.first, min(scan.last, 63) + 1):
                if scan.before != max(bits[place], 0):
                    return True  # the one before it is missing
                bits[place] = scan.left
    return any(any(bits) for bits in left.values())


def with_more_data(jpeg: Jpeg, more: bytes) -> bytes:
    """The picture with something behind each stretch of data.

    That is, in front of each restart and of the end of each scan. A decoder
    does not look at it as long as the data in front of it is complete.

    Parameters
    ----------
    jpeg
        Of which the picture is taken.
    more
        Begins with zero, so that 0xFF in front of it becomes no marker.
    """
    parts: list[bytes] = []
    place = 0
    for scan in scans(jpeg):
        data = _IN_FRONT_OF_RESTARTS.split(
            jpeg.picture[scan.start : scan.stop]
        )
        parts += [jpeg.picture[place : scan.start], more.join(data), more]
        place = scan.stop
    return b''.join((*parts, jpeg.picture[place:]))
