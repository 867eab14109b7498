"""References that share no code with the package, and narrow networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from napari_sdcolor.core.colornet import ColorNetConfig
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.gridnet import GridNetConfig

NARROW = (2, 2, 2, 2, 2)


@pytest.fixture(autouse=True, scope='session')
def _one_thread() -> Iterator[None]:
    """Small networks are slowed down by threads, not sped up."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def narrow() -> Callable[..., Colorizer]:
    """Builds a Colorizer two channels wide: quick at any size."""

    def build(**choices: object) -> Colorizer:
        return Colorizer.random(
            ColorNetConfig(widths=NARROW),
            grid=GridNetConfig(widths=NARROW),
            **{'size': 64, **choices},
        )

    return build


@pytest.fixture(scope='session')
def true_lightness() -> Callable[[NDArray], NDArray]:
    """L* of gray (…) or sRGB (…, 3) code values, by the book, in float64."""

    def compute(codes: NDArray, top: int | None = None) -> NDArray:
        share = codes / np.float64(top or np.iinfo(codes.dtype).max)
        linear = np.where(
            share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4
        )
        if codes.ndim and codes.shape[-1] == 3:
            linear = linear @ np.array([0.2126729, 0.7151522, 0.0721750])
        return np.where(
            linear > 216 / 24389,
            116 * np.cbrt(linear) - 16,
            linear * 24389 / 27,
        )

    return compute
