"""Photos that stay in their file give what whole ones give."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from napari_sdcolor.archive import strips, writing
from napari_sdcolor.archive.profiles import srgb_profile
from napari_sdcolor.archive.reading import open_photos, read_photo
from napari_sdcolor.archive.saving import save_result
from napari_sdcolor.core import cancel, paint, progress
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.paint import Painting
from napari_sdcolor.core.photo import Photo
from napari_sdcolor.errors import Cancelled, PhotoError, SaveError

H, W = 149, 83


def ramp(dtype: type, *channels: int) -> NDArray:
    rng = np.random.default_rng(7)
    y, x = np.mgrid[:H, :W]
    plane = (np.sin(y / 11) + np.cos(x / 7) + 2) / 4
    plane = np.clip(plane + rng.normal(0, 0.02, plane.shape), 0, 1)
    if channels:
        share = np.linspace(1, 0.5, channels[0])
        plane = plane[..., None] * share
    return (plane * np.iinfo(dtype).max).astype(dtype)


Case = tuple[Callable[[], NDArray], dict[str, Any]]
CASES: dict[str, Case] = {
    '8 bit, one strip': (lambda: ramp(np.uint8), {}),
    '16 bit, strips': (lambda: ramp(np.uint16), {'rowsperstrip': 7}),
    '16 bit, big-endian': (lambda: ramp(np.uint16), {'byteorder': '>'}),
    '16 bit, deflated strips': (
        lambda: ramp(np.uint16),
        {'compression': 'zlib', 'rowsperstrip': 5, 'predictor': True},
    ),
    '16 bit, tiles': (lambda: ramp(np.uint16), {'tile': (32, 16)}),
    '16 bit, deflated tiles': (
        lambda: ramp(np.uint16),
        {'tile': (16, 48), 'compression': 'zlib'},
    ),
    '8 bit, JPEG tiles': (
        lambda: ramp(np.uint8),
        {'tile': (32, 32), 'compression': 'jpeg'},
    ),
    'RGB, LZW': (
        lambda: ramp(np.uint8, 3),
        {'compression': 'lzw', 'rowsperstrip': 9, 'photometric': 'rgb'},
    ),
    'RGB, planar tiles': (
        lambda: np.moveaxis(ramp(np.uint16, 3), -1, 0),
        {
            'tile': (32, 32),
            'planarconfig': 'separate',
            'photometric': 'rgb',
            'compression': 'zlib',
        },
    ),
    'RGB, planar, plain': (
        lambda: np.moveaxis(ramp(np.uint16, 3), -1, 0),
        {'planarconfig': 'separate', 'photometric': 'rgb'},
    ),
    'gray and alpha': (
        lambda: ramp(np.uint16, 2),
        {
            'extrasamples': ['unassalpha'],
            'rowsperstrip': 8,
            'photometric': 'minisblack',
            'planarconfig': 'contig',
        },
    ),
    'premultiplied alpha': (
        lambda: ramp(np.uint8, 2),
        {
            'extrasamples': ['assocalpha'],
            'photometric': 'minisblack',
            'planarconfig': 'contig',
            'compression': 'zlib',
            'rowsperstrip': 8,
        },
    ),
    'white is low': (
        lambda: ramp(np.uint16),
        {'photometric': 'miniswhite', 'tile': (16, 16)},
    ),
    'black and white': (
        lambda: ramp(np.uint8) > 100,
        {'rowsperstrip': 10, 'photometric': 'minisblack'},
    ),
    'dark': (lambda: ramp(np.uint16) // 9, {'tile': (16, 16)}),
    'profile': (
        lambda: ramp(np.uint8, 3),
        {'photometric': 'rgb', 'iccprofile': srgb_profile()},
    ),
}


@pytest.fixture
def low_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything counts as too large, and bands are thin."""
    monkeypatch.setattr(strips, 'LARGE', 0)
    monkeypatch.setattr(strips, 'BAND', 2000)


def write(path: Path, name: str) -> Path:
    build, options = CASES[name]
    options = {'metadata': None, **options}
    order = options.pop('byteorder', '<')
    with tifffile.TiffWriter(path, byteorder=order) as writer:
        writer.write(build(), **options)
    return path


def assert_same(one: Photo, other: Photo) -> None:
    for field in fields(Photo):
        if field.name in ('lightness', 'alpha', '_resized'):
            continue
        assert getattr(one, field.name) == getattr(other, field.name)
    assert np.array_equal(np.asarray(one.lightness), other.lightness)
    if other.alpha is None:
        assert one.alpha is None
    else:
        assert np.array_equal(np.asarray(one.alpha), other.alpha)
        assert one.alpha.dtype == other.alpha.dtype


@pytest.mark.parametrize('name', CASES)
@pytest.mark.parametrize('window', ['auto', 'minmax', '20,200'])
def test_a_photo_on_disk_is_the_same_photo(
    name: str, window: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / 'a.tif', name)
    whole = read_photo(path, window=window)
    monkeypatch.setattr(strips, 'LARGE', 0)
    monkeypatch.setattr(strips, 'BAND', 2000)
    with open_photos(path) as file:
        photo = file.read(0, window=window)
        assert not photo.in_memory
        assert photo.shape == (H, W)
        assert_same(photo, whole)
        part = photo.lightness[37:90, 5:20]
        assert np.array_equal(part, whole.lightness[37:90, 5:20])
        assert np.array_equal(
            photo.working_lightness(64), whole.working_lightness(64)
        )
    # Loaded, it does without its file.
    assert_same(read_photo(path, window=window), whole)


@pytest.mark.parametrize('name', CASES)
def test_results_have_the_same_bytes(
    name: str,
    tmp_path: Path,
    tiny_colorizer: Colorizer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Several tiles in both directions, none of which fits.
    monkeypatch.setattr(writing, 'TILE', 48)
    path = write(tmp_path / 'a.tif', name)
    files = {}
    for way in ('whole', 'strips'):
        folder = tmp_path / way
        folder.mkdir()
        with open_photos(path) as file:
            photo = file.read(0)
            result = tiny_colorizer.colorize(photo)
            assert isinstance(result.rgb, Painting) == (way == 'strips')
            files[way] = save_result(result, folder, 'a')
        monkeypatch.setattr(strips, 'LARGE', 0)
        monkeypatch.setattr(strips, 'BAND', 2000)
    whole, rows = files['whole'], files['strips']
    assert rows.color.read_bytes() == whole.color.read_bytes()
    assert rows.labels.read_bytes() == whole.labels.read_bytes()
    one, other = (
        json.loads(names.sidecar.read_text()) for names in (rows, whole)
    )
    one.pop('run'), other.pop('run')
    assert one == other
    digest = hashlib.sha256(rows.color.read_bytes()).hexdigest()
    assert one['result']['sha256'] == digest


@pytest.mark.parametrize('name', ['gray and alpha', '16 bit, tiles'])
def test_the_number_of_threads_does_not_matter(
    name: str,
    tmp_path: Path,
    tiny_colorizer: Colorizer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing, 'TILE', 48)
    # Several strips in a band, several turns of compression.
    monkeypatch.setattr(paint, 'STRIP', 11 * W)
    monkeypatch.setattr(writing, 'BUFFER', 1)
    photo = read_photo(write(tmp_path / 'a.tif', name))
    result = tiny_colorizer.colorize(photo, lazy=True)
    found = set()
    for threads in (1, 2, 7):
        monkeypatch.setattr(paint, 'PAINTERS', threads)
        monkeypatch.setattr(writing, 'PACKERS', threads)
        folder = tmp_path / str(threads)
        folder.mkdir()
        names = save_result(result, folder, 'a')
        found.add(names.color.read_bytes())
    assert len(found) == 1
    pixels = tifffile.imread(names.color)
    assert np.array_equal(pixels[..., :3], np.asarray(result.rgb))
    if photo.alpha is not None:
        assert np.array_equal(pixels[..., 3], photo.alpha)


@pytest.mark.parametrize('height', [1, 48, 1000])
def test_bands_hold_every_row_once(
    height: int, tiny_colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = tiny_colorizer.colorize(ramp(np.uint16), lazy=True)
    whole = np.asarray(result.rgb)
    monkeypatch.setattr(paint, 'STRIP', 11 * W)
    found = list(result.rgb.bands(height))
    assert [len(band) for band in found[:-1]] == [height] * (len(found) - 1)
    assert np.array_equal(np.concatenate(found), whole)


def test_an_error_while_painting_ends_the_bands(
    tiny_colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = tiny_colorizer.colorize(ramp(np.uint8), lazy=True)

    def fail(*some: object) -> None:
        raise MemoryError

    monkeypatch.setattr(paint, 'compose', fail)
    with pytest.raises(MemoryError):
        list(result.rgb.bands(48))


@pytest.mark.parametrize('form', ['png', 'jpeg'])
def test_other_formats_paint_the_whole_picture(
    form: str, tmp_path: Path, tiny_colorizer: Colorizer, low_limits: None
) -> None:
    path = write(tmp_path / 'a.tif', 'gray and alpha')
    expected = tiny_colorizer.colorize(read_photo(path))
    with open_photos(path) as file:
        result = tiny_colorizer.colorize(file.read(0))
        names = save_result(result, tmp_path, 'a', form)
    (tmp_path / 'b').mkdir()
    other = save_result(expected, tmp_path / 'b', 'a', form)
    assert names.color.read_bytes() == other.color.read_bytes()


def test_only_bands_are_read_when_rows_are_asked_for(
    tmp_path: Path, low_limits: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / 'a.tif', '16 bit, deflated tiles')
    seen: list[slice] = []
    plain = strips.PageRows.__getitem__

    def spy(rows: strips.PageRows, part: slice) -> NDArray:
        seen.append(part)
        return plain(rows, part)

    monkeypatch.setattr(strips.PageRows, '__getitem__', spy)
    with open_photos(path) as file:
        photo = file.read(0, window='0,65535')
        seen.clear()
        for top in range(0, H, 5):
            _ = photo.lightness[top : top + 5]
    assert [part.start for part in seen] == sorted(
        {part.start for part in seen}
    )
    assert max(part.stop - part.start for part in seen) < 64
    assert seen[-1].stop == H
    assert sum(part.stop - part.start for part in seen) <= H


@pytest.mark.parametrize('height', range(16, 70))
def test_no_band_is_thinner_than_a_photo(
    height: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strips, 'BAND', 1)
    path = tmp_path / 'a.tif'
    tifffile.imwrite(path, ramp(np.uint8)[:height], rowsperstrip=3)
    with tifffile.TiffFile(path) as tif:
        rows = strips.PageRows(tif.pages[0])
        bands = strips.Bands(rows, lambda part: None, lambda *some: None)
    found = [bands.slice(number) for number in range(bands.count)]
    assert found[0].start == 0
    assert found[-1].stop == height
    assert all(part.stop - part.start >= 16 for part in found)
    for one, other in zip(found, found[1:], strict=False):
        assert one.stop == other.start


def test_a_file_that_changes_meanwhile_is_noticed(
    tmp_path: Path, tiny_colorizer: Colorizer, low_limits: None
) -> None:
    path = write(tmp_path / 'a.tif', '16 bit, deflated tiles')
    out = tmp_path / 'out'
    out.mkdir()
    with open_photos(path) as file:
        result = tiny_colorizer.colorize(file.read(0))
        os.utime(path, ns=(1, 1))
        with pytest.raises(PhotoError, match='changed while'):
            save_result(result, out, 'a')
    assert list(out.iterdir()) == []


def test_a_damaged_tile_is_found_while_saving(
    tmp_path: Path, tiny_colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing half-written is left, and the file is named."""
    path = write(tmp_path / 'a.tif', '16 bit, deflated tiles')
    with tifffile.TiffFile(path) as tif:
        place = tif.pages[0].dataoffsets[-1]
    data = bytearray(path.read_bytes())
    data[place : place + 8] = b'\xff' * 8
    path.write_bytes(data)
    monkeypatch.setattr(strips, 'LARGE', 0)
    monkeypatch.setattr(strips, 'BAND', 2000)
    with open_photos(path) as file, pytest.raises(PhotoError, match=r'a\.tif'):
        tiny_colorizer.colorize(file.read(0, window='0,65535'))


def test_stop_while_painting_leaves_nothing(
    tmp_path: Path, tiny_colorizer: Colorizer, low_limits: None
) -> None:
    path = write(tmp_path / 'a.tif', '16 bit, tiles')
    out = tmp_path / 'out'
    out.mkdir()
    token = cancel.CancelToken()
    with open_photos(path) as file:
        result = tiny_colorizer.colorize(file.read(0))
        token.cancel()
        with token.active(), pytest.raises(Cancelled):
            save_result(result, out, 'a')
    assert list(out.iterdir()) == []


def test_floats_and_single_strips_are_read_as_a_whole(
    tmp_path: Path, low_limits: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strips, 'MAX_SEGMENT', 1000)
    floats, packed = tmp_path / 'f.tif', tmp_path / 'p.tif'
    tifffile.imwrite(floats, ramp(np.uint16).astype(np.float32) / 65535)
    tifffile.imwrite(
        packed, ramp(np.uint16), compression='zlib', rowsperstrip=H
    )
    for path in (floats, packed):
        with open_photos(path) as file:
            assert file.read(0).in_memory


def test_pages_of_an_album_are_read_in_bands_too(
    tmp_path: Path, low_limits: None
) -> None:
    path = tmp_path / 'album.tif'
    pages = [ramp(np.uint8), 255 - ramp(np.uint8)]
    with tifffile.TiffWriter(path) as writer:
        for page in pages:
            writer.write(page, metadata=None, rowsperstrip=20)
    with open_photos(path) as file:
        for number, page in enumerate(pages):
            photo = file.read(number)
            assert not photo.in_memory
            top = photo.lightness[:3]
            plain = read_photo(page).lightness
            assert np.array_equal(top, plain[:3])


def test_progress_is_told_in_words(tmp_path: Path, low_limits: None) -> None:
    path = write(tmp_path / 'a.tif', '16 bit, tiles')
    said: list[str] = []
    with open_photos(path) as file, progress.told_to(said.append):
        file.read(0)
    assert said[0].startswith('Looking through part 1 of ')


def test_a_painting_needs_its_photo(
    tmp_path: Path, tiny_colorizer: Colorizer, low_limits: None
) -> None:
    """After the file is closed there is an error, and no gray picture."""
    path = write(tmp_path / 'a.tif', '16 bit, deflated tiles')
    with open_photos(path) as file:
        result = tiny_colorizer.colorize(file.read(0))
    with pytest.raises((PhotoError, SaveError)):
        save_result(result, tmp_path, 'a')
