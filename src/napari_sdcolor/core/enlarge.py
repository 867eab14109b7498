"""Logits at another size, a few rows at a time."""

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
    """

    def __init__(self, values: Tensor, shape: tuple[int, int]) -> None:
        self.values = values
        self.shape = tuple(shape)
        self._rows, self._columns = (
            _taps(old, new, values)
            for old, new in zip(values.shape[-2:], shape, strict=True)
        )

    def __call__(self, rows: slice) -> Tensor:
        """The rows of the new plane: (1, c, rows, w)."""
        if self.values.shape[-2:] == self.shape:
            return self.values[:, :, rows]
        low, high, share = (tap[rows] for tap in self._rows)
        near = self.values.index_select(2, low)
        far = self.values.index_select(2, high)
        between = torch.lerp(near, far, share[:, None])
        low, high, share = self._columns
        near = between.index_select(3, low)
        far = between.index_select(3, high)
        return torch.lerp(near, far, share)


def _taps(old: int, new: int, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Both neighbors of every new place and the share of the second one."""
    # In double on the CPU: not every accelerator has it.
    place = (torch.arange(new, dtype=torch.float64) + 0.5) * (old / new) - 0.5
    place = place.clamp(0, old - 1)
    low = place.floor().long()
    high = (low + 1).clamp(max=old - 1)
    share = (place - low).to(like.dtype)
    return low.to(like.device), high.to(like.device), share.to(like.device)
