"""Color profiles of photos are understood, or it is said that they are not."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sdcolor.archive.profiles import srgb_profile
from napari_sdcolor.archive.reading import read_photo
from napari_sdcolor.core import lab


@pytest.mark.parametrize('bits', [8, 16])
def test_gray_profile_is_applied(tmp_path, ramp, bits):
    values = ramp if bits == 16 else (ramp >> 8).astype(np.uint8)
    top = 2**bits - 1
    profile = imagecodecs.cms_profile('gray', gamma=1.8)
    path = tmp_path / 'photo.tif'
    tifffile.imwrite(path, values, iccprofile=profile)
    photo = read_photo(path)
    linear = (values / top) ** 1.8
    wanted = lab.luminance_to_lightness(linear)
    # Half a code value in the shadows, where it is worth most.
    tolerance = 0.25 if bits == 8 else 0.003
    np.testing.assert_allclose(photo.lightness, wanted, atol=tolerance)
    assert any('Converted' in note for note in photo.notes)
    assert photo.origin.icc == profile


def test_color_profile_is_applied(tmp_path, rng):
    colors = rng.integers(60, 190, (20, 30, 3), dtype=np.uint8)
    plain, tagged = tmp_path / 'plain.png', tmp_path / 'tagged.png'
    Image.fromarray(colors).save(plain)
    adobe = imagecodecs.cms_profile('adobergb')
    Image.fromarray(colors).save(tagged, icc_profile=adobe)
    photo = read_photo(tagged)
    change = np.abs(photo.lightness - read_photo(plain).lightness)
    assert change.max() > 1
    assert any('Adobe RGB' in note for note in photo.notes)


def test_srgb_profile_changes_nothing(tmp_path, ramp):
    rgb = np.stack([ramp, ramp.T.reshape(ramp.shape), ramp[::-1]], axis=-1)
    path = tmp_path / 'photo.tif'
    tifffile.imwrite(path, rgb, photometric='rgb', iccprofile=srgb_profile())
    photo = read_photo(path)
    assert (photo.lightness == read_photo(rgb).lightness).all()
    assert not any('profile' in note for note in photo.notes)


@pytest.mark.parametrize(
    'profile', [b'no profile at all' * 20, imagecodecs.cms_profile('adobergb')]
)
def test_unusable_profile_is_kept_and_said(
    tmp_path, ramp, profile, assert_shows
):
    path = tmp_path / 'photo.tif'
    tifffile.imwrite(path, ramp, iccprofile=profile)
    photo = read_photo(path)
    assert_shows(photo, ramp, 65535)
    assert any('not applied' in note for note in photo.notes)
    assert photo.origin.icc == profile
