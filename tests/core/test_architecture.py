"""Sizes and reaches of the networks as the paper and its program give them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_sdcolor.core import colornet, gridnet
from napari_sdcolor.core.weights import random_part

PRESETS = {'paper': colornet.PAPER, 'released': colornet.RELEASED}


def count(build: Callable[[], torch.nn.Module]) -> int:
    """Parameters of a network that is never allocated."""
    with torch.device('meta'):
        return sum(parameter.numel() for parameter in build().parameters())


@pytest.mark.parametrize(
    ('preset', 'parameters'),
    [('paper', 14_148_000), ('released', 37_704_096)],
)
def test_color_network_has_the_published_size(
    preset: str, parameters: int
) -> None:
    assert count(lambda: colornet.ColorNet(PRESETS[preset])) == parameters


def test_gridnet_has_the_published_size() -> None:
    assert count(gridnet.GridNet) == 13_206_674


@pytest.mark.parametrize('preset', PRESETS)
def test_no_convolution_has_a_bias(preset: str) -> None:
    with torch.device('meta'):
        networks = (
            colornet.ColorNet(PRESETS[preset]),
            gridnet.GridNet(),
        )
    for network in networks:
        for module in network.modules():
            if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
                assert module.bias is None


@pytest.mark.parametrize(
    ('preset', 'levels', 'final', 'reaches'),
    [('paper', 5, 2, range(64, 80)), ('released', 6, 1, range(127, 159))],
)
@pytest.mark.parametrize('upright', [False, True])
@pytest.mark.parametrize('embedding', [0, 3])
def test_one_label_pixel_reaches_exactly_its_box(
    preset: str,
    levels: int,
    final: int,
    reaches: range,
    upright: bool,
    embedding: int,
) -> None:
    # A steep slope keeps the thin signal at the rim of the box measurable.
    config = replace(
        PRESETS[preset],
        widths=(2,) * levels,
        slope=0.7,
        label_channels=embedding,
    )
    network = random_part('color', config, seed=3).network.double()
    step = 2 ** (levels - 1)
    assert network.config.multiple == step
    shape = (step, 24 * step if preset == 'paper' else 14 * step)
    if upright:
        shape = shape[::-1]
    rng = np.random.default_rng(1)
    gray = torch.from_numpy(rng.uniform(-1, 1, (1, 1, *shape)))
    labels = torch.from_numpy(rng.integers(0, 60, (1, *shape)))
    with torch.inference_mode():
        features = network.encode_gray(gray)
        before = network.decode(features, network.encode_labels(labels))
        found = set()
        for phase in range(step):
            place = max(shape) // 2 // step * step + phase
            spot = (0, place, 0) if upright else (0, 0, place)
            changed = labels.clone()
            changed[spot] = (labels[spot] + 30) % 60
            after = network.decode(features, network.encode_labels(changed))
            moved = (after != before)[0].any(0).any(1 if upright else 0)
            touched = torch.nonzero(moved).ravel()
            left = place - int(touched[0])
            right = int(touched[-1]) - place
            base = 4 * (step - 1) + final + 2
            assert (left, right) == (base + phase, base + -phase % step)
            found |= {left, right}
    assert found == set(reaches)


def test_normalization_stays_out_of_the_label_stream() -> None:
    """A constant added to the whole map's features is not removed again."""
    config = replace(colornet.PAPER, widths=(2,) * 5)
    network = random_part('color', config, seed=0).network
    low, high = (
        network.encode_labels(torch.full((1, 32, 32), number))
        for number in (3, 40)
    )
    for one, other in zip(low, high, strict=True):
        assert not torch.allclose(one, other)


def test_gray_features_are_normalized_only_in_the_joined_copy() -> None:
    config = replace(colornet.PAPER, widths=(2,) * 5)
    network = random_part('color', config, seed=0).network
    plain = colornet.ColorNet(replace(config, instance_norm=False))
    plain.load_state_dict(network.state_dict())
    gray = torch.linspace(-1, 1, 64 * 64).reshape(1, 1, 64, 64)
    with torch.inference_mode():
        joined, raw = network.encode_gray(gray), plain.encode_gray(gray)
    for normal, own in zip(joined, raw, strict=True):
        mean = own.mean((2, 3), keepdim=True)
        variance = own.var((2, 3), keepdim=True, unbiased=False)
        wanted = (own - mean) / torch.sqrt(variance + 1e-5)
        torch.testing.assert_close(normal, wanted, atol=1e-4, rtol=1e-4)


def test_a_single_value_is_its_own_mean() -> None:
    single = torch.full((1, 2, 1, 1), 3.0)
    assert torch.equal(colornet.instance_norm(single), torch.zeros(1, 2, 1, 1))


def test_preset_of_a_wrong_name_is_refused() -> None:
    from napari_sdcolor import Colorizer

    with pytest.raises(ValueError, match='preset'):
        Colorizer.random('papper')


def test_configurations_survive_a_dictionary() -> None:
    color = replace(colornet.RELEASED, label_channels=4)
    assert colornet.ColorNetConfig.from_dict(color.to_dict()) == color
    grid = gridnet.GridNetConfig(widths=(4, 8), size=176)
    assert gridnet.GridNetConfig.from_dict(grid.to_dict()) == grid
