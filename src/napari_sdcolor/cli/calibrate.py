"""``sdcolor train calibrate``: make the confidence mean what it says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_sdcolor.cli import options, training_options
from napari_sdcolor.cli.console import Talk
from napari_sdcolor.settings import Settings
from napari_sdcolor.words import counted

if TYPE_CHECKING:
    from napari_sdcolor.core.weights import Part
    from napari_sdcolor.datasets.entry import Entry


def calibrate(
    weights: Annotated[
        Path,
        typer.Argument(
            metavar='FILE',
            exists=True,
            dir_okay=False,
            help='A .safetensors file with segmentation weights. It is only '
            'read.',
            show_default=False,
        ),
    ],
    data: options.DataFolder,
    output: training_options.WeightsFile,
    split: Annotated[
        str,
        typer.Option(
            '--split',
            metavar='NAME',
            help='Which photographs choose; none that the network was '
            'trained on.',
        ),
    ] = 'val',
    source: training_options.Source = None,
    size: options.Size = options.DEFAULTS.size,
    device: options.DeviceOption = options.DEVICE,
    as_json: options.Json = False,
) -> None:
    """Choose the temperature of segmentation weights on held-out photos.

    Confidences then mean what they say; the maps stay as they are.
    """
    talk = Talk('train calibrate', as_json)
    with talk.refusing():
        settings = Settings(size=size, device=device.value)
        from napari_sdcolor.archive.folders import output_folder
        from napari_sdcolor.core.models import with_features
        from napari_sdcolor.core.weights import describe_again, load_part
        from napari_sdcolor.datasets.open import open_data
        from napari_sdcolor.training.export import refuse_target

        refuse_target(output)
        part = load_part(weights, 'segmentation')
        parts = with_features({part.kind: part}, [weights])
        with output_folder(output.parent):
            photos = open_data(data, source, talk.say).split(split)
            facts = _choose(talk, parts, photos, settings)
            facts['split'] = split
            describe_again(
                weights,
                output,
                {
                    **part.network.config.to_dict(),
                    'temperature': facts['temperature'],
                },
                {**part.training, 'calibration': facts},
            )
        talk.answer(
            f'Temperature {facts["temperature"]:g} instead of '
            f'{facts["temperature_before"]:g}: cross-entropy '
            f'{facts["loss"]:.4f} instead of {facts["loss_before"]:.4f}, '
            f'over {facts["pixels"]:,} known pixels of '
            f'{counted(facts["photos"], "photo")}.'
        )
        talk.say(f'Wrote {output}')
        talk.say(f'Next: sdcolor models add {output} --name my-model')
        talk.finish({**facts, 'output': str(output)})


def _choose(
    talk: Talk, parts: dict[str, Part], photos: list[Entry], settings: Settings
) -> dict[str, Any]:
    """The temperature, and what the choice was made by."""
    from napari_sdcolor.core.device import choose
    from napari_sdcolor.evaluation.progress import Ticker
    from napari_sdcolor.training import calibration

    device = choose(settings.device)
    talk.say(f'Device: {device.words}')
    for note in device.notes:
        talk.warn(note)
    before = parts['segmentation'].network.config.temperature
    sample = calibration.sample_logits(
        calibration.segmenter(parts, device, settings.size),
        photos,
        Ticker(talk.say).over('photos'),
    )
    for each in sample.skipped:
        talk.refuse(f'{each.reason}.', f'{each.dataset}/{each.name}')
    temperature = calibration.best_temperature(sample)
    return {
        'temperature': temperature,
        'temperature_before': before,
        'loss': sample.loss(temperature),
        'loss_before': sample.loss(before),
        'photos': sample.photos,
        'pixels': len(sample.classes),
        'size': settings.size,
    }
