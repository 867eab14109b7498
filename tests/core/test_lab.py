"""Color arithmetic against scikit-image and against itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import color

from napari_sdcolor.core import lab


def lab_to_rgb(values: NDArray) -> NDArray:
    """Code values (…, 3) of Lab, clipped to [0, 1]."""
    linear = lab.lab_to_linear(values[..., 0], values[..., 1:])
    return lab.linear_to_srgb(np.clip(linear, 0, 1))


@pytest.fixture(scope='module')
def colors() -> NDArray:
    """Every corner of the RGB cube and colors between, in [0, 1]."""
    levels = np.linspace(0, 1, 12)
    return np.stack(np.meshgrid(levels, levels, levels), -1).reshape(-1, 3)


def test_lab_equals_scikit_image(colors: NDArray) -> None:
    # Theirs rounds the matrix to six digits and the white point to five,
    # which gives grays of up to 0.01 units of chroma.
    np.testing.assert_allclose(
        lab.rgb_to_lab(colors), color.rgb2lab(colors), rtol=0, atol=0.02
    )


def test_lightness_equals_scikit_image(colors: NDArray) -> None:
    wanted = color.rgb2lab(colors)[..., 0]
    found = lab.rgb_to_lightness(colors)
    # Their luminance weights have six digits: up to 0.0014 for pure blue.
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-3)
    np.testing.assert_allclose(
        lab.rgb_to_lab(colors)[..., 0], found, rtol=0, atol=1e-12
    )


def test_lab_to_rgb_equals_scikit_image(colors: NDArray) -> None:
    values = color.rgb2lab(colors)
    np.testing.assert_allclose(lab_to_rgb(values), colors, rtol=0, atol=5e-4)


def test_curve_equals_the_standard(true_lightness: Callable) -> None:
    codes = np.arange(65536, dtype=np.uint16)
    np.testing.assert_allclose(
        lab.gray_to_lightness(codes / 65535),
        true_lightness(codes),
        rtol=0,
        atol=1e-4,
    )


@pytest.mark.parametrize(
    ('dtype', 'tolerance'), [(np.float64, 1e-9), (np.float32, 2e-5)]
)
def test_round_trips(colors: NDArray, dtype: type, tolerance: float) -> None:
    colors = colors.astype(dtype)
    gray = colors[:, 0]
    for found, wanted in (
        (lab_to_rgb(lab.rgb_to_lab(colors)), colors),
        (lab.linear_to_srgb(lab.srgb_to_linear(colors)), colors),
        (lab.lightness_to_gray(lab.gray_to_lightness(gray)), gray),
        (
            lab.lightness_to_luminance(lab.luminance_to_lightness(gray)),
            gray,
        ),
    ):
        assert found.dtype == dtype
        np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance)


def test_gray_has_no_chroma_and_the_lightness_of_gray() -> None:
    gray = np.linspace(0, 1, 4096)
    values = lab.rgb_to_lab(np.repeat(gray[:, None], 3, 1))
    np.testing.assert_allclose(values[:, 1:], 0, atol=1e-11)
    np.testing.assert_allclose(
        values[:, 0], lab.gray_to_lightness(gray), rtol=0, atol=1e-11
    )


def test_ends_of_the_scale() -> None:
    assert lab.gray_to_lightness(0) == 0
    assert lab.gray_to_lightness(1) == pytest.approx(100, abs=1e-12)
    np.testing.assert_allclose(
        lab.rgb_to_lab([1, 1, 1]), [100, 0, 0], atol=1e-9
    )


def test_colors_outside_the_gamut_are_clipped_not_wrapped() -> None:
    values = np.array([[50, 200, -200], [0, 80, 80], [100, -90, 90]])
    found = lab_to_rgb(values)
    assert found.min() >= 0
    assert found.max() <= 1
