"""The size at which the networks look at a photo."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_sdcolor.core.photo import MAX_AREA, resize_plane, working_shape


@given(
    st.integers(16, 40_000),
    st.integers(16, 40_000),
    st.sampled_from([64, 352, 1024]),
)
def test_working_shape_keeps_short_side_or_area(
    height: int, width: int, size: int
) -> None:
    h, w = working_shape((height, width), size)
    long_side = max(height, width) / min(height, width)
    assert (h <= w) if height <= width else (w <= h)
    if long_side <= MAX_AREA:
        assert min(h, w) == size
        assert max(h, w) == round(size * long_side)
    else:
        assert h * w <= MAX_AREA * size**2 + (h + w)
        exact = size * (MAX_AREA / long_side) ** 0.5
        # Just beyond the limit, the side itself is the nearest whole number.
        assert min(h, w) < size or exact > size - 0.5
        assert abs(min(h, w) - exact) <= 0.5 or min(h, w) == 1
    assert working_shape((width, height), size) == (w, h)


@pytest.mark.parametrize(
    ('shape', 'wanted'),
    [
        ((352, 352), (352, 352)),
        ((3000, 4000), (352, 469)),
        ((4000, 3000), (469, 352)),
        ((16, 20), (352, 440)),
        ((100, 1600), (352, 5632)),
        ((16, 16_000), (45, 44_525)),
    ],
)
def test_working_shapes_at_the_default_size(
    shape: tuple[int, int], wanted: tuple[int, int]
) -> None:
    assert working_shape(shape, 352) == wanted


def test_resizing_stays_in_range_and_keeps_tones() -> None:
    plane = np.zeros((100, 150), np.float32)
    plane[:, 70:] = 100
    small = resize_plane(plane, (25, 38))
    assert small.shape == (25, 38)
    assert small.dtype == np.float32
    assert small.min() == 0
    assert small.max() == 100
    assert small.mean() == pytest.approx(plane.mean(), abs=0.5)
    flat = np.full((30, 40), 33.3, np.float32)
    np.testing.assert_allclose(resize_plane(flat, (64, 99)), 33.3, rtol=1e-6)


def test_shrinking_is_antialiased() -> None:
    """A fine checkerboard becomes gray, not another pattern."""
    plane = (np.indices((96, 96)).sum(0) % 2 * 100).astype(np.float32)
    small = resize_plane(plane, (20, 20))
    assert np.abs(small[2:-2, 2:-2] - 50).max() < 8


def test_equal_size_changes_nothing() -> None:
    plane = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    assert np.array_equal(resize_plane(plane, (20, 30)), plane)
