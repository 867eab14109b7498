"""Tiles of JPEG 2000 pictures that are missing or end early."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from napari_sdcolor.archive import jpeg2000_packets, jpeg2000_precinct
from napari_sdcolor.archive.jpeg2000_layout import read_layout
from napari_sdcolor.archive.jpeg2000_stream import Stream
from napari_sdcolor.archive.reading import read_photo
from napari_sdcolor.errors import PhotoError

ORDERS = ('LRCP', 'RLCP', 'RPCL', 'PCRL', 'CPRL')
SOT, COD = b'\xff\x90\0\x0a', b'\xff\x52'
LAYERS = {
    'quality_mode': 'rates',
    'quality_layers': [40, 8, 2],
    'irreversible': True,
}
CODED = {
    'plain': {},
    'tiles off the grid': {
        'tile_size': (24, 20),
        'offset': (13, 7),
        'tile_offset': (5, 3),
    },
    'layers': {**LAYERS, 'tile_size': (32, 48)},
    'precincts': {'precinct_size': (32, 32), 'codeblock_size': (8, 16)},
    'layers and precincts': {**LAYERS, 'precinct_size': (32, 64)},
    'lists of lengths': {'plt': True, 'codeblock_size': (4, 4)},
}


@pytest.fixture
def rgb(rng) -> np.ndarray:
    y, x = np.mgrid[:40, :50]
    smooth = 90 + 60 * np.sin(x / 9) + 40 * np.cos(y / 7)
    noisy = smooth + rng.normal(0, 6, x.shape)
    gray = noisy.clip(0, 255).astype(np.uint8)
    return np.dstack([gray, gray[::-1], gray[:, ::-1]])


def _tiled(array: np.ndarray) -> tuple[bytes, list[int]]:
    """A file of four tiles, and where they and the end mark begin."""
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, 'JPEG2000', tile_size=(25, 20))
    data = stream.getvalue()
    place, places = data.index(b'\xff\x90'), []
    while data[place : place + 2] == b'\xff\x90':
        places.append(place)
        place += int.from_bytes(data[place + 6 : place + 10], 'big')
    return data, [*places, place]


@pytest.mark.parametrize('missing', range(4))
def test_a_missing_tile_is_noticed(read_jp2, gray, missing):
    data, places = _tiled(gray)
    data = data[: places[missing]] + data[places[missing + 1] :]
    with pytest.raises(PhotoError, match='is damaged: 1 of its 4 tiles'):
        read_jp2(data)
    photo = read_jp2(data, allow_damaged=True)
    assert photo.origin.damage == (
        '1 of its 4 tiles are missing or incomplete',
    )
    differs = photo.lightness != read_photo(gray).lightness
    assert differs.reshape(2, 20, 2, 25).any(axis=(1, 3)).sum() == 1


@pytest.mark.parametrize('end', [b'', b'\xff\xd9'])
def test_a_cut_file_shows_what_is_whole(read_jp2, gray, end):
    data, places = _tiled(gray)
    data = data[: places[2] + 40] + end
    with pytest.raises(PhotoError, match='is damaged: 2 of its 4 tiles'):
        read_jp2(data)
    shown = read_jp2(data, allow_damaged=True).lightness
    np.testing.assert_array_equal(shown[:20], read_photo(gray).lightness[:20])


def test_parts_of_a_tile_are_counted(read_jp2, gray):
    data, places = _tiled(gray)
    more = data[: places[1] + 11] + b'\2' + data[places[1] + 12 :]
    with pytest.raises(PhotoError, match='is damaged: 1 of its 4 tiles'):
        read_jp2(more)


def test_bytes_behind_the_end_are_no_damage(read_jp2, gray):
    data, _ = _tiled(gray)
    assert not read_jp2(data + bytes(100)).origin.damage


# --- tiles that end between two packets -----------------------------------


def _coded(array: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, 'JPEG2000', no_jp2=True, **options)
    return stream.getvalue()


def _cut(data: bytes, length: int) -> bytes:
    """With so many bytes of its last tile, which says so."""
    start = data.rindex(SOT)
    told = struct.pack('>I', length)
    tile = data[start : start + 6] + told + data[start + 10 :]
    return data[:start] + tile[:length] + b'\xff\xd9'


def _last(data: bytes) -> int:
    """Bytes of the last tile."""
    return len(data) - data.rindex(SOT) - 2


def _broken(data: bytes) -> frozenset[int]:
    return Stream.of(data, 0, read_layout(data, 0)).broken


@pytest.mark.parametrize('order', ORDERS)
@pytest.mark.parametrize('name', CODED)
def test_every_cut_is_noticed(rgb, name, order):
    data = _coded(rgb, progression=order, **CODED[name])
    assert not _broken(data)
    tile, full = read_layout(data, 0).tiles - 1, _last(data)
    step = max(1, full // 8)
    for length in (*range(16, full, step), full - 1):
        assert _broken(_cut(data, length)) == {tile}, (length, full)


def test_what_is_there_is_shown_to_who_asks(read_jp2, rgb):
    data = _cut(_coded(rgb[..., 0], tile_size=(25, 20)), 200)
    with pytest.raises(PhotoError, match='is damaged: 1 of its 4 tiles'):
        read_jp2(data)
    shown = read_jp2(data, allow_damaged=True).lightness
    whole = read_photo(rgb[..., 0]).lightness
    np.testing.assert_array_equal(shown[:20], whole[:20])


def _told_of_orders(data: bytes, place: int) -> bytes:
    """With a wrong order in its COD segment, and the true one in a POC."""
    at = data.index(COD) + 5
    true = data[at : at + 1]
    wrong = bytes([(true[0] + 1) % len(ORDERS)])
    # Two coarse resolutions of all components first, then what is left.
    body = struct.pack('>BBHBB', 0, 0, 99, 2, 255) + true
    body += struct.pack('>BBHBB', 0, 0, 99, 33, 255) + true
    poc = b'\xff\x5f' + struct.pack('>H', 2 + len(body)) + body
    data = data[:at] + wrong + data[at + 1 : place] + poc + data[place:]
    start = data.rindex(SOT)
    length = struct.pack('>I', _last(data))
    return data[: start + 6] + length + data[start + 10 :]


@pytest.mark.parametrize('where', ['file', 'tile'])
def test_orders_that_change_are_followed(read_jp2, rgb, where):
    data = _coded(rgb, progression='RLCP', precinct_size=(32, 32), **LAYERS)
    start = data.rindex(SOT)
    told = _told_of_orders(data, start if where == 'file' else start + 12)
    whole = read_jp2(data).lightness
    np.testing.assert_array_equal(read_jp2(told).lightness, whole)
    for length in range(60, _last(told), 297):
        assert _broken(_cut(told, length)) == {0}


def test_what_would_take_too_long_is_left_to_the_decoder(rgb, monkeypatch):
    data = _coded(rgb, codeblock_size=(4, 4))
    cut = _cut(data, _last(data) - 1)
    assert _broken(cut) == {0}
    monkeypatch.setattr(jpeg2000_precinct, 'MAX_STEPS', 99)
    assert not _broken(cut)


def test_headers_that_are_kept_elsewhere_are_left_to_the_decoder(rgb):
    data = _coded(rgb)
    start = data.index(SOT)
    packed = data[:start] + b'\xff\x60\0\3\0' + data[start:]
    parts = [(0, data[start : start + 100])]
    layout = read_layout(data, 0)
    unfinished = jpeg2000_packets.unfinished
    assert unfinished(layout, data[:start], parts) == {0}
    assert not unfinished(layout, packed[: start + 5], parts)
