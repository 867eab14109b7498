"""Planes of any size in bounded memory, with exactly the same colors.

Only the gray stream holds something of the whole photo: mean and variance
of every channel, once per level (the instance normalization of the paper,
section 2.2).  So two passes over tiles are exact: the first one gathers
these statistics, the second one colors each tile with a halo as wide as
the network's reach, of which only the tile itself is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_sdcolor.core import cancel, progress
from napari_sdcolor.core.colornet import ColorNet
from napari_sdcolor.core.features import FeatureMaps
from napari_sdcolor.core.planes import Box

WHOLE_AREA = 1024 * 1024
"""Planes of up to this many pixels go through the network in one piece.

Estimated for float32 at full width: one piece takes about 1.1 kB
of memory per pixel, tiles take up to half as long again for their halos.
"""

SIDES = (704, 512, 352, 256)
"""Sides of tiles in pixels; the next one where memory does not suffice."""

Statistics = list[tuple[Tensor, Tensor]]
"""Mean and variance (width,) of every level of the gray stream."""


@dataclass(frozen=True)
class Tile:
    """A part of a plane.

    Parameters
    ----------
    own
        The pixels that this tile alone answers for.
    seen
        The same with the halo, as far as the plane goes.
    """

    own: Box
    seen: Box

    @property
    def rows(self) -> slice:
        return slice(self.own[0], self.own[2])

    @property
    def columns(self) -> slice:
        return slice(self.own[1], self.own[3])

    def inside(self, scale: int = 1) -> tuple[slice, slice]:
        """Where its own pixels lie in what it sees, ``scale`` times coarser."""
        y0, x0, y1, x1 = self.own
        top, left = self.seen[:2]
        return (
            slice((y0 - top) // scale, (y1 - top) // scale),
            slice((x0 - left) // scale, (x1 - left) // scale),
        )


def tiles(
    shape: tuple[int, int], side: int, halo: int, multiple: int
) -> list[Tile]:
    """Cut a plane into tiles of about equal size, row by row.

    Parameters
    ----------
    shape
        (h, w) of the plane, multiples of ``multiple``.
    side
        Own sides are at most this, rounded up to ``multiple``.
    halo
        Width of what is seen around, a multiple of ``multiple``.
    multiple
        Alignment: strides must fall on the same pixels as in one piece.
    """
    bands = [list(_cut(length, side, multiple)) for length in shape]
    found = []
    for (y0, y1), (x0, x1) in product(*bands):
        seen = (
            max(0, y0 - halo),
            max(0, x0 - halo),
            min(shape[0], y1 + halo),
            min(shape[1], x1 + halo),
        )
        found.append(Tile((y0, x0, y1, x1), seen))
    return found


def _cut(length: int, side: int, multiple: int) -> Iterator[tuple[int, int]]:
    steps = -(-length // multiple)
    count = -(-steps // -(-side // multiple))
    edges = [place * steps // count * multiple for place in range(count)]
    yield from zip(edges, [*edges[1:], length], strict=True)


@dataclass
class Moments:
    """Mean and variance of channels, gathered piece by piece in float64."""

    count: int = 0
    mean: Tensor = field(default_factory=lambda: torch.zeros(()))
    squares: Tensor = field(default_factory=lambda: torch.zeros(()))

    def add(self, piece: Tensor) -> None:
        """Take in (1, c, h, w) values (Chan, Golub and LeVeque, 1979)."""
        count = piece.shape[-2:].numel()
        wide = torch.promote_types(piece.dtype, torch.float32)
        variance, mean = torch.var_mean(
            piece[0].to(wide), dim=(1, 2), correction=0
        )
        # In double on the CPU: not every accelerator has it.
        mean, variance = mean.cpu().double(), variance.cpu().double()
        total = self.count + count
        step = mean - self.mean
        self.squares = (
            self.squares
            + variance * count
            + step**2 * (self.count * count / total)
        )
        self.mean = self.mean + step * (count / total)
        self.count = total

    @property
    def variance(self) -> Tensor:
        return self.squares / self.count


def gray_statistics(
    network: ColorNet,
    plane: NDArray,
    side: int,
    tensor: Callable[[NDArray], Tensor],
) -> Statistics | None:
    """The first pass: what the gray stream knows of the whole plane.

    Parameters
    ----------
    network
        The color network.
    plane
        (h, w) gray in [0, 1], sides multiples of the network's.
    side
        Of the tiles, in pixels.
    tensor
        Brings a plane to the network's device and data type.

    Returns
    -------
    Statistics or None
        None if this network normalizes nothing.
    """
    config = network.config
    if not config.instance_norm:
        return None
    moments = [Moments() for _ in config.widths]
    parts = tiles(plane.shape, side, config.halo, config.multiple)
    for number, tile in enumerate(parts, 1):
        cancel.check()
        progress.say(f'Measuring tile {number} of {len(parts)}')
        levels = network.gray_levels(_gray(plane, tile, tensor))
        for level, (found, known) in enumerate(
            zip(levels, moments, strict=True)
        ):
            known.add(found[(..., *tile.inside(2**level))])
    return [(known.mean, known.variance) for known in moments]


def tiled_chroma(
    network: ColorNet,
    plane: NDArray,
    labels: NDArray[np.uint8],
    side: int,
    tensor: Callable[[NDArray], Tensor],
    features: FeatureMaps | None = None,
) -> Iterator[tuple[Tile, Tensor]]:
    """Both passes.

    Parameters
    ----------
    network, plane, side, tensor
        As for ``gray_statistics``.
    labels
        (h, w) ids, as large as the plane.
    features
        Of the whole photo, where the network reads some.

    Yields
    ------
    tile
        A part of the plane.
    chroma
        (1, 2, h, w) of the tile's own pixels, as the network gives it.
    """
    config = network.config
    statistics = gray_statistics(network, plane, side, tensor)
    parts = tiles(plane.shape, side, config.halo, config.multiple)
    for number, tile in enumerate(parts, 1):
        cancel.check()
        progress.say(f'Coloring tile {number} of {len(parts)}')
        y0, x0, y1, x1 = tile.seen
        gray = network.encode_gray(
            _gray(plane, tile, tensor), statistics, features, (y0, x0)
        )
        ids = torch.from_numpy(np.ascontiguousarray(labels[y0:y1, x0:x1]))
        ids = ids.to(gray[0].device)[None]
        found = network.decode(gray, network.encode_labels(ids))
        yield tile, found[(..., *tile.inside())]


def _gray(
    plane: NDArray, tile: Tile, tensor: Callable[[NDArray], Tensor]
) -> Tensor:
    y0, x0, y1, x1 = tile.seen
    return tensor(plane[y0:y1, x0:x1])[None, None] * 2 - 1
