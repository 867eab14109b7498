"""Promise 1: lightness is never traded for color."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_sdcolor.core import lab
from napari_sdcolor.core.compose import compose, fit_gamut, limit
from napari_sdcolor.core.photo import photo_from_array

TOLERANCE = {8: 0.26, 16: 0.001}
DTYPE = {8: np.uint8, 16: np.uint16}

seeds = st.integers(0, 2**32 - 1)
depths = st.sampled_from([8, 16])
reaches = st.sampled_from([0.0, 1.0, 20.0, 60.0, 128.0, 1e3, 1e6])


@settings(max_examples=80, deadline=None)
@given(seed=seeds, bits=depths, reach=reaches, saturation=st.floats(0, 3))
def test_lightness_survives_any_color(
    true_lightness: Callable,
    seed: int,
    bits: int,
    reach: float,
    saturation: float,
) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 2**bits, (40, 41), DTYPE[bits])
    photo = photo_from_array(codes)
    chroma = rng.normal(0, reach, (40, 41, 2))
    rgb = compose(photo.lightness, chroma, bits, saturation)
    assert rgb.dtype == DTYPE[bits]
    moved = np.abs(true_lightness(rgb) - true_lightness(codes))
    assert moved.max() <= TOLERANCE[bits]


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('saturation', [1.0, 0.0])
def test_every_gray_without_color_is_itself(
    bits: int, saturation: float
) -> None:
    codes = np.arange(2**bits, dtype=DTYPE[bits]).reshape(16, -1)
    photo = photo_from_array(codes)
    chroma = np.zeros((*codes.shape, 2), np.float32)
    if saturation == 0:
        chroma[...] = 77, -33
    rgb = compose(photo.lightness, chroma, bits, saturation)
    assert np.array_equal(rgb, np.repeat(codes[..., None], 3, -1))


@pytest.mark.parametrize('bits', [8, 16])
def test_lightness_between_two_grays_stays_gray(
    bits: int, true_lightness: Callable
) -> None:
    lightness = np.linspace(0, 100, 5001)[None]
    rgb = compose(lightness, np.zeros((1, 5001, 2)), bits)
    assert (rgb == rgb[..., :1]).all()
    moved = np.abs(true_lightness(rgb) - lightness)
    assert moved.max() <= TOLERANCE[bits]


@settings(max_examples=60, deadline=None)
@given(
    seed=seeds,
    lightness=st.floats(3, 97),
    reach=st.sampled_from([40.0, 150.0, 1e3, 1e5, 1e20, 3e37]),
)
def test_fitting_lowers_chroma_at_constant_hue(
    seed: int, lightness: float, reach: float
) -> None:
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, 200)
    wanted = reach * np.stack((np.cos(angle), np.sin(angle)), -1)
    level = np.full(200, lightness)
    rgb = compose(level, wanted, 16)
    assert rgb.dtype == np.uint16
    values = lab.rgb_to_lab(rgb / 65535)
    assert np.abs(values[:, 0] - lightness).max() <= 0.001
    found = values[:, 1:]
    strength = np.linalg.norm(found, axis=-1)
    assert (strength <= reach + 0.01).all()
    assert (strength > 1).all()
    # Rounding to 16 bits moves a and b by some hundredths at most.
    across = found @ np.array([[0, 1], [-1, 0]])
    along = np.einsum('ij,ij->i', found, wanted / reach)
    sideways = np.einsum('ij,ij->i', across, wanted / reach)
    assert (along > 0).all()
    assert np.abs(sideways).max() < 0.1


@settings(max_examples=40, deadline=None)
@given(seed=seeds, bits=depths)
def test_fitting_keeps_as_much_chroma_as_fits(seed: int, bits: int) -> None:
    """A little more of the same hue would leave the gamut."""
    rng = np.random.default_rng(seed)
    level = rng.uniform(5, 95, 300)
    angle = rng.uniform(0, 2 * np.pi, 300)
    hue = np.stack((np.cos(angle), np.sin(angle)), -1)
    linear = fit_gamut(level, 200 * hue)
    strength = np.linalg.norm(
        lab.rgb_to_lab(lab.linear_to_srgb(linear))[:, 1:], axis=-1
    )
    more = lab.lab_to_linear(level, hue * (strength + 0.3)[:, None])
    assert ((more.min(-1) < 0) | (more.max(-1) > 1)).all()


@settings(max_examples=40, deadline=None)
@given(seed=seeds, bits=depths)
def test_colors_of_the_gamut_come_back(seed: int, bits: int) -> None:
    """Lab of an sRGB picture gives that picture again."""
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 2**bits, (30, 30, 3), DTYPE[bits])
    values = lab.rgb_to_lab(rgb / np.float64(2**bits - 1))
    found = compose(values[..., 0], values[..., 1:], bits)
    difference = np.abs(found.astype(int) - rgb)
    # Green takes up what red and blue lose by rounding.
    assert difference[..., [0, 2]].max() <= 1
    assert difference[..., 1].max() <= 2 if bits == 8 else 24


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('value', [1e4, 1e10, 1e30, 3e38])
@pytest.mark.parametrize('saturation', [1.0, 3.0])
@pytest.mark.filterwarnings('error')
def test_huge_chroma_never_wraps(
    bits: int, value: float, saturation: float, true_lightness: Callable
) -> None:
    lightness = np.linspace(0, 100, 101, dtype=np.float32)[:, None]
    signs = np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [1, 1], [-1, 1]])
    chroma = np.broadcast_to(
        (signs * value).astype(np.float32), (101, *signs.shape)
    )
    plane = np.broadcast_to(lightness, (101, len(signs)))
    rgb = compose(plane, chroma, bits, saturation)
    moved = np.abs(true_lightness(rgb) - plane)
    assert moved.max() <= TOLERANCE[bits]
    # The same hue with sane numbers.
    sane = compose(plane, np.broadcast_to(signs * 300, chroma.shape), bits)
    assert np.abs(rgb.astype(int) - sane).max() <= 2 ** (bits - 7)


def test_saturation_scales_chroma() -> None:
    level = np.full((1, 50), 55.0)
    chroma = np.linspace(-9, 9, 100).reshape(1, 50, 2)
    for factor in (0.5, 2.0):
        rgb = compose(level, chroma, 16, factor)
        found = lab.rgb_to_lab(rgb / 65535)[..., 1:]
        np.testing.assert_allclose(found, factor * chroma, atol=0.05)


@pytest.mark.parametrize('bits', [8, 16])
def test_pixels_do_not_see_each_other(bits: int) -> None:
    rng = np.random.default_rng(3)
    level = rng.uniform(0, 100, (20, 30)).astype(np.float32)
    chroma = rng.normal(0, 60, (20, 30, 2)).astype(np.float32)
    chroma[3, 4] = 1e30
    whole = compose(level, chroma, bits)
    part = compose(level[5:9, 2:21], chroma[5:9, 2:21], bits)
    assert np.array_equal(part, whole[5:9, 2:21])


def test_empty_planes_stay_empty() -> None:
    rgb = compose(np.zeros((0, 5)), np.zeros((0, 5, 2)), 8)
    assert rgb.shape == (0, 5, 3)


def test_limit_keeps_the_direction() -> None:
    chroma: NDArray = np.array([[300.0, -400.0], [3.0, 4.0], [0.0, 0.0]])
    found = limit(chroma, 40)
    np.testing.assert_allclose(found, [[30, -40], [3, 4], [0, 0]])
    assert limit(chroma, 400) is chroma
