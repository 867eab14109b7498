"""Files that are not the authors' checkpoints, though they look like it."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_sdcolor import Colorizer
from napari_sdcolor.core import authors
from napari_sdcolor.errors import WeightsError

State = dict[str, Tensor]
Shapes = dict[str, dict[str, tuple[int, ...]]]


def light(shapes: dict[str, tuple[int, ...]]) -> State:
    """Tensors of the right shapes that share one number: tiny files."""
    return {
        name: torch.tensor(0.25).expand(shape)
        for name, shape in shapes.items()
    }


def write(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def refused(path: Path) -> str:
    """Both loaders refuse the file; what the color loader says."""
    with pytest.raises(WeightsError, match=path.name):
        authors.load_segmentation(path)
    with pytest.raises(WeightsError, match=path.name) as caught:
        authors.load_color(path)
    return str(caught.value)


def test_files_without_the_key_are_refused(
    authors_shapes: Shapes, tmp_path: Path
) -> None:
    state = light(authors_shapes['color'])
    said = refused(write(tmp_path / 'bare.pth.tar', state))
    assert "'G'" in said
    said = refused(write(tmp_path / 'list.pth.tar', [state]))
    assert "'G'" in said
    refused(write(tmp_path / 'none.pth.tar', {'G': None}))
    refused(write(tmp_path / 'words.pth.tar', {'G': {'enc1': 'weights'}}))
    numbered = dict(enumerate(state.values()))
    refused(write(tmp_path / 'numbered.pth.tar', {'G': numbered}))


@pytest.mark.parametrize('kind', ['color', 'segmentation'])
@pytest.mark.parametrize('fault', ['missing', 'extra', 'shape', 'nan'])
def test_states_that_do_not_fit_are_refused(
    kind: str, fault: str, authors_shapes: Shapes, tmp_path: Path
) -> None:
    state = light(authors_shapes[kind])
    name = [key for key in state if key.endswith('conv2.weight')][3]
    if fault == 'missing':
        del state[name]
    elif fault == 'extra':
        state['spare.weight'] = state[name]
    elif fault == 'shape':
        state[name] = state[name][:-1]
    else:
        state[name] = torch.full_like(state[name], torch.nan)
    refused(write(tmp_path / 'odd.pth.tar', {'G': state}))


def test_checkpoints_are_not_taken_for_each_other(
    authors_shapes: Shapes, tmp_path: Path
) -> None:
    color, grid = (
        write(tmp_path / f'{kind}.pth.tar', {'G': light(shapes)})
        for kind, shapes in authors_shapes.items()
    )
    with pytest.raises(WeightsError):
        authors.load_color(grid)
    with pytest.raises(WeightsError):
        authors.load_segmentation(color)
    with pytest.raises(WeightsError):
        Colorizer.from_authors(grid, color, device='cpu')


def test_missing_file_is_said(tmp_path: Path) -> None:
    said = refused(tmp_path / 'nowhere.pth.tar')
    assert 'no checkpoint' in said


@pytest.mark.parametrize('zipped', [True, False])
def test_every_truncation_and_noise_is_refused(
    zipped: bool, tmp_path: Path
) -> None:
    path = tmp_path / 'cut.pth.tar'
    torch.save(
        {'G': {'enc1.conv1.weight': torch.ones(3, 3)}},
        path,
        _use_new_zipfile_serialization=zipped,
    )
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for length in rng.integers(0, len(whole) - 1, 60):
        path.write_bytes(whole[:length])
        refused(path)
    for length in rng.integers(1, 400, 60):
        path.write_bytes(b'\x80\x02' + rng.bytes(length))
        refused(path)


class _Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize('plain', [True, False])
def test_nothing_in_a_checkpoint_can_run(plain: bool, tmp_path: Path) -> None:
    trace = tmp_path / 'trace'
    content = {'G': {'enc1.conv1.weight': _Bomb(trace)}}
    path = tmp_path / 'bomb.pth.tar'
    if plain:
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path)
    refused(path)
    assert not trace.exists()
    # The bomb is live: an unguarded reader would have set it off.
    if plain:
        pickle.loads(path.read_bytes())
    else:
        torch.load(path, weights_only=False)
    assert trace.exists()
