"""The authors' checkpoint files, by their names and conventions alone.

The reference networks here are written from the description of the published
program and use nothing of the package.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from napari_sdcolor import Colorizer

State = dict[str, Tensor]
Shapes = dict[str, dict[str, tuple[int, ...]]]


def random_state(shapes: dict[str, tuple[int, ...]], seed: int) -> State:
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in shapes.items():
        if name.endswith('num_batches_tracked'):
            state[name] = torch.tensor(7)
        elif len(shape) == 4:
            scale = (2 / (9 * min(shape[:2]) + 9)) ** 0.5
            state[name] = scale * torch.randn(shape, generator=generator)
        elif name.endswith(('weight', 'running_var')):
            state[name] = 0.5 + torch.rand(shape, generator=generator)
        else:
            state[name] = 0.3 * torch.randn(shape, generator=generator)
    return state


def color_reference(state: State, gray: Tensor, labels: Tensor) -> Tensor:
    """ab (2, h, w) in network units of gray and ids (h, w)."""

    def active(x: Tensor) -> Tensor:
        return F.leaky_relu(x, 0.1)

    def encode(x: Tensor) -> list[Tensor]:
        features = []
        for level in range(1, 7):
            stride = 1 if level == 1 else 2
            weight = state[f'enc{level}.conv1.weight']
            x = active(F.conv2d(x, weight, stride=stride, padding=1))
            weight = state[f'enc{level}.conv2.weight']
            x = active(F.conv2d(x, weight, padding=1))
            features.append(x)
        return features

    of_gray = encode((2 * gray - 1)[None, None])
    of_labels = encode((2 * labels.float() / 59 - 1)[None, None])
    joined = [
        torch.cat((F.instance_norm(one), other), 1)
        for one, other in zip(of_gray, of_labels, strict=True)
    ]
    x = joined[5]
    for level in range(1, 6):
        weight = state[f'dec{level}.conv1.weight']
        x = F.conv_transpose2d(
            x, weight, stride=2, padding=1, output_padding=1
        )
        x = active(x) + joined[5 - level]
        weight = state[f'dec{level}.conv2.weight']
        x = active(F.conv2d(x, weight, padding=1))
    return active(F.conv2d(x, state['final_conv.weight'], padding=1))[0]


def grid_reference(state: State, gray: Tensor) -> Tensor:
    """Logits (60, h, w) of gray (h, w)."""

    def norm(x: Tensor, name: str) -> Tensor:
        values = {key: state[f'{name}.{key}'] for key in ('weight', 'bias')}
        mean, var = state[f'{name}.running_mean'], state[f'{name}.running_var']
        return F.batch_norm(x, mean, var, **values)

    def conv(x: Tensor, name: str, stride: int = 1) -> Tensor:
        return F.conv2d(x, state[f'{name}.weight'], None, stride, 1)

    def ends(x: Tensor, name: str) -> Tensor:
        x = F.relu(norm(conv(x, f'{name}.conv1'), f'{name}.batch1'))
        return norm(conv(x, f'{name}.conv2'), f'{name}.batch2')

    def block(x: Tensor, name: str, stride: int = 1) -> Tensor:
        x = F.relu(norm(x, f'{name}.batch1'))
        if name.startswith('up'):
            weight = state[f'{name}.convTranspose1.weight']
            x = F.conv_transpose2d(x, weight, None, 2, 1, 1)
        else:
            x = conv(x, f'{name}.conv1', stride)
        return conv(F.relu(norm(x, f'{name}.batch2')), f'{name}.conv2')

    grid: dict[tuple[int, int], Tensor] = {}
    grid[0, 0] = F.relu(
        ends(norm(gray[None, None], 'batchNormInitial'), 'firstConv')
    )
    for i in range(1, 5):
        name = f'subSamplingSequence{i - 1}_0to{i}_0'
        grid[i, 0] = block(grid[i - 1, 0], name, 2)
    for j in range(1, 6):
        for i in range(5) if j < 3 else reversed(range(5)):
            before = grid[i, j - 1]
            x = before + block(before, f'convSequence{i}_{j - 1}to{i}_{j}')
            if j < 3 and i > 0:
                name = f'subSamplingSequence{i - 1}_{j}to{i}_{j}'
                x = x + block(grid[i - 1, j], name, 2)
            if j >= 3 and i < 4:
                name = f'upSamplingSequence{i + 1}_{j}to{i}_{j}'
                x = x + block(grid[i + 1, j], name)
            grid[i, j] = x
    return ends(grid[0, 5], 'lastConv')[0]


@pytest.fixture(scope='module')
def states(authors_shapes: Shapes) -> tuple[State, State]:
    return tuple(
        random_state(shapes, seed)
        for seed, shapes in enumerate(authors_shapes.values(), 1)
    )


@pytest.fixture(scope='module')
def checkpoints(
    states: tuple[State, State], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Path]]:
    folder = tmp_path_factory.mktemp('authors')
    paths = folder / 'color_weights.pth.tar', folder / 'seg_weights.pth.tar'
    for path, state in zip(paths, states, strict=True):
        torch.save({'G': state, 'other': 1}, path)
    yield paths
    for path in paths:
        path.unlink()


@pytest.fixture(scope='module')
def colorizer(checkpoints: tuple[Path, Path]) -> Colorizer:
    return Colorizer.from_authors(*checkpoints, device='cpu')


@pytest.fixture(scope='module')
def plane() -> tuple[NDArray, NDArray]:
    rng = np.random.default_rng(5)
    gray = rng.random((32, 64)).astype(np.float32)
    labels = rng.integers(0, 60, (4, 8), np.uint8).repeat(8, 0).repeat(8, 1)
    return gray, labels


def test_described_networks_have_the_published_sizes(
    authors_shapes: Shapes,
) -> None:
    def total(shapes: dict[str, tuple[int, ...]]) -> int:
        trained = ('weight', 'bias')
        return sum(
            int(np.prod(shape))
            for name, shape in shapes.items()
            if name.endswith(trained)
        )

    assert total(authors_shapes['color']) == 37_704_096
    assert total(authors_shapes['segmentation']) == 13_206_674


@torch.inference_mode()
def test_color_equals_the_described_network(
    colorizer: Colorizer,
    states: tuple[State, State],
    plane: tuple[NDArray, NDArray],
) -> None:
    gray, labels = plane
    units = color_reference(states[0], *map(torch.from_numpy, plane)).numpy()
    # A byte b stands for b/255; 128 is neutral.
    wanted = np.moveaxis((units / 2 + 0.5) * 255 - 128, 0, -1)
    found = colorizer.chroma(gray, labels)
    scale = np.abs(wanted).max()
    assert scale > 1
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 * scale)


@torch.inference_mode()
def test_logits_equal_the_described_network(
    colorizer: Colorizer,
    states: tuple[State, State],
    plane: tuple[NDArray, NDArray],
) -> None:
    wanted = grid_reference(states[1], torch.from_numpy(plane[0])).numpy()
    found = colorizer.logits(plane[0])
    scale = np.abs(wanted).max()
    assert wanted.std() > 1e-3
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 * scale)


def test_the_networks_get_the_gray_that_their_weights_expect(
    colorizer: Colorizer, plane: tuple[NDArray, NDArray]
) -> None:
    """Encoded gray, not L*/100, for the authors' weights."""
    codes = np.rint(255 * plane[0]).astype(np.uint8)
    labels = plane[1]
    small = Colorizer(colorizer.parts, colorizer.device, size=min(codes.shape))
    session = small.session(codes, labels)
    wanted = small.chroma(codes / np.float32(255), labels)
    scale = np.abs(wanted).max()
    np.testing.assert_allclose(
        session.chroma, wanted, rtol=0, atol=1e-4 * scale
    )
