"""PNG files: what is read, and what is missing of a picture."""

from __future__ import annotations

import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from napari_sdcolor.archive.reading import read_photo
from napari_sdcolor.errors import PhotoError


def _coded(array: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, 'PNG', **options)
    return stream.getvalue()


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = struct.pack('>I', zlib.crc32(kind + content))
    return struct.pack('>I', len(content)) + kind + content + check


def _with_data(data: bytes, packed: bytes) -> bytes:
    return (
        data[: data.index(b'IDAT') - 4]
        + _chunk(b'IDAT', packed)
        + _chunk(b'IEND', b'')
    )


def _packed(data: bytes) -> bytes:
    at = data.index(b'IDAT')
    return data[at + 4 : at + 4 + int.from_bytes(data[at - 4 : at], 'big')]


def _with_palette(depth: int, colors: int, highest: int) -> bytes:
    """A picture that uses all colors up to the highest."""
    codes = np.minimum(np.arange(1024) % 8, highest).astype(np.uint8)
    image = Image.fromarray(codes.reshape(32, 32), 'P')
    image.putpalette(bytes(3 * 2**depth))
    stream = io.BytesIO()
    image.save(stream, 'PNG', bits=depth)
    data = stream.getvalue()
    place = data.index(b'PLTE') - 4
    (length,) = struct.unpack_from('>I', data, place)
    palette = _chunk(b'PLTE', bytes(range(3 * colors)))
    return data[:place] + palette + data[place + 12 + length :]


def _flipped(data: bytes, place: int) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 4
    return bytes(changed)


DAMAGE = {
    'cut': (lambda data: data[: len(data) // 2], 20),
    'no end': (lambda data: data[:-12], 40),
    'rows missing': (
        lambda data: _with_data(
            data, zlib.compress(zlib.decompress(_packed(data))[: 30 * 51])
        ),
        30,
    ),
    'data missing': (
        lambda data: _with_data(data, _packed(data)[: len(data) // 2]),
        15,
    ),
    'checksum of a chunk': (lambda data: _flipped(data, -13), 40),
    'checksum of the data': (
        lambda data: _with_data(data, _packed(data)[:-1] + b'x'),
        40,
    ),
}
ODD = {
    'bytes behind': b'',
    'wrong checksum': b'\0\0\0\4tEXta\0bcWXYZ',
    'short pHYs': _chunk(b'pHYs', b'\0\0'),
    'no name of a profile': _chunk(b'iCCP', b''),
    'garbage in place of a profile': _chunk(b'iCCP', b'x\0\0garbage'),
    'short gamma': _chunk(b'gAMA', b'1'),
    'empty sRGB': _chunk(b'sRGB', b''),
    'huge text': _chunk(b'zTXt', b'Title\0\0' + zlib.compress(bytes(2**21))),
    'cut EXIF': _chunk(b'eXIf', b'II*'),
    'unknown': _chunk(b'abCd', b'123'),
}


@pytest.mark.parametrize('damage', DAMAGE)
def test_a_picture_with_holes_is_refused_unless_allowed(
    tmp_path, gray, damage, assert_shows
):
    harm, rows = DAMAGE[damage]
    path = tmp_path / 'photo.png'
    path.write_bytes(harm(_coded(gray, compress_level=0)))
    with pytest.raises(PhotoError, match=r'photo\.png is damaged: '):
        read_photo(path)
    photo = read_photo(path, allow_damaged=True)
    assert photo.origin.damage
    upper = photo.lightness[: rows - 2]
    wanted = read_photo(np.ascontiguousarray(gray)).lightness[: rows - 2]
    np.testing.assert_array_equal(upper, wanted)


@pytest.mark.parametrize('odd', ODD)
def test_what_other_readers_take_is_read(
    tmp_path, gray, odd, assert_shows, recwarn
):
    data = _coded(gray, dpi=(300, 300))
    path = tmp_path / 'photo.png'
    path.write_bytes(data[:33] + ODD[odd] + data[33:] + bytes(100))
    photo = read_photo(path)
    assert_shows(photo, gray, 255)
    assert photo.origin.resolution[0] == pytest.approx(300, abs=0.01)
    assert not photo.origin.damage
    assert not recwarn.list


@pytest.mark.parametrize(
    'head',
    [
        _coded(np.eye(40, dtype=np.uint8)),
        b'\x89PNG\r\n\x1a\n'
        + _chunk(
            b'IHDR', struct.pack('>IIBBBBB', 30000, 30000, 8, 0, 0, 0, 0)
        ),
        b'\xff\xd8\xff\xe0',
        b'RIFF\0\0\0\0WEBPVP8 ',
        b'\0\0\0\x0cjP  \r\n\x87\n',
    ],
)
def test_a_hole_of_gigabytes_is_not_loaded(tmp_path, monkeypatch, head):
    monkeypatch.setattr(
        'napari_sdcolor.archive.scan.free_memory', lambda: 2**32
    )
    path = tmp_path / 'photo.png'
    path.write_bytes(head)
    try:
        os.truncate(path, 6 << 30)
    except OSError:
        pytest.skip('the file system makes no holes')
    with pytest.raises(PhotoError, match=r'photo\.png cannot be used'):
        read_photo(path)


@pytest.mark.parametrize('content', [b'x\0\0garbage', b'x\0\0', b''])
def test_a_profile_that_is_left_out_is_told(tmp_path, gray, content):
    data = _coded(gray)
    path = tmp_path / 'photo.png'
    path.write_bytes(data[:33] + _chunk(b'iCCP', content) + data[33:])
    photo = read_photo(path)
    assert photo.notes == ('Its chunk iCCP is damaged and was left out.',)


def test_the_variant_of_apple_is_named(tmp_path, gray):
    data = _coded(gray)
    path = tmp_path / 'photo.png'
    path.write_bytes(data[:8] + _chunk(b'CgBI', b'P\0 \2') + data[8:])
    with pytest.raises(PhotoError, match=r'photo\.png .*Apple.*convert it'):
        read_photo(path)
    path.write_bytes(data[:8] + _chunk(b'tEXt', b'a\0b') + data[8:])
    with pytest.raises(PhotoError, match=r'photo\.png .*its size first'):
        read_photo(path)


@pytest.mark.parametrize(('depth', 'last'), [(2, 2), (4, 2), (8, 6)])
def test_pixels_beyond_the_palette_are_damage(tmp_path, depth, last):
    path = tmp_path / 'a.png'
    path.write_bytes(_with_palette(depth, last + 1, last))
    assert read_photo(path).origin.damage == ()
    path.write_bytes(_with_palette(depth, last + 1, last + 1))
    words = f'pixels have color {last + 1}, but its palette ends with '
    words += f'color {last}'
    with pytest.raises(PhotoError, match=words):
        read_photo(path)
    photo = read_photo(path, allow_damaged=True)
    assert photo.origin.damage == (words,)


def test_an_animation_is_refused(tmp_path, gray):
    data = _coded(gray)
    path = tmp_path / 'photo.png'
    moving = _chunk(b'acTL', struct.pack('>II', 3, 0))
    path.write_bytes(data[:33] + moving + data[33:])
    with pytest.raises(PhotoError, match='an animation of 3 pictures'):
        read_photo(path)
