"""Bilinear interpolation of maps at any place, a few rows at a time."""

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
        self.values = values
        self.shape = tuple(shape)
        self.unchanged = extent is None and values.shape[-2:] == self.shape
        self._rows, self._columns = (
            taps(centers(new) * (old / new), side, values)
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
        low, high, share = (tap[rows] for tap in self._rows)
        near = self.values.index_select(2, low)
        far = self.values.index_select(2, high)
        between = torch.lerp(near, far, share[:, None])
        low, high, share = self._columns
        near = between.index_select(3, low)
        far = between.index_select(3, high)
        return torch.lerp(near, far, share)


def centers(count: int, first: int = 0) -> Tensor:
    """Where the middles of pixels lie, the first pixel's edge being 0.

    In double on the CPU: not every accelerator has it.
    """
    return torch.arange(first, first + count, dtype=torch.float64) + 0.5


def taps(
    places: Tensor, side: int, like: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Both neighbors of places along a side and the share of the second one.

    Parameters
    ----------
    places
        Float64 in pixels from the edge; beyond the middle of the first and
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
