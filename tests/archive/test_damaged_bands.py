"""Damage and kind of photos that are read in bands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tifffile

from napari_sdcolor.archive import strips, tiff_file
from napari_sdcolor.archive.reading import open_photos, read_photo
from napari_sdcolor.errors import PhotoError


@pytest.fixture
def in_bands(monkeypatch):
    monkeypatch.setattr(strips, 'LARGE', 100)
    monkeypatch.setattr(strips, 'BAND', 20 * 50)


@pytest.fixture
def damaged_below(monkeypatch):
    """As if the fourth band of a page had a hole."""
    real = tiff_file.interpret

    def interpret(page, array, **options):
        scan = real(page, array, **options)
        hole = ('a strip is missing',) if (array == 200).any() else ()
        return replace(scan, damage=hole)

    monkeypatch.setattr(tiff_file, 'interpret', interpret)


@pytest.fixture
def page(tmp_path):
    """A file of four bands, the last of which holds 200."""
    array = np.zeros((80, 50), np.uint8)
    array[70, 7] = 200
    path = tmp_path / 'large.tif'
    tifffile.imwrite(path, array, rowsperstrip=10)
    return path


def test_damage_further_down_is_told_from_the_start(
    page, in_bands, damaged_below
):
    with open_photos(page, allow_damaged=True) as file:
        photo = file.read(0)
        assert not photo.in_memory
        assert photo.origin.damage == ('a strip is missing',)
        assert 'Damaged: a strip is missing.' in photo.notes
        assert photo.loaded().shape == (80, 50)


def test_damage_further_down_ends_the_work(page, in_bands, damaged_below):
    with open_photos(page) as file:
        photo = file.read(0)
        with pytest.raises(PhotoError, match=r'large\.tif is damaged: a str'):
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
