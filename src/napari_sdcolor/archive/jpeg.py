"""Reading JPEG files, and what is missing of their pictures."""

from __future__ import annotations

import io
import struct
from dataclasses import replace

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile

from napari_sdcolor.archive.headers import jpeg_size
from napari_sdcolor.archive.jpeg_damage import damage_of
from napari_sdcolor.archive.jpeg_parts import (
    ADOBE,
    EXIF,
    JFIF,
    LOSSLESS,
    PROFILE,
    PROGRESSIVE,
    SOI,
    Frame,
    Jpeg,
    read_frame,
    segment,
)
from napari_sdcolor.archive.raster_scan import Claim, raster_scan
from napari_sdcolor.archive.scan import Scan
from napari_sdcolor.core.tone import NO_TAGS, ToneTags
from napari_sdcolor.errors import PhotoError


def claimed(head: bytes) -> Claim | None:
    """What a JPEG file says of its size; None if more of it is needed."""
    frame = read_frame(head)
    if frame is None:
        return None
    channels = len(frame.samplings)
    # All coefficients are kept until the last scan is through.
    kept = 2 * channels if frame.marker in PROGRESSIVE else 0
    decoded = channels * (1 if frame.bits <= 8 else 2)
    return Claim(frame.width, frame.height, max(4, decoded), kept)


def read_jpeg(data: bytes) -> Scan:
    """Read a gray or color JPEG file."""
    jpeg_size(data)  # refuses what would be decoded for hours
    jpeg = Jpeg.of(data)
    frame = jpeg.frame
    if len(frame.samplings) not in (1, 3):
        raise PhotoError(
            f'it holds {len(frame.samplings)} channels, as inks (CMYK) do; '
            'convert it to gray or RGB'
        )
    info = {'exif': _exif(jpeg), 'icc_profile': _profile(jpeg)}
    density = [
        struct.unpack_from('>BHH', content, 7) for content in jpeg.told(JFIF)
    ]
    unit, across, down = density[-1] if density else (0, 0, 0)
    scan = raster_scan(
        _pixels(jpeg, frame),
        info,
        f'JPEG, {frame.bits} bit',
        resolution=(across, down, unit + 1) if unit in (1, 2) else None,
        tags=_tags(frame.bits),
    )
    return replace(scan, damage=damage_of(jpeg, frame))


def _exif(jpeg: Jpeg) -> bytes:
    first, *more = jpeg.told(EXIF) or [b'']
    return first + b''.join(content[6:] for content in more)


def _profile(jpeg: Jpeg) -> bytes:
    parts = sorted(jpeg.told(PROFILE))
    if not parts or parts[0][13] != len(parts):
        return b''
    return b''.join(part[14:] for part in parts)


def _tags(bits: int) -> ToneTags:
    if bits in (8, 16):
        return NO_TAGS
    source = f'{bits} bits per sample'
    return ToneTags(0, 2**bits - 1, source, exact=True)


def _pixels(jpeg: Jpeg, frame: Frame) -> NDArray:
    colors = b''.join(
        segment(marker, content)
        for marker, content in jpeg.about
        if marker in (JFIF, ADOBE)
    )
    data = SOI + colors + jpeg.tables + jpeg.picture
    if frame.bits != 8 or frame.marker in LOSSLESS:
        return imagecodecs.jpeg_decode(data)
    with JpegImageFile(io.BytesIO(data)) as image:
        return np.array(image)
