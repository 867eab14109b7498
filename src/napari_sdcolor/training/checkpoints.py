"""A training run's folder: its checkpoint, and notes for the export."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from napari_sdcolor.core.pickles import refuse_bomb
from napari_sdcolor.errors import DAMAGED_PICKLE, DataError, UnfitData, said
from napari_sdcolor.memory import free_memory
from napari_sdcolor.opening import open_regular, parse_json, read_json
from napari_sdcolor.own_files import is_record_of, replace_file
from napari_sdcolor.training.recipe import Recipe, Task

CHECKPOINT = 'checkpoint.pt'
NOTES = 'run.json'
"""What a checkpoint does not know, such as the name of the data folder."""


def read_checkpoint(folder: Path) -> tuple[Recipe, dict[str, Any]]:
    """Recipe and state of a run.

    Raises
    ------
    DataError
        If there is no checkpoint, or it cannot be read.
    """
    path = folder / CHECKPOINT
    try:
        with open_regular(path) as stream:
            # It may be a stranger's. It is also large and read often: only
            # its program runs twice, and its tensors come here directly.
            refuse_bomb(stream)
            size, free = os.fstat(stream.fileno()).st_size, free_memory()
            if size > free:
                raise DataError(
                    f'{path} needs {size / 1e6:.0f} MB of memory to be read, '
                    f'and {free / 1e6:.0f} MB are free. Close other programs.'
                )
            state = torch.load(stream, map_location='cpu', weights_only=True)
        recipe = Recipe.from_dict(parse_json(state['recipe']))
        _check_state(state)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UnfitData(
            f'{folder} holds no {CHECKPOINT}: name the folder that a '
            'training run wrote to.'
        ) from error
    except DAMAGED_PICKLE as error:
        raise DataError(
            f'{path} is damaged or no checkpoint of a training run '
            f'({type(error).__name__}). Start again in another folder.'
        ) from error
    return recipe, state


def is_checkpoint(head: bytes) -> bool:
    """``own_files.Known`` for what ``torch.save`` writes.

    Whether it is one of a run is found out when the run goes on from it.
    """
    return head.startswith(b'PK') and b'/data.pkl' in head[:512]


def _check_state(state: dict[str, Any]) -> None:
    """Refuse a checkpoint without what every one of them holds.

    Raises
    ------
    LookupError, TypeError
        If something is missing or of another kind.
    """
    if not isinstance(state['step'], int):
        raise TypeError('step is no number')
    for name in ('network', 'averaged'):
        if not all(isinstance(each, Tensor) for each in state[name].values()):
            raise TypeError(f'{name} is no table of tensors')
    for tensor in _tensors_in(state):
        # A view may say that it is far larger than what it looks at.
        if tensor.layout != torch.strided or (
            tensor.nbytes > tensor.untyped_storage().nbytes()
        ):
            raise TypeError('a tensor is not as it was written')


def _tensors_in(state: object) -> Iterator[Tensor]:
    if isinstance(state, Tensor):
        yield state
    elif isinstance(state, dict):
        yield from _tensors_in(list(state.values()))
    elif isinstance(state, list | tuple | set):
        for each in state:
            yield from _tensors_in(each)


def refuse_other(
    folder: Path, found: Recipe, recipe: Recipe, task: Task
) -> None:
    """Refuse to go on with a run that trains another network.

    Parameters
    ----------
    folder
        Of the run.
    found
        The recipe of its checkpoint.
    recipe, task
        What is asked for.

    Raises
    ------
    DataError
        If they are not of the same network.
    """
    wanted = {
        'task': task,
        'widths': recipe.widths,
        'label_channels': recipe.label_channels,
        'instance_norm': recipe.instance_norm,
        'features': recipe.features,
    }
    for name, value in wanted.items():
        there = getattr(found, name)
        if there != value:
            raise UnfitData(
                f'{folder} holds a run with {name} {_shown(there)}, but '
                f'{_shown(value)} is asked for. Choose another folder, or '
                'the same network.'
            )


def _shown(value: object) -> str:
    return str(value) or 'none'


def write_notes(folder: Path, notes: dict[str, Any]) -> None:
    """Keep what the export will need and the checkpoint does not hold."""
    text = json.dumps(notes, indent=1) + '\n'
    replace_file(folder / NOTES, text.encode(), is_record_of('data'))


def read_notes(folder: Path) -> dict[str, Any]:
    """What ``write_notes`` kept; empty if there is nothing.

    Raises
    ------
    DataError
        If it is damaged.
    """
    path = folder / NOTES
    try:
        return dict(read_json(path))
    except FileNotFoundError:
        return {}
    except (OSError, TypeError, ValueError) as error:
        raise DataError(
            f'{path} is damaged ({said(error)}); delete it.'
        ) from error
