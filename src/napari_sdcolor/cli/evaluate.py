"""``sdcolor evaluate``: figures of weights on photographs with maps."""

from __future__ import annotations

from typing import Annotated

import typer

from napari_sdcolor.cli import options
from napari_sdcolor.cli.colorize import load_colorizer
from napari_sdcolor.cli.talk import Talk
from napari_sdcolor.settings import Settings


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
    size: options.Size = options.DEFAULTS.size,
    weights: options.Weights = options.DEFAULTS.weights,
    device: options.DeviceOption = options.DEVICE,
    as_json: options.Json = False,
) -> None:
    """Measure color and maps on photographs whose colors are known."""
    talk = Talk('evaluate', as_json)
    with talk.refusing():
        settings = Settings(size=size, device=device.value, weights=weights)
        from napari_sdcolor.training.data import Pack

        talk.say(f'Reading {data}')
        pack = Pack(data)
        entries = pack.split(split)
        # Class means are a baseline; a pack may have no photos for them.
        train = [
            entry
            for entry in pack.entries
            if entry.split == 'train' and entry.labels is not None
        ]
        if limit is not None and limit < len(entries):
            entries = [
                entries[place * len(entries) // limit]
                for place in range(limit)
            ]
        talk.say(f'{len(entries)} photographs')
        colorizer = load_colorizer(talk, settings)
        from napari_sdcolor.training.evaluation import as_markdown
        from napari_sdcolor.training.evaluation import evaluate as measure

        result = measure(
            colorizer, entries, train_entries=train or None, report=talk.say
        )
        talk.answer(as_markdown(result))
        talk.finish({'split': split, **result})
