"""What counts as a photo and what is understood about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_sdcolor.core.photo import (
    Origin,
    Photo,
    as_photo,
    photo_from_array,
)

SHAPE = (20, 33)
TOP = 65535


def noise(dtype: type, low: float, high: float, *channels: int) -> NDArray:
    rng = np.random.default_rng(7)
    values = rng.uniform(low, high, (*SHAPE, *channels)).astype(dtype)
    values[0, 0] = low
    values[-1, -1] = high
    return values


@pytest.mark.parametrize(
    ('dtype', 'bits'), [(np.uint8, 8), (np.uint16, 16), (np.uint32, 16)]
)
def test_unsigned_integers_span_their_type(
    dtype: type, bits: int, true_lightness: Callable
) -> None:
    codes = noise(dtype, 0, np.iinfo(dtype).max)
    photo = photo_from_array(codes)
    np.testing.assert_allclose(
        photo.lightness, true_lightness(codes), atol=1e-4
    )
    assert photo.lightness.dtype == np.float32
    assert photo.bits == bits
    assert photo.window == (0, np.iinfo(dtype).max)
    assert photo.kind == 'gray'
    assert photo.source_dtype == np.dtype(dtype).name
    assert photo.shape == SHAPE
    assert photo.alpha is None
    assert photo.notes == ()


@pytest.mark.parametrize(('dtype', 'bits'), [(np.int8, 8), (np.int16, 16)])
def test_signed_integers_start_at_their_lowest(dtype: type, bits: int) -> None:
    limits = np.iinfo(dtype)
    codes = noise(dtype, limits.min, limits.max)
    photo = photo_from_array(codes)
    assert photo.lightness[0, 0] == 0
    assert photo.lightness[-1, -1] == pytest.approx(100, abs=1e-4)
    assert photo.window == (limits.min, limits.max)
    assert photo.bits == bits


def test_twelve_bits_in_sixteen_are_said_and_can_be_stretched(
    true_lightness: Callable,
) -> None:
    codes = noise(np.uint16, 0, 4095)
    dark = photo_from_array(codes, window='type')
    assert any("'auto' shows more" in note for note in dark.notes)
    assert dark.lightness.max() < 30
    for window in ('auto', 'minmax', '0,4095', (0, 4095)):
        photo = photo_from_array(codes, window=window)
        np.testing.assert_allclose(
            photo.lightness, true_lightness(codes, 4095), atol=1e-4
        )
        assert photo.window == (0, 4095)
        assert photo.notes == ()


@pytest.mark.parametrize('dtype', [np.float16, np.float32, np.float64])
def test_floats_up_to_one_are_taken_as_they_are(
    dtype: type, true_lightness: Callable
) -> None:
    values = noise(dtype, 0.125, 0.75)
    photo = photo_from_array(values)
    assert photo.window == (0, 1)
    assert photo.bits == 16
    np.testing.assert_allclose(
        photo.lightness, true_lightness(values, 1), atol=1e-4
    )


@pytest.mark.parametrize(('low', 'high'), [(-3, 7), (0, 255), (200, 4000)])
def test_other_floats_are_stretched(low: float, high: float) -> None:
    photo = photo_from_array(noise(np.float32, low, high))
    assert photo.window == (low, high)
    assert photo.lightness.min() == 0
    assert photo.lightness.max() == pytest.approx(100, abs=1e-4)


def test_floats_can_be_cut_to_the_type() -> None:
    photo = photo_from_array(noise(np.float32, -3, 7), window='type')
    assert photo.window == (0, 1)
    assert photo.lightness[0, 0] == 0
    assert photo.lightness[-1, -1] == pytest.approx(100, abs=1e-4)


def test_booleans_are_black_and_white() -> None:
    array = np.zeros(SHAPE, bool)
    array[:, 5:] = True
    photo = photo_from_array(array)
    assert photo.kind == 'black and white'
    assert photo.bits == 8
    assert set(np.unique(photo.lightness[:, :5])) == {0}
    np.testing.assert_allclose(photo.lightness[:, 5:], 100, atol=1e-4)


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_only_the_lightness_of_colors_is_used(
    dtype: type, true_lightness: Callable
) -> None:
    codes = noise(dtype, 0, np.iinfo(dtype).max, 3)
    photo = photo_from_array(codes)
    np.testing.assert_allclose(
        photo.lightness, true_lightness(codes), atol=1e-4
    )
    assert photo.kind == 'color'
    assert any('only its lightness' in note for note in photo.notes)


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_gray_stored_as_color_equals_gray(dtype: type) -> None:
    codes = noise(dtype, 0, np.iinfo(dtype).max)
    one = photo_from_array(codes)
    three = photo_from_array(np.repeat(codes[..., None], 3, -1))
    np.testing.assert_allclose(one.lightness, three.lightness, atol=1e-5)


@pytest.mark.parametrize('channels', [2, 4])
@pytest.mark.parametrize(
    ('dtype', 'depth'),
    [(np.uint8, np.uint8), (np.uint16, np.uint16), (np.float32, np.uint16)],
)
def test_alpha_is_kept_and_not_seen(
    channels: int, dtype: type, depth: type
) -> None:
    high = 1 if dtype is np.float32 else np.iinfo(dtype).max
    array = noise(dtype, 0, high, channels)
    photo = photo_from_array(array)
    bare = photo_from_array(array[..., 0 if channels == 2 else slice(3)])
    assert np.array_equal(photo.lightness, bare.lightness)
    assert photo.alpha.dtype == depth
    share = photo.alpha / np.iinfo(depth).max
    np.testing.assert_allclose(share, array[..., -1] / high, atol=1e-5)


def test_one_channel_is_gray() -> None:
    array = noise(np.uint8, 0, 255)
    photo = photo_from_array(array[..., None])
    assert np.array_equal(photo.lightness, photo_from_array(array).lightness)


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_single_pixels_that_are_no_numbers(value: float) -> None:
    array = noise(np.float32, 0, 1)
    wanted = photo_from_array(array).lightness.copy()
    array[4, 5] = value
    photo = photo_from_array(array)
    assert any('no numbers' in note for note in photo.notes)
    wanted[4, 5] = 100 if value > 0 else 0
    np.testing.assert_allclose(photo.lightness, wanted, atol=1e-4)


def test_non_finite_alpha_is_transparent() -> None:
    array = noise(np.float32, 0, 1, 4)
    array[3, 3, 3] = np.nan
    assert photo_from_array(array).alpha[3, 3] == 0


@pytest.mark.parametrize('value', [0, 77, 255])
@pytest.mark.parametrize('dtype', [np.uint8, np.float32, np.float64])
def test_one_tone_only(value: int, dtype: type) -> None:
    array = np.full(SHAPE, value, dtype)
    for window in ('auto', 'minmax', 'type'):
        photo = photo_from_array(array, window=window)
        assert np.isfinite(photo.lightness).all()
        assert np.ptp(photo.lightness) == 0


def test_one_huge_tone() -> None:
    photo = photo_from_array(np.full(SHAPE, 1e300))
    assert (photo.lightness == 0).all()


def test_byte_order_and_strides_do_not_matter() -> None:
    array = noise(np.uint16, 0, TOP)
    wanted = photo_from_array(array).lightness
    swapped = array.astype('>u2')
    assert np.array_equal(photo_from_array(swapped).lightness, wanted)
    mirrored = photo_from_array(array[:, ::-1])
    assert np.array_equal(mirrored.lightness[:, ::-1], wanted)
    assert np.array_equal(
        photo_from_array(array.tolist(), window='0,65535').lightness, wanted
    )


def test_large_photos_are_read_in_strips(true_lightness: Callable) -> None:
    codes = np.random.default_rng(0).integers(0, 256, (300, 4100, 3), np.uint8)
    photo = photo_from_array(codes)
    np.testing.assert_allclose(
        photo.lightness, true_lightness(codes), atol=1e-4
    )


def test_the_pixels_given_are_not_touched() -> None:
    array = noise(np.float32, -1, 5)
    array[1, 1] = np.nan
    before = array.copy()
    photo_from_array(array)
    assert np.array_equal(array, before, equal_nan=True)


def test_the_window_is_clipped_and_linear(true_lightness: Callable) -> None:
    codes = np.arange(256, dtype=np.uint8).reshape(16, 16)
    photo = photo_from_array(codes, window=(64, 192))
    share = np.clip((codes.astype(float) - 64) / 128, 0, 1)
    np.testing.assert_allclose(
        photo.lightness, true_lightness(share, 1), atol=1e-4
    )


def test_description() -> None:
    photo = photo_from_array(noise(np.uint16, 0, 4095), window='minmax')
    assert photo.describe() == (
        'gray, 33 × 20 pixels, uint16, tone window 0 to 4095, '
        'the lowest and the highest value'
    )


def test_an_origin_leaves_the_pixels_alone() -> None:
    photo = photo_from_array(noise(np.uint8, 0, 255))
    named = replace(photo, origin=Origin(path='tower.tif'))
    assert named.lightness is photo.lightness
    assert photo.origin == Origin()


def test_a_photo_is_already_one() -> None:
    photo = photo_from_array(noise(np.uint8, 0, 255))
    assert as_photo(photo) is photo
    assert isinstance(as_photo(noise(np.uint8, 0, 255)), Photo)
