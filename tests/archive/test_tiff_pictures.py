"""JPEG and JPEG 2000 strips and tiles with holes are known as damaged."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sdcolor.archive.reading import open_photos
from napari_sdcolor.errors import PhotoError

Y, X = np.mgrid[:256, :192]
GRAY = (40 + X + 60 * np.sin(Y / 9) ** 2).astype(np.uint8)
COLOR = np.dstack([GRAY, np.roll(GRAY, 9, 0), GRAY[::-1]])

EOI = b'\xff\xd9'


def written(path, pixels, **options) -> list[tuple[int, int]]:
    """Write a TIFF file; where its strips or tiles lie."""
    tifffile.imwrite(
        path,
        pixels,
        photometric='minisblack' if pixels.ndim == 2 else 'rgb',
        metadata=None,
        **options,
    )
    with tifffile.TiffFile(path) as tif:
        page = tif.pages[0]
        return list(zip(page.dataoffsets, page.databytecounts, strict=True))


def halved(path, span, end: bytes) -> None:
    """Zero the second half of a strip or tile, and put an end behind it."""
    data = bytearray(path.read_bytes())
    start, count = span
    half = start + count // 2
    data[half : start + count] = end + bytes(start + count - half - len(end))
    path.write_bytes(data)


def read(path, **options):
    with open_photos(path, **options) as file:
        return file.read(0)


CASES = {
    'gray JPEG in strips': (GRAY, {'compression': 'jpeg', 'rowsperstrip': 64}),
    'color JPEG in tiles': (COLOR, {'compression': 'jpeg', 'tile': (64, 64)}),
    'JPEG 2000 in tiles': (
        GRAY,
        {'compression': 'jpeg2000', 'tile': (64, 64)},
    ),
}


@pytest.mark.parametrize('case', CASES)
def test_whole_ones_are_read(tmp_path, case):
    pixels, options = CASES[case]
    path = tmp_path / 'whole.tif'
    written(path, pixels, **options)
    photo = read(path)
    assert photo.origin.damage == ()
    assert np.abs(photo.lightness).max() <= 100


@pytest.mark.parametrize('end', [b'', EOI], ids=['cut', 'cut with an end'])
@pytest.mark.parametrize('case', CASES)
def test_one_with_a_hole_is_refused_or_marked(tmp_path, case, end):
    pixels, options = CASES[case]
    path = tmp_path / 'hole.tif'
    spans = written(path, pixels, **options)
    halved(path, spans[1], end)
    with pytest.raises(PhotoError, match='damaged.*--allow-damaged'):
        read(path)
    photo = read(path, allow_damaged=True)
    assert photo.origin.damage
    assert photo.shape == GRAY.shape


def test_tables_of_their_own(tmp_path):
    """As libtiff writes JPEG: the tables stand in a tag, once for all."""
    path = tmp_path / 'tables.tif'
    Image.fromarray(GRAY).save(path, compression='jpeg', strip_size=192 * 64)
    with tifffile.TiffFile(path) as tif:
        page = tif.pages[0]
        assert page.jpegtables
        spans = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    assert read(path).origin.damage == ()
    halved(path, spans[-1], EOI)
    with pytest.raises(PhotoError, match='damaged'):
        read(path)


def test_a_tile_that_claims_a_thousand_tiles(tmp_path):
    """The decoder would note down something of each before it begins."""
    path = tmp_path / 'bomb.tif'
    start, _ = written(path, GRAY, compression='jpeg2000', tile=(64, 64))[0]
    data = bytearray(path.read_bytes())
    siz = data.index(b'\xff\x51', start)
    # Tiles of one pixel each: XTsiz and YTsiz.
    data[siz + 22 : siz + 30] = b'\0\0\0\1\0\0\0\1'
    path.write_bytes(data)
    with pytest.raises(PhotoError):
        read(path)


@pytest.mark.parametrize('mode', ['LA', 'RGBA'])
def test_alpha_beside_jpeg(tmp_path, mode):
    """Two or four channels in one picture, as Pillow writes them."""
    path = tmp_path / 'alpha.tif'
    bands = [GRAY] * (len(mode) - 1) + [GRAY[::-1]]
    Image.merge(mode, [Image.fromarray(band) for band in bands]).save(
        path, compression='jpeg', quality=95
    )
    photo = read(path)
    assert photo.origin.damage == ()
    assert photo.alpha is not None
    with tifffile.TiffFile(path) as tif:
        page = tif.pages[0]
        span = page.dataoffsets[-1], page.databytecounts[-1]
    halved(path, span, EOI)
    with pytest.raises(PhotoError, match='damaged'):
        read(path)
