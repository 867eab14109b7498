"""``sdcolor models``: the weights that are there and those one adds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from napari_sdcolor.cli.console import DONE, FAILED, Talk
from napari_sdcolor.cli.options import Json
from napari_sdcolor.words import short_hash

if TYPE_CHECKING:
    from napari_sdcolor.core.models import Entry

models = typer.Typer(
    name='models',
    help='List, add, verify and remove weights.',
    epilog='Example: sdcolor models list',
    no_args_is_help=True,
)

Name = Annotated[
    str | None,
    typer.Argument(
        metavar='[NAME]',
        help='Only this model; all models without it.',
        show_default=False,
    ),
]


def _chosen(name: str | None) -> list[Entry]:
    from napari_sdcolor.core.models import list_models
    from napari_sdcolor.errors import UnfitWeights

    entries = list_models()
    chosen = [entry for entry in entries if name in (None, entry.model)]
    if name is not None and not chosen:
        names = sorted({entry.model for entry in entries})
        raise UnfitWeights(
            f'There is no model named {name!r}; there are: '
            f'{", ".join(names) or "none"}.'
        )
    return chosen


@models.command('list', epilog='Example: sdcolor models list --json')
def list_(as_json: Json = False) -> None:
    """List all weights, the bundled ones first."""
    talk = Talk('models list', as_json)
    with talk.refusing():
        from napari_sdcolor.core.model_files import (
            recorded_hashes,
            user_folder,
        )
        from napari_sdcolor.core.models import facts_of
        from napari_sdcolor.errors import WeightsError

        entries = [facts_of(entry) for entry in _chosen(None)]
        if not entries:
            talk.answer('There are no weights. Add some: sdcolor models add')
        for entry in entries:
            talk.answer(
                f'{entry["model"]}  {entry["kind"]}  '
                f'{short_hash(entry["file_sha256"]) or "unreadable"}  '
                f'{entry["path"]}'
            )
            if entry['trouble']:
                talk.answer(f'  {entry["trouble"]}')
        code = DONE
        try:
            recorded_hashes(user_folder())
        except WeightsError as error:
            # Every model is there all the same.
            talk.refuse(error)
            code = FAILED
        talk.finish({'models': entries}, code)


@models.command(epilog='Example: sdcolor models path')
def path(name: Name = None, as_json: Json = False) -> None:
    """Say where added weights are kept, or where those of one model lie."""
    talk = Talk('models path', as_json)
    with talk.refusing():
        from napari_sdcolor.core.models import user_folder

        paths = [str(user_folder())]
        if name is not None:
            paths = [str(entry.path) for entry in _chosen(name)]
        for found in paths:
            talk.answer(found)
        talk.finish({'paths': paths})


@models.command(
    epilog='Example: sdcolor models add color.safetensors '
    'segmentation.safetensors --name landscapes'
)
def add(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar='FILE…',
            help="Safetensors files of this program, or the authors' "
            'checkpoints (.pth.tar); at most one color and one segmentation '
            'network.',
            show_default=False,
        ),
    ],
    name: Annotated[
        str,
        typer.Option(
            '--name',
            metavar='NAME',
            help='What to call them: letters, digits, "-" and "_".',
            show_default=False,
        ),
    ],
    as_json: Json = False,
) -> None:
    """Check weights and copy them into the folder of added models."""
    talk = Talk('models add', as_json)
    with talk.refusing():
        from napari_sdcolor.archive.folders import output_folder
        from napari_sdcolor.core.models import add as add_model
        from napari_sdcolor.core.models import facts_of, user_folder

        with output_folder(user_folder()):
            entries = add_model(files, name)
        for entry in entries:
            talk.answer(f'Added {entry.kind} weights: {entry.path}')
        talk.answer(f'Use them with: --weights {name}')
        talk.finish({'models': [facts_of(entry) for entry in entries]})


@models.command(epilog='Example: sdcolor models verify')
def verify(name: Name = None, as_json: Json = False) -> None:
    """Compare weights with their recorded hashes and load them once.

    Exit code 1 if anything is not as it should be.
    """
    talk = Talk('models verify', as_json)
    with talk.refusing():
        from napari_sdcolor.core.models import facts_of
        from napari_sdcolor.core.models import verify as verify_entry

        found = [
            {**facts_of(entry), 'verified': verify_entry(entry)}
            for entry in _chosen(name)
        ]
        table = Table('model', 'kind', 'verified', box=None)
        for entry in found:
            table.add_row(entry['model'], entry['kind'], entry['verified'])
        talk.answer(table)
        bad = any(entry['verified'] != 'ok' for entry in found)
        talk.finish({'models': found}, FAILED if bad else DONE)


@models.command(epilog='Example: sdcolor models remove landscapes')
def remove(
    name: Annotated[
        str,
        typer.Argument(
            metavar='NAME', help='An added model.', show_default=False
        ),
    ],
    as_json: Json = False,
) -> None:
    """Delete an added model; the bundled one always stays."""
    talk = Talk('models remove', as_json)
    with talk.refusing():
        from napari_sdcolor.core.models import remove as remove_model

        removed = [str(gone) for gone in remove_model(name)]
        for gone in removed:
            talk.answer(f'Removed {gone}')
        talk.finish({'removed': removed})
