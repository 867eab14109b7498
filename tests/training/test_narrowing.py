"""Narrower color networks that begin where wide ones have arrived."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from napari_sdcolor.core.colornet import ColorNet, ColorNetConfig
from napari_sdcolor.errors import UnfitWeights
from napari_sdcolor.training.narrowing import narrow

WIDE = ColorNetConfig(widths=(6, 8, 12), label_channels=3)
CONFIGS = {
    'embedded': WIDE,
    'ordinal': replace(WIDE, label_channels=0),
    'released': replace(WIDE, preset='released', label_channels=0),
    'not normalized': replace(WIDE, instance_norm=False),
}


def network(config: ColorNetConfig) -> ColorNet:
    torch.manual_seed(1)
    found = ColorNet(config).eval()
    for each in found.parameters():
        each.requires_grad_(False)
    # Colors that are no accident of rounding.
    found.final_conv.weight.mul_(10)
    return found


@pytest.fixture(scope='module')
def crops() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    gray = torch.rand(6, 1, 24, 24, generator=generator) * 2 - 1
    labels = torch.randint(0, 60, (6, 6, 6), generator=generator)
    labels = labels.repeat_interleave(4, 1).repeat_interleave(4, 2)
    return gray, labels.to(torch.uint8)


@pytest.mark.parametrize('name', CONFIGS)
def test_the_same_widths_are_the_same_network(name, crops) -> None:
    wide = network(CONFIGS[name])
    found = narrow(wide, wide.config.widths, *crops)
    assert found.config == wide.config
    torch.testing.assert_close(found(*crops), wide(*crops))


@pytest.mark.parametrize('name', CONFIGS)
def test_channels_that_say_nothing_are_what_goes(name, crops) -> None:
    wide = network(CONFIGS[name])
    generator = torch.Generator().manual_seed(3)

    def silence(weight: torch.Tensor, count: int = 2) -> list[int]:
        gone = torch.randperm(len(weight), generator=generator)[:count]
        weight[gone] = 0
        return gone.tolist()

    outer = []
    for number, level in enumerate(wide.encoder):
        inner = silence(level.conv1.weight)
        if number == 0 and wide.config.label_channels:
            wide.label_conv.weight[inner] = 0
        outer.append(silence(level.conv2.weight))
    for number, level in enumerate(wide.decoder):
        at = len(wide.decoder) - 1 - number
        width = wide.config.widths[at]
        # Nothing is added to the channels that the skip leaves empty.
        silent = [i + stream for stream in (0, width) for i in outer[at]]
        level.conv1.weight[:, silent] = 0
        silence(level.conv2.weight, 4)
    if wide.config.preset == 'paper':
        silence(wide.last_conv.weight, 4)
    found = narrow(wide, (4, 6, 10), *crops)
    assert found.config == replace(wide.config, widths=(4, 6, 10))
    torch.testing.assert_close(
        found(*crops), wide(*crops), rtol=1e-3, atol=1e-4
    )


def test_the_fit_beats_what_was_kept_alone(crops) -> None:
    wide = network(WIDE)
    lines: list[str] = []
    narrow(wide, (4, 6, 9), *crops, report=lines.append)
    # Two for each level but the first convolution, and two at the end.
    assert len(lines) == 2 * 3 - 1 + 2 * 2 + 2
    for line in lines:
        before, after = (
            float(word.split()[-1]) for word in line.split(':')[1].split(', ')
        )
        assert after <= before


def test_the_wide_network_stays_as_it_is(crops) -> None:
    wide = network(WIDE)
    before = wide(*crops)
    narrow(wide, (4, 6, 9), *crops)
    torch.testing.assert_close(wide(*crops), before, rtol=0, atol=0)


def test_the_same_seed_gives_the_same_network(crops) -> None:
    wide = network(WIDE)
    first, second, other = (
        narrow(wide, (4, 6, 9), *crops, seed=seed).state_dict()
        for seed in (5, 5, 6)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize('widths', [(6, 8), (6, 9, 12), (7, 8, 12)])
def test_widths_that_do_not_fit_are_refused(widths, crops) -> None:
    with pytest.raises(UnfitWeights, match='6, 8, 12'):
        narrow(network(WIDE), widths, *crops)


def test_networks_on_features_are_refused(crops) -> None:
    wide = ColorNet(replace(WIDE, features=(2, 3, 4)))
    with pytest.raises(UnfitWeights, match='without photo features'):
        narrow(wide, (4, 6, 9), *crops)
