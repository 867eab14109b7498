"""Freshly initialized networks for a recipe."""

from __future__ import annotations

import math

import torch
from torch import nn

from napari_sdcolor.core.colornet import ColorNet, ColorNetConfig
from napari_sdcolor.core.gridnet import GridNet, GridNetConfig
from napari_sdcolor.training.recipe import Recipe


def build_network(recipe: Recipe) -> ColorNet | GridNet:
    """A freshly initialized network for a recipe."""
    torch.manual_seed(recipe.seed)
    if recipe.task == 'segmentation':
        return GridNet(GridNetConfig(widths=recipe.widths))
    network = ColorNet(
        ColorNetConfig(
            widths=recipe.widths,
            label_channels=recipe.label_channels,
            instance_norm=recipe.instance_norm,
        )
    )
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight, a=network.config.slope)
            if isinstance(module, nn.ConvTranspose2d):
                # A quarter of the taps meets each output pixel.
                module.weight.data.mul_(
                    2 * math.sqrt(module.out_channels / module.in_channels)
                )
    network.final_conv.weight.data.mul_(0.1)
    return network
