"""Encoding colored pictures as TIFF, PNG or JPEG, always with the mark.

Equal pictures give equal bytes: nothing here reads a clock.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tifffile import TiffFile, TiffWriter

from napari_sdcolor.archive.formats import SUFFIXES
from napari_sdcolor.archive.marking import Mark
from napari_sdcolor.archive.profiles import srgb_profile
from napari_sdcolor.archive.scan import TEXT_TAGS
from napari_sdcolor.core.depth import in_eight_bits
from napari_sdcolor.core.paint import PAINTERS, Painting
from napari_sdcolor.core.planes import Rows
from napari_sdcolor.errors import SaveError, said

TILE = 256
"""Side of the tiles of TIFF files in pixels."""

LEVEL = 1
"""Of deflate. After the predictor, photos get no smaller with more effort
(measured: 0.602 at level 1, 0.608 at level 6), which takes twice the time."""

BUFFER = 2**26
"""Bytes of tiles that wait for their compression."""

PACKERS = PAINTERS
"""Threads that compress tiles, by turns with those that paint them."""

JPEG_QUALITY = 95
JPEG_MAX_SIDE = 65500

_BIG = 2**32 - 2**25
_XMP_TAG = 700
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
        (H, W, 3) uint8 or uint16, sRGB; or a picture that paints itself
        row by row while it is written.
    mark
        What the file says about itself.
    alpha
        (H, W) in the type of ``rgb``, not multiplied in; or None.
    orientation, resolution, texts
        As in ``core.photo.Origin``.
    """

    rgb: NDArray | Painting
    mark: Mark
    alpha: NDArray | Rows | None = None
    orientation: int = 1
    resolution: tuple[float, float, int] | None = None
    texts: tuple[tuple[str, str], ...] = ()

    def channels(self) -> NDArray:
        """(H, W, 3) colors, or (H, W, 4) with alpha."""
        if self.alpha is None:
            return np.ascontiguousarray(self.rgb)
        return np.dstack((np.asarray(self.rgb), np.asarray(self.alpha)))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of ``channels``."""
        return (*self.rgb.shape[:2], 3 if self.alpha is None else 4)

    def tiles(self, side: int) -> Iterator[NDArray]:
        """Squares of ``channels``, row by row; smaller ones at the rims."""
        for band in self._bands(side):
            for left in range(0, band.shape[1], side):
                yield band[:, left : left + side]

    def _bands(self, height: int) -> Iterator[NDArray]:
        """``channels``, so many rows at a time."""
        if isinstance(self.rgb, np.ndarray):
            whole = self.channels()
            for top in range(0, len(whole), height):
                yield whole[top : top + height]
            return
        yield from self.rgb.bands(height, self.alpha)

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


def write(
    stream: BinaryIO,
    pictures: Iterable[Picture],
    form: str,
    *,
    result_bytes: int = 0,
) -> None:
    """Write pictures, several of them only as the pages of a TIFF file.

    Parameters
    ----------
    stream
        Empty, to write, read and seek.
    pictures
        At least one. Each is taken when the one before is written, so that
        an iterator needs memory for one.
    form
        'tiff', 'png' or 'jpeg'.
    result_bytes
        Bytes of the pixels of all pictures, where it is known. BigTIFF is
        chosen where they might not fit into a classic TIFF file.

    Raises
    ------
    SaveError
        If the format cannot hold the pictures, or the mark is not found
        in what was written.
    """
    if form not in SUFFIXES:
        raise SaveError(
            f'{form!r} is no format; choose one of {", ".join(SUFFIXES)}.'
        )
    if form == 'tiff':
        _write_tiff(stream, pictures, result_bytes)
        return
    first, *others = pictures
    if others:
        raise SaveError(
            f'{form} holds one page, not {1 + len(others)}; choose tiff.'
        )
    _refuse_unusable(first)
    with _explaining(form):
        data = _ENCODERS[form](first)
    if first.mark.xmp not in data:
        raise _unmarked(form)
    stream.write(data)


def _unmarked(form: str) -> SaveError:
    return SaveError(
        f'The mark is missing in the {form} file; nothing was saved.'
    )


@contextmanager
def _explaining(form: str) -> Iterator[None]:
    try:
        yield
    except _ENCODE_ERRORS as error:
        if isinstance(error, OSError) and error.errno:
            raise  # the disk, not the encoder
        raise SaveError(
            f'The picture could not be encoded as {form} ({said(error)}). Choose '
            'another format.'
        ) from error


def _refuse_unusable(picture: Picture) -> None:
    rgb, alpha = picture.rgb, picture.alpha
    if (
        len(rgb.shape) != 3
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


def _write_tiff(
    stream: BinaryIO, pictures: Iterable[Picture], result_bytes: int
) -> None:
    written, marks = 0, set()
    writer: TiffWriter | None = None
    for picture in pictures:
        _refuse_unusable(picture)
        with _explaining('tiff'):
            if writer is None:
                size = max(result_bytes, picture.nbytes)
                writer = TiffWriter(stream, bigtiff=size > _BIG)
            _write_page(writer, picture)
        marks.add(picture.mark.xmp)
        written += 1
    if writer is None:
        raise SaveError('There is no page to save.')
    with _explaining('tiff'):
        writer.close()
    if not _is_marked(stream, written, marks):
        raise _unmarked('tiff')


def _is_marked(stream: BinaryIO, pages: int, marks: set[bytes]) -> bool:
    """Read the file again: all pages are there, each with its mark."""
    stream.seek(0)
    try:
        with TiffFile(stream, name='result.tif') as tif:
            tif.pages.cache = False
            found = [page.tags.valueof(_XMP_TAG) for page in tif.pages]
    except (LookupError, TypeError, ValueError, struct.error):
        return False
    return len(found) == pages and marks.issuperset(found)


def _write_page(writer: TiffWriter, picture: Picture) -> None:
    texts, xmp = picture.carried(), picture.mark.xmp
    tags = [
        (274, 'H', 1, picture.orientation, True),
        (_XMP_TAG, 'B', len(xmp), xmp, True),
    ]
    for name, text in texts.items():
        if name != _DESCRIPTION:
            raw = text.encode()
            tags.append((TEXT_TAGS[name], 's', len(raw) + 1, raw, True))
    resolution, unit = None, None
    if picture.resolution is not None:
        *resolution, unit = picture.resolution
    writer.write(
        picture.tiles(TILE),
        shape=picture.shape,
        dtype=picture.rgb.dtype,
        photometric='rgb',
        extrasamples=None if picture.alpha is None else ['unassalpha'],
        tile=(TILE, TILE),
        compression='zlib',
        compressionargs={'level': LEVEL},
        predictor=True,
        buffersize=BUFFER,
        maxworkers=PACKERS,
        description=texts[_DESCRIPTION].encode(),
        software=picture.mark.software,
        resolution=resolution,
        resolutionunit=unit,
        iccprofile=srgb_profile(),
        extratags=tags,
        metadata=None,
    )


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
    rgb = np.asarray(picture.rgb)
    if max(rgb.shape[:2]) > JPEG_MAX_SIDE:
        raise ValueError(f'sides above {JPEG_MAX_SIDE} pixels')
    rgb = in_eight_bits(rgb)
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


_ENCODERS = {'png': _encode_png, 'jpeg': _encode_jpeg}
"""Of the formats that hold one picture."""
