"""Encoding colored pictures as TIFF, PNG or JPEG, always with the mark.

Equal pictures give equal bytes: nothing here reads a clock.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tifffile import TiffWriter

from napari_sdcolor.archive.marking import Mark
from napari_sdcolor.archive.profiles import srgb_profile
from napari_sdcolor.archive.scan import TEXT_TAGS
from napari_sdcolor.errors import SaveError

SUFFIXES = {'tiff': '.tif', 'png': '.png', 'jpeg': '.jpg'}
"""Formats of results and their suffixes."""

JPEG_QUALITY = 95
JPEG_MAX_SIDE = 65500

_BIG = 2**32 - 2**25
_DESCRIPTION = 'ImageDescription'
_PNG_KEYWORDS = {'Artist': 'Author', 'DocumentName': 'Title'}
_ENCODE_ERRORS = (
    MemoryError,
    OSError,
    OverflowError,
    RuntimeError,
    struct.error,
    ValueError,
)


@dataclass(frozen=True, eq=False)
class Picture:
    """A colored picture as it goes into a file.

    Parameters
    ----------
    rgb
        (H, W, 3) uint8 or uint16, sRGB.
    mark
        What the file says about itself.
    alpha
        (H, W) in the type of ``rgb``, not multiplied in; or None.
    orientation, resolution, texts
        As in ``core.photo.Origin``.
    """

    rgb: NDArray
    mark: Mark
    alpha: NDArray | None = None
    orientation: int = 1
    resolution: tuple[float, float, int] | None = None
    texts: tuple[tuple[str, str], ...] = ()

    def channels(self) -> NDArray:
        """(H, W, 3) colors, or (H, W, 4) with alpha."""
        if self.alpha is None:
            return np.ascontiguousarray(self.rgb)
        return np.dstack((self.rgb, self.alpha))

    @property
    def nbytes(self) -> int:
        """Bytes of the pixels before they are packed."""
        return self.rgb.nbytes + (
            0 if self.alpha is None else self.alpha.nbytes
        )

    def carried(self) -> dict[str, str]:
        """Texts for the file; the photo's description follows our own."""
        texts = dict(self.texts)
        words = (self.mark.description, texts.get(_DESCRIPTION, ''))
        texts[_DESCRIPTION] = ' '.join(filter(None, words))
        return texts


def encode(pictures: Sequence[Picture], form: str) -> bytes:
    """Encode pictures, several of them only as the pages of a TIFF file.

    Parameters
    ----------
    pictures
        At least one.
    form
        'tiff', 'png' or 'jpeg'.

    Raises
    ------
    SaveError
        If the format cannot hold the pictures, or the mark is not found
        in what was encoded.
    """
    if form not in SUFFIXES:
        raise SaveError(
            f'{form!r} is no format; choose one of {", ".join(SUFFIXES)}.'
        )
    if form != 'tiff' and len(pictures) != 1:
        raise SaveError(
            f'{form} holds one page, not {len(pictures)}; choose tiff.'
        )
    for picture in pictures:
        _refuse_unusable(picture)
    try:
        if form == 'tiff':
            data = _encode_tiff(pictures)
        elif form == 'png':
            data = _encode_png(pictures[0])
        else:
            data = _encode_jpeg(pictures[0])
    except _ENCODE_ERRORS as error:
        raise SaveError(
            f'The picture could not be encoded as {form} ({error}). Choose '
            'another format.'
        ) from error
    if any(picture.mark.xmp not in data for picture in pictures):
        raise SaveError(
            f'The mark is missing in the {form} file; nothing was saved.'
        )
    return data


def _refuse_unusable(picture: Picture) -> None:
    rgb, alpha = picture.rgb, picture.alpha
    if (
        rgb.ndim != 3
        or rgb.shape[-1] != 3
        or rgb.dtype not in (np.uint8, np.uint16)
        or (
            alpha is not None
            and (alpha.shape != rgb.shape[:2] or alpha.dtype != rgb.dtype)
        )
    ):
        raise SaveError(
            f'A picture of shape {rgb.shape} and type {rgb.dtype} with alpha '
            f'{None if alpha is None else (alpha.shape, str(alpha.dtype))} '
            'cannot be saved.'
        )
    if not picture.mark.xmp:
        raise SaveError('A picture without its mark is not saved.')


def _encode_tiff(pictures: Sequence[Picture]) -> bytes:
    size = sum(picture.nbytes for picture in pictures)
    stream = io.BytesIO()
    with TiffWriter(stream, bigtiff=size > _BIG) as writer:
        for picture in pictures:
            texts = picture.carried()
            tags = [
                (274, 'H', 1, picture.orientation, True),
                (700, 'B', len(picture.mark.xmp), picture.mark.xmp, True),
            ]
            for name, text in texts.items():
                if name != _DESCRIPTION:
                    raw = text.encode()
                    tags.append(
                        (TEXT_TAGS[name], 's', len(raw) + 1, raw, True)
                    )
            resolution, unit = None, None
            if picture.resolution is not None:
                *resolution, unit = picture.resolution
            writer.write(
                picture.channels(),
                photometric='rgb',
                extrasamples=None if picture.alpha is None else ['unassalpha'],
                tile=(256, 256),
                compression='zlib',
                predictor=True,
                description=texts[_DESCRIPTION].encode(),
                software=picture.mark.software,
                resolution=resolution,
                resolutionunit=unit,
                iccprofile=srgb_profile(),
                extratags=tags,
                metadata=None,
            )
    return stream.getvalue()


def _encode_png(picture: Picture) -> bytes:
    data = imagecodecs.png_encode(picture.channels(), level=6)
    header = 8 + 12 + 13  # signature and IHDR
    packed = zlib.compress(srgb_profile(), 9)
    chunks = [_chunk(b'iCCP', b'sRGB\0\0' + packed)]
    if picture.resolution is not None and picture.resolution[2] != 1:
        *density, unit = picture.resolution
        scale = 100 if unit == 3 else 1 / 0.0254
        across, down = (round(value * scale) for value in density)
        chunks.append(_chunk(b'pHYs', struct.pack('>IIB', across, down, 1)))
    exif = _exif({274: picture.orientation})
    chunks.append(_chunk(b'eXIf', exif.removeprefix(b'Exif\0\0')))
    software = picture.mark.software.encode('latin-1')
    chunks.append(_chunk(b'tEXt', b'Software\0' + software))
    for name, text in sorted(picture.carried().items()):
        keyword = _PNG_KEYWORDS.get(name, name.removeprefix('Image'))
        chunks.append(_itxt(keyword, text.encode()))
    chunks.append(_itxt('XML:com.adobe.xmp', picture.mark.xmp))
    return data[:header] + b''.join(chunks) + data[header:]


def _chunk(kind: bytes, body: bytes) -> bytes:
    crc = zlib.crc32(kind + body)
    return struct.pack('>I', len(body)) + kind + body + struct.pack('>I', crc)


def _itxt(keyword: str, text: bytes) -> bytes:
    """An uncompressed text chunk without language."""
    return _chunk(b'iTXt', keyword.encode() + b'\0\0\0\0\0' + text)


def _encode_jpeg(picture: Picture) -> bytes:
    """An access copy: 8 bits, no alpha, lightness not exact."""
    rgb = picture.rgb
    if max(rgb.shape[:2]) > JPEG_MAX_SIDE:
        raise ValueError(f'sides above {JPEG_MAX_SIDE} pixels')
    if rgb.dtype == np.uint16:
        rgb = ((rgb.astype(np.uint32) + 128) // 257).astype(np.uint8)
    tags: dict[int, object] = {
        TEXT_TAGS[name]: text.encode()
        for name, text in picture.carried().items()
    }
    tags[274] = picture.orientation
    tags[305] = picture.mark.software
    density = {}
    if picture.resolution is not None and picture.resolution[2] != 1:
        *values, unit = picture.resolution
        tags[282], tags[283] = values
        tags[296] = unit
        scale = 2.54 if unit == 3 else 1
        density['dpi'] = tuple(
            min(65535, max(1, round(value * scale))) for value in values
        )
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb)).save(
        stream,
        'JPEG',
        quality=JPEG_QUALITY,
        subsampling=0,
        icc_profile=srgb_profile(),
        exif=_exif(tags),
        **density,
    )
    return _with_xmp(stream.getvalue(), picture.mark.xmp)


def _with_xmp(data: bytes, xmp: bytes) -> bytes:
    """Put the packet behind the JFIF and EXIF segments of a JPEG file."""
    body = b'http://ns.adobe.com/xap/1.0/\0' + xmp
    segment = b'\xff\xe1' + struct.pack('>H', len(body) + 2) + body
    place = 2
    while data[place : place + 2] in (b'\xff\xe0', b'\xff\xe1'):
        place += 2 + int.from_bytes(data[place + 2 : place + 4], 'big')
    return data[:place] + segment + data[place:]


def _exif(tags: dict[int, object]) -> bytes:
    exif = Image.Exif()
    for tag, value in tags.items():
        exif[tag] = value
    return exif.tobytes()
