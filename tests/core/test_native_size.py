"""Photos at their own size, in strips and tiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

from napari_sdcolor.core import photo as photos
from napari_sdcolor.core.bilinear import Enlarger
from napari_sdcolor.core.engine import GRID_SIDE, Colorizer
from napari_sdcolor.core.orientation import as_stored
from napari_sdcolor.core.photo import (
    Origin,
    photo_from_array,
    resize_plane,
    working_shape,
)
from napari_sdcolor.core.planes import bands
from napari_sdcolor.settings import (
    DETAILS,
    Settings,
    SettingsError,
    parse_size,
)

Build = Callable[..., Colorizer]


def shapes(height: int, width: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[:height, :width]
    waves = np.sin(y / 9) + np.cos(x / 7 + y / 23)
    return np.uint8(np.clip(127 + 60 * waves, 0, 255))


def test_native_is_the_shape_itself() -> None:
    for shape in ((16, 16), (5000, 20), (31, 77)):
        assert working_shape(shape, 'native') == shape


@pytest.mark.parametrize('shape', [(16, 16), (101, 67), (50, 333)])
def test_native_color_has_the_size_of_the_photo(
    shape: tuple[int, int], narrow: Build
) -> None:
    result = narrow(size='native').colorize(shapes(*shape))
    assert result.labels.shape == shape
    assert result.chroma.shape == (*shape, 2)
    assert result.rgb.shape == (*shape, 3)
    assert result.settings.size == 'native'


@pytest.mark.parametrize('which', ['narrow', 'seeing'])
@pytest.mark.parametrize('orientation', [1, 3, 6])
def test_native_tiles_give_the_picture_of_one_piece(
    orientation: int,
    which: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    colorizer = request.getfixturevalue(which)(size='native')
    picture = shapes(303, 219)
    stored = as_stored(picture, orientation)
    photo = photo_from_array(stored)
    photo = replace(photo, origin=Origin(orientation=orientation))
    one = colorizer.colorize(photo)
    colorizer.whole_area = 1
    monkeypatch.setattr('napari_sdcolor.core.networks.SIDES', (64,))
    tiled = colorizer.colorize(photo)
    assert np.array_equal(tiled.labels, one.labels)
    # Random weights ask for chroma in the thousands, far outside Lab.
    tolerance = 1e-5 * np.abs(one.chroma).max()
    np.testing.assert_allclose(tiled.chroma, one.chroma, atol=tolerance)
    assert np.abs(tiled.rgb.astype(int) - one.rgb).max() <= 1


@pytest.mark.parametrize('which', ['narrow', 'seeing'])
def test_color_of_a_session_equals_that_of_a_full_pass(
    which: str, request: pytest.FixtureRequest
) -> None:
    colorizer = request.getfixturevalue(which)()
    photo = photo_from_array(shapes(99, 140))
    result = colorizer.colorize(photo)
    session = colorizer.session(photo, result.labels)
    tolerance = 1e-5 * np.abs(result.chroma).max()
    np.testing.assert_allclose(session.chroma, result.chroma, atol=tolerance)
    assert np.abs(session.rgb.astype(int) - result.rgb).max() <= 1


def test_the_gridnet_stays_at_sizes_that_it_knows(
    narrow: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []
    colorizer = narrow(size='native')
    colorizer.grid_net.register_forward_pre_hook(
        lambda module, inputs: seen.append(tuple(inputs[0].shape[-2:]))
    )
    colorizer.segment(shapes(90, 120))
    assert seen == [(96, 128)]
    monkeypatch.setattr('napari_sdcolor.core.engine.GRID_SIDE', 64)
    found = colorizer.segment(shapes(90, 120))
    assert seen[1:] == [(64, 96)]
    assert found.labels.shape == (90, 120)
    assert max(size for size in DETAILS if size != 'native') <= GRID_SIDE


@pytest.mark.parametrize('band', [1, 7, 10**6])
@pytest.mark.parametrize(
    ('old', 'new'), [((22, 30), (97, 61)), ((9, 9), (9, 9)), ((30, 8), (7, 5))]
)
def test_enlarging_in_bands_equals_torch(
    old: tuple[int, int], new: tuple[int, int], band: int
) -> None:
    torch.manual_seed(0)
    values = torch.randn(1, 5, *old)
    expected = functional.interpolate(values, new, mode='bilinear')
    enlarge = Enlarger(values, new)
    found = torch.cat([enlarge(rows) for rows in bands(new, band)], 2)
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=0)


@given(
    st.integers(16, 150),
    st.integers(16, 150),
    st.integers(1, 90),
    st.integers(1, 90),
    st.integers(1, 5000),
)
def test_resizing_in_strips_is_resizing_at_once(
    height: int, width: int, h: int, w: int, band: int
) -> None:
    """Bit for bit; and what Pillow makes of the plane but for rounding."""
    plane = np.random.default_rng(h).random((height, width), np.float32) * 100
    at_once = resize_plane(plane, (h, w))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(photos, 'bands', lambda shape: bands(shape, band))
        assert np.array_equal(resize_plane(plane, (h, w)), at_once)
    image = Image.fromarray(plane).resize((w, h), Image.Resampling.BICUBIC)
    expected = np.clip(np.array(image), plane.min(), plane.max())
    np.testing.assert_allclose(at_once, expected, atol=3e-5)


@given(st.integers(1, 50), st.integers(1, 50), st.integers(1, 3000))
def test_bands_follow_each_other(height: int, width: int, size: int) -> None:
    found = list(bands((height, width), size))
    assert found[0].start == 0
    assert found[-1].stop == height
    for one, other in zip(found, found[1:], strict=False):
        assert one.stop == other.start
        assert one.stop - one.start == max(1, size // width)


def test_another_plane_is_resized_again() -> None:
    """What is kept belongs to one photo and one size."""
    one = photo_from_array(shapes(80, 90))
    assert one.working_lightness(64) is one.working_lightness(64)
    assert one.working_lightness(32).shape == (32, 36)
    other = replace(one, origin=Origin(path='x'))
    assert np.array_equal(
        other.working_lightness(64), one.working_lightness(64)
    )


def test_sizes_as_a_person_writes_them() -> None:
    assert parse_size('352') == 352
    assert parse_size('native') == 'native'
    assert Settings(size='native').to_arguments() == ['--size', 'native']
    assert Settings.from_dict({'size': 'native'}).size == 'native'
    for words in ('63', '2049', 'Native', '', '352.5', 'nan'):
        with pytest.raises(SettingsError, match='native'):
            parse_size(words)
    with pytest.raises(SettingsError):
        Settings(size=None)
