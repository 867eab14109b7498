"""Reading JPEG files, and what is missing of their pictures."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile

from napari_sdcolor.archive.headers import FRAMES, jpeg_size
from napari_sdcolor.archive.heard import hearing
from napari_sdcolor.archive.raster_scan import Claim, raster_scan
from napari_sdcolor.archive.scan import Scan
from napari_sdcolor.core.tone import NO_TAGS, ToneTags
from napari_sdcolor.errors import PhotoError

MAX_FILL = 64
"""So many equal bytes behind the picture are padding, not a part of it."""

_SOI, _EOI = b'\xff\xd8', b'\xff\xd9'
_RESTARTS = range(0xD0, 0xD8)
_BARE = {0x01, *_RESTARTS}
_SOS, _APP0, _APP1, _APP2, _APP14, _COMMENT = (
    0xDA,
    0xE0,
    0xE1,
    0xE2,
    0xEE,
    0xFE,
)
_BETWEEN = {0xC4, 0xCC, _SOS, 0xDB, 0xDC, 0xDD, *range(0xE0, 0xF0), _COMMENT}
_LOSSLESS = {0xC3, 0xC7, 0xCB, 0xCF}
_PROGRESSIVE = {0xC2, 0xCA}

# Beside the picture itself, only these mean anything to us; and only if they
# are as long as their fields. Other programs skip what is not.
_KEPT = (
    (_APP0, b'JFIF\0', 14),
    (_APP1, b'Exif\0', 6),
    (_APP2, b'ICC_PROFILE\0', 14),
    (_APP14, b'Adobe', 12),
)

# Within the coded picture, 0xFF is followed by zero, a restart or more 0xFF.
_MARKER = re.compile(rb'\xff[^\x00\xd0-\xd7\xff]')
_EXTRANEOUS = re.compile(r'(\d+) extraneous bytes before marker 0x(\w+)')


@dataclass(frozen=True)
class _Jpeg:
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
    def of(cls, data: bytes) -> _Jpeg:
        """Take a file apart; raises PhotoError if there is no picture."""
        about, tables = [], []
        for marker, start, stop in _segments(data):
            content = data[start:stop]
            if marker == _SOS:
                end = _end(data, stop)
                return cls(
                    tuple(about),
                    b''.join(tables),
                    data[start - 4 : end] + _EOI,
                    data[end : end + 2] == _EOI,
                )
            if (marker & 0xF0) == 0xE0:
                if _is_kept(marker, content):
                    about.append((marker, content))
            elif marker != _COMMENT:
                tables.append(_segment(marker, content))
        raise PhotoError('the file ends before the image does')

    def told(self, marker: int) -> list[bytes]:
        """Contents of the segments of one kind."""
        return [content for kind, content in self.about if kind == marker]

    @property
    def frame(self) -> _Frame:
        """The frame; raises PhotoError if there is none."""
        found = _frame(_SOI + self.tables)
        if found is None:
            raise PhotoError('its header is missing')
        return found


@dataclass(frozen=True)
class _Frame:
    """What a JPEG picture says of itself; samplings of its channels."""

    marker: int
    bits: int
    height: int
    width: int
    samplings: tuple[int, ...]


def is_jpeg(head: bytes) -> bool:
    """Whether a file that begins with these bytes is one."""
    return head.startswith(b'\xff\xd8\xff')


def claimed(head: bytes) -> Claim | None:
    """What a JPEG file says of its size; None if more of it is needed."""
    frame = _frame(head)
    if frame is None:
        return None
    channels = len(frame.samplings)
    # All coefficients are kept until the last scan is through.
    kept = 2 * channels if frame.marker in _PROGRESSIVE else 0
    decoded = channels * (1 if frame.bits <= 8 else 2)
    return Claim(frame.width, frame.height, max(4, decoded), kept)


def read_jpeg(data: bytes) -> Scan:
    """Read a gray or color JPEG file."""
    jpeg_size(data)  # refuses what would be decoded for hours
    jpeg = _Jpeg.of(data)
    frame = jpeg.frame
    if len(frame.samplings) not in (1, 3):
        raise PhotoError(
            f'it holds {len(frame.samplings)} channels, as inks (CMYK) do; '
            'convert it to gray or RGB'
        )
    info = {'exif': _exif(jpeg), 'icc_profile': _profile(jpeg)}
    density = [
        struct.unpack_from('>BHH', content, 7) for content in jpeg.told(_APP0)
    ]
    unit, across, down = density[-1] if density else (0, 0, 0)
    scan = raster_scan(
        _pixels(jpeg, frame),
        info,
        f'JPEG, {frame.bits} bit',
        resolution=(across, down, unit + 1) if unit in (1, 2) else None,
        tags=_tags(frame.bits),
    )
    return replace(scan, damage=_damage(jpeg, frame))


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and stop of each segment up to the first scan.

    What lies between segments is skipped, as other readers do.
    """
    place = 2
    while (place := data.find(b'\xff', place)) >= 0:
        marker = data[place + 1 : place + 2]
        if not marker or place + 4 > len(data):
            return
        if marker == b'\xff':  # a fill byte
            place += 1
        elif marker[0] in _BARE:
            place += 2
        else:
            length = int.from_bytes(data[place + 2 : place + 4], 'big')
            stop = place + 2 + max(2, length)
            yield marker[0], place + 4, stop
            if marker[0] == _SOS:
                return
            place = stop


def _segment(marker: int, content: bytes) -> bytes:
    return (
        bytes((0xFF, marker)) + struct.pack('>H', 2 + len(content)) + content
    )


def _is_kept(marker: int, content: bytes) -> bool:
    return any(
        kind == marker and content.startswith(name) and len(content) >= least
        for kind, name, least in _KEPT
    )


def _end(data: bytes, place: int) -> int:
    """Where a picture ends whose first scan begins somewhere."""
    while found := _MARKER.search(data, place):
        place, marker = found.start(), data[found.start() + 1]
        if marker == _EOI[1]:
            return place
        place += 2
        if marker in _BETWEEN:
            place += int.from_bytes(data[place : place + 2], 'big')
    return len(data)


def _frame(data: bytes) -> _Frame | None:
    for marker, start, stop in _segments(data):
        if marker in FRAMES and start + 6 <= stop <= len(data):
            fields = struct.unpack_from('>BHHB', data, start)
            samplings = data[start + 7 : start + 6 + 3 * fields[3] : 3]
            return _Frame(marker, *fields[:3], tuple(samplings))
    return None


def _exif(jpeg: _Jpeg) -> bytes:
    first, *more = jpeg.told(_APP1) or [b'']
    return first + b''.join(content[6:] for content in more)


def _profile(jpeg: _Jpeg) -> bytes:
    parts = sorted(jpeg.told(_APP2))
    if not parts or parts[0][13] != len(parts):
        return b''
    return b''.join(part[14:] for part in parts)


def _tags(bits: int) -> ToneTags:
    if bits in (8, 16):
        return NO_TAGS
    source = f'{bits} bits per sample'
    return ToneTags(0, 2**bits - 1, source, exact=True)


def _pixels(jpeg: _Jpeg, frame: _Frame) -> NDArray:
    colors = b''.join(
        _segment(marker, content)
        for marker, content in jpeg.about
        if marker in (_APP0, _APP14)
    )
    data = _SOI + colors + jpeg.tables + jpeg.picture
    if frame.bits != 8 or frame.marker in _LOSSLESS:
        return imagecodecs.jpeg_decode(data)
    with JpegImageFile(io.BytesIO(data)) as image:
        return np.array(image)


# --- damage ----------------------------------------------------------------


def _damage(jpeg: _Jpeg, frame: _Frame) -> tuple[str, ...]:
    """What is missing of a picture, by the warnings of its decoder.

    The common decoder fills what is missing with gray and warns; but those
    who call it keep the warnings to themselves, except where it serves to
    read TIFF files. So the picture is handed over as one.
    """
    if not jpeg.ended:
        return ('the file ends before the image does',)
    with (
        hearing() as words,
        # A kind of JPEG that TIFF files do not hold.
        suppress(imagecodecs.TiffError, ValueError, MemoryError),
    ):
        imagecodecs.tiff_decode(_as_tiff(jpeg, frame), verbose=2)
    for said in words:
        if said.startswith('Corrupt JPEG data') and not _is_fill(said, jpeg):
            if 'premature end' in said:
                return ('a part of the picture is missing in its data',)
            return ('the data of a part of the picture is not as it was',)
    return ()


def _is_fill(said: str, jpeg: _Jpeg) -> bool:
    """Whether no more is meant than padding behind the picture."""
    found = _EXTRANEOUS.search(said)
    if not found or int(found[2], 16) in _RESTARTS:
        return False
    count = int(found[1])
    end = jpeg.picture.removesuffix(_EOI).rstrip(b'\xff')
    return count <= 2 or (count <= MAX_FILL and len(set(end[-count:])) == 1)


def _as_tiff(jpeg: _Jpeg, frame: _Frame) -> bytes:
    """A TIFF file of one strip that holds a JPEG picture."""
    strip = _SOI + jpeg.tables + jpeg.picture
    channels = len(frame.samplings)
    tags = {
        256: frame.width,
        257: frame.height,
        258: frame.bits,
        259: 7,  # JPEG
        262: 1 if channels == 1 else 6,
        273: 0,  # where the strip begins: see below
        277: channels,
        278: frame.height,
        279: len(strip),
    }
    if channels > 1:
        across, down = divmod(frame.samplings[0], 16)
        tags[530] = across | down << 16
    tags[273] = 8 + 2 + 12 * len(tags) + 4
    entries = (
        struct.pack('<HHII', tag, *((3, 2) if tag == 530 else (4, 1)), value)
        for tag, value in tags.items()
    )
    head = b'II*\0' + struct.pack('<IH', 8, len(tags))
    return head + b''.join(entries) + bytes(4) + strip
