"""``sdcolor evaluate``: figures of weights on photographs with maps."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from napari_sdcolor.cli import options, training_options
from napari_sdcolor.cli.console import DONE, FAILED, Talk
from napari_sdcolor.cli.values import number
from napari_sdcolor.evaluation.names import GROUPS
from napari_sdcolor.interrupts import ending_with
from napari_sdcolor.settings import Settings

if TYPE_CHECKING:
    from napari_sdcolor.core.engine import Colorizer

MOST_RESULTS = 20
"""Nobody scores more pictures of one photo."""


class Results(NamedTuple):
    """A folder of another method's pictures."""

    name: str
    folder: Path


def _groups(words: str) -> list[str]:
    """The groups of 'A,B'."""
    chosen = {word.strip() for word in words.split(',')}
    odd = chosen - set(GROUPS)
    if odd:
        raise typer.BadParameter(
            f'{", ".join(sorted(odd))!r} is no group of figures; there are '
            f'{", ".join(GROUPS)}.'
        )
    return [group for group in GROUPS if group in chosen]


def _results(words: str) -> Results:
    """What 'NAME=DIR' stands for."""
    name, found, folder = words.partition('=')
    name = name.strip()
    if not found or not name or not folder:
        raise typer.BadParameter(
            f'{words!r} is not of the form NAME=DIR, such as '
            'Others=their-pictures.'
        )
    if not Path(folder).is_dir():
        raise typer.BadParameter(f'{folder} is no folder.')
    return Results(name, Path(folder))


def _distinct(results: list[Results] | None) -> list[Results]:
    names = [name for name, _ in results or ()]
    for name in names:
        if names.count(name) > 1:
            raise typer.BadParameter(f'The name {name!r} is given twice.')
    if len(names) > MOST_RESULTS:
        raise typer.BadParameter(
            f'At most {MOST_RESULTS} other methods can be compared with.'
        )
    return results or []


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
    output: Annotated[
        Path | None,
        typer.Option(
            '-o',
            '--output',
            metavar='DIR',
            file_okay=False,
            help='Folder for figures, tables, plots, a contact sheet and a '
            'user study; made if it is missing.',
            show_default=False,
        ),
    ] = None,
    results: Annotated[
        list[Results] | None,
        typer.Option(
            '--results',
            metavar='NAME=DIR',
            parser=_results,
            callback=_distinct,
            help='Finished pictures of another method, named as the '
            'photographs are; may be repeated.',
            show_default=False,
        ),
    ] = None,
    only: Annotated[
        Sequence[str] | None,
        typer.Option(
            '--only',
            metavar='GROUP,…',
            parser=_groups,
            help=f'Groups of figures: {", ".join(GROUPS)}.',
            show_default='all',
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            '--limit',
            parser=number(int, 1),
            metavar='N',
            help='Only this many, evenly spread over the split.',
            show_default='all',
        ),
    ] = None,
    study: Annotated[
        int,
        typer.Option(
            '--study',
            parser=number(int, 0),
            metavar='N',
            help='Photographs in the user study; 0 makes none.',
        ),
    ] = 20,
    class_means: Annotated[
        Path | None,
        typer.Option(
            '--class-means',
            metavar='FILE',
            dir_okay=False,
            help='Keeps the mean colors of the training split for the next '
            'evaluation.',
            show_default=False,
        ),
    ] = None,
    source: training_options.Source = None,
    color: Annotated[Path | None, _part('color')] = None,
    segmentation: Annotated[Path | None, _part('segmentation')] = None,
    without_maps: Annotated[
        Path | None,
        typer.Option(
            '--without-maps',
            metavar='FILE',
            exists=True,
            dir_okay=False,
            help='Color weights trained at equal budget with empty maps '
            'only, to compare with.',
            show_default=False,
            rich_help_panel='Settings',
        ),
    ] = None,
    size: options.Size = options.DEFAULTS.size,
    weights: options.Weights = options.DEFAULTS.weights,
    device: options.DeviceOption = options.DEVICE,
    as_json: options.Json = False,
) -> None:
    """Measure color and maps on photographs whose colors are known."""
    talk = Talk('evaluate', as_json)
    with (
        talk.refusing(),
        ending_with('Stopped; no figures were written.'),
        ExitStack() as stack,
    ):
        settings = Settings(size=size, device=device.value, weights=weights)
        from napari_sdcolor.archive.folders import output_folder
        from napari_sdcolor.core.multiplications import of_networks
        from napari_sdcolor.datasets.open import open_data
        from napari_sdcolor.evaluation.report import files, plots
        from napari_sdcolor.evaluation.report.tables import as_markdown
        from napari_sdcolor.evaluation.run import Evaluation

        if output is not None:
            files.refuse_used(output)
            stack.enter_context(output_folder(output))
            if not plots.can_draw():
                talk.warn(plots.NO_MATPLOTLIB)
        if class_means is not None:
            stack.enter_context(output_folder(class_means.parent))
        talk.say(f'Reading {data}')
        found = open_data(data, source, talk.say)
        entries = found.split(split)
        # Class means are a baseline; data may have no photos for them.
        train = [
            entry
            for entry in found.entries
            if entry.split == 'train' and entry.labels is not None
        ]
        groups = only or list(GROUPS)
        colorizer = _load(talk, settings, color, segmentation, groups)
        evaluation = Evaluation(
            colorizer,
            entries,
            train_entries=train or None,
            means=class_means,
            groups=groups,
            limit=limit,
            results=dict(results or ()),
            mapless=_mapless(colorizer, without_maps),
            report=talk.say,
        )
        for each in evaluation.finished:
            for line in each.refused:
                talk.refuse(line)
        result = {
            'split': split,
            **evaluation.measure(),
            'multiplications': of_networks(colorizer),
        }
        written = []
        if output is not None:
            written = files.write_report(output, evaluation, result, study)
        talk.answer_page(as_markdown(result))
        for path in written:
            talk.say(f'Wrote {path}')
        incomplete = [*result['skipped']]
        for line in result['skipped']:
            talk.refuse(line)
        for name, about in result['results'].items():
            incomplete += about['missing'] + about['refused']
            for photo in about['missing']:
                talk.refuse('there is no picture of it.', f'{name}, {photo}')
        talk.finish(
            {**result, 'written': [str(path) for path in written]},
            FAILED if incomplete else DONE,
        )


def _mapless(colorizer: Colorizer, path: Path | None) -> Colorizer | None:
    """The same segmentation with color weights that never saw a map."""
    if path is None:
        return None
    from napari_sdcolor.core import models
    from napari_sdcolor.core.engine import Colorizer
    from napari_sdcolor.core.weights import load_part

    parts = models.with_features(
        {**colorizer.parts, 'color': load_part(path, 'color')}, [path]
    )
    return Colorizer(parts, colorizer.device, size=colorizer.size)


def _load(
    talk: Talk,
    settings: Settings,
    color: Path | None,
    segmentation: Path | None,
    groups: Sequence[str],
) -> Colorizer:
    """Networks of a model, or of single files instead of its parts."""
    from napari_sdcolor.core import models
    from napari_sdcolor.core.device import choose
    from napari_sdcolor.core.engine import Colorizer

    files = {'color': color, 'segmentation': segmentation}
    given = {kind: path for kind, path in files.items() if path is not None}
    # A model whose colors are still to be trained has a map to be measured.
    colored = any(GROUPS[group].color for group in groups)
    needed = [*files] if colored else ['segmentation']
    parts = models.load(settings.weights, given, needed)
    for kind in needed:
        talk.say(f'{kind}: {given.get(kind, settings.weights)}')
    device = choose(settings.device)
    talk.say(f'Device: {device.words}')
    for note in device.notes:
        talk.warn(note)
    return Colorizer(parts, device, size=settings.size)
