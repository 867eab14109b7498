"""``sdcolor bench``: how fast everything is on this machine."""

from __future__ import annotations

from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_sdcolor.cli import options
from napari_sdcolor.cli.console import DONE, Talk
from napari_sdcolor.cli.values import number
from napari_sdcolor.errors import WrongUsage, said
from napari_sdcolor.interrupts import STOPPED

if TYPE_CHECKING:
    from napari_sdcolor.core.engine import Colorizer

PLOTS = ('.pdf', '.png', '.svg')
"""Suffixes of files that can be drawn."""


def bench(
    plot: Annotated[
        Path | None,
        typer.Option(
            '--plot',
            metavar='FILE',
            dir_okay=False,
            help='Draw times over the working size into a PNG, PDF or SVG '
            'file.',
            show_default=False,
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            '--quick',
            help='Two sizes and few turns: a minute instead of a quarter of '
            'an hour, and less certain.',
        ),
    ] = False,
    sizes: Annotated[
        list[int] | None,
        typer.Option(
            '--at',
            parser=number(int, 64, 4096),
            metavar='N',
            help='Working size to measure; can be given several times. '
            'From 64 to 4096.',
            show_default='352, 512, 1024, 2048',
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            '--against',
            metavar='MODULE:CALLABLE',
            help='Another implementation to time in turns with ours: it '
            'takes gray (h, w) in [0, 1] and labels (h, w) and returns ab '
            '(h, w, 2).',
            show_default=False,
        ),
    ] = None,
    gigapixel: Annotated[
        bool,
        typer.Option(
            '--gigapixel',
            help='Make a photo of one gigapixel in a temporary folder and '
            'color it: minutes, and 11 GB of disk.',
        ),
    ] = False,
    weights: Annotated[
        str | None,
        typer.Option(
            '--weights',
            metavar='NAME',
            help='Weights to measure; without it, full-width networks with '
            'random weights.',
            show_default=False,
        ),
    ] = None,
    device: options.DeviceOption = options.DEVICE,
    as_json: options.Json = False,
) -> None:
    """Measure how fast this machine colors.

    All ratios are of times taken in turns in this run. Ctrl+C shows what
    was measured until then and ends with 130. What each line means, and what
    can be expected, is told in the documentation's page on the benchmark.
    """
    talk = Talk('bench', as_json)
    with talk.refusing(), ExitStack() as stack:
        from napari_sdcolor.archive.folders import output_folder

        other = None if against is None else _callable(against)
        if plot is not None:
            _refuse_plot(plot)
        talk.import_torch()
        if plot is not None:
            stack.enter_context(output_folder(plot.parent))
        from napari_sdcolor.bench.report import as_markdown, save_plot
        from napari_sdcolor.bench.run import SIZES, Wish, run

        chosen = tuple(sizes or (SIZES[:2] if quick else SIZES))
        colorizer = _colorizer(weights, device.value)
        for note in colorizer.device.notes:
            talk.warn(note)
        wish = Wish(quick, chosen, other, gigapixel, weights)
        findings = run(colorizer, wish, talk.say)
        talk.answer_page(as_markdown(findings))
        if plot is not None:
            save_plot(findings, plot)
            talk.say(f'Drawn: {plot}')
        talk.finish(findings.to_dict(), STOPPED if findings.stopped else DONE)


def _colorizer(weights: str | None, device: str) -> Colorizer:
    from napari_sdcolor.core.engine import Colorizer

    if weights is None:
        return Colorizer.random('paper', device=device)
    return Colorizer.load(weights, device=device)


def _refuse_plot(path: Path) -> None:
    """Refuse a file that could not be drawn, before all is measured."""
    from napari_sdcolor.files import refuse_existing

    if path.suffix.lower() not in PLOTS:
        raise WrongUsage(
            f'{path} cannot be drawn: its suffix must be one of '
            f'{", ".join(PLOTS)}.'
        )
    refuse_existing([path])


def _callable(words: str) -> Any:
    module, _, name = words.partition(':')
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise WrongUsage(
            f'{words} cannot be used: {said(error)}. Write MODULE:CALLABLE, and '
            'let PYTHONPATH name the folder of the module.'
        ) from error
    if not callable(found):
        raise WrongUsage(f'{words} is nothing that can be called.')
    return found
