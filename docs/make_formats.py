"""Runs every kind of file through the program and tells what came out.

Prints the table of docs/formats.md. With --write it replaces the one there:

    python docs/make_formats.py --write

Needs exiftool (https://exiftool.org), which reads the marks.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from PIL import Image
from skimage import data

from napari_sdcolor.archive.reading import open_photos
from napari_sdcolor.archive.saving import save_pages, save_result
from napari_sdcolor.core import lab
from napari_sdcolor.core.colornet import ColorNetConfig
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.gridnet import GridNetConfig
from napari_sdcolor.core.photo import Photo
from napari_sdcolor.settings import DEFAULT_SOURCE_TYPE

PAGE = Path(__file__).with_name('formats.md')
BEGIN, END = '<!-- table: make_formats.py -->\n', '<!-- end of table -->\n'
WIDTHS = (4, 4, 8, 8, 8)

GRAY = data.camera()[100:196, 180:308]
COLOR = np.ascontiguousarray(data.astronaut()[:96, 150:278])
DEEP = GRAY.astype(np.uint16) * 256 + np.arange(128, dtype=np.uint16)
PAGES = np.stack([GRAY, GRAY[::-1], GRAY // 2])
ALPHA = np.tile(np.arange(128, dtype=np.uint8) * 2, (96, 1))
TAGS = {
    'resolution': (300, 300),
    'resolutionunit': 'INCH',
    'extratags': [(274, 'H', 1, 6, True), (315, 's', 0, 'An author', True)],
}


def tiff(array: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **options)
    return stream.getvalue()


def pillow(array: np.ndarray, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, form, **options)
    return stream.getvalue()


def twelve_bits() -> bytes:
    packed = imagecodecs.packints_encode(DEEP >> 4, 12)
    return tiff(
        iter([packed]),
        shape=DEEP.shape,
        dtype=np.uint16,
        bitspersample=12,
        photometric='minisblack',
        rowsperstrip=len(DEEP),
    )


def with_gap() -> bytes:
    """A float photo with a border of missing data, as GDAL marks it."""
    share = GRAY / np.float32(255)
    share[:8] = -3.4e38
    nodata = (42113, 's', 0, '-3.4e38', True)
    return tiff(share, photometric='minisblack', extratags=[nodata])


def pyramid() -> bytes:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(DEEP, subifds=2, tile=(32, 32))
        for step in (2, 4):
            level = np.ascontiguousarray(DEEP[::step, ::step])
            writer.write(level, subfiletype=1, tile=(32, 32))
    return stream.getvalue()


def palette(gray: bool) -> bytes:
    ramp = np.arange(256, dtype=np.uint16) * 257
    colors = np.stack([ramp, ramp if gray else ramp[::-1], ramp])
    return tiff(GRAY, photometric='palette', colormap=colors)


def kinds() -> dict[str, Callable[[], bytes]]:
    """What is tried: name and how to make the file."""
    alpha = {'extrasamples': ['unassalpha'], 'photometric': 'minisblack'}
    white = {'photometric': 'miniswhite'}
    gamma = imagecodecs.cms_profile('gray', gamma=1.8)
    adobe = imagecodecs.cms_profile('adobergb')
    found: dict[str, Callable[[], bytes]] = {
        'TIFF, 8 bit, none, strips, tags': lambda: tiff(GRAY, **TAGS),
        'TIFF, 16 bit, none, big-endian': lambda: tiff(DEEP, byteorder='>'),
        'BigTIFF, 16 bit': lambda: tiff(DEEP, bigtiff=True),
    }
    for packing in ('lzw', 'zlib', 'packbits', 'zstd', 'lzma', 'jpeg2000'):
        found[f'TIFF, 16 bit, {packing}, strips'] = lambda packing=packing: (
            tiff(DEEP, compression=packing, rowsperstrip=32)
        )
        found[f'TIFF, 16 bit, {packing}, tiles'] = lambda packing=packing: (
            tiff(DEEP, compression=packing, tile=(32, 48))
        )
    found |= {
        'TIFF, 16 bit, zlib with predictor': lambda: tiff(
            DEEP, compression='zlib', predictor=True
        ),
        'TIFF, 8 bit, JPEG': lambda: tiff(
            GRAY, compression='jpeg', tile=(32, 32)
        ),
        'TIFF, RGB, JPEG (YCbCr)': lambda: pillow(
            COLOR, 'TIFF', compression='jpeg'
        ),
        'TIFF, RGB, WebP': lambda: tiff(
            COLOR, compression='webp', photometric='rgb'
        ),
        'TIFF, 1 bit, CCITT group 3': lambda: pillow(
            GRAY > 99, 'TIFF', compression='group3'
        ),
        'TIFF, 1 bit, CCITT group 4': lambda: pillow(
            GRAY > 99, 'TIFF', compression='group4'
        ),
        'TIFF, 1 bit, none': lambda: pillow(GRAY > 99, 'TIFF'),
        'TIFF, 12 bit, packed': twelve_bits,
        'TIFF, 32 bit': lambda: tiff(DEEP.astype(np.uint32) << 16),
        'TIFF, float': lambda: tiff(GRAY.astype(np.float32) / 255),
        'TIFF, float, zlib with predictor': lambda: tiff(
            DEEP.astype(np.float32), compression='zlib', predictor=3
        ),
        'TIFF, 12-bit scan in 16 bit': lambda: tiff(DEEP >> 4),
        'TIFF, 12-bit scan in signed 16 bit': lambda: tiff(
            (DEEP >> 4).astype(np.int16)
        ),
        'TIFF, 16-bit scan in 32 bit': lambda: tiff(DEEP.astype(np.int32)),
        'TIFF, float with missing data': with_gap,
        'TIFF, 8 bit, white is zero': lambda: tiff(255 - GRAY, **white),
        'TIFF, 16 bit, white is zero': lambda: tiff(65535 - DEEP, **white),
        'TIFF, gray palette': lambda: palette(True),
        'TIFF, colored palette': lambda: palette(False),
        'TIFF, gray with alpha': lambda: tiff(
            np.dstack((GRAY, ALPHA)), planarconfig='contig', **alpha
        ),
        'TIFF, RGB': lambda: tiff(COLOR, photometric='rgb'),
        'TIFF, RGB 16 bit': lambda: tiff(
            COLOR.astype(np.uint16) * 257, photometric='rgb'
        ),
        'TIFF, RGBA': lambda: tiff(
            np.dstack((COLOR, ALPHA)),
            photometric='rgb',
            extrasamples=['unassalpha'],
        ),
        'TIFF, RGB, planar': lambda: tiff(
            np.moveaxis(COLOR, -1, 0),
            photometric='rgb',
            planarconfig='separate',
        ),
        'TIFF, gray profile (gamma 1.8)': lambda: tiff(DEEP, iccprofile=gamma),
        'TIFF, Adobe RGB profile': lambda: tiff(
            COLOR, photometric='rgb', iccprofile=adobe
        ),
        'TIFF, 3 pages': lambda: tiff(PAGES, photometric='minisblack'),
        'TIFF, stack of ImageJ': lambda: tiff(
            PAGES, imagej=True, metadata={'axes': 'ZYX'}
        ),
        'TIFF, stack without pages': lambda: tiff(
            PAGES, photometric='minisblack', truncate=True
        ),
        'OME-TIFF, 3 planes': lambda: tiff(
            PAGES, ome=True, metadata={'axes': 'ZYX'}
        ),
        'TIFF, pyramid': pyramid,
        'PNG, 8 bit': lambda: pillow(GRAY, 'PNG', dpi=(300, 300)),
        'PNG, 16 bit': lambda: imagecodecs.png_encode(DEEP),
        'PNG, 16 bit RGBA': lambda: imagecodecs.png_encode(
            np.dstack((COLOR, ALPHA)).astype(np.uint16) * 257
        ),
        'JPEG, gray': lambda: pillow(GRAY, 'JPEG', dpi=(300, 300)),
        'JPEG, color, progressive': lambda: pillow(
            COLOR, 'JPEG', progressive=True
        ),
        'JPEG 2000, 8 bit': lambda: pillow(GRAY, 'JPEG2000'),
        'JPEG 2000, 16 bit': lambda: imagecodecs.jpeg2k_encode(
            DEEP, level=0, reversible=True
        ),
        'JPEG 2000, signed 12 bit': lambda: imagecodecs.jpeg2k_encode(
            (DEEP >> 4).astype(np.int16) - 2048,
            level=0,
            reversible=True,
            bitspersample=12,
        ),
        'WebP': lambda: pillow(COLOR, 'WEBP', lossless=True),
    }
    return found


def saved_pixels(path: Path) -> Iterator[np.ndarray]:
    """(H, W, 3 or 4) of each page, by other libraries."""
    if path.suffix == '.tif':
        with tifffile.TiffFile(path) as tif:
            for page in tif.pages:
                yield page.asarray()
    else:
        yield imagecodecs.png_decode(path.read_bytes())


def check_page(photo: Photo, pixels: np.ndarray) -> float:
    """Largest |ΔL*| in float64; size, depth and alpha must agree."""
    assert pixels.dtype.itemsize * 8 == photo.bits
    assert pixels.shape[:2] == photo.shape
    if photo.alpha is not None:
        assert (pixels[..., 3] == photo.alpha).all()
    top = np.iinfo(pixels.dtype).max
    found = lab.rgb_to_lightness(pixels[..., :3].astype(np.float64) / top)
    difference = float(np.abs(found - photo.lightness).max())
    assert difference <= (0.26 if photo.bits == 8 else 0.001)
    return difference


def check_tags(path: Path, photo: Photo) -> None:
    """The mark and what was carried over, read back by exiftool."""
    told = subprocess.run(
        ['exiftool', '-json', '-G1', '-n', str(path)],
        capture_output=True,
        check=True,
    )
    (tags,) = json.loads(told.stdout)
    assert tags['XMP-iptcExt:DigitalSourceType'] == DEFAULT_SOURCE_TYPE
    digest = f'sha256:{photo.origin.sha256}'
    assert tags['XMP-xmpMM:DerivedFromDocumentID'] == digest
    assert tags['XMP-xmp:CreatorTool'].startswith('napari-sdcolor ')
    assert 'added by a machine' in tags['XMP-dc:Description']
    assert tags['ICC_Profile:ProfileDescription'].startswith('sRGB')
    assert tags.get('IFD0:Orientation', 1) == photo.origin.orientation
    author = dict(photo.origin.texts).get('Artist')
    assert author == tags.get('IFD0:Artist', tags.get('PNG:Author'))
    if photo.origin.resolution == (300, 300, 2):
        meters = tags.get('PNG-pHYs:PixelsPerUnitX')
        assert meters == 11811 or tags['IFD0:XResolution'] == 300


def run(name: str, content: bytes, colorizer: Colorizer, folder: Path) -> str:
    """One row: the file through the whole program."""
    source = folder / 'photo'
    source.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    before = source.stat().st_mtime_ns
    cells: dict[str, str] = {}
    with open_photos(source) as file:
        photos = [file.read(page) for page in file.pages]
        results = [colorizer.colorize(photo) for photo in photos]
        for form in ('tiff', 'png', 'jpeg'):
            out = folder / form
            out.mkdir()
            if file.is_album and form != 'tiff':
                cells[form] = 'one page at a time'
                continue
            if file.is_album:
                color = save_pages(results, out, 'photo', file.count)[0]
            else:
                color = save_result(results[0], out, 'photo', form).color
            check_tags(color, photos[0])
            if form == 'jpeg':
                cells[form] = 'access copy'
                continue
            pairs = zip(photos, saved_pixels(color), strict=True)
            largest = max(check_page(*pair) for pair in pairs)
            cells[form] = f'{largest:.2g}'
    assert hashlib.sha256(source.read_bytes()).hexdigest() == digest
    assert source.stat().st_mtime_ns == before
    first = photos[0]
    kept = [
        word
        for word, there in (
            ('alpha', first.alpha is not None),
            ('resolution', first.origin.resolution not in (None, (1, 1, 1))),
            ('orientation', first.origin.orientation != 1),
            ('author', 'Artist' in dict(first.origin.texts)),
            ('profile in sidecar', first.origin.icc is not None),
        )
        if there
    ]
    read = f'{first.kind}, {first.bits} bit'
    if len(photos) > 1:
        read += f', {len(photos)} pages'
    words = [name, read, cells['tiff'], cells['png'], cells['jpeg']]
    return '| ' + ' | '.join([*words, ', '.join(kept) or '–']) + ' |'


def table() -> Iterator[str]:
    """The lines of the table."""
    yield (
        '| File | Result | TIFF: largest ΔL* | PNG: largest ΔL* | JPEG '
        '| Kept |'
    )
    yield '| --- | --- | --- | --- | --- | --- |'
    colorizer = Colorizer.random(
        ColorNetConfig(widths=WIDTHS, label_channels=2),
        grid=GridNetConfig(widths=WIDTHS),
        size=64,
    )
    for name, make in kinds().items():
        with tempfile.TemporaryDirectory() as folder:
            yield run(name, make(), colorizer, Path(folder))


def main() -> None:
    if shutil.which('exiftool') is None:
        sys.exit('exiftool is needed: it reads the marks.')
    lines = [f'{line}\n' for line in table()]
    sys.stdout.writelines(lines)
    if '--write' in sys.argv:
        text = PAGE.read_text(encoding='utf-8')
        head, rest = text.split(BEGIN)
        _, tail = rest.split(END)
        new = ''.join((head, BEGIN, '\n', *lines, '\n', END, tail))
        PAGE.write_text(new, encoding='utf-8')


if __name__ == '__main__':
    main()
