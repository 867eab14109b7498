"""What a training run begins with: its recipe, and weights that are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from napari_sdcolor.core import models
from napari_sdcolor.core.building import differing
from napari_sdcolor.core.colornet import ColorNetConfig
from napari_sdcolor.core.featuregrid import FeatureGridNet
from napari_sdcolor.core.features import PhotoFeatures
from napari_sdcolor.core.gridnet import GridNetConfig
from napari_sdcolor.core.weights import Network, Part, load_part
from napari_sdcolor.errors import UnfitData, UnfitWeights
from napari_sdcolor.training.network import above_features
from napari_sdcolor.training.presets import (
    PRESETS,
    fine_tuning,
    with_overrides,
)
from napari_sdcolor.training.pretrained import published_features
from napari_sdcolor.training.recipe import Recipe, Task, check


@dataclass(frozen=True)
class Beginning:
    """Trained weights that a new run begins with; None for random ones.

    Parameters
    ----------
    network
        Of the task, without the photo features that it reads.
    features
        That the network reads.
    grid
        That fills in maps while colors are learned.
    """

    network: Network | None = None
    features: PhotoFeatures | None = None
    grid: FeatureGridNet | None = None

    def give(self, network: nn.Module) -> None:
        """Put them into a network that ``build_network`` made.

        Raises
        ------
        DataError
            If they do not fit.
        """
        if self.network is not None:
            start_from(above_features(network), self.network)
        if self.features is not None:
            start_from(network.features, self.features)
        if self.grid is not None:
            start_from(network.grid, self.grid)
            network.temperature.fill_(self.grid.config.temperature)


def beginning(
    task: Task,
    preset: str,
    changes: Mapping[str, Any],
    *,
    init: str | None,
    features: Path | None,
    features_from: str,
    maps_from: str,
) -> tuple[Recipe, Beginning]:
    """The recipe of a new run, and what it begins with.

    Parameters
    ----------
    task
        Which network.
    preset
        The recipe to start from, one of ``PRESETS``.
    changes
        Fields of the recipe by name; None leaves one alone.
    init
        Model or file of trained weights that are taken further.
    features
        Published weights of photo features that are trained further.
    features_from
        Model or file whose photo features a color network reads.
    maps_from
        Model whose segmentation fills in maps, if it reads these features.

    Raises
    ------
    SettingsError
        If the recipe makes no sense.
    WeightsError
        If weights are not to be had, do not fit, or are not needed.
    """
    parts = {} if init is None else trained_parts(init, task)
    recipe = PRESETS[preset][task]
    if parts:
        recipe = fine_tuning(recipe, parts[task].network.config)
    recipe = with_overrides(recipe, **changes)
    check(recipe)
    if features is not None and not recipe.features:
        raise UnfitWeights(
            f'This network reads no photo features, so that --features '
            f'{features} has no use: leave it out.'
        )
    if features is not None and parts:
        raise UnfitWeights(
            f'The weights of --init {init} bring their own photo '
            f'features: leave out --features {features}, or --init.'
        )
    if parts:
        _refuse_untrainable(str(init), parts[task].network.config)
    seen, digest = None, ''
    if recipe.features and task == 'color':
        part = parts.get('features') or features_part(features_from)
        seen, digest = part.network, part.digest
    elif recipe.features:
        # They are trained further, so that they have no digest yet.
        seen = (
            parts['features'].network
            if parts
            else published_features(features)
        )
    if seen is not None:
        # Photos are seen as they were trained to see them.
        recipe = replace(recipe, features_size=seen.config.size)
    grid = None
    if recipe.fills:
        named = [
            name
            for name in (maps_from, features_from, init)
            if name and not name.endswith('.features.safetensors')
        ]
        grid = grid_part(named, digest).network
        recipe = replace(recipe, grid_widths=grid.config.widths)
    network = parts[task].network if parts else None
    return recipe, Beginning(network, seen, grid)


def trained_parts(name: str, task: Task) -> dict[str, Part]:
    """Weights to train further, of a model or a file.

    Returns
    -------
    dict
        The task's network and, if it reads some, 'features'.

    Raises
    ------
    WeightsError
        If there are no such weights for the task, or they cannot be taken
        further.
    """
    path = Path(name)
    if path.suffix != '.safetensors':
        path = models.find(name, task)
    part = load_part(path, task)
    if part.encoding != 'lightness':
        raise UnfitWeights(
            f"{name} holds weights of the authors' program, which count "
            'gray values and colors in another way. Only weights of this '
            'program can be trained further.'
        )
    return models.with_features({task: part}, [path])


def _refuse_untrainable(
    name: str, config: ColorNetConfig | GridNetConfig
) -> None:
    """Refuse a network of a kind that no recipe can describe.

    Raises
    ------
    UnfitWeights
        Naming what is other.
    """
    trained = type(config)()
    for field in ('preset', 'slope', 'columns', 'classes'):
        value = getattr(config, field, None)
        wanted = getattr(trained, field, None)
        if value != wanted:
            raise UnfitWeights(
                f'{name} holds a network with {field} {value}, and only '
                f'those with {field} {wanted} can be trained further. Take '
                'other weights.'
            )


def features_part(name: str) -> Part:
    """The photo features of a model, or of a file of them.

    Raises
    ------
    WeightsError
        If there are none, or they are damaged.
    """
    path = Path(name)
    if path.suffix == '.safetensors':
        return load_part(path, 'features')
    for entry in models.list_models():
        # Of a model whose colors are still to be trained, or of any other.
        if (entry.model, entry.kind) == (name, 'features'):
            return load_part(entry.path, 'features')
    parts = models.load(name)
    if 'features' not in parts:
        raise UnfitWeights(
            f'The model {name!r} reads no photo features. Name one that '
            'does with --features-from, or train a network on gray values '
            'alone with --set features='
        )
    return parts['features']


def grid_part(names: Sequence[str], features: str) -> Part:
    """The segmentation that fills in maps while colors are learned.

    Parameters
    ----------
    names
        Models, the one that a person asked for first: the first one whose
        segmentation reads the features is taken.
    features
        Digest of the photo features that both networks read.

    Raises
    ------
    WeightsError
        If there is none, or all read other features.
    """
    for name in names:
        part = models.load(name, kinds=['segmentation'])['segmentation']
        if part.features == features:
            return part
    raise UnfitWeights(
        f'The segmentation of {names[0]!r} does not read the photo features '
        'that the colors are learned on. Name a model of these with '
        '--maps-from, or fill in nothing with --set sure=1 --set own_maps=0'
    )


def start_from(network: nn.Module, source: nn.Module) -> None:
    """Give a network the weights of another one of the same shape.

    What a color network reads of photo features begins with zeros, which
    add nothing, where the other one reads none.

    Raises
    ------
    DataError
        If the two differ.
    """
    own, other = network.state_dict(), source.state_dict()
    for name, tensor in own.items():
        if name.startswith('readers.'):
            other.setdefault(name, torch.zeros_like(tensor))
    wrong = differing(own, other)
    if wrong:
        raise UnfitData(
            f'The weights to start from do not fit: {wrong[0]} differs. '
            'Leave out --widths and --set to take the network of the '
            'weights.'
        )
    network.load_state_dict(other)
