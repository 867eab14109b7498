"""GridNet: the semantic segmentation network (paper, section 2.1).

Five rows (resolutions) by six columns.  The first three columns pass
information down to coarser rows, the last three pass it back up.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_sdcolor.classes import N_CLASSES
from napari_sdcolor.core.device import one_thread
from napari_sdcolor.core.limits import (
    SIDE,
    check_channels,
    check_number,
    check_whole,
    fields_from,
)

MOST_COLUMNS = 64
TEMPERATURES = (1e-3, 1e3)
"""Beyond these a confidence says nothing any more."""


@dataclass(frozen=True)
class GridNetConfig:
    """Size of a GridNet.

    Parameters
    ----------
    widths
        Channels of each row, finest first.
    columns
        Number of columns; the first half goes down, the second half up.
    classes
        Number of output classes.
    size
        Short side in pixels at which this network looks at a photo; None
        is the working size. Its logits are brought to working size.
        Not with features, which have a size of their own.
    features
        Channels of the photo features that it reads (see
        ``core.featuregrid``), finest first; none reads gray values.
    temperature
        What the logits are divided by before they become the confidence, so
        that a confidence of 0.8 is right in 80 of 100 pixels. The map does
        not depend on it.

    Raises
    ------
    ValueError
        If a field is of another kind or out of its range.
    """

    widths: tuple[int, ...] = (16, 32, 64, 128, 256)
    columns: int = 6
    classes: int = N_CLASSES
    size: int | None = None
    features: tuple[int, ...] = ()
    temperature: float = 1.0

    def __post_init__(self) -> None:
        check_channels('widths', self.widths)
        check_whole('columns', self.columns, 2, MOST_COLUMNS)
        check_whole('classes', self.classes, 1, N_CLASSES)
        if self.size is not None:
            check_whole('size', self.size, 1, SIDE)
        check_channels('features', self.features, none=True)
        check_number('temperature', self.temperature, *TEMPERATURES)

    @property
    def multiple(self) -> int:
        """Sides of the gray input must be multiples of this."""
        if self.features:
            # The coarsest map's; the last row rounds its sides up.
            return 2 ** len(self.features)
        return 2 ** (len(self.widths) - 1)

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict) -> GridNetConfig:
        return cls(**fields_from(cls, fields))


PAPER = GridNetConfig()


def _conv(cin: int, cout: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(cin, cout, 3, stride, 1, bias=False)


class UpConv(nn.ConvTranspose2d):
    """Doubles the resolution, with the same bits on any number of threads.

    Of all layers only this kind was seen to add up in another order when
    the CPU's threads are more. It is a small part of the work.
    """

    def __init__(self, cin: int, cout: int) -> None:
        super().__init__(cin, cout, 3, 2, 1, output_padding=1, bias=False)

    def forward(
        self, x: Tensor, output_size: list[int] | None = None
    ) -> Tensor:
        """Twice the resolution: (n, cin, h, w) to (n, cout, 2h, 2w)."""
        if x.device.type == 'cpu' and torch.is_inference_mode_enabled():
            with one_thread():
                return super().forward(x, output_size)
        return super().forward(x, output_size)


class Block(nn.Module):
    """BN-ReLU-conv-BN-ReLU-conv; the first conv may change resolution."""

    def __init__(self, cin: int, cout: int, first: nn.Module) -> None:
        super().__init__()
        self.batch1 = nn.BatchNorm2d(cin)
        self.conv1 = first
        self.batch2 = nn.BatchNorm2d(cout)
        self.conv2 = _conv(cout, cout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(functional.relu_(self.batch1(x)))
        return self.conv2(functional.relu_(self.batch2(x)))


def lateral(width: int) -> Block:
    return Block(width, width, _conv(width, width))


def down(cin: int, cout: int) -> Block:
    return Block(cin, cout, _conv(cin, cout, 2))


def up(cin: int, cout: int) -> Block:
    return Block(cin, cout, UpConv(cin, cout))


class Ends(nn.Module):
    """conv-BN-ReLU-conv-BN: the first and the last block of the grid."""

    def __init__(self, cin: int, cout: int) -> None:
        super().__init__()
        self.conv1 = _conv(cin, cout)
        self.batch1 = nn.BatchNorm2d(cout)
        self.conv2 = _conv(cout, cout)
        self.batch2 = nn.BatchNorm2d(cout)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu_(self.batch1(self.conv1(x)))
        return self.batch2(self.conv2(x))


class GridNet(nn.Module):
    """Gray photo in, logits of the 60 classes out.

    Parameters
    ----------
    config
        Widths; the default is the network of the paper.
    """

    def __init__(self, config: GridNetConfig = PAPER) -> None:
        super().__init__()
        self.config = config
        widths, columns = config.widths, config.columns
        self.first_norm = nn.BatchNorm2d(1)
        self.first = Ends(1, widths[0])
        self.lateral = nn.ModuleList(
            nn.ModuleList(lateral(w) for w in widths)
            for _ in range(columns - 1)
        )
        self.down = nn.ModuleList(
            nn.ModuleList(
                down(a, b) for a, b in zip(widths, widths[1:], strict=False)
            )
            for _ in range(columns // 2)
        )
        self.up = nn.ModuleList(
            nn.ModuleList(
                up(b, a) for a, b in zip(widths, widths[1:], strict=False)
            )
            for _ in range(columns - columns // 2)
        )
        self.last = Ends(widths[0], config.classes)

    def forward(self, gray: Tensor) -> Tensor:
        """Logits of every class.

        Parameters
        ----------
        gray
            (n, 1, h, w) in [0, 1]; sides multiples of ``config.multiple``.

        Returns
        -------
        Tensor
            (n, classes, h, w).
        """
        # In place wherever a sum is new: planes of that size cost more to
        # ask for than to add.
        grid = [functional.relu_(self.first(self.first_norm(gray)))]
        for down_block in self.down[0]:
            grid.append(down_block(grid[-1]))
        half = self.config.columns // 2
        for column, blocks in enumerate(self.lateral, 1):
            grid = [
                block(x).add_(x) for block, x in zip(blocks, grid, strict=True)
            ]
            if column < half:
                for row, down_block in enumerate(self.down[column]):
                    grid[row + 1].add_(down_block(grid[row]))
            else:
                up_blocks = self.up[column - half]
                for row in reversed(range(len(up_blocks))):
                    grid[row].add_(up_blocks[row](grid[row + 1]))
        return self.last(grid[0])
