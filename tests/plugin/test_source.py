"""What an image layer means as a photo or as a stack of photos."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import dask.array
import numpy as np
import pytest
from napari.layers import Image
from PIL import Image as PillowImage

from napari_sdcolor.core.photo import photo_from_array
from napari_sdcolor.errors import PhotoError
from napari_sdcolor.plugin.source import WINDOW_CHOICES, PhotoSource
from napari_sdcolor.settings import Settings, parse_window


@pytest.fixture
def deep(pixels):
    """A 12-bit scan in 16 bits."""
    return pixels.astype(np.uint16) * 16


@pytest.mark.parametrize(
    ('data', 'rgb', 'planes'),
    [
        (np.zeros((40, 50), np.uint8), False, 1),
        (np.zeros((40, 50, 3), np.uint8), True, 1),
        (np.zeros((40, 50, 4), np.uint8), True, 1),
        (np.zeros((7, 40, 50), np.uint8), False, 7),
        (np.zeros((1, 40, 50), np.uint8), False, 1),
        (np.zeros((7, 40, 50, 3), np.uint8), True, 7),
        (np.zeros((3, 40, 50), bool), False, 3),
    ],
)
def test_planes_and_shape(data, rgb, planes):
    source = PhotoSource(Image(data, rgb=rgb))
    assert source.shape == (40, 50)
    assert source.planes == planes
    photo = source.photo(planes - 1, 'type')
    assert photo.shape == (40, 50)


def test_a_narrow_gray_stack_is_no_color_photo():
    """(40, 50, 3) with rgb=False are 40 planes of 50 × 3."""
    source = PhotoSource(Image(np.zeros((40, 50, 3), np.uint8), rgb=False))
    assert source.planes == 40
    with pytest.raises(PhotoError, match='at least 16'):
        source.photo(0, 'type')


@pytest.mark.parametrize(
    ('shape', 'rgb'), [((2, 3, 40, 50), False), ((2, 3, 40, 50, 3), True)]
)
def test_more_than_one_other_axis_is_refused_by_name(shape, rgb):
    layer = Image(np.zeros(shape, np.uint8), rgb=rgb, name='movie')
    with pytest.raises(PhotoError, match='movie has 4 axes'):
        PhotoSource(layer)


def test_each_plane_is_its_own_photo(pixels):
    stack = np.stack([pixels, pixels[::-1], 255 - pixels])
    source = PhotoSource(Image(stack))
    for plane in range(3):
        expected = photo_from_array(stack[plane], window='type')
        np.testing.assert_array_equal(
            source.photo(plane, 'type').lightness, expected.lightness
        )


def test_the_largest_level_is_the_photo(pixels):
    levels = [pixels, pixels[::2, ::2], pixels[::4, ::4]]
    source = PhotoSource(Image(levels, multiscale=True))
    assert source.shape == pixels.shape
    np.testing.assert_array_equal(source.pixels(0), pixels)


def test_only_the_plane_of_a_lazy_stack_is_read(pixels):
    read = []

    def load(block_info=None):
        place = block_info[None]['chunk-location'][0]
        read.append(place)
        return np.full((1, 90, 120), 50 * place, np.uint8)

    stack = dask.array.map_blocks(
        load,
        chunks=((1, 1, 1, 1), (90,), (120,)),
        dtype=np.uint8,
        meta=np.empty((0, 0, 0), np.uint8),
    )
    source = PhotoSource(Image(stack, contrast_limits=(0, 255)))
    read.clear()
    plane = source.pixels(2)
    assert isinstance(plane, np.ndarray)
    assert (plane == 100).all()
    assert read == [2]


# --- the file behind a layer ----------------------------------------------


def test_a_layer_without_file_has_no_path(pixels):
    assert PhotoSource(Image(pixels)).path is None


@pytest.fixture
def open_photo(viewer, tmp_plugin) -> Iterator[Callable[[Path], Image]]:
    """Opens files with napari's own readers."""

    def open_one(path: Path) -> Image:
        (layer,) = viewer.open(path, plugin='napari')
        return layer

    with tmp_plugin('napari'):
        yield open_one


def test_a_layer_from_a_file_knows_it(open_photo, make_photo):
    path = make_photo()
    source = PhotoSource(open_photo(path))
    assert source.path == path
    with PillowImage.open(path) as stored:
        np.testing.assert_array_equal(source.pixels(0), np.array(stored))


# --- tone windows ---------------------------------------------------------


def test_every_choice_is_a_window_that_the_settings_know(deep):
    source = PhotoSource(Image(deep))
    for choice in WINDOW_CHOICES:
        window = source.window(choice)
        if isinstance(window, str):
            assert parse_window(window) == Settings(window=window).window
        else:
            assert window[0] < window[1]


@pytest.mark.parametrize('dtype', [np.uint8, bool])
def test_automatic_is_the_whole_range_for_8_bits(pixels, dtype):
    data = (pixels > 100) if dtype is bool else pixels
    source = PhotoSource(Image(data))
    assert source.window('auto') == 'auto'
    assert source.photo(0, 'auto').window == (0, 1 if dtype is bool else 255)


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16, np.int16, np.float32])
def test_limits_that_napari_found_by_itself_are_nobodys(pixels, dtype):
    for data in (pixels.astype(dtype), np.stack([pixels] * 3).astype(dtype)):
        layer = Image(data)
        source = PhotoSource(layer)
        assert source.window('auto') == 'auto'
        layer.contrast_limits = (90, 200)
        assert source.window('auto') == (90.0, 200.0)
        layer.reset_contrast_limits()
        assert PhotoSource(layer).window('auto') == 'auto'


def test_automatic_is_what_a_person_set_as_contrast_limits(deep):
    layer = Image(deep, contrast_limits=(100, 4000))
    source = PhotoSource(layer)
    assert source.window('auto') == (100.0, 4000.0)
    assert source.read(0, (100.0, 4000.0)).notes[-1] == (
        "Black and white are the layer's contrast limits."
    )
    layer.contrast_limits = (200, 3000)
    assert source.window('auto') == (200.0, 3000.0)
    assert source.window('contrast') == (200.0, 3000.0)
    assert source.photo(0, source.window('auto')).window == (200.0, 3000.0)


def test_a_12_bit_scan_does_not_come_out_black(deep):
    source = PhotoSource(Image(deep))
    automatic = source.photo(0, source.window('auto')).lightness
    wanted = photo_from_array(deep // 16 / 255).lightness
    assert np.abs(automatic - wanted).max() < 1
    whole = source.photo(0, source.window('type')).lightness
    assert whole.max() < 30


def test_planes_of_a_stack_share_their_tones(deep):
    stack = np.stack([deep, deep // 8])
    source = PhotoSource(Image(stack))
    windows = [source.photo(plane, 'auto').window for plane in range(2)]
    assert windows[0] == windows[1]


def test_who_asks_for_the_contrast_gets_it_for_8_bits_too(pixels):
    layer = Image(pixels, contrast_limits=(50, 200))
    assert PhotoSource(layer).window('contrast') == (50.0, 200.0)


@pytest.mark.parametrize('choice', ['type', 'minmax'])
def test_named_windows_pass_through(pixels, deep, choice):
    for data in (pixels, deep):
        assert PhotoSource(Image(data)).window(choice) == choice


@pytest.mark.parametrize('choice', ['auto', 'contrast'])
def test_color_layers_have_no_contrast_limits(choice):
    layer = Image(np.zeros((40, 50, 3), np.uint16), rgb=True)
    assert PhotoSource(layer).window(choice) == 'auto'


def test_a_constant_deep_photo_has_a_window_too():
    source = PhotoSource(Image(np.full((40, 50), 700, np.uint16)))
    photo = source.photo(0, source.window('auto'))
    assert photo.window[0] < photo.window[1]
    assert np.isfinite(photo.lightness).all()


def test_a_refused_photo_is_called_by_the_name_of_its_layer():
    layer = Image(np.zeros((10, 50), np.uint8), name='stamp')
    with pytest.raises(PhotoError, match='stamp has 50 × 10 pixels'):
        PhotoSource(layer).photo(0, 'type')


def test_black_and_white_needs_no_window():
    data = np.zeros((40, 50), bool)
    data[::2] = True
    source = PhotoSource(Image(data))
    photo = source.photo(0, source.window('auto'))
    assert photo.kind == 'black and white'
    assert set(np.unique(photo.lightness)) == {0.0, 100.0}
