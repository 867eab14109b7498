"""All commands of ``sdcolor``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from napari_sdcolor._version import __version__
from napari_sdcolor.cli.batch import batch
from napari_sdcolor.cli.bench import bench
from napari_sdcolor.cli.colorize import colorize
from napari_sdcolor.cli.demo import demo
from napari_sdcolor.cli.doctor import doctor
from napari_sdcolor.cli.evaluate import evaluate
from napari_sdcolor.cli.models import models
from napari_sdcolor.cli.replay import replay
from napari_sdcolor.cli.segment import segment
from napari_sdcolor.cli.study import study
from napari_sdcolor.cli.train import train
from napari_sdcolor.words import shown

_UsageError: type[Any] = typer.BadParameter.__base__
"""Which class it is depends on whose click this version of typer brings."""


class _Commands(TyperGroup):
    """All commands; what typer itself says of names is shown like the rest."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words before the name of a command."""
        with _showing_names():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Read the words behind it, and run it."""
        with _showing_names():
            return super().invoke(ctx)


@contextmanager
def _showing_names() -> Iterator[None]:
    try:
        yield
    except _UsageError as error:
        error.message = shown(error.message)
        raise


app = typer.Typer(
    name='sdcolor',
    cls=_Commands,
    help='Color gray photographs from an editable map of what is in them.',
    epilog='Example: sdcolor colorize castle.tif -o colored',
    no_args_is_help=True,
    add_completion=False,
    # Refusals are sentences; what is left is a defect, whose plain
    # traceback belongs into a report.
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f'sdcolor {__version__}')
        raise typer.Exit


@app.callback()
def _sdcolor(
    version: Annotated[
        bool,
        typer.Option(
            '--version',
            callback=_version,
            is_eager=True,
            help='Show the version and exit.',
        ),
    ] = False,
) -> None:
    """Color gray photographs from an editable map of what is in them."""


app.command(
    epilog='Example: sdcolor demo --sample coffee',
)(demo)
app.command(
    epilog='Example: sdcolor colorize castle.tif church.tif -o colored '
    '--saturation 1.2',
)(colorize)
app.command(
    epilog='Example: sdcolor batch scans -o colored --confidence 0.6',
)(batch)
app.command(
    epilog='Example: sdcolor replay colored/castle.sdcolor.json',
)(replay)
app.command(
    epilog='Example: sdcolor segment castle.tif -o maps',
)(segment)
app.add_typer(train)
app.command(
    epilog='Example: sdcolor evaluate --data photographs -o figures',
)(evaluate)
app.command(
    epilog='Example: sdcolor study answers-anna.csv answers-ben.csv --key '
    'figures/user-study-key.json',
)(study)
app.add_typer(models)
app.command(
    epilog='Example: sdcolor bench --quick',
)(bench)
app.command(
    epilog='Example: sdcolor doctor --json',
)(doctor)
