"""Checkpoints, wheels and weights of strangers, given to a training."""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from napari_sdcolor.core import pickles
from napari_sdcolor.core.colornet import ColorNetConfig
from napari_sdcolor.core.gridnet import GridNetConfig
from napari_sdcolor.core.weights import random_part, save_part
from napari_sdcolor.errors import DataError, UnfitWeights, WeightsError
from napari_sdcolor.training import checkpoints, pretrained
from napari_sdcolor.training.beginning import beginning
from napari_sdcolor.training.checkpoints import read_checkpoint, read_notes
from napari_sdcolor.training.presets import PRESETS
from napari_sdcolor.training.pretrained import published_features


def write_checkpoint(folder: Path, **changes: object) -> None:
    recipe = replace(PRESETS['shipped']['color'], widths=(2, 2))
    state = {
        'recipe': json.dumps(recipe.to_dict()),
        'step': 3,
        'network': {'a': torch.ones(2)},
        'averaged': {'a': torch.ones(2)},
        'optimizer': {'state': {0: {'exp_avg': torch.ones(3)}}},
    }
    torch.save({**state, **changes}, folder / 'checkpoint.pt')


def test_a_checkpoint_is_read(tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    recipe, state = read_checkpoint(tmp_path)
    assert recipe.widths == (2, 2)
    assert state['step'] == 3


@pytest.mark.parametrize(
    'changes',
    [
        {'averaged': {'a': torch.ones(1).expand(2**30, 2**20)}},
        {'optimizer': [{'x': (torch.ones(1).expand(2**30, 2**20),)}]},
        {'optimizer': {'x': torch.ones(2).to_sparse()}},
        {'recipe': '[' * 100_000},
        {'recipe': '{"widths": 1e999}'},
    ],
)
def test_checkpoints_with_impossible_contents(
    changes: dict[str, object], tmp_path: Path
) -> None:
    write_checkpoint(tmp_path, **changes)
    with pytest.raises(DataError, match=r'checkpoint\.pt is damaged'):
        read_checkpoint(tmp_path)


def test_a_bomb_never_goes_off_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the other process gave up, this one reads nothing."""

    def given_up(*asked: object) -> bytes:
        raise ValueError('given up')

    write_checkpoint(tmp_path)
    monkeypatch.setattr(pickles, '_in_child', given_up)
    monkeypatch.setattr(torch, 'load', None)
    with pytest.raises(DataError, match=r'checkpoint\.pt is damaged'):
        read_checkpoint(tmp_path)


def test_checkpoints_beyond_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_checkpoint(tmp_path)
    monkeypatch.setattr(checkpoints, 'free_memory', int)
    with pytest.raises(DataError, match='of memory to be read'):
        read_checkpoint(tmp_path)


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no named pipes')
def test_pipes_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / 'checkpoint.pt')
    os.mkfifo(tmp_path / 'run.json')
    os.mkfifo(tmp_path / 'x.whl')
    with pytest.raises(DataError, match=r'checkpoint\.pt'):
        read_checkpoint(tmp_path)
    with pytest.raises(DataError, match=r'run\.json'):
        read_notes(tmp_path)
    with pytest.raises(WeightsError, match='named pipe'):
        published_features(tmp_path / 'x.whl')


def test_wheels_that_would_grow_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / 'bomb.whl'
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr('weights.pth', bytes(2**20))
    monkeypatch.setattr(pretrained, 'MOST_BYTES', 2**20 - 1)
    with pytest.raises(WeightsError, match='more than any file of weights'):
        published_features(path)


@pytest.mark.parametrize(
    ('task', 'config', 'words'),
    [
        (
            'segmentation',
            GridNetConfig(widths=(2, 2), columns=4),
            'columns 4, and only those with columns 6',
        ),
        (
            'segmentation',
            GridNetConfig(widths=(2, 2), classes=7),
            'classes 7, and only those with classes 60',
        ),
        (
            'color',
            ColorNetConfig(widths=(2, 2), slope=0.5),
            'slope 0.5, and only those with slope 0.01',
        ),
        (
            'color',
            ColorNetConfig('released', widths=(2, 2)),
            'preset released, and only those with preset paper',
        ),
    ],
)
def test_networks_that_no_recipe_describes_are_not_trained_further(
    task: str, config: object, words: str, tmp_path: Path
) -> None:
    path = tmp_path / 'own.safetensors'
    save_part(path, random_part(task, config, 0).network, {})
    with pytest.raises(UnfitWeights, match=words) as caught:
        beginning(
            task,
            'shipped',
            {},
            init=str(path),
            features=None,
            features_from='default',
            maps_from='default',
        )
    assert '--widths' not in str(caught.value)
