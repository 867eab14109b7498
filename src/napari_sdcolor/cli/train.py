"""``sdcolor train``: train either network, and export its weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_sdcolor.cli import options, training_options
from napari_sdcolor.cli.calibrate import calibrate
from napari_sdcolor.cli.checkpoints import (
    STATEMENT,
)
from napari_sdcolor.cli.checkpoints import (
    export as export_weights,
)
from napari_sdcolor.cli.console import Talk
from napari_sdcolor.cli.narrow import narrow
from napari_sdcolor.cli.values import number

if TYPE_CHECKING:
    from napari_sdcolor.training.recipe import Task

train = typer.Typer(
    name='train',
    help='Train a network on photographs, and export its weights.',
    epilog='Example: sdcolor train color --data photographs --out runs/color',
    no_args_is_help=True,
)

_CHANGES = ('steps', 'crop', 'batch', 'rate', 'widths', 'seed')
"""Options that are fields of the recipe."""


def _train(task: Task, options_given: dict[str, Any]) -> None:
    """Hand the options of a command over, sorted."""
    from napari_sdcolor.archive.folders import output_folder
    from napari_sdcolor.cli.training_run import Order, carry_out

    given = dict(options_given)
    talk = Talk(f'train {task}', given.pop('as_json'))
    changes = {name: given.pop(name) for name in _CHANGES}
    if given.pop('no_instance_norm', False):
        changes['instance_norm'] = False
    words = given.pop('set_words') or []
    given['device'] = given['device'].value
    with talk.refusing(), output_folder(given['out']):
        carry_out(talk, Order(task=task, **given), words, changes)


@train.command(
    epilog='Example: sdcolor train segmentation --data photographs '
    '--out runs/segmentation --steps 4000'
)
def segmentation(
    data: training_options.DataFolders,
    out: training_options.RunFolder,
    source: training_options.Source = None,
    preset: training_options.PresetOption = training_options.Preset.shipped,
    init: training_options.Init = None,
    features: training_options.Features = None,
    maps: training_options.MapsOption = None,
    maps_from: training_options.MapsFrom = options.DEFAULTS.weights,
    steps: training_options.Steps = None,
    crop: training_options.Crop = None,
    batch: training_options.Batch = None,
    rate: training_options.Rate = None,
    widths: training_options.Widths = None,
    seed: training_options.Seed = None,
    set_words: training_options.Set = None,
    device: options.DeviceOption = options.DEVICE,
    workers: training_options.Workers = None,
    compile_network: training_options.Compile = False,
    save_every: training_options.SaveEvery = 300.0,
    check_every: training_options.CheckEvery = 250,
    preview_every: training_options.PreviewEvery = 1000,
    as_json: options.Json = False,
) -> None:
    """Train the network that finds out what is in a photo."""
    _train('segmentation', locals())


@train.command(
    epilog='Example: sdcolor train color --data my_photos --init default '
    '--out runs/mine'
)
def color(
    data: training_options.DataFolders,
    out: training_options.RunFolder,
    source: training_options.Source = None,
    preset: training_options.PresetOption = training_options.Preset.shipped,
    init: training_options.Init = None,
    features_from: training_options.FeaturesFrom = options.DEFAULTS.weights,
    maps: training_options.MapsOption = None,
    maps_from: training_options.MapsFrom = options.DEFAULTS.weights,
    no_instance_norm: training_options.NoInstanceNorm = False,
    steps: training_options.Steps = None,
    crop: training_options.Crop = None,
    batch: training_options.Batch = None,
    rate: training_options.Rate = None,
    widths: training_options.Widths = None,
    seed: training_options.Seed = None,
    set_words: training_options.Set = None,
    device: options.DeviceOption = options.DEVICE,
    workers: training_options.Workers = None,
    compile_network: training_options.Compile = False,
    save_every: training_options.SaveEvery = 300.0,
    check_every: training_options.CheckEvery = 250,
    preview_every: training_options.PreviewEvery = 1000,
    as_json: options.Json = False,
) -> None:
    """Train the network that colors a photo after its map."""
    _train('color', locals())


@train.command(
    epilog='Example: sdcolor train export runs/color -o color.safetensors'
)
def export(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar='OUTDIR',
            exists=True,
            file_okay=False,
            help='Folder of a training run.',
            show_default=False,
        ),
    ],
    output: training_options.WeightsFile,
    statement: Annotated[
        str,
        typer.Option(
            '--statement',
            metavar='TEXT',
            help='Terms of use, kept inside the file.',
        ),
    ] = STATEMENT,
    chroma: Annotated[
        float,
        typer.Option(
            '--chroma',
            parser=number(float, 0.1, 4),
            metavar='X',
            help='Factor on the colors of a color network, kept in its last '
            'convolution. Trained networks are duller than photographs; '
            'choose it on held-out ones. From 0.1 to 4.',
        ),
    ] = 1.0,
    mean_with: Annotated[
        Path | None,
        typer.Option(
            '--mean-with',
            metavar='FILE',
            exists=True,
            dir_okay=False,
            help='Write the mean of the weights of the run and of these: of '
            'a color network that was trained further, mostly those that it '
            'began as. Often better than either; choose on held-out '
            'photographs.',
            show_default=False,
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Write the averaged weights of a run as a safetensors file."""
    talk = Talk('train export', as_json)
    with talk.refusing():
        from napari_sdcolor.archive.folders import output_folder

        with output_folder(output.parent):
            digest = export_weights(
                folder, output, statement, chroma, mean_with
            )
        talk.answer(str(output))
        talk.say(f'Next: sdcolor models add {output} --name my-model')
        talk.finish({'output': str(output), 'tensors_sha256': digest})


train.command(
    epilog='Example: sdcolor train calibrate segmentation.safetensors '
    '--data photographs -o calibrated.safetensors'
)(calibrate)
train.command(
    epilog='Example: sdcolor train narrow wide.color.safetensors '
    '--widths 16,32,64,128,256 --data photographs -o narrow.safetensors'
)(narrow)
