"""``sdcolor train``: train either network, and export its weights."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_sdcolor.cli import options, training_options
from napari_sdcolor.cli.calibrate import calibrate
from napari_sdcolor.cli.console import FAILED, Talk
from napari_sdcolor.cli.narrow import narrow
from napari_sdcolor.cli.training_display import showing
from napari_sdcolor.cli.values import number

if TYPE_CHECKING:
    from napari_sdcolor.training.recipe import Task

STATEMENT = (
    'For research and non-commercial use: so are the photographs that these '
    'weights were trained on.'
)

_RECIPE = ('steps', 'crop', 'batch', 'rate', 'widths', 'seed', 'instance_norm')
"""Options that change a field of the recipe."""

train = typer.Typer(
    name='train',
    help='Train a network on photographs, and export its weights.',
    epilog='Example: sdcolor train color --data photographs --out runs/color',
    no_args_is_help=True,
)


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
    _train(
        'segmentation',
        as_json,
        data=data,
        out=out,
        source=source,
        preset=preset,
        init=init,
        features=features,
        maps=maps,
        maps_from=maps_from,
        steps=steps,
        crop=crop,
        batch=batch,
        rate=rate,
        widths=widths,
        seed=seed,
        set_words=set_words,
        device=device.value,
        workers=workers,
        compile_network=compile_network,
        save_every=save_every,
        check_every=check_every,
        preview_every=preview_every,
    )


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
    _train(
        'color',
        as_json,
        data=data,
        out=out,
        source=source,
        preset=preset,
        init=init,
        features_from=features_from,
        maps=maps,
        maps_from=maps_from,
        instance_norm=False if no_instance_norm else None,
        steps=steps,
        crop=crop,
        batch=batch,
        rate=rate,
        widths=widths,
        seed=seed,
        set_words=set_words,
        device=device.value,
        workers=workers,
        compile_network=compile_network,
        save_every=save_every,
        check_every=check_every,
        preview_every=preview_every,
    )


def _train(
    task: Task,
    as_json: bool,
    *,
    data: Sequence[Path],
    out: Path,
    source: str | None,
    set_words: Sequence[str] | None,
    **chosen: Any,
) -> None:
    """Train, and say what can be done with the result."""
    changes = {name: chosen.pop(name, None) for name in _RECIPE}
    talk = Talk(f'train {task}', as_json)
    with talk.refusing():
        from napari_sdcolor.archive.folders import output_folder
        from napari_sdcolor.training import run
        from napari_sdcolor.training.presets import parse_changes

        with output_folder(out):
            with showing(talk, task) as progress:
                trainer = run.train(
                    task,
                    data,
                    out,
                    source=source,
                    changes=changes | parse_changes(set_words or ()),
                    report=talk.say,
                    warn=talk.warn,
                    progress=progress,
                    **chosen,
                )
            left_out = trainer.record.left_out()
            if left_out:
                talk.warn(left_out)
            facts = {
                'task': task,
                'steps': trainer.step,
                'finished': trainer.finished,
                'checkpoint': str(trainer.checkpoint),
                'skipped': len(trainer.record.skipped),
                'recipe': trainer.recipe.to_dict(),
            }
            if trainer.finished:
                talk.answer(
                    f'Trained {trainer.step} steps: {trainer.checkpoint}'
                )
                _say_what_next(talk, out)
                talk.finish(facts)
            else:
                talk.answer(
                    f'Stopped at step {trainer.step} of '
                    f'{trainer.recipe.steps}; everything up to there is '
                    f'saved in {trainer.checkpoint}.'
                )
                command = _command(task, data, source, out)
                talk.say(f'Go on with: {command}')
                talk.finish(facts, FAILED)


def _command(
    task: Task, data: Sequence[Path], source: str | None, out: Path
) -> str:
    """What a run goes on with."""
    words = ['sdcolor', 'train', task]
    for folder in data:
        words += ['--data', str(folder)]
    if source is not None:
        words += ['--source', source]
    return shlex.join([*words, '--out', str(out)])


def _say_what_next(talk: Talk, out: Path) -> None:
    file = f'{out.name}.safetensors'
    name = ''.join(
        letter if letter.isascii() and letter.isalnum() else '-'
        for letter in out.name
    )
    talk.say('Next:')
    for words in (
        ['sdcolor', 'train', 'export', str(out), '-o', file],
        ['sdcolor', 'models', 'add', file, '--name', name],
        ['sdcolor', 'colorize', 'PHOTO', '-o', 'colored', '--weights', name],
    ):
        talk.say(f'  {shlex.join(words)}')


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
        from napari_sdcolor.training.export import export as export_weights

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
