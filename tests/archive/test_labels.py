"""Label ids never drift, however a map was stored."""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import replace

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from skimage.io import imread

from napari_sdcolor.archive.labels import (
    find_labels,
    fit_labels,
    read_ids,
    read_labels,
    write_labels_png,
)
from napari_sdcolor.classes import CLASSES
from napari_sdcolor.core.photo import Origin, photo_from_array
from napari_sdcolor.errors import LabelsError

SIZE = 64


@pytest.fixture
def photo(rng):
    """Working shape (64, 87)."""
    return photo_from_array(rng.integers(0, 256, (97, 131), dtype=np.uint8))


@pytest.fixture
def ids(rng, photo):
    return rng.integers(0, 60, photo.working_shape(SIZE), dtype=np.uint8)


def test_round_trip_is_exact_and_deterministic(tmp_path, photo, ids):
    path = tmp_path / 'map.png'
    path.write_bytes(write_labels_png(ids))
    labels, notes = read_labels(path, photo, SIZE)
    assert (labels == ids).all()
    assert labels.dtype == np.uint8
    assert notes == ()
    assert (np.asarray(Image.open(path)) == ids).all()
    assert write_labels_png(ids) == write_labels_png(ids.copy(order='F'))


def test_maps_are_in_the_colors_of_the_classes(tmp_path, ids):
    """A person sees sky and grass, and a program still finds the ids."""
    path = tmp_path / 'map.png'
    path.write_bytes(write_labels_png(ids))
    with Image.open(path) as image:
        assert image.mode == 'P'
        assert 'transparency' not in image.info
        assert np.array_equal(image, ids)
        colors = np.array(image.convert('RGB'))
    assert path.read_bytes()[24:26] == b'\x08\x03'
    wanted = np.array([entry.color for entry in CLASSES], np.uint8)
    assert np.array_equal(colors, wanted[ids])


def test_gray_maps_of_earlier_versions_are_read(tmp_path, photo, ids):
    path = tmp_path / 'map.png'
    path.write_bytes(imagecodecs.png_encode(ids, level=6))
    labels, notes = read_labels(path, photo, SIZE)
    assert (labels == ids).all()
    assert notes == ()


@pytest.mark.parametrize('suffix', ['RGB', 'RGBA'])
def test_a_map_that_became_colors_is_read_all_the_same(
    tmp_path, photo, ids, suffix
):
    """Some programs put the colors of a palette in the place of the ids."""
    path = tmp_path / 'map.png'
    path.write_bytes(write_labels_png(ids))
    pixels = imread(path)
    assert pixels.shape == (*ids.shape, 3)
    Image.fromarray(pixels).convert(suffix).save(path)
    labels, _ = read_labels(path, photo, SIZE)
    assert (labels == ids).all()
    pixels[3, 4] ^= 1
    Image.fromarray(pixels).save(path)
    with pytest.raises(LabelsError, match='holds colors'):
        read_labels(path, photo, SIZE)


def test_half_transparent_colors_are_no_ids(tmp_path, photo, ids):
    path = tmp_path / 'map.png'
    path.write_bytes(write_labels_png(ids))
    image = Image.open(path).convert('RGBA')
    image.putpixel((0, 0), (*image.getpixel((0, 0))[:3], 128))
    image.save(path)
    with pytest.raises(LabelsError, match='holds colors'):
        read_labels(path, photo, SIZE)


def test_palette_indices_are_the_ids(tmp_path, photo, ids, rng):
    image = Image.fromarray(ids, 'P')
    image.putpalette(rng.integers(0, 256, 768).tolist())
    image.save(tmp_path / 'map.png', transparency=0)
    labels, _ = read_labels(tmp_path / 'map.png', photo, SIZE)
    assert (labels == ids).all()


@pytest.mark.parametrize('bits', [1, 2, 4])
def test_few_bits_are_not_stretched(tmp_path, photo, ids, bits):
    few = ids % 2**bits
    image = Image.fromarray(few, 'P')
    image.putpalette([0, 0, 0] * 2**bits)
    image.save(tmp_path / 'map.png', bits=bits)
    labels, _ = read_labels(tmp_path / 'map.png', photo, SIZE)
    assert (labels == few).all()

    packed = np.concatenate(
        [
            np.frombuffer(imagecodecs.packints_encode(row, bits), np.uint8)
            for row in few
        ]
    ).reshape(len(few), -1)
    gray = tmp_path / 'gray.png'
    gray.write_bytes(_gray_png(packed, few.shape, bits))
    labels, _ = read_labels(gray, photo, SIZE)
    assert (labels == few).all()


def _gray_png(packed, shape, bits) -> bytes:
    rows = np.pad(packed, ((0, 0), (1, 0))).tobytes()
    header = struct.pack('>IIBBBBB', shape[1], shape[0], bits, 0, 0, 0, 0)
    data = b'\x89PNG\r\n\x1a\n'
    for kind, body in [
        (b'IHDR', header),
        (b'IDAT', zlib.compress(rows)),
        (b'IEND', b''),
    ]:
        data += struct.pack('>I', len(body)) + kind + body
        data += struct.pack('>I', zlib.crc32(kind + body))
    return data


def test_sixteen_bits_hold_ids_too(tmp_path, photo, ids):
    path = tmp_path / 'map.png'
    path.write_bytes(imagecodecs.png_encode(ids.astype(np.uint16)))
    labels, _ = read_labels(path, photo, SIZE)
    assert (labels == ids).all()


@pytest.mark.parametrize('shape', [(97, 131), (32, 43), (352, 475)])
def test_other_sizes_of_the_same_aspect_are_resized(
    tmp_path, photo, rng, shape
):
    given = rng.integers(0, 60, shape, dtype=np.uint8)
    path = tmp_path / 'map.png'
    path.write_bytes(write_labels_png(given))
    labels, notes = read_labels(path, photo, SIZE)
    assert labels.shape == photo.working_shape(SIZE)
    assert 'resized' in notes[0]
    height, width = labels.shape
    for y, x in rng.integers(0, (height, width), (50, 2)):
        below = given[
            int((y + 0.5) * shape[0] / height),
            int((x + 0.5) * shape[1] / width),
        ]
        assert labels[y, x] == below


def test_blocks_survive_whole_number_scaling(tmp_path, photo, ids):
    path = tmp_path / 'map.png'
    path.write_bytes(write_labels_png(ids.repeat(3, 0).repeat(3, 1)))
    labels, _ = read_labels(path, photo, SIZE)
    assert (labels == ids).all()


def test_255_counts_as_no_class(tmp_path, photo, ids):
    ids[5, 3:9] = 255
    Image.fromarray(ids).save(tmp_path / 'map.png')
    labels, notes = read_labels(tmp_path / 'map.png', photo, SIZE)
    assert (labels[5, 3:9] == 0).all()
    assert '6 pixels of the value 255' in notes[0]
    kept = ids != 255
    assert (labels[kept] == ids[kept]).all()


@pytest.mark.parametrize('foreign', [60, 77, 254])
def test_foreign_ids_are_refused(tmp_path, photo, ids, foreign):
    ids[0, 0] = foreign
    Image.fromarray(ids).save(tmp_path / 'map.png')
    with pytest.raises(LabelsError, match=rf'map.png .*{foreign}.*0 to 59'):
        read_labels(tmp_path / 'map.png', photo, SIZE)
    with pytest.raises(LabelsError, match=str(foreign)):
        write_labels_png(ids)


@pytest.mark.parametrize('shape', [(64, 64), (64, 90), (97, 97), (50, 87)])
def test_another_aspect_is_refused(tmp_path, photo, shape):
    path = tmp_path / 'map.png'
    path.write_bytes(write_labels_png(np.zeros(shape, np.uint8)))
    with pytest.raises(LabelsError, match='another aspect'):
        read_labels(path, photo, SIZE)


def test_a_turned_map_is_refused_with_a_hint(tmp_path, photo, ids):
    turned = replace(photo, origin=Origin(orientation=6))
    path = tmp_path / 'map.png'
    path.write_bytes(write_labels_png(np.ascontiguousarray(ids.T)))
    with pytest.raises(LabelsError, match='as the photo is stored'):
        read_labels(path, turned, SIZE)


@pytest.mark.parametrize('mode', ['RGB', 'RGBA', 'LA'])
def test_colors_are_no_ids(tmp_path, photo, ids, mode):
    Image.fromarray(ids).convert(mode).save(tmp_path / 'map.png')
    with pytest.raises(LabelsError, match='holds colors'):
        read_labels(tmp_path / 'map.png', photo, SIZE)


def test_damaged_maps_are_refused(tmp_path, photo, ids):
    path, data = tmp_path / 'map.png', write_labels_png(ids)
    for length in range(0, len(data) - 8, len(data) // 30):
        path.write_bytes(data[:length])
        with pytest.raises(LabelsError, match='map.png'):
            read_labels(path, photo, SIZE)
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 4
    path.write_bytes(flipped)
    with pytest.raises(LabelsError, match='map.png'):
        read_labels(path, photo, SIZE)
    for place in (tmp_path, tmp_path / 'missing.png'):
        with pytest.raises(LabelsError, match='cannot be opened'):
            read_labels(place, photo, SIZE)


@pytest.mark.parametrize(
    'wrong',
    [
        np.zeros((4, 4), np.int32),
        np.zeros((4, 4, 1), np.uint8),
        np.zeros((0, 4), np.uint8),
    ],
)
def test_only_maps_are_written(wrong):
    with pytest.raises(LabelsError, match='label map'):
        write_labels_png(wrong)


def test_finding_the_map_of_a_photo(tmp_path):
    plain, full = tmp_path / 'boat.png', tmp_path / 'boat.labels.png'
    assert find_labels(tmp_path, 'boat') is None
    plain.touch()
    assert find_labels(tmp_path, 'boat') == plain
    full.touch()
    assert find_labels(tmp_path, 'boat') == full
    assert find_labels(plain, 'whatever') == plain
    assert find_labels(tmp_path, 'boa') is None
    with pytest.raises(LabelsError, match='no label map'):
        find_labels(tmp_path / 'missing', 'boat')


def test_maps_from_memory_obey_the_same_rules(photo, ids):
    labels, notes = fit_labels(ids.astype(np.int32), photo, SIZE)
    assert (labels == ids).all()
    assert (labels.dtype, notes) == (np.uint8, ())
    doubled = ids.repeat(2, 0).repeat(2, 1).astype(np.int64)
    labels, notes = fit_labels(doubled, photo, SIZE, 'My map')
    assert (labels == ids).all()
    assert notes[0].startswith('My map: resized')


@pytest.mark.parametrize('foreign', [-1, -200, 60, 256, 2**31 - 1])
def test_ids_that_would_wrap_around_are_refused(photo, ids, foreign):
    wide = ids.astype(np.int32)
    wide[0, 0] = foreign
    with pytest.raises(LabelsError, match=str(foreign)):
        fit_labels(wide, photo, SIZE)


def test_only_planes_of_integers_are_maps(photo, ids):
    for wrong in (ids[None], ids.astype(float), ids > 3):
        with pytest.raises(LabelsError, match='two axes of integers'):
            fit_labels(wrong, photo, SIZE)


def _bomb(side: int) -> bytes:
    """A gray PNG of zeros that unpacks a thousandfold."""
    rows = zlib.compress(bytes(2**20))
    header = struct.pack('>IIBBBBB', side, side, 8, 0, 0, 0, 0)
    data = b'\x89PNG\r\n\x1a\n'
    for kind, body in [(b'IHDR', header), (b'IDAT', rows), (b'IEND', b'')]:
        data += struct.pack('>I', len(body)) + kind + body
        data += struct.pack('>I', zlib.crc32(kind + body))
    return data


@pytest.fixture
def never_decoded(monkeypatch):
    def decode(data):
        pytest.fail('it was decoded')

    monkeypatch.setattr(imagecodecs, 'png_decode', decode)


@pytest.mark.parametrize('side', [2**15, 2**31 - 1])
def test_bombs_are_refused_by_their_header(tmp_path, side, never_decoded):
    path = tmp_path / 'map.png'
    path.write_bytes(_bomb(side))
    with pytest.raises(LabelsError, match=r'map\.png .*claims'):
        read_ids(path)


def test_the_size_is_judged_before_the_pixels(
    tmp_path, photo, never_decoded, monkeypatch
):
    path = tmp_path / 'map.png'
    path.write_bytes(_bomb(300))
    with pytest.raises(LabelsError, match='another aspect'):
        read_labels(path, photo, SIZE)
    monkeypatch.setattr('napari_sdcolor.archive.labels.LARGE', 2**16)
    with pytest.raises(LabelsError, match='far more than the photo'):
        read_labels(path, photo, SIZE)


def test_maps_beyond_the_memory(tmp_path, ids, never_decoded, monkeypatch):
    path = tmp_path / 'map.png'
    path.write_bytes(write_labels_png(ids))
    monkeypatch.setattr('napari_sdcolor.archive.scan.free_memory', lambda: 99)
    with pytest.raises(LabelsError, match=r'map\.png cannot be used .*memory'):
        read_ids(path)


def test_a_huge_file_is_not_read(tmp_path, ids, never_decoded):
    path = tmp_path / 'map.png'
    path.write_bytes(write_labels_png(ids))
    with path.open('ab') as stream:
        stream.truncate(2**36)
    with pytest.raises(LabelsError, match=r'map\.png .*too many'):
        read_ids(path)


@pytest.mark.skipif(os.name != 'posix', reason='needs named pipes')
def test_pipes_and_devices_are_no_maps(tmp_path, photo):
    path = tmp_path / 'map.png'
    os.mkfifo(path)
    # Nobody waits if this end is open.
    end = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    os.write(end, b'no map')
    try:
        with pytest.raises(LabelsError, match=r'map\.png .*named pipe'):
            read_labels(path, photo, SIZE)
    finally:
        os.close(end)
    with pytest.raises(LabelsError, match='/dev/zero .*device'):
        read_labels('/dev/zero', photo, SIZE)
