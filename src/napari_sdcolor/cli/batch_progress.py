"""What a person sees while a batch runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn

from napari_sdcolor.batch.outcome import DONE, FAILED, Outcome
from napari_sdcolor.batch.progress import Observer
from napari_sdcolor.batch.progress import Progress as Counts
from napari_sdcolor.cli.console import Talk

EVERY = 10.0
"""Seconds between the lines where there is no terminal for a bar."""


@contextmanager
def shown(talk: Talk) -> Iterator[Observer]:
    """An observer of ``run_batch`` that says failures as they come.

    It shows a bar on a terminal, and a line now and then in a log.
    """
    if not talk.console.is_terminal:
        said = time.monotonic()

        def write(outcome: Outcome, counts: Counts) -> None:
            nonlocal said
            _tell(talk, outcome, counts)
            now = time.monotonic()
            if now - said >= EVERY or counts.done == counts.total:
                said = now
                talk.say(counts.words)

        yield write
        return
    with Progress(
        BarColumn(),
        TextColumn('{task.description}', markup=False),
        console=talk.console,
        transient=True,
    ) as bar:
        task = bar.add_task('…', total=None)

        def update(outcome: Outcome, counts: Counts) -> None:
            _tell(talk, outcome, counts)
            bar.update(
                task,
                total=counts.total,
                completed=counts.done,
                description=counts.words,
            )

        yield update


def _tell(talk: Talk, outcome: Outcome, counts: Counts) -> None:
    """Name a photo that failed or whose map a person should look at."""
    if outcome.status == FAILED:
        named = outcome.source in outcome.reason
        talk.refuse(outcome.reason, '' if named else outcome.source)
    elif outcome.status == DONE and outcome.needs_person(counts.confidence):
        talk.warn(
            f'{outcome.source}: look at its map, the mean confidence is '
            f'{outcome.confidence:.0%}.'
        )
