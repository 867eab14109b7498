"""Reading PNG, JPEG, WebP and JPEG 2000 files."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Sequence

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from napari_sdcolor.archive.headers import (
    jpeg2000_size,
    jpeg2000_start,
    jpeg_pixels,
    jpeg_size,
)
from napari_sdcolor.archive.scan import (
    DECODE_ERRORS,
    TEXT_TAGS,
    Scan,
    clean_orientation,
    clean_resolution,
    clean_texts,
    refuse_beyond_memory,
    refuse_bomb,
)
from napari_sdcolor.core.tone import NO_TAGS, ToneTags
from napari_sdcolor.errors import PhotoError

# The classes themselves are opened, not ``Image.open``: its limit on the
# size is one for the whole process and lies below a large scan.

_PNG_END = b'IEND\xaeB`\x82'
_PNG_TEXTS = {
    'Title': 'DocumentName',
    'Description': 'ImageDescription',
    'Author': 'Artist',
    'Copyright': 'Copyright',
}


def read_png(data: bytes) -> Scan:
    """Read a PNG file of any depth; 16 bits stay 16 bits."""
    if _PNG_END not in data:
        raise PhotoError('the file ends before the image does')
    with PngImageFile(io.BytesIO(data)) as image:
        depth, kind = data[24], data[25]
        _refuse_large(*image.size, 4 * max(depth, 8) / 8, data)
        _refuse_animation(image)
        info = image.info
    notes = []
    gamma = info.get('gamma', 1 / 2.2)
    if abs(gamma - 1 / 2.2) > 0.02 and not {'srgb', 'icc_profile'} & set(info):
        notes.append(f'The gamma {gamma:g} that it states is not applied.')
    words = f'PNG, {depth} bit' + (', palette' if kind == 3 else '')
    return _scan(
        imagecodecs.png_decode(data),
        info,
        words,
        resolution=(*info['dpi'], 2) if 'dpi' in info else None,
        texts=[
            (name, info[key])
            for key, name in _PNG_TEXTS.items()
            if key in info
        ],
        notes=notes,
        tags=_significant_bits(data),
    )


def _significant_bits(data: bytes) -> ToneTags:
    """What the chunk sBIT of a PNG file says."""
    place = 8
    while place + 8 <= len(data):
        length, kind = struct.unpack_from('>I4s', data, place)
        if kind == b'IDAT':
            break
        if kind == b'sBIT':
            bits = max(data[place + 8 : place + 8 + length], default=16)
            source = f'{bits} significant bits'
            return ToneTags(source=source, bits=bits) if bits else NO_TAGS
        place += length + 12
    return NO_TAGS


def read_jpeg(data: bytes) -> Scan:
    """Read a gray or color JPEG file."""
    if data.find(b'\xff\xd9', jpeg_pixels(data)) < 0:
        raise PhotoError('the file ends before the image does')
    jpeg_size(data)  # refuses what would be decoded for hours
    return _read_with_pillow(JpegImageFile, data, 'JPEG, 8 bit')


def read_webp(data: bytes) -> Scan:
    """Read a WebP file that is no animation."""
    return _read_with_pillow(WebPImageFile, data, 'WebP, 8 bit')


def _read_with_pillow(
    opener: Callable[..., ImageFile], data: bytes, words: str
) -> Scan:
    with opener(io.BytesIO(data)) as image:
        _refuse_large(*image.size, 4, data)
        _refuse_animation(image)
        if image.mode not in ('L', 'RGB', 'RGBA'):
            raise PhotoError(
                f'its colors are stored as {image.mode}; convert it to gray '
                'or RGB'
            )
        info, resolution = image.info, None
        if info.get('jfif_unit') in (1, 2):
            # Pillow's own 'dpi' of a JPEG is made up where EXIF is silent.
            resolution = (*info['jfif_density'], info['jfif_unit'] + 1)
        return _scan(np.array(image), info, words, resolution=resolution)


def read_jpeg2000(data: bytes) -> Scan:
    """Read a JPEG 2000 file or bare codestream."""
    start = jpeg2000_start(data)
    width, height = jpeg2000_size(data)
    channels, depth = struct.unpack_from('>HB', data, start + 40)
    bits, signed = (depth & 0x7F) + 1, bool(depth & 0x80)
    container = 8 if bits <= 8 else 16
    _refuse_large(width, height, channels * container / 8, data)
    tags = NO_TAGS
    if bits not in (8, 16):
        half = 2 ** (bits - 1) if signed else 0
        source = f'{bits} bits per sample'
        tags = ToneTags(-half, 2**bits - 1 - half, source, exact=True)
    box = data.find(b'colr', 0, max(start, 0))
    info = {}
    if box >= 4 and data[box + 4 : box + 5] == b'\x02':
        (length,) = struct.unpack_from('>I', data, box - 4)
        info['icc_profile'] = data[box + 7 : box - 4 + length]
    return _scan(
        imagecodecs.jpeg2k_decode(data),
        info,
        f'JPEG 2000, {bits} bit',
        tags=tags,
    )


def _refuse_large(
    width: int, height: int, pixel_bytes: float, data: bytes
) -> None:
    """Refuse bombs and what does not fit; decoders hold two copies."""
    refuse_bomb(width, height, pixel_bytes, len(data))
    refuse_beyond_memory(width * height * (2 * pixel_bytes + 4))


def _refuse_animation(image: ImageFile) -> None:
    frames = getattr(image, 'n_frames', 1)
    if frames > 1:
        raise PhotoError(f'it is an animation of {frames} pictures')


def _scan(
    array: NDArray,
    info: dict,
    facts: str,
    *,
    resolution: tuple[object, object, object] | None = None,
    texts: Sequence[tuple[str, object]] = (),
    notes: Sequence[str] = (),
    tags: ToneTags = NO_TAGS,
) -> Scan:
    exif, said = _exif(info.get('exif'))
    if resolution is None:
        resolution = exif.get(282), exif.get(283), exif.get(296, 2)
    if array.ndim == 2:
        array = array[..., None]
    if array.shape[-1] > 4:
        raise PhotoError(f'it holds {array.shape[-1]} channels')
    colors = 3 if array.shape[-1] > 2 else 1
    pixels, alpha = array[..., :colors], None
    if array.shape[-1] > colors:
        alpha = np.ascontiguousarray(array[..., colors])
    carried = dict(
        clean_texts((name, exif.get(tag)) for name, tag in TEXT_TAGS.items())
    )
    carried.update(clean_texts(texts))
    return Scan(
        pixels=pixels[..., 0] if colors == 1 else pixels,
        alpha=alpha,
        tags=tags,
        icc=info.get('icc_profile') or None,
        orientation=clean_orientation(exif.get(274)),
        resolution=clean_resolution(*resolution),
        texts=tuple(sorted(carried.items())),
        facts=facts,
        notes=(*notes, *said),
    )


def _exif(data: bytes | None) -> tuple[dict[int, object], tuple[str, ...]]:
    exif = Image.Exif()
    if not data:
        return {}, ()
    try:
        exif.load(data)
        return {tag: _utf8(value) for tag, value in exif.items()}, ()
    except DECODE_ERRORS:
        return {}, ('The EXIF data is damaged and was left out.',)


def _utf8(value: object) -> object:
    """Undo Pillow's reading of UTF-8 as Latin-1."""
    if isinstance(value, str):
        try:
            return value.encode('latin-1').decode('utf-8')
        except UnicodeError:
            pass
    return value
