"""How far a training run has come: a bar on a terminal, else lines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bar

from napari_sdcolor.cli.console import Talk
from napari_sdcolor.training.progress import Progress

LINE_EVERY_STEPS = 50
LINE_EVERY_SECONDS = 30.0

Show = Callable[[Progress], None]


@contextmanager
def showing(talk: Talk, what: str) -> Iterator[Show]:
    """Something to call after every step.

    Parameters
    ----------
    talk
        Shows it on its side channel.
    what
        Names the run.
    """
    if talk.console.is_terminal:
        with _bar(talk, what) as show:
            yield show
    else:
        yield Lines(talk.say)


@contextmanager
def _bar(talk: Talk, what: str) -> Iterator[Show]:
    columns = (
        TextColumn('{task.description}'),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn('{task.fields[words]}'),
    )
    with Bar(*columns, console=talk.console) as bar:
        task = bar.add_task(what, total=None, words='starting')

        def show(progress: Progress) -> None:
            bar.update(
                task,
                completed=progress.step,
                total=progress.steps,
                words=progress.words,
            )

        yield show


class Lines:
    """A line every 50 steps, and at least every half minute.

    Parameters
    ----------
    say
        Called with each line.
    clock
        Gives seconds.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._say = say
        self._clock = clock
        self._last = clock()

    def __call__(self, progress: Progress) -> None:
        now = self._clock()
        if (
            progress.step == progress.steps
            or not progress.step % LINE_EVERY_STEPS
            or now - self._last >= LINE_EVERY_SECONDS
        ):
            self._last = now
            self._say(progress.words)
