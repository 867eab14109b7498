"""``sdcolor replay``: the same bytes again, or what differs."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_sdcolor.cli import options
from napari_sdcolor.cli.colorize import load_colorizer, machine_facts
from napari_sdcolor.cli.console import FAILED, Talk
from napari_sdcolor.cli.values import choice
from napari_sdcolor.cli.wrong_inputs import refuse_no_sidecar

if TYPE_CHECKING:
    from napari_sdcolor.archive.compare import Comparison
    from napari_sdcolor.archive.replay import Recording

SHOWN = 60
"""So many characters of a value are shown."""


def replay(
    sidecar: Annotated[
        Path,
        typer.Argument(
            metavar='SIDECAR',
            help='NAME.sdcolor.json of a colored photo, beside its files.',
            exists=True,
            dir_okay=False,
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            '-o',
            '--output',
            metavar='DIR',
            file_okay=False,
            help='Keep the new files in this folder; without it they are '
            'only compared.',
            show_default=False,
        ),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            '--source',
            metavar='FILE',
            exists=True,
            dir_okay=False,
            help='The photo, if it is no longer where it was.',
            show_default=False,
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            '--weights',
            metavar='NAME',
            help='Name of the weights here, if it was another one then.',
            show_default=False,
        ),
    ] = None,
    device: Annotated[
        options.Device | None,
        typer.Option(
            '--device',
            **choice(options.Device),
            help='Where the networks run; by default where they ran then.',
            show_default=False,
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Color a photo again as its sidecar tells, and compare.

    Exit code 0: the colored file comes out with the same bytes, and the map
    with the same classes; 1: something differs, and it is said what: the
    photo, the weights, a version, and by how much the colors differ; 2:
    wrong usage.
    """
    talk = Talk('replay', as_json)
    with talk.refusing():
        refuse_no_sidecar(sidecar)
        from napari_sdcolor.archive.folders import output_folder
        from napari_sdcolor.archive.replay import Recording
        from napari_sdcolor.archive.replay import replay as play
        from napari_sdcolor.core.device import choose

        recording = Recording(sidecar, source)
        told = recording.settings
        settings = replace(
            told,
            weights=weights or told.weights,
            device=device.value if device else _device_then(recording),
        )
        talk.import_torch()
        with ExitStack() as stack, talk.progress():
            if output is None:
                folder = Path(stack.enter_context(TemporaryDirectory()))
            else:
                folder = stack.enter_context(output_folder(output))
            colorizer = load_colorizer(
                talk, settings, recording.dtype(choose(settings.device))
            )
            talk.say(f'Coloring {recording.source_words} again')
            found, written = play(recording, colorizer, folder)
        kept = [] if output is None else [str(path) for path in written]
        for path in kept:
            talk.answer(path)
        _say(talk, found)
        talk.finish(
            {
                **_facts(found),
                'outputs': kept,
                'source': recording.source_words,
                **machine_facts(colorizer),
            },
            0 if found.identical else FAILED,
        )


def _device_then(recording: Recording) -> str:
    told = recording.told['model'].get('device', '')
    known = {device.value for device in options.Device}
    return told if told in known else recording.settings.device


def _say(talk: Talk, found: Comparison) -> None:
    if found.identical:
        talk.answer(
            'Identical: the same colors and classes again.'
            if found.notes
            else 'Identical: the same bytes again.'
        )
    for note in found.notes:
        talk.say(note)
    for difference in found.differences:
        talk.refuse(difference)
    if found.largest_delta_e is not None and found.pixels is not None:
        talk.answer(
            f'Largest color difference: ΔE2000 {found.largest_delta_e:.3g}, '
            f'in {found.pixels:.2%} of the pixels.'
        )
    for name, then, now in found.circumstances:
        talk.warn(f'{name}: {_short(then)} then, {_short(now)} now')


def _short(value: object) -> str:
    words = str(value)
    return words if len(words) <= SHOWN else words[: SHOWN - 1] + '…'


def _facts(found: Comparison) -> dict[str, Any]:
    return {
        'identical': found.identical,
        'differences': list(found.differences),
        'notes': list(found.notes),
        'circumstances': [
            {'name': name, 'then': then, 'now': now}
            for name, then, now in found.circumstances
        ],
        'largest_delta_e': found.largest_delta_e,
        'differing_pixels': found.pixels,
    }
