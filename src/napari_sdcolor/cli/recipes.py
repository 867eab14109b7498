"""What can be chosen about a training run, and the recipe it makes."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from napari_sdcolor.core.weights import Network
    from napari_sdcolor.training.recipe import Recipe, Task


def _channels(words: str | None) -> tuple[int, ...] | None:
    """Channel counts of 'A,B,C'; None stays None."""
    if words is None:
        return None
    try:
        channels = tuple(int(word) for word in words.split(','))
    except ValueError:
        channels = ()
    if len(channels) < 2 or min(channels) < 1:
        raise typer.BadParameter(
            f'{words!r} is no list of at least two channel counts, such as '
            '24,48,96,192,384.'
        )
    return channels


def _checked_widths(words: str | None) -> str | None:
    _channels(words)
    return words


RunFolder = Annotated[
    Path,
    typer.Option(
        '--out',
        metavar='DIR',
        file_okay=False,
        help='Folder of the run: checkpoint and log. A run that is there '
        'already goes on.',
        show_default=False,
    ),
]
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

Source = Annotated[
    SourceKind | None,
    typer.Option(
        '--source',
        case_sensitive=False,
        help='What the data folder is.',
        show_default='recognized',
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        '--steps',
        min=1,
        metavar='N',
        help='Number of batches.',
        show_default='of the recipe',
    ),
]
Crop = Annotated[
    int | None,
    typer.Option(
        '--crop',
        min=4,
        metavar='N',
        help='Side of the square crops in pixels; a multiple of 16, from 32 '
        'on, for networks of five levels.',
        show_default='of the recipe',
    ),
]
Batch = Annotated[
    int | None,
    typer.Option(
        '--batch',
        min=1,
        metavar='N',
        help='Crops per batch.',
        show_default='of the recipe',
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
    ),
]
Workers = Annotated[
    int,
    typer.Option('--workers', min=0, metavar='N', help='Reading processes.'),
]
Compile = Annotated[
    bool,
    typer.Option(
        '--compile',
        help='Let torch compile the network first (needs a C++ compiler).',
    ),
]
Init = Annotated[
    str | None,
    typer.Option(
        '--init',
        metavar='NAME',
        help='Weights to start a new run from: a model name or file.',
        show_default='random',
    ),
]


def initial_network(init: str | None, task: Task) -> Network | None:
    """The network to start from, None for a random one.

    Raises
    ------
    WeightsError
        If there are no such weights for the task.
    """
    if init is None:
        return None
    from napari_sdcolor.core import models
    from napari_sdcolor.core.weights import load_part

    path = Path(init)
    if path.suffix != '.safetensors':
        path = models.find(init, task)
    return load_part(path, task).network


def recipe_from(
    task: Task, source: Network | None, **changes: int | str | None
) -> Recipe:
    """The shipped recipe with what the person changed."""
    from napari_sdcolor.training.presets import with_overrides
    from napari_sdcolor.training.recipe import SHIPPED

    widths = _channels(changes.pop('widths'))
    config = getattr(source, 'config', None)
    return with_overrides(
        SHIPPED[task],
        widths=widths or getattr(config, 'widths', None),
        label_channels=getattr(config, 'label_channels', None),
        **changes,
    )
