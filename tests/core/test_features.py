"""Photo features: seen once per photo, read at any place of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from napari_sdcolor.core import colornet, features
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.featuregrid import (
    FeatureGridNet,
    SeparableBlock,
    enlarge,
    initialize,
)
from napari_sdcolor.core.features import (
    STRIDES,
    WIDTHS,
    FeatureMaps,
    PhotoFeatures,
    Seen,
    from_published,
)
from napari_sdcolor.core.gridnet import GridNetConfig
from napari_sdcolor.core.multiplications import multiplications
from napari_sdcolor.core.photo import photo_from_array
from napari_sdcolor.core.weights import random_part

Build = Callable[..., Colorizer]
Published = Callable[[PhotoFeatures], dict[str, torch.Tensor]]
GRID = GridNetConfig(widths=(96,) * 5, features=WIDTHS)


@pytest.fixture(scope='module')
def network() -> PhotoFeatures:
    return random_part('features', features.FeaturesConfig(), 0).network


def test_five_maps_at_their_strides(network: PhotoFeatures) -> None:
    with torch.inference_mode():
        maps = network(torch.rand(1, 1, 64, 96))
    assert [tuple(found.shape) for found in maps] == [
        (1, width, 64 // stride, 96 // stride)
        for width, stride in zip(WIDTHS, STRIDES, strict=True)
    ]


@pytest.mark.parametrize('kernel', [3, 5])
def test_strided_convolutions_pad_as_tensorflow_does(kernel: int) -> None:
    torch.manual_seed(0)
    conv = features._Conv(1, 1, kernel, 2).double()
    conv.requires_grad_(False)
    plane = torch.randn(8, 6, dtype=torch.float64)
    found = conv(plane[None, None])[0, 0]
    before = (kernel - 2) // 2
    for row in range(4):
        for column in range(3):
            total = 0.0
            for y in range(kernel):
                for x in range(kernel):
                    place = 2 * row + y - before, 2 * column + x - before
                    if 0 <= place[0] < 8 and 0 <= place[1] < 6:
                        weight = conv.weight[0, 0, y, x]
                        total += float(weight * plane[place])
            assert float(found[row, column]) == pytest.approx(total)


def test_published_weights_fit_without_a_rest(
    network: PhotoFeatures, published: Published
) -> None:
    named = from_published(published(network))
    wanted = {
        name: tensor
        for name, tensor in network.state_dict().items()
        if not name.endswith('num_batches_tracked')
    }
    assert named.keys() == wanted.keys()
    for name, tensor in wanted.items():
        # The kernels of the three colors are added up.
        torch.testing.assert_close(named[name], tensor)


def test_sizes_of_the_networks() -> None:
    with torch.device('meta'):
        seeing, grid = PhotoFeatures(), FeatureGridNet(GRID)
    parameters = [
        sum(parameter.numel() for parameter in each.parameters())
        for each in (seeing, grid)
    ]
    assert parameters == [4_357_376, 1_100_508]


def test_multiplications_at_256() -> None:
    with torch.device('meta'), torch.inference_mode():
        seeing, grid = PhotoFeatures().eval(), FeatureGridNet(GRID).eval()
        plane = torch.empty(1, 1, 256, 256)
        maps = seeing(plane)
        own = multiplications(lambda: seeing(plane))
        above = multiplications(lambda: grid(*maps))
    assert own == pytest.approx(0.71e9, rel=0.02)
    assert above == pytest.approx(0.76e9, rel=0.02)


def test_a_fresh_gridnet_is_a_feature_pyramid() -> None:
    grid = FeatureGridNet(replace(GRID, widths=(4,) * 5))
    initialize(grid)
    grid.eval()
    maps = [
        torch.randn(2, width, 128 // stride, 64 // stride)
        for width, stride in zip(WIDTHS, STRIDES, strict=True)
    ]
    for module in grid.modules():
        if isinstance(module, SeparableBlock):
            given = torch.randn(1, 4, 8, 8)
            assert not module(given).any()
    with torch.inference_mode():
        whole = maps[-1].mean((2, 3), keepdim=True).expand(-1, -1, 2, 1)
        rows = [
            norm(conv(values))
            for conv, norm, values in zip(
                grid.first, grid.first_norm, (*maps[1:], whole), strict=True
            )
        ]
        total = rows.pop()
        while rows:
            total = rows[-1] + enlarge(total, rows.pop())
        wanted = grid.last(
            grid.last_depthwise(functional.relu(grid.last_norm(total)))
        )
        torch.testing.assert_close(grid(*maps), wanted)


# --- where another plane lies on the maps ------------------------------------


def maps_of(count: int, shape: tuple[int, int]) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [
        torch.randn(
            count,
            3,
            shape[0] // stride,
            shape[1] // stride,
            generator=generator,
        )
        for stride in STRIDES
    ]


@pytest.mark.parametrize('number', range(5))
def test_whole_photos_are_interpolated_as_torch_does(number: int) -> None:
    maps = maps_of(1, (96, 64))
    found = (
        Seen(tuple(maps), (96, 64)).on((240, 80)).at(number, 4, (0, 0, 60, 20))
    )
    wanted = functional.interpolate(
        maps[number], (60, 20), mode='bilinear', align_corners=False
    )
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)


@pytest.mark.parametrize('count', [1, 3])
def test_a_pixel_does_not_depend_on_the_box(count: int) -> None:
    window = torch.rand(count, 4, dtype=torch.float64)
    read = FeatureMaps(maps_of(count, (96, 64)), window)
    whole = read.at(2, 2, (0, 0, 50, 40))
    for box in ((0, 0, 1, 1), (13, 7, 40, 31), (49, 39, 50, 40)):
        y0, x0, y1, x1 = box
        assert torch.equal(read.at(2, 2, box), whole[..., y0:y1, x0:x1])


def test_several_photos_are_each_as_alone() -> None:
    maps = maps_of(3, (64, 64))
    window = torch.tensor(
        [[0, 0, 1.0, 1.0], [5.0, 9.0, 0.3, 0.4], [30.0, 2.0, 2.0, 1.5]],
        dtype=torch.float64,
    )
    together = FeatureMaps(maps, window).at(1, 2, (0, 3, 20, 17))
    for n in range(3):
        own = slice(n, n + 1)
        alone = FeatureMaps([each[own] for each in maps], window[own])
        assert torch.equal(alone.at(1, 2, (0, 3, 20, 17)), together[own])


# --- in use ------------------------------------------------------------------


def picture(height: int = 70, width: int = 100) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return ((3 * x + 5 * y + x * y // 16) % 256).astype(np.uint8)


def test_a_photo_is_looked_at_once(seeing: Build) -> None:
    colorizer, calls = seeing(), []
    colorizer.features_net.register_forward_hook(
        lambda module, inputs, output: calls.append(len(output))
    )
    photo = photo_from_array(picture())
    labels = colorizer.colorize(photo).labels
    colorizer.session(photo, labels)
    colorizer.at(96).colorize(photo)
    assert calls == [5]
    colorizer.colorize(photo_from_array(picture()))
    assert calls == [5, 5]


def test_features_do_not_depend_on_the_number_of_threads(
    seeing: Build,
) -> None:
    before = torch.get_num_threads()
    found = []
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            seen = seeing().seen(photo_from_array(picture()))
            found.append(seen.maps)
            assert torch.get_num_threads() == number
    finally:
        torch.set_num_threads(before)
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)


def test_turned_photos_are_seen_upright(seeing: Build) -> None:
    from napari_sdcolor.core.orientation import as_stored
    from napari_sdcolor.core.photo import Origin

    colorizer, array = seeing(dtype='float64'), picture()
    plain = photo_from_array(array)
    labels = np.zeros(plain.working_shape(64), np.uint8)
    wanted = colorizer.colorize(plain, labels).chroma
    turned = replace(
        photo_from_array(as_stored(array, 6)), origin=Origin(orientation=6)
    )
    found = colorizer.colorize(turned, as_stored(labels, 6)).chroma
    scale = np.abs(wanted).max()
    np.testing.assert_allclose(as_stored(wanted, 6), found, atol=1e-4 * scale)


def test_colors_read_the_features(seeing: Build) -> None:
    """Without them, or with others, a photo is colored differently."""
    colorizer = seeing()
    photo = photo_from_array(picture())
    labels = np.zeros(photo.working_shape(64), np.uint8)
    before = colorizer.colorize(photo, labels).chroma
    colorizer._known[photo] = Seen(
        tuple(each + 1 for each in colorizer.seen(photo).maps),
        colorizer.seen(photo).shape,
    )
    after = colorizer.colorize(photo, labels).chroma
    assert np.abs(after - before).max() > 1e-3


@pytest.mark.parametrize('preset', [colornet.PAPER, colornet.RELEASED])
def test_the_papers_networks_read_none(
    preset: colornet.ColorNetConfig,
) -> None:
    assert preset.features == ()
    with torch.device('meta'):
        names = colornet.ColorNet(preset).state_dict()
    assert not any(name.startswith('readers') for name in names)
