"""Small intact files of every kind that is read, made on the spot."""

from __future__ import annotations

import io

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

GRAY = np.random.default_rng(3).integers(0, 255, (40, 50), dtype=np.uint8)
GRAY[10:30] //= 4
COLOR = np.stack([GRAY, GRAY[::-1], GRAY[:, ::-1]], axis=-1)
DEEP = GRAY.astype(np.uint16) * 211
PAGES = np.stack([GRAY, GRAY[::-1], GRAY // 2])


def tiff(array: NDArray, **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **options)
    return stream.getvalue()


def pillow(array: NDArray, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, form, **options)
    return stream.getvalue()


def palette_tiff() -> bytes:
    colors = np.random.default_rng(4).integers(0, 65536, (3, 256))
    return tiff(GRAY, photometric='palette', colormap=colors.astype(np.uint16))


def ome_tiff() -> bytes:
    return tiff(PAGES, ome=True, metadata={'axes': 'ZYX'})


def intact() -> dict[str, bytes]:
    """Name to content."""
    alpha = {'extrasamples': ['unassalpha'], 'planarconfig': 'contig'}
    with_tags = {
        'description': 'A boat.',
        'software': 'a scanner',
        'resolution': (300, 300),
        'iccprofile': imagecodecs.cms_profile('gray', gamma=1.8),
        'extratags': [(315, 's', 0, 'An author', True)],
    }
    return {
        'plain.tif': tiff(GRAY, rowsperstrip=8),
        'tagged.tif': tiff(GRAY, **with_tags),
        'big endian.tif': tiff(DEEP, byteorder='>', compression='packbits'),
        'lzw.tif': tiff(DEEP, compression='lzw', tile=(16, 16)),
        'deflate.tif': tiff(
            COLOR, compression='zlib', predictor=True, photometric='rgb'
        ),
        'zstd.tif': tiff(DEEP, compression='zstd', rowsperstrip=8),
        'lzma.tif': tiff(GRAY, compression='lzma', tile=(32, 32)),
        'jpeg.tif': pillow(COLOR, 'TIFF', compression='jpeg'),
        'tiled jpeg.tif': tiff(GRAY, compression='jpeg', tile=(32, 32)),
        'lossless jpeg.tif': tiff(
            DEEP,
            compression='jpeg',
            compressionargs={'lossless': True},
            rowsperstrip=8,
        ),
        'jpeg 2000.tif': tiff(DEEP, compression='jpeg2000', tile=(32, 32)),
        'webp.tif': tiff(COLOR, compression='webp', photometric='rgb'),
        'group4.tif': pillow(GRAY > 99, 'TIFF', compression='group4'),
        'group3.tif': pillow(GRAY > 99, 'TIFF', compression='group3'),
        'float.tif': tiff(GRAY.astype(np.float32) / 255),
        'predicted float.tif': tiff(
            GRAY.astype(np.float32), compression='zlib', predictor=3
        ),
        'alpha.tif': tiff(
            np.dstack((GRAY, 255 - GRAY)), photometric='minisblack', **alpha
        ),
        'planar.tif': tiff(
            np.moveaxis(COLOR, -1, 0),
            photometric='rgb',
            planarconfig='separate',
        ),
        'palette.tif': palette_tiff(),
        'bigtiff.tif': tiff(DEEP, bigtiff=True),
        'pages.tif': tiff(PAGES, photometric='minisblack'),
        'ome.tif': ome_tiff(),
        'imagej.tif': tiff(PAGES, imagej=True, metadata={'axes': 'ZYX'}),
        'bare stack.tif': tiff(PAGES, photometric='minisblack', truncate=True),
        'gray.png': pillow(GRAY, 'PNG', dpi=(300, 300)),
        'deep.png': imagecodecs.png_encode(np.dstack([DEEP] * 4)),
        'palette.png': pillow(GRAY, 'PNG', bits=8),
        'gray.jpg': pillow(GRAY, 'JPEG'),
        'progressive.jpg': pillow(COLOR, 'JPEG', progressive=True),
        'deep.jpg': imagecodecs.jpeg8_encode(
            DEEP >> 4, level=90, bitspersample=12
        ),
        'lossless.jpg': imagecodecs.jpeg8_encode(DEEP, lossless=True),
        'photo.webp': pillow(COLOR, 'WEBP', lossless=True),
        'lossy.webp': pillow(COLOR, 'WEBP'),
        'photo.jp2': pillow(GRAY, 'JPEG2000'),
        'deep.j2k': imagecodecs.jpeg2k_encode(DEEP, level=0, reversible=True),
    }
