"""Reading one photo and its map, whatever they are stored as."""

from __future__ import annotations

import os
import pickle
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sdcolor.core.orientation import as_stored
from napari_sdcolor.datasets.entry import BadEntry, Entry, LabelFile, Place
from napari_sdcolor.errors import DataError


def entry_of(photo: Path, labels: Path | None = None) -> Entry:
    map_ = None if labels is None else LabelFile(Place(labels))
    return Entry('made', photo.stem, 'train', Place(photo), map_)


def test_a_turned_photo_and_its_map_are_read_upright(
    tmp_path: Path, photo, id_png
) -> None:
    """A map is stored as its photo is; both are shown upright."""
    rgb = photo(tmp_path / 'plain.png')
    labels = id_png(tmp_path / 'plain.labels.png', [[1, 2], [3, 4]])
    for orientation in range(1, 9):
        stored = tmp_path / f'{orientation}.png'
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(
            np.ascontiguousarray(as_stored(rgb, orientation))
        ).save(stored, exif=exif)
        map_ = tmp_path / f'{orientation}.labels.png'
        Image.fromarray(
            np.ascontiguousarray(as_stored(labels, orientation))
        ).save(map_)
        found, found_labels = entry_of(stored, map_).load()
        assert np.array_equal(found, rgb)
        assert np.array_equal(found_labels, labels)


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize('planar', [False, True])
def test_tiff_photos(tmp_path: Path, photo, dtype: type, planar: bool) -> None:
    rgb = photo(tmp_path / 'a.png')
    scale = {np.uint8: 1, np.uint16: 257, np.float32: 1 / 255}[dtype]
    pixels = (rgb * np.float64(scale)).astype(dtype)
    path = tmp_path / 'a.tif'
    tifffile.imwrite(
        path,
        np.moveaxis(pixels, -1, 0) if planar else pixels,
        photometric='rgb',
        planarconfig='separate' if planar else 'contig',
    )
    assert np.array_equal(entry_of(path).load()[0], rgb)


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.tif', '.webp'])
def test_large_photos_can_be_shrunk_with_their_maps(
    tmp_path: Path, suffix: str
) -> None:
    rgb = np.zeros((400, 600, 3), np.uint8)
    rgb[200:, 300:] = (200, 40, 90)
    labels = np.zeros((400, 600), np.uint8)
    labels[200:, 300:] = 34
    path, map_ = tmp_path / f'a{suffix}', tmp_path / 'a.labels.png'
    Image.fromarray(rgb).save(path)
    Image.fromarray(labels).save(map_)
    found, found_labels = entry_of(path, map_).load(limit=50)
    assert found.shape == (50, 75, 3)
    assert found_labels.shape == (50, 75)
    assert set(np.unique(found_labels)) == {0, 34}
    assert np.all(found_labels[26:, 39:] == 34)
    assert np.abs(found[30:, 45:].astype(int) - (200, 40, 90)).max() < 12
    whole, _ = entry_of(path, map_).load(limit=400)
    assert whole.shape == rgb.shape


def test_small_photos_are_never_enlarged(tmp_path: Path, photo) -> None:
    photo(tmp_path / 'a.png')
    assert entry_of(tmp_path / 'a.png').load(limit=100)[0].shape == (12, 16, 3)


@pytest.mark.parametrize(
    ('dtype', 'factor'),
    [('u2', 257), ('u2', 16), ('i2', 16), ('i4', 257), ('f4', 1 / 255)],
)
def test_wide_tiff_photos_show_their_tones(
    tmp_path: Path, dtype: str, factor: float
) -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (20, 30, 3))
    rgb[0, 0] = 255
    path = tmp_path / 'a.tif'
    tifffile.imwrite(path, (rgb * factor).astype(dtype), photometric='rgb')
    found, _ = entry_of(path).load()
    assert np.abs(found.astype(int) - rgb).max() <= 1


def test_pictures_without_colors_are_refused(tmp_path: Path) -> None:
    path = tmp_path / 'deep.png'
    Image.fromarray(np.full((20, 20), 900, np.uint16)).save(path)
    with pytest.raises(DataError, match='made/deep.*no colors'):
        entry_of(path).load()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='made/gone.*No such file'):
        entry_of(tmp_path / 'gone.jpg').load()


def test_a_bad_entry_can_be_handed_over_by_a_process() -> None:
    error = BadEntry('made', 'a', 'the photo is torn')
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == 'made/a: the photo is torn.'
    assert again.skipped == error.skipped


def pipe(path: Path) -> Iterator[None]:
    """A named pipe that nobody has to wait for."""
    os.mkfifo(path)
    end = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    os.write(end, b'no picture')
    yield
    os.close(end)


@pytest.mark.skipif(os.name != 'posix', reason='needs pipes and devices')
@pytest.mark.parametrize('which', ['photo', 'map'])
def test_what_is_no_file_is_left_out(
    tmp_path: Path, photo, id_png, which: str
) -> None:
    sound = tmp_path / 'sound.png'
    photo(sound)
    odd = tmp_path / 'pipe.png'
    for path in (odd, Path('/dev/zero'), tmp_path):
        held = pipe(path) if path == odd else iter([None])
        next(held)
        entry = entry_of(path) if which == 'photo' else entry_of(sound, path)
        with pytest.raises(BadEntry, match='not a file'):
            entry.load()
        next(held, None)


def _header(width: int, height: int) -> bytes:
    """Of a PNG file in gray, and a little of its pixels."""
    data = b'\x89PNG\r\n\x1a\n'
    size = struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0)
    for kind, body in [(b'IHDR', size), (b'IDAT', zlib.compress(bytes(9)))]:
        data += struct.pack('>I', len(body)) + kind + body
        data += struct.pack('>I', zlib.crc32(kind + body))
    return data


@pytest.mark.filterwarnings('ignore:Image size')
@pytest.mark.parametrize('which', ['photo', 'map'])
def test_bombs_are_left_out(tmp_path: Path, photo, which: str) -> None:
    sound, bomb = tmp_path / 'sound.png', tmp_path / 'bomb.png'
    photo(sound)
    bomb.write_bytes(_header(12000, 13000))
    entry = entry_of(bomb) if which == 'photo' else entry_of(sound, bomb)
    with pytest.raises(BadEntry, match='claims 12000 × 13000'):
        entry.load()


def test_photos_beyond_the_memory_are_left_out(
    tmp_path: Path, photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / 'a.tif'
    tifffile.imwrite(path, photo(tmp_path / 'a.png'), photometric='rgb')
    size = path.stat().st_size
    monkeypatch.setattr(
        'napari_sdcolor.archive.scan.free_memory', lambda: size
    )
    with pytest.raises(BadEntry, match='memory'):
        entry_of(path).load()


def test_a_part_that_claims_more_than_its_file(tmp_path: Path) -> None:
    path = tmp_path / 'shard.tar'
    path.write_bytes(b'0123456789')
    assert Place(path, 4, 2**60).read() == b'456789'
    assert Place(path, 99, 5).read() == b''
