"""``sdcolor train``: train either network, and export its weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_sdcolor.cli import options, recipes
from napari_sdcolor.cli.checkpoints import (
    STATEMENT,
    refuse_other_recipe,
    start_from,
    write_notes,
)
from napari_sdcolor.cli.checkpoints import (
    export as export_weights,
)
from napari_sdcolor.cli.talk import WRONG_USAGE, Talk

if TYPE_CHECKING:
    from napari_sdcolor.training.recipe import Task

train = typer.Typer(
    name='train',
    help='Train a network on photographs, and export its weights.',
    epilog='Example: sdcolor train color --data photographs --out runs/color',
    no_args_is_help=True,
)


def _train(
    task: Task,
    data: Path,
    out: Path,
    *,
    device: options.Device,
    workers: int,
    compile_network: bool,
    init: str | None,
    source_kind: recipes.SourceKind | None,
    as_json: bool,
    **changes: int | str | None,
) -> None:
    talk = Talk(f'train {task}', as_json)
    with talk.refusing():
        source = recipes.initial_network(init, task)
        recipe = recipes.recipe_from(task, source, **changes)
        multiple = 2 ** (len(recipe.widths) - 1)
        # The coarsest level must keep more than one pixel to normalize.
        if recipe.crop % multiple or recipe.crop < 2 * multiple:
            talk.stop(
                f'Crops of {recipe.crop} pixels do not fit '
                f'{len(recipe.widths)} levels: choose --crop as a multiple '
                f'of {multiple}, at least {2 * multiple}.',
                WRONG_USAGE,
            )
        from napari_sdcolor.core.device import choose
        from napari_sdcolor.training.data import open_data
        from napari_sdcolor.training.loop import Trainer

        refuse_other_recipe(out, recipe)
        used = choose(device.value)
        talk.say(f'Device: {used.words}')
        for note in used.notes:
            talk.warn(note)
        talk.say(f'Reading {data}')
        found = open_data(data, source_kind and source_kind.value)
        talk.say(found.describe())
        for note in found.notes:
            talk.say(note)
        entries = found.split('train')
        write_notes(out, {'data': data.resolve().name})
        trainer = Trainer(
            recipe,
            entries,
            out,
            device=used.kind,
            compile_network=compile_network,
            workers=workers,
            report=talk.say,
        )
        if source is not None and trainer.step == 0:
            start_from(trainer.network, source)
            start_from(trainer.averaged, source)
        trainer.run()
        talk.answer(f'Trained {trainer.step} steps: {trainer.checkpoint}')
        talk.say(f'Next: sdcolor train export {out} -o {task}.safetensors')
        talk.finish(
            {
                'task': task,
                'steps': trainer.step,
                'checkpoint': str(trainer.checkpoint),
                'recipe': recipe.to_dict(),
            }
        )


@train.command(
    epilog='Example: sdcolor train segmentation --data photographs '
    '--out runs/segmentation --steps 4000'
)
def segmentation(
    data: options.DataFolder,
    out: recipes.RunFolder,
    steps: recipes.Steps = None,
    crop: recipes.Crop = None,
    batch: recipes.Batch = None,
    widths: recipes.Widths = None,
    device: options.DeviceOption = options.DEVICE,
    workers: recipes.Workers = 0,
    compile_network: recipes.Compile = False,
    init: recipes.Init = None,
    source: recipes.Source = None,
    as_json: options.Json = False,
) -> None:
    """Train the network that finds out what is in a photo."""
    _train(
        'segmentation',
        data,
        out,
        steps=steps,
        crop=crop,
        batch=batch,
        widths=widths,
        device=device,
        workers=workers,
        compile_network=compile_network,
        init=init,
        source_kind=source,
        as_json=as_json,
    )


@train.command(
    epilog='Example: sdcolor train color --data photographs --out runs/color '
    '--widths 16,32,64,128,256'
)
def color(
    data: options.DataFolder,
    out: recipes.RunFolder,
    steps: recipes.Steps = None,
    crop: recipes.Crop = None,
    batch: recipes.Batch = None,
    widths: recipes.Widths = None,
    device: options.DeviceOption = options.DEVICE,
    workers: recipes.Workers = 0,
    compile_network: recipes.Compile = False,
    init: recipes.Init = None,
    source: recipes.Source = None,
    as_json: options.Json = False,
) -> None:
    """Train the network that colors a photo after its map."""
    _train(
        'color',
        data,
        out,
        steps=steps,
        crop=crop,
        batch=batch,
        widths=widths,
        device=device,
        workers=workers,
        compile_network=compile_network,
        init=init,
        source_kind=source,
        as_json=as_json,
    )


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
    output: Annotated[
        Path,
        typer.Option(
            '-o',
            '--output',
            metavar='FILE',
            dir_okay=False,
            help='The .safetensors file to write.',
            show_default=False,
        ),
    ],
    statement: Annotated[
        str,
        typer.Option(
            '--statement',
            metavar='TEXT',
            help='Terms of use, kept inside the file.',
        ),
    ] = STATEMENT,
    as_json: options.Json = False,
) -> None:
    """Write the averaged weights of a run as a safetensors file."""
    talk = Talk('train export', as_json)
    with talk.refusing():
        digest = export_weights(folder, output, statement)
        talk.answer(str(output))
        talk.say(f'Next: sdcolor models add {output} --name my-model')
        talk.finish({'output': str(output), 'tensors_sha256': digest})
