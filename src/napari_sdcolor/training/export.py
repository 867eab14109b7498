"""Weights made from a training run, as a file of safetensors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_sdcolor.core.building import differing
from napari_sdcolor.core.weights import (
    Network,
    digest_of,
    fill,
    load_part,
    save_part,
    stored_tensors,
)
from napari_sdcolor.errors import DataError, UnfitData, WrongUsage, said
from napari_sdcolor.files import refuse_existing
from napari_sdcolor.training.checkpoints import (
    CHECKPOINT,
    read_checkpoint,
    read_notes,
)
from napari_sdcolor.training.network import (
    Reader,
    Segmenter,
    above_features,
    build_network,
)
from napari_sdcolor.training.recipe import Recipe


def refuse_target(path: Path) -> None:
    """Refuse to write weights where something is, or under a strange name.

    Raises
    ------
    WrongUsage
        If the name does not end in ``.safetensors``.
    SaveError
        If the file exists.
    """
    if path.suffix != '.safetensors':
        raise WrongUsage(f'{path} must end in .safetensors.')
    refuse_existing([path])


def features_file(target: Path) -> Path:
    """Where features go that belong to the weights in a file."""
    return target.with_suffix('.features.safetensors')


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
        If the file exists.
    WrongUsage
        If it is named wrongly, or the network cannot be changed as asked.
    """
    refuse_target(target)
    recipe, state = read_checkpoint(folder)
    network = _averaged(folder / CHECKPOINT, recipe, state)
    if isinstance(network, Segmenter):
        refuse_existing([features_file(target)])
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
        averaged_with = _mix(above_features(network), features, mean_with)
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
        path = features_file(target)
        features = save_part(path, network.features, training)
    return save_part(
        target, above_features(network), training, features=features
    )


def _averaged(
    path: Path, recipe: Recipe, state: dict[str, Any]
) -> Network | Segmenter | Reader:
    """The network of a checkpoint with its averaged weights.

    Raises
    ------
    DataError, WeightsError
        If they do not belong together.
    """
    try:
        network = build_network(recipe)
    except (RuntimeError, TypeError, ValueError) as error:
        raise DataError(
            f'{path} is damaged: its recipe describes no network '
            f'({said(error)}). Start again in another folder.'
        ) from error
    if recipe.task == 'segmentation' and not recipe.features:
        # The network looks at photos at the size that it was trained at.
        network.config = replace(network.config, size=recipe.network_size)
    averaged = {
        name: tensor
        for name, tensor in state['averaged'].items()
        if not name.endswith('num_batches_tracked')
    }
    fill(network, averaged, str(path))
    return network


def _mix(network: Network, features: str, path: Path) -> dict[str, str]:
    """Give a color network the mean of its weights and those of a file.

    Parameters
    ----------
    network
        Of the run.
    features
        Digest of the photo features that it reads.
    path
        Of the other weights.

    Returns
    -------
    dict
        What is recorded of them.

    Raises
    ------
    DataError
        If the two are different networks.
    """
    part = load_part(path, 'color')
    if part.features != features:
        raise UnfitData(
            f'{part.name} was trained with other photo features than the '
            'run. Name the weights that it began as.'
        )
    own, other = network.state_dict(), part.network.state_dict()
    if differing(own, other):
        raise UnfitData(
            f'{part.name} holds another network than the run trained. Name '
            'the weights that it began as.'
        )
    network.load_state_dict({n: (own[n] + other[n]) / 2 for n in own})
    return {'name': part.name, 'tensors_sha256': part.digest}
