"""JPEG files: what is read, and what is missing of a picture."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import struct
import time
from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from napari_sdcolor.archive.reading import open_photos, read_photo
from napari_sdcolor.errors import PhotoError

EOI = b'\xff\xd9'
WAYS = {
    'baseline': {'quality': 90},
    'progressive': {'progressive': True},
    'restarts': {'restart_marker_rows': 1},
}


def _picture(color: bool = False) -> np.ndarray:
    y, x = np.mgrid[:96, :128]
    gray = 60 + 50 * np.sin(x / 9) + 40 * np.cos(y / 7) + (x * y) % 13
    gray = gray.clip(0, 255).astype(np.uint8)
    return np.dstack([gray, gray[::-1], gray]) if color else gray


def _coded(color: bool = True, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(_picture(color)).save(stream, 'JPEG', **options)
    return stream.getvalue()


def _without_jfif(data: bytes, instead: bytes) -> bytes:
    (length,) = struct.unpack('>H', data[4:6])
    return data[:2] + instead + data[4 + length :]


def _zeroed(data: bytes) -> bytes:
    middle = (data.index(b'\xff\xda') + len(data)) // 2
    return data[:middle] + bytes(200) + data[middle + 200 :]


def _without_interval(data: bytes) -> bytes:
    start = data.index(b'\xff\xd0')
    stop = data.index(b'\xff\xd1')
    return data[:start] + data[stop:]


def _emptied_interval(data: bytes) -> bytes:
    start = data.index(b'\xff\xd0')
    stop = data.index(b'\xff\xd1')
    return data[: start + 2] + data[stop:]


def _cut_in_a_table(data: bytes) -> bytes:
    scan = data.index(b'\xff\xda')
    at = data.find(b'\xff\xc4', scan)  # only progressive ones have some there
    return data[: at + 9 if at > 0 else (scan + len(data)) // 2] + EOI


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    'cut': lambda data: data[: len(data) * 2 // 3],
    'cut, with an end': lambda data: data[: len(data) * 2 // 3] + EOI,
    'cut in a table, with an end': _cut_in_a_table,
    'a little cut, with an end': lambda data: data[:-12] + EOI,
    'zeros': _zeroed,
}
ODD: dict[str, Callable[[bytes], bytes]] = {
    'bytes behind': lambda data: data + bytes(1000),
    'picture behind': lambda data: data + data,
    'fill bytes': lambda data: data[:-2] + b'\xff\xff\xff' + EOI,
    'zeros in front of the end': lambda data: data[:-2] + bytes(8) + EOI,
    'no JFIF': lambda data: _without_jfif(data, b''),
    'empty JFIF': lambda data: _without_jfif(data, b'\xff\xe0\0\x07JFIF\0'),
    'short Adobe': lambda data: data[:2] + b'\xff\xee\0\x08Adobe\0' + data[2:],
    'unknown JFIF': lambda data: data[:11] + b'\x09\x09' + data[13:],
    'cut EXIF': lambda data: data[:2] + b'\xff\xe1\0\x0aExif\0\0II' + data[2:],
    'cut profile': lambda data: (
        data[:2] + b'\xff\xe2\0\x12ICC_PROFILE\0\x05\x02ab' + data[2:]
    ),
    'bytes between segments': lambda data: data.replace(
        b'\xff\xdb', b'\0\0\xff\xdb', 1
    ),
}


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('damage', DAMAGE)
def test_a_picture_with_holes_is_refused_unless_allowed(tmp_path, way, damage):
    path = tmp_path / 'photo.jpg'
    path.write_bytes(DAMAGE[damage](_coded(**WAYS[way])))
    with pytest.raises(PhotoError, match=r'photo\.jpg is damaged: .*--allow'):
        read_photo(path)
    photo = read_photo(path, allow_damaged=True)
    assert photo.shape == (96, 128)
    assert photo.origin.damage
    assert any(note.startswith('Damaged: ') for note in photo.notes)


@pytest.mark.parametrize('harm', [_without_interval, _emptied_interval])
def test_an_interval_between_restarts_is_missing(tmp_path, harm):
    path = tmp_path / 'photo.jpg'
    path.write_bytes(harm(_coded(**WAYS['restarts'])))
    with pytest.raises(PhotoError, match='is damaged'):
        read_photo(path)


def test_scans_of_a_progressive_picture_are_missing(tmp_path):
    data = _coded(progressive=True)
    scans = [found.start() for found in re.finditer(b'\xff\xda', data)]
    path = tmp_path / 'photo.jpg'
    for start in scans[1:]:
        path.write_bytes(data[:start] + EOI)
        with pytest.raises(PhotoError, match='is damaged'):
            read_photo(path)
    assert len(scans) > 3


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('odd', ODD)
def test_what_other_readers_take_is_read(tmp_path, caplog, recwarn, way, odd):
    path = tmp_path / 'photo.jpg'
    data = _coded(**WAYS[way])
    path.write_bytes(data)
    wanted = read_photo(path).lightness
    path.write_bytes(ODD[odd](data))
    photo = read_photo(path)
    assert not photo.origin.damage
    np.testing.assert_array_equal(photo.lightness, wanted)
    assert not caplog.records
    assert not recwarn.list


@pytest.mark.parametrize('subsampling', [0, 1, 2])
@pytest.mark.parametrize('quality', [1, 100])
def test_intact_pictures_are_no_damaged_ones(tmp_path, subsampling, quality):
    path = tmp_path / 'photo.jpg'
    path.write_bytes(_coded(quality=quality, subsampling=subsampling))
    assert not read_photo(path).origin.damage


def test_twelve_bits(tmp_path, assert_shows):
    picture = _picture().astype(np.uint16) << 4
    path = tmp_path / 'photo.jpg'
    path.write_bytes(
        imagecodecs.jpeg8_encode(picture, level=100, bitspersample=12)
    )
    photo = read_photo(path)
    assert photo.bits == 16
    assert_shows(photo, picture, 4095, tolerance=0.5)


def test_resolution_profile_and_author_are_carried(tmp_path):
    exif = Image.Exif()
    exif[315] = 'Ada'
    icc = b'a profile that is none' * 8
    path = tmp_path / 'photo.jpg'
    path.write_bytes(_coded(dpi=(300, 200), exif=exif, icc_profile=icc))
    origin = read_photo(path).origin
    assert origin.resolution == (300, 200, 2)
    assert origin.texts == (('Artist', 'Ada'),)
    assert origin.icc == icc


def test_what_is_hashed_is_what_is_decoded(tmp_path):
    path = tmp_path / 'photo.jpg'
    path.write_bytes(_coded())
    with open_photos(path) as file:
        before = file.sha256
        path.write_bytes(_coded(quality=30))
        with pytest.raises(PhotoError, match='changed while it was read'):
            file.read(0)
    assert before


def test_damage_is_heard_where_logging_is_turned_off(tmp_path):
    path = tmp_path / 'cut.jpg'
    data = _coded(quality=90)
    path.write_bytes(data[: len(data) // 2] + EOI)
    logger = logging.getLogger('imagecodecs')
    before = logger.level
    try:
        for turn_off in (
            lambda: logging.disable(logging.CRITICAL),
            lambda: logger.setLevel(logging.CRITICAL),
        ):
            turn_off()
            with pytest.raises(PhotoError, match='damaged'):
                read_photo(path)
            logging.disable(logging.NOTSET)
    finally:
        logging.disable(logging.NOTSET)
        logger.setLevel(before)


@pytest.mark.parametrize('filling', [b'\xff' * 2**22, b'\xff\xfe\0\2' * 10**6])
def test_filling_is_passed_in_a_moment(tmp_path, filling):
    data = _coded(quality=90)
    path = tmp_path / 'filled.jpg'
    path.write_bytes(data[:2] + filling + data[2:])
    since = time.process_time()
    with contextlib.suppress(PhotoError):
        read_photo(path)
    assert time.process_time() - since < 2


def test_a_byte_that_is_no_marker_between_segments(tmp_path):
    """As some cameras leave it: 255, 0 and a length where none belongs."""
    data = _coded(quality=90)
    at = data.index(b'\xff\xdb')
    path = tmp_path / 'photo.jpg'
    path.write_bytes(data[:at] + b'\xff\0\0\2' + data[at:])
    photo = read_photo(path)
    assert photo.origin.damage == ()
