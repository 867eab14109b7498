"""References that share no code with the package, and narrow networks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_sdcolor.core.colornet import ColorNetConfig
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.features import WIDTHS, FeaturesConfig
from napari_sdcolor.core.gridnet import GridNetConfig

NARROW = (2, 2, 2, 2, 2)


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


@pytest.fixture
def seeing() -> Callable[..., Colorizer]:
    """The same with networks that read photo features."""

    def build(**choices: object) -> Colorizer:
        colorizer = Colorizer.random(
            ColorNetConfig(widths=NARROW, features=WIDTHS),
            grid=GridNetConfig(widths=(4,) * 5, features=WIDTHS),
            **{'size': 64, **choices},
        )
        colorizer.features_net.config = FeaturesConfig(size=96)
        return colorizer

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


# Channels of the authors' networks, by the description of their program.
ENCODER = (1, 32, 64, 128, 256, 512, 512)
DECODER = (1024, 1024, 512, 256, 128, 64)
ROWS = (16, 32, 64, 128, 256)


def color_shapes() -> dict[str, tuple[int, ...]]:
    shapes = {}
    for level in range(1, 7):
        cin, cout = ENCODER[level - 1 : level + 1]
        shapes[f'enc{level}.conv1.weight'] = (cout, cin, 3, 3)
        shapes[f'enc{level}.conv2.weight'] = (cout, cout, 3, 3)
    for level in range(1, 6):
        cin, cout = DECODER[level - 1 : level + 1]
        shapes[f'dec{level}.conv1.weight'] = (cin, cout, 3, 3)
        shapes[f'dec{level}.conv2.weight'] = (cout, cout, 3, 3)
    return {**shapes, 'final_conv.weight': (2, 64, 3, 3)}


def grid_shapes() -> dict[str, tuple[int, ...]]:
    shapes = {}

    def norm(name: str, width: int) -> None:
        for key in ('weight', 'bias', 'running_mean', 'running_var'):
            shapes[f'{name}.{key}'] = (width,)
        shapes[f'{name}.num_batches_tracked'] = ()

    def ends(name: str, cin: int, cout: int) -> None:
        shapes[f'{name}.conv1.weight'] = (cout, cin, 3, 3)
        norm(f'{name}.batch1', cout)
        shapes[f'{name}.conv2.weight'] = (cout, cout, 3, 3)
        norm(f'{name}.batch2', cout)

    def block(name: str, cin: int, cout: int, turned: bool = False) -> None:
        norm(f'{name}.batch1', cin)
        first = 'convTranspose1' if turned else 'conv1'
        channels = (cin, cout) if turned else (cout, cin)
        shapes[f'{name}.{first}.weight'] = (*channels, 3, 3)
        norm(f'{name}.batch2', cout)
        shapes[f'{name}.conv2.weight'] = (cout, cout, 3, 3)

    norm('batchNormInitial', 1)
    ends('firstConv', 1, 16)
    for i, width in enumerate(ROWS):
        for j in range(5):
            block(f'convSequence{i}_{j}to{i}_{j + 1}', width, width)
    for i, (fine, coarse) in enumerate(zip(ROWS, ROWS[1:], strict=False)):
        for j in range(3):
            block(f'subSamplingSequence{i}_{j}to{i + 1}_{j}', fine, coarse)
        for j in range(3, 6):
            name = f'upSamplingSequence{i + 1}_{j}to{i}_{j}'
            block(name, coarse, fine, turned=True)
    ends('lastConv', 16, 60)
    return shapes


@pytest.fixture(scope='session')
def authors_shapes() -> dict[str, dict[str, tuple[int, ...]]]:
    """Names and shapes in the authors' checkpoint files, by kind."""
    return {'color': color_shapes(), 'segmentation': grid_shapes()}
