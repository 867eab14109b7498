"""Multiplications are counted by the shapes, not by a clock."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from napari_sdcolor import Colorizer
from napari_sdcolor.core.multiplications import multiplications, of_networks


@pytest.mark.parametrize(
    ('layer', 'wanted'),
    [
        (torch.nn.Conv2d(8, 6, 3, padding=1), 6 * 8 * 9 * 120),
        (torch.nn.Conv2d(8, 8, 3, padding=1, groups=8), 8 * 9 * 120),
        (torch.nn.Conv2d(8, 4, 1, stride=2), 4 * 8 * 30),
        (
            torch.nn.ConvTranspose2d(8, 4, 3, 2, 1, output_padding=1),
            8 * 4 * 9 * 120,
        ),
    ],
)
def test_every_kind_of_convolution_is_counted(
    layer: torch.nn.Module, wanted: int
) -> None:
    plane, network = torch.empty((1, 8, 10, 12)), layer.eval()
    with torch.inference_mode():
        assert multiplications(lambda: network(plane)) == wanted


def test_networks_are_counted_at_one_size(tiny_colorizer: Colorizer) -> None:
    found = of_networks(tiny_colorizer)
    assert set(found) == {'segmentation', 'color', 'all'}
    assert found['all'] == found['segmentation'] + found['color']
    color = tiny_colorizer.color_net
    plane = torch.empty((1, 1, 352, 352), device='meta')
    ids = torch.empty((1, 352, 352), dtype=torch.uint8, device='meta')
    shadow = type(color)(color.config).to('meta')
    with torch.inference_mode():
        assert found['color'] == multiplications(lambda: shadow(plane, ids))
    # The working size does not matter, that of the GridNet does.
    assert of_networks(tiny_colorizer.at(96)) == found
    network = tiny_colorizer.grid_net
    network.config = replace(network.config, size=176)
    half = of_networks(tiny_colorizer)
    assert half['segmentation'] * 4 == found['segmentation']
    assert half['color'] == found['color']
