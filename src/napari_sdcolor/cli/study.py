"""``sdcolor study``: the table of a user study from its answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_sdcolor.cli import options
from napari_sdcolor.cli.console import Talk


def study(
    answers: Annotated[
        list[Path],
        typer.Argument(
            metavar='ANSWERS…',
            exists=True,
            dir_okay=False,
            help='CSV files that people saved on the page.',
            show_default=False,
        ),
    ],
    key: Annotated[
        Path,
        typer.Option(
            '--key',
            metavar='FILE',
            exists=True,
            dir_okay=False,
            help='user-study-key.json, which was made with the page.',
            show_default=False,
        ),
    ],
    as_json: options.Json = False,
) -> None:
    """Turn the answers to a user study into the paper's table.

    "sdcolor evaluate --output" makes the page on which people score.
    """
    talk = Talk('study', as_json)
    with talk.refusing():
        from napari_sdcolor.evaluation.study import scores

        result = scores.score_table(answers, scores.Key.read(key))
        talk.answer_page(scores.as_markdown(result))
        talk.finish(result)
