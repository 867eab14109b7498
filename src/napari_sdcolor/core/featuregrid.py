"""GridNet on photo features: five rows at strides 4 to 64 instead of 1 to 16.

The grid of the paper (section 2.1): residual blocks along the rows, three
columns down, three columns up. What differs is that it reads the maps of
``core.features``, that all rows have equally many channels, that blocks are
depthwise-separable, and that it starts as a feature pyramid: every block
gives zero at first, and the first upward column adds the row below it as it
is. Features that mean something already are then lost nowhere, which makes
it learn in minutes what the paper's grid learns in days.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_sdcolor.core.gridnet import GridNetConfig

STRIDE = 4
"""Pixels of the photo, as it was seen, per pixel of the logits."""


def enlarge(x: Tensor, like: Tensor) -> Tensor:
    """Twice the resolution, bilinear, cut to the sides of another map."""
    h, w = like.shape[-2:]
    return functional.interpolate(
        x, scale_factor=2, mode='bilinear', align_corners=False
    )[..., :h, :w]


class SeparableBlock(nn.Module):
    """BN-ReLU-conv-BN-ReLU-conv of depthwise-separable convolutions.

    Gives zero until it is trained.
    """

    def __init__(self, width: int, stride: int = 1) -> None:
        super().__init__()
        self.batch1 = nn.BatchNorm2d(width)
        self.depthwise1 = nn.Conv2d(
            width, width, 3, stride, 1, groups=width, bias=False
        )
        self.pointwise1 = nn.Conv2d(width, width, 1, bias=False)
        self.batch2 = nn.BatchNorm2d(width)
        self.depthwise2 = nn.Conv2d(
            width, width, 3, 1, 1, groups=width, bias=False
        )
        self.pointwise2 = nn.Conv2d(width, width, 1, bias=False)
        nn.init.zeros_(self.pointwise2.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = self.depthwise1(functional.relu(self.batch1(x)))
        x = functional.relu(self.batch2(self.pointwise1(x)))
        return self.pointwise2(self.depthwise2(x))


class FeatureGridNet(nn.Module):
    """Photo features in, logits of the 60 classes out.

    Parameters
    ----------
    config
        With ``features``: the channels of the maps that it reads.
    """

    def __init__(self, config: GridNetConfig) -> None:
        super().__init__()
        self.config = config
        rows, columns = len(config.widths), config.columns
        width = config.widths[0]
        if set(config.widths) != {width} or rows != len(config.features):
            raise ValueError(
                'a GridNet on features has one row per map, all equally wide'
            )
        # One row for each map from stride 4 on; the last row, at stride 64,
        # begins with the mean of the last map: what the photo is about.
        reads = (*config.features[1:], config.features[-1])
        self.first = nn.ModuleList(
            nn.Conv2d(cin, width, 1, bias=False) for cin in reads
        )
        self.first_norm = nn.ModuleList(
            nn.BatchNorm2d(width) for _ in range(rows)
        )
        half = columns // 2
        self.lateral = nn.ModuleList(
            nn.ModuleList(SeparableBlock(width) for _ in range(rows))
            for _ in range(columns - 1)
        )
        self.down = nn.ModuleList(
            nn.ModuleList(SeparableBlock(width, 2) for _ in range(rows - 1))
            for _ in range(half)
        )
        self.up = nn.ModuleList(
            nn.ModuleList(SeparableBlock(width) for _ in range(rows - 1))
            for _ in range(columns - half)
        )
        self.last_norm = nn.BatchNorm2d(width)
        self.last_depthwise = nn.Conv2d(
            width, width, 3, 1, 1, groups=width, bias=False
        )
        self.last = nn.Conv2d(width, config.classes, 1)

    def forward(self, *features: Tensor) -> Tensor:
        """Logits of every class.

        Parameters
        ----------
        features
            (n, width, h/stride, w/stride) at strides 2, 4, …, 32, as
            ``PhotoFeatures`` gives them. The finest one is not read.

        Returns
        -------
        Tensor
            (n, classes, h/4, w/4).
        """
        maps = features[1:]
        coarsest = maps[-1]
        h, w = ((side + 1) // 2 for side in coarsest.shape[-2:])
        whole = coarsest.mean((2, 3), keepdim=True).expand(-1, -1, h, w)
        grid = [
            norm(first(x))
            for norm, first, x in zip(
                self.first_norm, self.first, (*maps, whole), strict=True
            )
        ]
        for row, block in enumerate(self.down[0]):
            grid[row + 1] = grid[row + 1] + block(grid[row])
        half = self.config.columns // 2
        for column, blocks in enumerate(self.lateral, 1):
            grid = [
                x + block(x) for block, x in zip(blocks, grid, strict=True)
            ]
            if column < half:
                for row, block in enumerate(self.down[column]):
                    grid[row + 1] = grid[row + 1] + block(grid[row])
                continue
            up = self.up[column - half]
            for row in reversed(range(len(up))):
                below = grid[row + 1]
                from_below = up[row](below)
                if column == half:
                    from_below = from_below + below
                grid[row] = grid[row] + enlarge(from_below, grid[row])
        x = self.last_depthwise(functional.relu(self.last_norm(grid[0])))
        return self.last(x)


def initialize(network: FeatureGridNet) -> None:
    """Random weights that keep the variance, blocks that give zero."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode='fan_in')
    for module in network.modules():
        if isinstance(module, SeparableBlock):
            nn.init.zeros_(module.pointwise2.weight)
    nn.init.normal_(network.last.weight, 0, 0.01)
    with torch.no_grad():
        network.last.bias.zero_()
