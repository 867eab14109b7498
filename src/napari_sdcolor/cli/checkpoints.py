"""A training run's folder: its checkpoint, and weights made from it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sdcolor.errors import (
    DAMAGED_PICKLE,
    DataError,
    UnfitData,
    WrongUsage,
    said,
)
from napari_sdcolor.files import refuse_existing, replace_file

if TYPE_CHECKING:
    from torch import Tensor

    from napari_sdcolor.core.weights import Network, Part
    from napari_sdcolor.training.recipe import Recipe, Task

CHECKPOINT = 'checkpoint.pt'
NOTES = 'run.json'
"""What a checkpoint does not know: the name of the data folder."""

STATEMENT = (
    'For research and non-commercial use: so are the photographs that these '
    'weights were trained on.'
)


def read_checkpoint(folder: Path) -> tuple[Recipe, dict[str, Any]]:
    """Recipe and state of a run.

    Raises
    ------
    DataError
        If there is no checkpoint, or it cannot be read.
    """
    import torch

    from napari_sdcolor.training.recipe import Recipe

    path = folder / CHECKPOINT
    if not path.is_file():
        raise UnfitData(
            f'{folder} holds no {CHECKPOINT}: name the folder that a '
            'training run wrote to.'
        )
    try:
        state = torch.load(path, map_location='cpu', weights_only=True)
        recipe = Recipe.from_dict(json.loads(state['recipe']))
        _check_state(state)
    except DAMAGED_PICKLE as error:
        raise DataError(
            f'{path} is damaged or no checkpoint of a training run '
            f'({type(error).__name__}). Start again in another folder.'
        ) from error
    return recipe, state


def _check_state(state: dict[str, Any]) -> None:
    """Refuse a checkpoint without what every one of them holds.

    Raises
    ------
    LookupError, TypeError
        If something is missing or of another kind.
    """
    from torch import Tensor

    if not isinstance(state['step'], int):
        raise TypeError('step is no number')
    for name in ('network', 'averaged'):
        if not all(isinstance(each, Tensor) for each in state[name].values()):
            raise TypeError(f'{name} is no table of tensors')


def refuse_other_recipe(folder: Path, recipe: Recipe, task: Task) -> None:
    """Refuse to go on with a run that trains another network.

    Raises
    ------
    DataError
        If the folder's checkpoint belongs to another network.
    """
    if not (folder / CHECKPOINT).exists():
        return
    found, _ = read_checkpoint(folder)
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
    words = json.dumps(notes, indent=1)
    replace_file(folder / NOTES, f'{words}\n'.encode())


def read_notes(folder: Path) -> dict[str, Any]:
    """What ``write_notes`` kept; empty if there is nothing.

    Raises
    ------
    DataError
        If it is damaged.
    """
    path = folder / NOTES
    if not path.exists():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding='utf-8')))
    except (TypeError, ValueError) as error:
        raise DataError(
            f'{path} is damaged ({said(error)}); delete it.'
        ) from error


def start_from(network: Network, source: Network) -> None:
    """Give a network the weights of another one of the same shape.

    One on photo features can start from one without: at first, what it
    reads of them adds nothing.

    Raises
    ------
    DataError
        If the two differ.
    """
    from napari_sdcolor.core.weights import differing

    own, other = network.state_dict(), source.state_dict()
    readers = [name for name in own if name.startswith('readers.')]
    if not any(name in other for name in readers):
        other |= {name: own[name] * 0 for name in readers}
    wrong = differing(own, other)
    if wrong:
        raise UnfitData(
            f'The weights to start from do not fit: {wrong[0]} differs. '
            'Leave out --widths and --set to take the network of the '
            'weights.'
        )
    network.load_state_dict(other)


def _average(network: Network, part: Part) -> None:
    """Give a network the mean of its weights and those of a file.

    Raises
    ------
    DataError
        If the two are different networks.
    """
    from napari_sdcolor.core.weights import differing

    own, other = network.state_dict(), part.network.state_dict()
    if differing(own, other):
        raise UnfitData(
            f'{part.name} holds another network than the run trained. Name '
            'the weights that it began as.'
        )
    network.load_state_dict({n: (own[n] + other[n]) / 2 for n in own})


def export(
    folder: Path,
    target: Path,
    statement: str,
    chroma: float = 1.0,
    mean_with: Path | None = None,
) -> str:
    """Write a run's averaged weights as safetensors.

    Parameters
    ----------
    folder
        Of the training run.
    target
        Ends in ``.safetensors``; must not exist. Photo features that were
        trained with a GridNet go into ``features_file``, beside it.
    statement
        Terms of the weights, kept inside the file.
    chroma
        Factor on the colors, multiplied into the last convolution of a
        color network.
    mean_with
        Color weights of the same network, mostly those that the run began
        as: what is written is the mean of both (Wortsman et al., 2022).

    Returns
    -------
    str
        SHA-256 of the tensors.

    Raises
    ------
    DataError
        If the run cannot be read.
    SaveError
        If the file exists or is named wrongly.
    """
    from napari_sdcolor.core.weights import (
        digest_of,
        fill,
        load_part,
        save_part,
        stored_tensors,
    )
    from napari_sdcolor.training.network import (
        Reader,
        Segmenter,
        above_features,
        build_network,
    )

    if target.suffix != '.safetensors':
        raise WrongUsage(f'{target} must end in .safetensors.')
    refuse_existing([target])
    recipe, state = read_checkpoint(folder)
    try:
        network = build_network(recipe)
    except (RuntimeError, TypeError, ValueError) as error:
        raise DataError(
            f'{folder / CHECKPOINT} is damaged: its recipe describes no '
            f'network ({said(error)}). Start again in another folder.'
        ) from error
    if isinstance(network, Segmenter):
        refuse_existing([features_file(target)])
    elif recipe.task == 'segmentation':
        # The network looks at photos at the size that it was trained at.
        network.config = replace(network.config, size=recipe.network_size)
    averaged: dict[str, Tensor] = {
        name: tensor
        for name, tensor in state['averaged'].items()
        if not name.endswith('num_batches_tracked')
    }
    fill(network, averaged, str(folder / CHECKPOINT))
    if recipe.task != 'color' and (chroma != 1 or mean_with):
        raise WrongUsage(
            'Only the weights of a color network can be scaled, or averaged '
            'with others.'
        )
    features = ''
    if isinstance(network, Reader):
        features = digest_of(stored_tensors(network.features))
    averaged_with = None
    if mean_with is not None:
        part = load_part(mean_with, 'color')
        if part.features != features:
            raise UnfitData(
                f'{part.name} was trained with other photo features than the '
                'run. Name the weights that it began as.'
            )
        _average(above_features(network), part)
        averaged_with = {'name': part.name, 'tensors_sha256': part.digest}
    if chroma != 1:
        above_features(network).final_conv.weight.mul_(chroma)
    notes = read_notes(folder)
    training = {
        'statement': statement,
        'recipe': recipe.to_dict(),
        'steps': state['step'],
        'data': notes.get('data'),
        'init': notes.get('init'),
        'features': notes.get('features'),
        'chroma': chroma,
        'mean_with': averaged_with,
        'class_photos': notes.get('class_photos'),
    }
    if isinstance(network, Segmenter):
        digest = save_part(features_file(target), network.features, training)
        return save_part(target, network.grid, training, features=digest)
    if isinstance(network, Reader):
        return save_part(target, network.color, training, features=features)
    return save_part(target, network, training)


def features_file(target: Path) -> Path:
    """Where features go that belong to the weights in a file."""
    return target.with_suffix('.features.safetensors')
