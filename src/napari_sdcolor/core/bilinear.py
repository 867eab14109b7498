"""Bilinear interpolation of a network's maps, a few rows at a time.

In torch, for what the networks make and read; chroma is brought onto the
photo by ``core.upsample``, which needs NumPy alone.
"""

from __future__ import annotations

import torch
from torch import Tensor


class Enlarger:
    """Bilinear interpolation, as ``torch.nn.functional.interpolate`` has it.

    That one gives the whole plane or nothing: 60 logits of every pixel of
    a large photo do not fit into memory.

    Parameters
    ----------
    values
        (1, c, h, w).
    shape
        The new (h, w).
    extent
        Height and width of the part of the values that becomes the new
        plane, from the top left corner; all of it if None.
    """

    def __init__(
        self,
        values: Tensor,
        shape: tuple[int, int],
        extent: tuple[float, float] | None = None,
    ) -> None:
        # Once and not for every few rows, see ``_picked``.
        self.values = values.contiguous(memory_format=torch.channels_last)
        self.shape = tuple(shape)
        self.unchanged = extent is None and values.shape[-2:] == self.shape
        self._rows, self._columns = (
            taps(centers(new)[None] * (old / new), side, values)
            for old, new, side in zip(
                extent or values.shape[-2:],
                shape,
                values.shape[-2:],
                strict=True,
            )
        )

    def __call__(self, rows: slice) -> Tensor:
        """The rows of the new plane: (1, c, rows, w)."""
        if self.unchanged:
            return self.values[:, :, rows]
        wanted = tuple(tap[..., rows] for tap in self._rows)
        return between(between(self.values, 2, wanted), 3, self._columns)


def centers(count: int, first: int = 0) -> Tensor:
    """Where the middles of pixels lie, the first pixel's edge being 0.

    In double on the CPU: not every accelerator has it.
    """
    return torch.arange(first, first + count, dtype=torch.float64) + 0.5


def between(
    values: Tensor, axis: int, places: tuple[Tensor, Tensor, Tensor]
) -> Tensor:
    """Values between the neighbors along an axis.

    Parameters
    ----------
    values
        (n, c, h, w).
    axis
        2 or 3.
    places
        As ``taps`` gives them, (n, places) each.
    """
    low, high, share = places
    # (n, 1, places, 1) or (n, 1, 1, places)
    each = slice(None)
    wide = (each, None, each, None) if axis == 2 else (each, None, None, each)
    if len(values) == 1:
        near = _picked(values, axis, low[0])
        far = _picked(values, axis, high[0])
    else:
        shape = [*values.shape]
        shape[axis] = low.shape[1]
        near = values.gather(axis, low[wide].expand(shape))
        far = values.gather(axis, high[wide].expand(shape))
    return torch.lerp(near, far, share[wide])


def _picked(values: Tensor, axis: int, places: Tensor) -> Tensor:
    """Rows (axis 2) or columns (axis 3) of one map (1, c, h, w).

    Channels lie beside each other, so that memory is copied in long runs:
    several times as fast as picking along an inner axis.
    """
    pixels = values[0].permute(1, 2, 0).contiguous()
    height, width, channels = pixels.shape
    if axis == 2:
        found = pixels.view(height, -1).index_select(0, places)
    else:
        starts = torch.arange(height, device=places.device) * width
        cells = (starts[:, None] + places).flatten()
        found = pixels.view(-1, channels).index_select(0, cells)
        width = len(places)
    return found.view(1, -1, width, channels).permute(0, 3, 1, 2)


def taps(
    places: Tensor, side: int, like: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Both neighbors of places along a side and the share of the second one.

    Parameters
    ----------
    places
        (n, places) float64 in pixels from the edge; beyond the middle of the first and
        last pixel these go on.
    side
        Pixels.
    like
        Gives device and data type.
    """
    places = (places - 0.5).clamp(0, side - 1)
    low = places.floor().long()
    high = (low + 1).clamp(max=side - 1)
    share = (places - low).to(like.dtype)
    return low.to(like.device), high.to(like.device), share.to(like.device)
