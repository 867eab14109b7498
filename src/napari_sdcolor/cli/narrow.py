"""``sdcolor train narrow``: fewer channels, and nearly the same colors."""

from __future__ import annotations

from typing import Annotated

import typer

from napari_sdcolor.cli import options, training_options
from napari_sdcolor.cli.console import Talk
from napari_sdcolor.cli.values import number


def narrow(
    weights: Annotated[
        str,
        typer.Argument(
            metavar='MODEL|FILE',
            help='A model, or a .safetensors file with color weights that '
            'read no photo features. It is only read.',
            show_default=False,
        ),
    ],
    data: options.DataFolder,
    output: training_options.WeightsFile,
    widths: training_options.Widths,
    crops: Annotated[
        int,
        typer.Option(
            '--crops',
            parser=number(int, 1),
            metavar='N',
            help='Crops of training photographs on which the two networks '
            'are to agree.',
        ),
    ] = 96,
    source: training_options.Source = None,
    seed: training_options.Seed = None,
    as_json: options.Json = False,
) -> None:
    """Begin a narrower, faster color network where a trained one is.

    The channels that matter most are kept and fitted to the old network's
    colors. Train the result further: train color --init FILE.
    """
    talk = Talk('train narrow', as_json)
    with talk.refusing():
        from napari_sdcolor.archive.folders import output_folder
        from napari_sdcolor.core.weights import save_part
        from napari_sdcolor.datasets.open import open_data
        from napari_sdcolor.training import narrowing
        from napari_sdcolor.training.beginning import trained_parts
        from napari_sdcolor.training.export import refuse_target

        refuse_target(output)
        part = trained_parts(weights, 'color')['color']
        photos = open_data(data, source, talk.say).split('train')
        with output_folder(output.parent):
            network = narrowing.narrow(
                part.network,
                widths,
                *narrowing.sample(photos, crops, seed or 0),
                seed=seed or 0,
                report=talk.say,
            )
            record = {**part.training, 'narrowed_from': part.digest}
            digest = save_part(output, network, record)
        talk.answer(str(output))
        talk.say(
            f'Next: sdcolor train color --data {data} --init {output} '
            '--out FOLDER'
        )
        talk.finish({'output': str(output), 'tensors_sha256': digest})
