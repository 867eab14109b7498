"""``sdcolor evaluate``: figures of weights on photographs with maps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_sdcolor.cli import options, recipes
from napari_sdcolor.cli.talk import DONE, FAILED, Talk
from napari_sdcolor.settings import Settings

if TYPE_CHECKING:
    from napari_sdcolor.core.engine import Colorizer

GROUPS = ('fidelity', 'map', 'swaps', 'repair', 'bleeding', 'segmentation')
"""What ``evaluation.run`` measures; kept here so that --help is quick."""


def _groups(words: str | None) -> tuple[str, ...]:
    """The groups of 'A,B'; all of them for None."""
    if words is None:
        return GROUPS
    chosen = {word.strip() for word in words.split(',')}
    odd = chosen - set(GROUPS)
    if odd:
        raise typer.BadParameter(
            f'{", ".join(sorted(odd))!r} is no group of figures; there are '
            f'{", ".join(GROUPS)}.'
        )
    return tuple(group for group in GROUPS if group in chosen)


def _checked_groups(words: str | None) -> str | None:
    _groups(words)
    return words


def _part(kind: str) -> typer.models.OptionInfo:
    return typer.Option(
        f'--{kind}',
        metavar='FILE',
        exists=True,
        dir_okay=False,
        help=f'Safetensors file with {kind} weights, instead of those of '
        '--weights.',
        show_default=False,
        rich_help_panel='Settings',
    )


def evaluate(
    data: options.DataFolder,
    split: Annotated[
        str,
        typer.Option(
            '--split', metavar='NAME', help='Which photographs to look at.'
        ),
    ] = 'val',
    limit: Annotated[
        int | None,
        typer.Option(
            '--limit',
            min=1,
            metavar='N',
            help='Only this many, evenly spread over the split.',
            show_default='all',
        ),
    ] = None,
    source: recipes.Source = None,
    only: Annotated[
        str | None,
        typer.Option(
            '--only',
            metavar='GROUP,…',
            callback=_checked_groups,
            help=f'Groups of figures: {", ".join(GROUPS)}.',
            show_default='all',
        ),
    ] = None,
    color: Annotated[Path | None, _part('color')] = None,
    segmentation: Annotated[Path | None, _part('segmentation')] = None,
    size: options.Size = options.DEFAULTS.size,
    weights: options.Weights = options.DEFAULTS.weights,
    device: options.DeviceOption = options.DEVICE,
    as_json: options.Json = False,
) -> None:
    """Measure color and maps on photographs whose colors are known."""
    talk = Talk('evaluate', as_json)
    with talk.refusing():
        settings = Settings(size=size, device=device.value, weights=weights)
        from napari_sdcolor.evaluation.report.tables import as_markdown
        from napari_sdcolor.evaluation.run import evaluate as measure
        from napari_sdcolor.training.data import open_data

        talk.say(f'Reading {data}')
        found = open_data(data, source and source.value)
        talk.say(found.describe())
        for note in found.notes:
            talk.say(note)
        entries = found.split(split)
        # Class means are a baseline; data may have no photos for them.
        train = [entry for entry in found.entries if entry.split == 'train']
        colorizer = _load(talk, settings, color, segmentation)
        try:
            result = measure(
                colorizer,
                entries,
                train_entries=train or None,
                groups=_groups(only),
                limit=limit,
                report=talk.say,
            )
        except KeyboardInterrupt:
            talk.stop('Stopped; nothing was written.')
        talk.answer(as_markdown(result))
        for line in result['skipped']:
            talk.refuse(line)
        code = FAILED if result['skipped'] else DONE
        talk.finish({'split': split, **result}, code)


def _load(
    talk: Talk,
    settings: Settings,
    color: Path | None,
    segmentation: Path | None,
) -> Colorizer:
    """Networks of a model, or of single files instead of its parts."""
    from napari_sdcolor.core import models
    from napari_sdcolor.core.device import choose
    from napari_sdcolor.core.engine import Colorizer
    from napari_sdcolor.core.weights import load_part

    files = {'color': color, 'segmentation': segmentation}
    given = {kind: path for kind, path in files.items() if path is not None}
    parts = {kind: load_part(path, kind) for kind, path in given.items()}
    if len(parts) < len(files):
        parts = {**models.load(settings.weights), **parts}
    for kind in files:
        talk.say(f'{kind}: {given.get(kind, settings.weights)}')
    device = choose(settings.device)
    talk.say(f'Device: {device.words}')
    for note in device.notes:
        talk.warn(note)
    return Colorizer(parts, device, size=settings.size)
