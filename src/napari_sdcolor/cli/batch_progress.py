"""What a person sees while a batch runs."""

from __future__ import annotations

import time
from types import TracebackType

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from napari_sdcolor.batch.outcome import DONE, FAILED, Outcome
from napari_sdcolor.batch.progress import Progress as Counts
from napari_sdcolor.cli.console import Talk

EVERY = 10.0
"""Seconds between the lines where there is no terminal for a bar."""


class BatchProgress:
    """A bar on a terminal, a line now and then in a log.

    Parameters
    ----------
    talk
        Where failures are said, as they come.
    """

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self._said = time.monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        if talk.console.is_terminal:
            self._bar = Progress(
                BarColumn(),
                TextColumn('{task.description}', markup=False),
                console=talk.console,
                transient=True,
            )

    def __enter__(self) -> BatchProgress:
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task('…', total=None)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, outcome: Outcome, counts: Counts) -> None:
        """Show how far it is; an observer of ``run_batch``."""
        if outcome.status == FAILED:
            named = outcome.source in outcome.reason
            self.talk.refuse(outcome.reason, '' if named else outcome.source)
        elif outcome.status == DONE and outcome.needs_person(
            counts.confidence
        ):
            self.talk.warn(
                f'{outcome.source}: look at its map, the mean confidence is '
                f'{outcome.confidence:.0%}.'
            )
        words = counts.words
        if self._bar is not None and self._task is not None:
            self._bar.update(
                self._task,
                total=counts.total,
                completed=counts.done,
                description=words,
            )
            return
        now = time.monotonic()
        if now - self._said >= EVERY or counts.done == counts.total:
            self._said = now
            self.talk.say(words)
