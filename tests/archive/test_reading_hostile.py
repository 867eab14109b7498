"""Files that are damaged, foreign or malicious end in one sentence."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
import zipfile
import zlib
from types import SimpleNamespace

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sdcolor.archive.reading import read_photo
from napari_sdcolor.errors import PhotoError


def tiff(array, **options) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **options)
    return stream.getvalue()


def pillow(array, form, **options) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, form, **options)
    return stream.getvalue()


GRAY = np.random.default_rng(3).integers(0, 255, (40, 50), dtype=np.uint8)
COLOR = np.stack([GRAY, GRAY[::-1], GRAY[:, ::-1]], axis=-1)
DEEP = GRAY.astype(np.uint16) * 211

INTACT = {
    'plain.tif': tiff(GRAY, rowsperstrip=8),
    'lzw.tif': tiff(DEEP, compression='lzw', tile=(16, 16)),
    'deflate.tif': tiff(
        COLOR, compression='zlib', predictor=True, photometric='rgb'
    ),
    'big.tif': tiff(DEEP, bigtiff=True),
    'group4.tif': pillow(GRAY > 99, 'TIFF', compression='group4'),
    'jpeg.tif': pillow(COLOR, 'TIFF', compression='jpeg'),
    'gray.jpg': pillow(GRAY, 'JPEG'),
    'progressive.jpg': pillow(COLOR, 'JPEG', progressive=True),
    'gray.png': pillow(GRAY, 'PNG'),
    'deep.png': imagecodecs.png_encode(np.dstack([DEEP] * 4)),
    'photo.webp': pillow(COLOR, 'WEBP', lossless=True),
    'photo.jp2': imagecodecs.jpeg2k_encode(DEEP, level=0, reversible=True),
}


@pytest.mark.parametrize('name', INTACT)
def test_every_truncation_is_refused(tmp_path, name):
    path, data = tmp_path / name, INTACT[name]
    path.write_bytes(data)
    read_photo(path)
    step = max(1, len(data) // 40)
    lengths = [*range(0, len(data), step), len(data) - 1, len(data) - 2]
    for length in lengths:
        path.write_bytes(data[:length])
        with pytest.raises(PhotoError, match=name):
            read_photo(path)


@pytest.mark.parametrize('name', INTACT)
def test_damage_gives_a_photo_or_a_sentence(tmp_path, name, rng):
    path, data = tmp_path / name, INTACT[name]
    refused = 0
    for _ in range(60):
        damaged = bytearray(data)
        # Headers and tables of tags lie at either end of a file.
        span = min(len(data), 300)
        for place in rng.integers(0, span, 2):
            damaged[place] = rng.integers(0, 256)
            damaged[-1 - place] = rng.integers(0, 256)
        path.write_bytes(damaged)
        try:
            read_photo(path)
        except PhotoError as error:
            refused += 1
            assert name in str(error)
    assert refused > 10


@pytest.mark.parametrize('name', ['gray.png', 'deep.png', 'deflate.tif'])
def test_formats_with_checksums_notice_a_flipped_pixel(tmp_path, name):
    data = bytearray(INTACT[name])
    data[len(data) // 2] ^= 0x10
    (tmp_path / name).write_bytes(data)
    with pytest.raises(PhotoError, match=name):
        read_photo(tmp_path / name)


def _png_bomb() -> bytes:
    header = struct.pack('>IIBBBBB', 30000, 30000, 8, 0, 0, 0, 0)
    data = b'\x89PNG\r\n\x1a\n'
    for kind, body in [
        (b'IHDR', header),
        (b'IDAT', zlib.compress(bytes(10**6))),
        (b'IEND', b''),
    ]:
        crc = zlib.crc32(kind + body)
        data += struct.pack('>I', len(body)) + kind + body
        data += struct.pack('>I', crc)
    return data


def _tiff_bomb(width: int, height: int) -> bytes:
    data = bytearray(tiff(GRAY, compression='zlib'))
    for code, value in ((256, width), (257, height), (278, height)):
        place = data.index(struct.pack('<H', code), 8)
        struct.pack_into('<HII', data, place + 2, 4, 1, value)
    return bytes(data)


def _jpeg_bomb() -> bytes:
    data = bytearray(INTACT['gray.jpg'])
    place = data.index(b'\xff\xc0')
    struct.pack_into('>HH', data, place + 5, 65000, 65000)
    return bytes(data)


def _tiff_with_lost_page() -> bytes:
    """A page whose successor lies beyond the end of the file."""
    data = bytearray(tiff(GRAY))
    (first,) = struct.unpack_from('<I', data, 4)
    (count,) = struct.unpack_from('<H', data, first)
    struct.pack_into('<I', data, first + 2 + 12 * count, 10**6)
    return bytes(data)


def _zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, 'w') as archive:
        archive.writestr('photo.tif', INTACT['plain.tif'])
    return stream.getvalue()


def _animation() -> bytes:
    frames = [Image.fromarray(COLOR), Image.fromarray(COLOR[::-1])]
    stream = io.BytesIO()
    frames[0].save(stream, 'WEBP', save_all=True, append_images=frames[1:])
    return stream.getvalue()


HOSTILE = {
    'empty': (b'', 'empty'),
    'text': (b'Dear archivist, this is a letter.', 'no TIFF'),
    'zip': (_zip(), 'no TIFF'),
    'gif': (pillow(GRAY, 'GIF'), 'no TIFF'),
    'png bomb': (_png_bomb(), 'bomb'),
    'tiff bomb': (_tiff_bomb(60000, 60000), 'claims'),
    'wide tiff bomb': (_tiff_bomb(2**31, 2**31), 'claims'),
    'jpeg bomb': (_jpeg_bomb(), 'claims'),
    'lost page': (_tiff_with_lost_page(), 'further page'),
    'animation': (_animation(), 'animation'),
    'complex': (tiff(GRAY.astype(np.complex64)), 'complex'),
    'no numbers': (tiff(np.full((40, 50), np.nan, np.float32)), 'NaN'),
    'stamp': (tiff(GRAY[:10, :10]), 'at least 16'),
    'volume': (
        tiff(
            np.stack([GRAY] * 16),
            volumetric=True,
            tile=(16, 16, 16),
            photometric='minisblack',
        ),
        'volume',
    ),
    'header only': (b'II*\0\x08\0\0\0', ''),
}


@pytest.mark.parametrize('name', HOSTILE)
def test_hostile_files(tmp_path, name):
    data, reason = HOSTILE[name]
    path = tmp_path / 'box 3.tif'
    path.write_bytes(data)
    tracemalloc.start()
    try:
        with pytest.raises(PhotoError) as caught:
            read_photo(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(path) in str(caught.value)
    assert reason in str(caught.value)
    assert str(caught.value).endswith('.')
    assert peak < 2**26, 'memory was asked for before the size was checked'


@pytest.mark.parametrize('form', ['TIFF', 'JPEG'])
def test_inks_are_refused(tmp_path, form):
    path = tmp_path / 'photo'
    Image.fromarray(COLOR).convert('CMYK').save(path, form)
    with pytest.raises(PhotoError, match='convert it'):
        read_photo(path)


@pytest.mark.parametrize('photometric', ['cielab', 'ycbcr', 'cfa'])
def test_other_color_models_are_refused(tmp_path, photometric):
    path = tmp_path / 'photo.tif'
    pixels = GRAY if photometric == 'cfa' else COLOR
    path.write_bytes(tiff(pixels, photometric=photometric))
    with pytest.raises(PhotoError, match='convert it'):
        read_photo(path)


@pytest.mark.parametrize(
    ('photometric', 'words'),
    [(32803, 'mosaic of the sensor'), (34892, 'linear colors of the sensor')],
)
def test_raw_files_are_called_so(tmp_path, photometric, words):
    """Also behind a preview, as cameras write them."""
    path = tmp_path / 'photo.dng'
    raw = np.tile(COLOR, (3, 3, 1))
    raw = raw[..., 0] if photometric == 32803 else raw
    version = (50706, 'B', 4, (1, 4, 0, 0), True)
    for preview in (False, True):
        with tifffile.TiffWriter(path) as writer:
            if preview:
                writer.write(
                    COLOR,
                    photometric='rgb',
                    subfiletype=1,
                    subifds=1,
                    extratags=[version],
                )
            tags = [] if preview else [version]
            writer.write(raw, photometric=photometric, extratags=tags)
        with pytest.raises(PhotoError, match=rf'photo\.dng .*{words}.*DNG'):
            read_photo(path)


def test_places_that_are_no_files(tmp_path):
    with pytest.raises(PhotoError, match='folder'):
        read_photo(tmp_path)
    with pytest.raises(PhotoError, match='No such file'):
        read_photo(tmp_path / 'missing.tif')
    with pytest.raises(PhotoError, match='cannot be opened'):
        read_photo('a\0b.tif')
    with pytest.raises(PhotoError, match='cannot be opened'):
        read_photo(tmp_path / ('n' * 5000))


@pytest.mark.skipif(os.name != 'posix', reason='needs named pipes')
def test_pipes_and_loops_do_not_hang(tmp_path):
    pipe, loop = tmp_path / 'pipe.tif', tmp_path / 'loop.tif'
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    with pytest.raises(PhotoError, match='not a file'):
        read_photo(pipe)
    with pytest.raises(PhotoError, match='cannot be opened'):
        read_photo(loop)


@pytest.mark.parametrize('suffix', ['tif', 'png'])
def test_more_than_the_memory_holds_is_refused(tmp_path, monkeypatch, suffix):
    path = tmp_path / f'castle.{suffix}'
    pixels = np.zeros((64, 85), np.uint8)
    if suffix == 'tif':
        tifffile.imwrite(path, pixels)
    else:
        Image.fromarray(pixels).save(path)
    assert read_photo(path).shape == (64, 85)
    free = SimpleNamespace(available=5000)
    monkeypatch.setattr('psutil.virtual_memory', lambda: free)
    with pytest.raises(PhotoError, match=r'castle.* takes 0\.0 GiB of mem'):
        read_photo(path)


def test_missing_strips_are_no_black_strips(tmp_path):
    path = tmp_path / 'photo.tif'
    data = tiff(GRAY, rowsperstrip=8, compression='zlib')
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        counts = tif.pages[0].tags['StripByteCounts']
        place, size = counts.valueoffset, counts.valuebytecount // 5
    path.write_bytes(data[:place] + bytes(size) + data[place + size :])
    with pytest.raises(PhotoError, match='missing'):
        read_photo(path)
