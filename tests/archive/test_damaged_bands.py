"""Damage and kind of photos that are read in bands."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_sdcolor.archive import strips
from napari_sdcolor.archive.reading import open_photos, read_photo
from napari_sdcolor.errors import PhotoError


@pytest.fixture
def in_bands(monkeypatch):
    monkeypatch.setattr(strips, 'LARGE', 100)
    monkeypatch.setattr(strips, 'BAND', 20 * 50)


@pytest.fixture
def page(tmp_path, rng):
    """A file of four bands, the last of which has a hole in one strip."""
    array = rng.integers(0, 255, (80, 50), np.uint8)
    path = tmp_path / 'large.tif'
    tifffile.imwrite(path, array, rowsperstrip=10, compression='zlib')
    with tifffile.TiffFile(path) as tif:
        start, count = (
            tif.pages[0].dataoffsets[7],
            tif.pages[0].databytecounts[7],
        )
    data = bytearray(path.read_bytes())
    data[start + 20 : start + count] = bytes(count - 20)
    path.write_bytes(data)
    return path


def test_damage_further_down_is_told_from_the_start(page, in_bands):
    with open_photos(page, allow_damaged=True) as file:
        photo = file.read(0)
        assert not photo.in_memory
        (damage,) = photo.origin.damage
        assert damage.startswith('1 of its 8 strips are not whole (7: ')
        assert f'Damaged: {damage}.' in photo.notes
        assert photo.loaded().shape == (80, 50)


def test_damage_further_down_ends_the_work(page, in_bands):
    with open_photos(page) as file:
        photo = file.read(0)
        with pytest.raises(
            PhotoError, match=r'large\.tif is damaged: 1 of its 8 str'
        ):
            photo.loaded()


@pytest.mark.parametrize('colored', [False, True])
@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_gray_in_three_channels_is_gray(
    tmp_path, rng, in_bands, monkeypatch, colored, dtype
):
    gray = rng.integers(0, np.iinfo(dtype).max, (80, 50), dtype)
    array = np.dstack([gray] * 3)
    if colored:
        array[70, 7, 1] ^= 1
    path = tmp_path / 'photo.tif'
    tifffile.imwrite(path, array, photometric='rgb', rowsperstrip=10)
    with open_photos(path) as file:
        large = file.read(0)
        assert not large.in_memory
        large = large.loaded()
    monkeypatch.undo()
    whole = read_photo(path)
    for photo in (large, whole):
        assert photo.kind == ('color' if colored else 'gray')
        words = 'A color photo: only its lightness is used.'
        assert (words in photo.notes) == colored
    np.testing.assert_array_equal(large.lightness, whole.lightness)
    if not colored:
        flat = read_photo(gray).lightness
        np.testing.assert_allclose(whole.lightness, flat, atol=1e-4)
