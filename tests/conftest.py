"""What all tests share: tiny networks, and nothing of the person's own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner, Result

from napari_sdcolor.cli import app
from napari_sdcolor.core.colornet import ColorNetConfig
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.features import PhotoFeatures
from napari_sdcolor.core.gridnet import GridNetConfig
from napari_sdcolor.core.weights import random_part, save_part

# Tiny networks are slower on many threads than on one.
torch.set_num_threads(1)

TINY_WIDTHS = (4, 4, 8, 8, 8)
TINY_COLOR = ColorNetConfig(widths=TINY_WIDTHS, label_channels=2)
TINY_GRID = GridNetConfig(widths=TINY_WIDTHS)


@pytest.fixture(autouse=True)
def models_folder(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """The folder of added models: empty, and never the person's own."""
    folder = tmp_path_factory.mktemp('models')
    monkeypatch.setenv('SDCOLOR_MODELS', str(folder))
    return folder


@pytest.fixture(autouse=True)
def napari_config(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """napari's settings file, never the person's own."""
    path = tmp_path_factory.mktemp('napari') / 'settings.yaml'
    monkeypatch.setenv('NAPARI_CONFIG', str(path))
    return path


@pytest.fixture(scope='session')
def tiny_parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Random narrow networks as safetensors files, by kind."""
    folder = tmp_path_factory.mktemp('tiny')
    paths = {}
    for kind, config in (('color', TINY_COLOR), ('segmentation', TINY_GRID)):
        part = random_part(kind, config, seed=1)
        paths[kind] = folder / f'{kind}.safetensors'
        save_part(paths[kind], part.network, part.training)
    return paths


@pytest.fixture
def tiny_model(models_folder: Path, tiny_parts: dict[str, Path]) -> str:
    """Name of an added model with random narrow networks."""
    from napari_sdcolor.core import models

    models.add(list(tiny_parts.values()), 'tiny')
    return 'tiny'


@pytest.fixture
def tiny_colorizer() -> Colorizer:
    """Random narrow networks on the CPU at working size 64."""
    return Colorizer.random(TINY_COLOR, grid=TINY_GRID, size=64)


@pytest.fixture
def gray_ramp() -> NDArray[np.uint8]:
    """Gray photo (48, 80) uint8 that holds every value of 8 bits."""
    y, x = np.mgrid[:48, :80]
    return ((3 * x + 5 * y + (x * y) // 16) % 256).astype(np.uint8)


@pytest.fixture
def make_photo(
    tmp_path: Path, gray_ramp: NDArray[np.uint8]
) -> Callable[..., Path]:
    """Writes a gray photo under a name and returns its path."""

    def make(name: str = 'castle.png', array: NDArray | None = None) -> Path:
        path = tmp_path / 'photos' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(gray_ramp if array is None else array).save(path)
        return path

    return make


@pytest.fixture
def colorize(tiny_model: str, tmp_path: Path) -> Callable[..., Result]:
    """Runs the command with tiny networks into tmp_path/out."""

    def run(*words: object, size: int = 64) -> Result:
        out = [] if '-o' in words else ['-o', tmp_path / 'out']
        weights = [] if '--weights' in words else ['--weights', tiny_model]
        line = ['colorize', *words, *out, *weights, '--size', size]
        return CliRunner().invoke(app, [str(word) for word in line])

    return run


def contents(folder: Path) -> dict[str, str]:
    """SHA-256 of all results by their place; sidecars without ``run``.

    What a batch keeps for itself, journal, report and lock, is left out.
    """
    found = {}
    for path in sorted(folder.rglob('*')):
        if path.is_dir() or 'sdcolor-' in path.name:
            continue
        data = path.read_bytes()
        if path.name.endswith('.sdcolor.json'):
            sidecar = json.loads(data)
            del sidecar['run']
            data = json.dumps(sidecar, sort_keys=True).encode()
        place = path.relative_to(folder).as_posix()
        found[place] = hashlib.sha256(data).hexdigest()
    return found


def untouched(folder: Path) -> dict[str, tuple[str, int]]:
    """SHA-256 and time of change of every file and folder."""
    return {
        str(path): (
            ''
            if path.is_dir()
            else hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in (folder, *folder.rglob('*'))
    }


@pytest.fixture(name='contents')
def _contents() -> Callable[[Path], dict[str, str]]:
    return contents


@pytest.fixture(name='untouched')
def _untouched() -> Callable[[Path], dict[str, tuple[str, int]]]:
    return untouched


def as_published(network: PhotoFeatures) -> dict[str, torch.Tensor]:
    """Weights of a network under the names and in the shapes of others."""
    found = {}
    for name, tensor in network.state_dict().items():
        theirs = name
        for ours, other in (
            ('blocks.', '_blocks.'),
            ('stem_norm.', '_bn0.'),
            ('stem.', '_conv_stem.'),
            ('.expand_norm.', '._bn0.'),
            ('.depthwise_norm.', '._bn1.'),
            ('.project_norm.', '._bn2.'),
            ('.expand.', '._expand_conv.'),
            ('.depthwise.', '._depthwise_conv.'),
            ('.project.', '._project_conv.'),
        ):
            if ours in f'.{theirs}' and (
                ours.startswith('.') or theirs.startswith(ours)
            ):
                theirs = theirs.replace(ours, other, 1)
        if name == 'stem.weight':
            tensor = torch.cat(
                [tensor * part for part in (0.5, 0.25, 0.25)], 1
            )
        found[theirs] = tensor
    for name in ('_conv_head.weight', '_bn1.weight', '_fc.bias'):
        found[name] = torch.ones(3)
    return found


@pytest.fixture(name='published', scope='session')
def _published() -> Callable[[PhotoFeatures], dict[str, torch.Tensor]]:
    return as_published
