"""Both networks together: from a photo to a map and a colored picture."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from napari_sdcolor import Colorizer
from napari_sdcolor.core.colornet import ColorNetConfig
from napari_sdcolor.core.compose import compose
from napari_sdcolor.core.gridnet import GridNetConfig
from napari_sdcolor.core.orientation import as_stored, upright
from napari_sdcolor.core.photo import Origin, photo_from_array
from napari_sdcolor.core.upsample import Upsampler
from napari_sdcolor.errors import LabelsError, NetworkError, PhotoError
from napari_sdcolor.settings import Settings

Build = Callable[..., Colorizer]


def smooth(height: int, width: int) -> NDArray[np.uint8]:
    """A gray picture with shapes in it."""
    y, x = np.mgrid[:height, :width]
    waves = np.sin(y / 9) + np.cos(x / 7 + y / 23)
    return np.uint8(np.clip(127 + 60 * waves, 0, 255))


@pytest.mark.parametrize(
    'shape',
    [(16, 16), (64, 64), (99, 64), (31, 200), (400, 17), (16, 700), (65, 129)],
)
@pytest.mark.parametrize('dtype', [np.uint8, np.uint16, np.float32])
def test_any_aspect_ratio_keeps_its_resolution(
    shape: tuple[int, int], dtype: type, narrow: Build
) -> None:
    colorizer = narrow()
    array = smooth(*shape).astype(dtype)
    photo = photo_from_array(array)
    h, w = photo.working_shape(64)
    found = colorizer.segment(array)
    assert found.labels.shape == found.confidence.shape == (h, w)
    assert found.labels.dtype == np.uint8
    assert found.labels.max() < 60
    assert found.confidence.dtype == np.float32
    assert found.confidence.min() >= 1 / 60
    assert found.confidence.max() <= 1
    result = colorizer.colorize(array)
    assert result.rgb.shape == (*shape, 3)
    assert result.rgb.dtype == (np.uint8 if photo.bits == 8 else np.uint16)
    assert result.chroma.shape == (h, w, 2)
    assert np.array_equal(result.labels, found.labels)
    assert result.labels_origin == 'predicted'
    assert result.confidence == pytest.approx(found.confidence.mean())


def test_a_given_map_is_used_and_said(narrow: Build) -> None:
    colorizer = narrow()
    array = smooth(70, 99)
    labels = np.full((64, 91), 50, np.uint8)
    labels[:, 40:] = 36
    result = colorizer.colorize(array, labels)
    assert np.array_equal(result.labels, labels)
    assert result.labels_origin == 'given'
    assert result.confidence is None
    other = colorizer.colorize(array, np.zeros_like(labels))
    assert not np.array_equal(result.rgb, other.rgb)


def test_maps_of_another_size_are_refused(narrow: Build) -> None:
    with pytest.raises(LabelsError, match='shape'):
        narrow().colorize(smooth(70, 99), np.zeros((70, 99), np.uint8))


def test_what_is_no_photo_is_refused(narrow: Build) -> None:
    with pytest.raises(PhotoError):
        narrow().colorize(np.zeros((4, 70, 99), np.uint8))


def test_colors_of_a_photo_are_not_seen(narrow: Build) -> None:
    """Two colors of one lightness give the same result."""
    colorizer = narrow()
    gray = smooth(64, 64)
    one = colorizer.colorize(gray)
    three = colorizer.colorize(np.repeat(gray[..., None], 3, -1))
    np.testing.assert_allclose(one.chroma, three.chroma, atol=1e-3)


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('shape', [(70, 101), (64, 64)])
def test_a_turned_photo_gets_the_same_colors_turned(
    orientation: int, shape: tuple[int, int], narrow: Build
) -> None:
    colorizer = narrow()
    picture = smooth(*shape)
    plain = colorizer.colorize(picture)
    stored = replace(
        photo_from_array(as_stored(picture, orientation)),
        origin=Origin(orientation=orientation),
    )
    turned = colorizer.colorize(stored)
    assert turned.rgb.shape[:2] == stored.shape
    same = upright(turned.labels, orientation) == plain.labels
    assert same.mean() > 0.999
    # One map for both, so that a rounding tie in it does not count.
    turned = colorizer.colorize(stored, as_stored(plain.labels, orientation))
    np.testing.assert_allclose(
        upright(turned.chroma, orientation), plain.chroma, atol=1e-2
    )
    difference = upright(turned.rgb, orientation).astype(int) - plain.rgb
    assert np.abs(difference).max() <= 1


def test_the_networks_see_the_photo_upright(narrow: Build) -> None:
    """Without its tag the same stored photo gets other colors."""
    colorizer = narrow()
    photo = photo_from_array(smooth(70, 101))
    turned = replace(photo, origin=Origin(orientation=3))
    labels = np.zeros(photo.working_shape(64), np.uint8)
    one = colorizer.colorize(photo, labels)
    other = colorizer.colorize(turned, labels)
    assert np.abs(one.chroma - other.chroma).max() > 1


@pytest.mark.parametrize('size', [64, 96])
def test_the_bare_network_is_what_colors_a_photo(
    size: int, narrow: Build
) -> None:
    colorizer = narrow(size=size)
    array = smooth(size, 2 * size)
    labels = np.zeros((size, 2 * size), np.uint8)
    labels[:20] = 50
    gray = photo_from_array(array).lightness / np.float32(100)
    bare = colorizer.chroma(gray, labels)
    assert bare.shape == (size, 2 * size, 2)
    result = colorizer.colorize(array, labels)
    np.testing.assert_allclose(result.chroma, bare, atol=1e-3)


@pytest.mark.parametrize('preset', ['paper', 'released'])
def test_the_smallest_legal_plane_is_taken(preset: str) -> None:
    """One pixel is left at the bottleneck; it has no variance."""
    levels = {'paper': 5, 'released': 6}[preset]
    colorizer = Colorizer.random(
        ColorNetConfig(preset=preset, widths=(2,) * levels),
        grid=GridNetConfig(widths=(2, 2)),
    )
    side = 2 ** (levels - 1)
    gray = smooth(side, side) / np.float32(255)
    found = colorizer.chroma(gray, np.zeros((side, side), np.uint8))
    assert found.shape == (side, side, 2)
    assert np.ptp(found) > 0


def test_padding_does_not_reach_into_the_map(narrow: Build) -> None:
    """Sides that are no multiple of 16: gray is repeated, labels are 0."""
    colorizer = narrow()
    array = smooth(64, 70)
    photo = photo_from_array(array)
    labels = np.full((64, 70), 7, np.uint8)
    gray = np.pad(photo.lightness / 100, ((0, 0), (0, 10)), 'edge')
    wanted = colorizer.chroma(gray, np.pad(labels, ((0, 0), (0, 10))))
    found = colorizer.colorize(photo, labels).chroma
    np.testing.assert_allclose(found, wanted[:, :70], atol=1e-3)


def test_a_gridnet_of_its_own_size_gives_maps_at_working_size() -> None:
    colorizer = Colorizer.random(
        grid=GridNetConfig(widths=(2, 2, 2), size=32), size=96
    )
    found = colorizer.segment(smooth(100, 133))
    assert found.labels.shape == (96, 128)
    assert found.confidence.shape == (96, 128)


@pytest.mark.parametrize('side', [15, 17, 24])
def test_bare_networks_refuse_odd_sides(side: int, narrow: Build) -> None:
    colorizer = narrow()
    gray = np.zeros((16, side), np.float32)
    with pytest.raises(ValueError, match='multiples of 16'):
        colorizer.chroma(gray, np.zeros((16, side), np.uint8))
    with pytest.raises(ValueError, match='multiples of 16'):
        colorizer.logits(gray)


@pytest.mark.parametrize(
    'labels',
    [
        np.zeros((16, 32), np.uint8),
        np.zeros((16, 16), np.int64),
        np.full((16, 16), 60, np.uint8),
    ],
)
def test_the_bare_color_network_refuses_wrong_maps(
    labels: NDArray, narrow: Build
) -> None:
    with pytest.raises(ValueError, match='label map'):
        narrow().chroma(np.zeros((16, 16)), labels)


def test_logits_have_one_plane_per_class(narrow: Build) -> None:
    gray = smooth(32, 48) / np.float32(255)
    logits = narrow().logits(gray)
    assert logits.shape == (60, 32, 48)
    assert np.isfinite(logits).all()


@pytest.mark.parametrize(
    ('dtype', 'tolerance'), [('float64', 0.01), ('bfloat16', 60)]
)
def test_data_types_agree(dtype: str, tolerance: float, narrow: Build) -> None:
    array = smooth(64, 96)
    labels = np.zeros((64, 96), np.uint8)
    wanted = narrow().colorize(array, labels)
    found = narrow(dtype=dtype).colorize(array, labels)
    assert found.model['dtype'] == dtype
    scale = max(1, np.abs(wanted.chroma).max() / 100)
    error = np.abs(found.chroma - wanted.chroma).max()
    assert error <= tolerance * scale


def test_unknown_data_types_are_refused(narrow: Build) -> None:
    with pytest.raises(ValueError, match='bfloat16'):
        narrow(dtype='int8')


def test_results_are_reproduced_bit_for_bit(narrow: Build) -> None:
    array = smooth(70, 101)
    one, same, other = (narrow(seed=seed) for seed in (5, 5, 6))
    first = one.colorize(array)
    for again in (one.colorize(array), same.colorize(array)):
        assert np.array_equal(again.rgb, first.rgb)
        assert np.array_equal(again.labels, first.labels)
        assert again.model == first.model
    assert not np.array_equal(other.colorize(array).rgb, first.rgb)


def test_saturation_is_a_setting(narrow: Build) -> None:
    colorizer = narrow()
    gray = smooth(64, 80)
    result = colorizer.colorize(gray, settings=Settings(saturation=0))
    assert np.array_equal(result.rgb, np.repeat(gray[..., None], 3, -1))
    assert result.settings == Settings(saturation=0, size=64)


def test_the_picture_can_be_composed_again(narrow: Build) -> None:
    colorizer = narrow()
    result = colorizer.colorize(
        smooth(70, 90), settings=Settings(saturation=0.6)
    )
    photo = result.photo
    guide = photo.working_lightness(colorizer.size)
    chroma = Upsampler(photo.lightness, guide)(result.chroma)
    again = compose(photo.lightness, chroma, photo.bits, 0.6)
    assert np.array_equal(again, result.rgb)


@pytest.mark.parametrize('temperature', [0.2, 3.0])
def test_the_temperature_moves_the_confidence_alone(
    temperature: float, narrow: Build
) -> None:
    colorizer, array = narrow(), smooth(70, 90)
    plain = colorizer.segment(array)
    with colorizer.inference():
        photo = photo_from_array(array)
        shape = plain.labels.shape
        logits = colorizer.photo_logits(photo, shape)(slice(None))
        assert logits.shape == (1, 60, *plain.labels.shape)
        shares = torch.softmax(logits / temperature, 1)[0].numpy()
    config = colorizer.grid_net.config
    colorizer.grid_net.config = replace(config, temperature=temperature)
    found = colorizer.segment(array)
    assert np.array_equal(found.labels, plain.labels)
    assert np.allclose(found.confidence, shares.max(0), atol=1e-6)
    surer = (found.confidence - plain.confidence) * (1 - temperature)
    # Where the network is certain to the last bit it stays so.
    assert surer.max() > 0
    assert surer.min() >= -1e-6


def test_facts_are_for_a_sidecar(narrow: Build) -> None:
    facts = narrow().facts()
    assert facts['device'] == 'cpu'
    assert facts['color'] != facts['segmentation']
    assert json.loads(json.dumps(facts))['dtype'] == 'float32'


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_networks_that_give_no_numbers_are_loud(
    value: float, narrow: Build
) -> None:
    colorizer = narrow()
    array = smooth(64, 64)
    gray = array / np.float32(255)
    colorizer.grid_net.last.conv2.weight.data.fill_(value)
    with pytest.raises(NetworkError, match='segmentation network'):
        colorizer.segment(array)
    with pytest.raises(NetworkError, match='segmentation network'):
        colorizer.colorize(array)
    with pytest.raises(NetworkError, match='segmentation network'):
        colorizer.logits(gray)
    labels = np.zeros((64, 64), np.uint8)
    colorizer.colorize(array, labels)
    colorizer.color_net.final_conv.weight.data.fill_(value)
    with pytest.raises(NetworkError, match='color network'):
        colorizer.colorize(array, labels)
    with pytest.raises(NetworkError, match='color network'):
        colorizer.chroma(gray, labels)


def test_the_number_of_threads_does_not_matter(tiny_colorizer) -> None:
    """Same bits at any number, which is put back afterwards."""
    import torch

    y, x = np.mgrid[:90, :120]
    photo = ((x * y) // 7 % 256).astype(np.uint8)
    before = torch.get_num_threads()
    found = set()
    try:
        for number in (1, 2, 3):
            torch.set_num_threads(number)
            result = tiny_colorizer.colorize(photo)
            assert torch.get_num_threads() == number
            found.add(
                (
                    result.rgb.tobytes(),
                    result.chroma.tobytes(),
                    result.labels.tobytes(),
                    result.confidence,
                )
            )
    finally:
        torch.set_num_threads(before)
    assert len(found) == 1


def test_a_quick_look_finds_the_same_map_on_any_number_of_threads() -> None:
    """At full width, where the kernels differ with the threads."""
    import torch

    colorizer = Colorizer.random('paper', size=144)
    array = smooth(144, 192)
    wanted = colorizer.segment(array)
    before = torch.get_num_threads()
    try:
        for number in (1, 2, 4):
            torch.set_num_threads(number)
            found = colorizer.segment(array, steady=False)
            assert torch.get_num_threads() == number
            assert np.array_equal(found.labels, wanted.labels)
            assert np.array_equal(found.confidence, wanted.confidence)
    finally:
        torch.set_num_threads(before)
