"""Chroma at the photo's size: finite support, guided by lightness."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_sdcolor.core.photo import resize_plane
from napari_sdcolor.core.upsample import REACH, TONE, Upsampler

SHAPES = [
    ((97, 131), (20, 27)),
    ((64, 64), (16, 16)),
    ((45, 200), (16, 71)),
    ((33, 47), (32, 46)),
    ((20, 31), (64, 99)),  # the photo is smaller than the working plane
    ((21, 90), (64, 274)),
]


def make(
    shape: tuple[int, int], small: tuple[int, int], seed: int = 0
) -> tuple[Upsampler, NDArray]:
    rng = np.random.default_rng(seed)
    lightness = rng.uniform(0, 100, shape).astype(np.float32)
    guide = resize_plane(lightness, small)
    chroma = rng.normal(0, 30, (*small, 2)).astype(np.float32)
    return Upsampler(lightness, guide), chroma


@pytest.mark.parametrize(('shape', 'small'), SHAPES)
def test_a_working_pixel_stays_inside_its_reach(
    shape: tuple[int, int], small: tuple[int, int]
) -> None:
    upsample, chroma = make(shape, small)
    before = upsample(chroma)
    rng = np.random.default_rng(1)
    touched = 0
    corners = [(0, 0), (small[0] - 1, small[1] - 1), (0, small[1] - 1)]
    spots = rng.integers(0, small, (25, 2)).tolist()
    for y, x in [*corners, *spots]:
        changed = chroma.copy()
        changed[y, x] += 50
        moved = (upsample(changed) != before).any(-1)
        y0, x0, y1, x1 = upsample.reach((y, x, y + 1, x + 1))
        touched += moved.any()
        moved[y0:y1, x0:x1] = False
        assert not moved.any()
    if shape > small:
        assert touched == 28


@pytest.mark.parametrize(('shape', 'small'), SHAPES)
def test_the_reach_is_finite_as_stated(
    shape: tuple[int, int], small: tuple[int, int]
) -> None:
    upsample, _ = make(shape, small)
    y, x = small[0] // 2, small[1] // 2
    y0, x0, y1, x1 = upsample.reach((y, x, y + 1, x + 1))
    for low, high, full, size, place in (
        (y0, y1, shape[0], small[0], y),
        (x0, x1, shape[1], small[1], x),
    ):
        ratio = full / size
        slack = 2 + ratio
        assert low >= (place + 0.5 - REACH) * ratio - slack
        assert high <= (place + 0.5 + REACH) * ratio + slack


def test_the_reach_of_everything_is_the_photo() -> None:
    upsample, _ = make((97, 131), (20, 27))
    assert upsample.reach((0, 0, 20, 27)) == (0, 0, 97, 131)


@pytest.mark.parametrize(('shape', 'small'), SHAPES)
def test_a_box_equals_the_full_pass_bit_for_bit(
    shape: tuple[int, int], small: tuple[int, int]
) -> None:
    upsample, chroma = make(shape, small)
    whole = upsample(chroma)
    assert whole.shape == (*shape, 2)
    rng = np.random.default_rng(2)
    for _ in range(12):
        y0, x0 = (int(rng.integers(0, side)) for side in shape)
        y1, x1 = (
            int(rng.integers(low + 1, side + 1))
            for low, side in zip((y0, x0), shape, strict=True)
        )
        part = upsample(chroma, (y0, x0, y1, x1))
        assert np.array_equal(part, whole[y0:y1, x0:x1])


def test_strips_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    upsample, chroma = make((97, 131), (20, 27))
    whole = upsample(chroma)
    monkeypatch.setattr('napari_sdcolor.core.upsample.STRIP', 131)
    assert np.array_equal(upsample(chroma), whole)


@pytest.mark.parametrize(('shape', 'small'), SHAPES)
def test_constant_chroma_stays_constant(
    shape: tuple[int, int], small: tuple[int, int]
) -> None:
    upsample, _ = make(shape, small)
    chroma = np.full((*small, 2), (31.5, -77.25), np.float32)
    np.testing.assert_allclose(
        upsample(chroma), np.full((*shape, 2), (31.5, -77.25)), rtol=1e-5
    )


@pytest.mark.parametrize(('shape', 'small'), SHAPES)
def test_chroma_never_leaves_the_range_of_its_neighbors(
    shape: tuple[int, int], small: tuple[int, int]
) -> None:
    upsample, chroma = make(shape, small)
    result = upsample(chroma)
    assert result.min() >= chroma.min() * 1.00001
    assert result.max() <= chroma.max() * 1.00001


@pytest.mark.parametrize(('shape', 'small'), SHAPES)
def test_color_stays_in_its_place(
    shape: tuple[int, int], small: tuple[int, int]
) -> None:
    """On a flat photo a ramp of chroma is the same ramp, pixel by pixel."""
    flat = np.full(shape, 50, np.float32)
    upsample = Upsampler(flat, np.full(small, 50, np.float32))
    ramp = np.stack(np.indices(small), -1).astype(np.float32)
    wanted = np.stack(
        np.meshgrid(
            *(
                (np.arange(full) + 0.5) * part / full - 0.5
                for full, part in zip(shape, small, strict=True)
            ),
            indexing='ij',
        ),
        -1,
    )
    found = upsample(ramp)
    inside = ((wanted >= 1) & (wanted <= np.array(small) - 2)).all(-1)
    assert np.abs(found - wanted)[inside].max() < 0.2
    assert np.abs((found - wanted)[inside].mean(0)).max() < 0.02


@pytest.mark.parametrize(('shape', 'small'), SHAPES)
def test_mirrored_photos_get_mirrored_color(
    shape: tuple[int, int], small: tuple[int, int]
) -> None:
    upsample, chroma = make(shape, small)
    mirrored = Upsampler(
        upsample.lightness[::-1, ::-1], upsample.guide[::-1, ::-1]
    )
    np.testing.assert_allclose(
        mirrored(chroma[::-1, ::-1]), upsample(chroma)[::-1, ::-1], atol=1e-3
    )


def test_a_neighbor_of_another_tone_counts_a_quarter() -> None:
    """The middle pixel lies between two neighbors and is as dark as one."""
    lightness = np.array([[40, 40, 40]], np.float32)
    guide = np.array([[40, 40 + TONE]], np.float32)
    chroma = np.array([[[10, 0], [20, -5]]], np.float32)
    found = Upsampler(lightness, guide)(chroma)[0, 1]
    np.testing.assert_allclose(
        found, (chroma[0, 0] + chroma[0, 1] / 4) / 1.25, rtol=1e-5
    )


def test_equal_sizes_change_nothing() -> None:
    upsample, chroma = make((30, 40), (30, 40))
    assert np.array_equal(upsample(chroma), chroma)
    part = upsample(chroma, (3, 4, 9, 11))
    assert np.array_equal(part, chroma[3:9, 4:11])


def test_color_keeps_to_the_edges_of_the_photo() -> None:
    """A step in lightness between working pixels also parts the colors."""
    lightness = np.full((64, 128), 20, np.float32)
    lightness[:, 66:] = 80
    guide = resize_plane(lightness, (16, 32))
    chroma = np.zeros((16, 32, 2), np.float32)
    chroma[guide > 50] = 40
    guided = Upsampler(lightness, guide)(chroma)[32, :, 0]
    flat = np.full_like(lightness, 50)
    plain = Upsampler(flat, np.full_like(guide, 50))(chroma)[32, :, 0]
    wanted = np.where(lightness[32] > 50, 40, 0)
    guided_error = np.abs(guided - wanted).sum()
    assert guided_error < 0.25 * np.abs(plain - wanted).sum()
