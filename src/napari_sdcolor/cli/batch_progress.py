"""What a person sees while a batch runs."""

from __future__ import annotations

import time
from types import TracebackType

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from napari_sdcolor.archive.batch.outcome import DONE, FAILED, Outcome
from napari_sdcolor.archive.batch.progress import Progress as Counts
from napari_sdcolor.cli.talk import Talk

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
        elif outcome.status == DONE and counts.needs_person(outcome):
            self.talk.warn(
                f'{outcome.source}: look at its map, the mean confidence is '
                f'{outcome.confidence:.0%}.'
            )
        words = describe(counts)
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


def describe(counts: Counts) -> str:
    """How far, how fast, how long still."""
    words = [f'{counts.done} of {counts.total}']
    if counts.failed:
        words.append(f'{counts.failed} failed')
    if counts.flagged:
        words.append(f'{counts.flagged} to look at')
    if counts.rate is not None:
        words.append(rate_words(counts.rate))
    if counts.remaining is not None and counts.done < counts.total:
        words.append(f'{duration_words(counts.remaining)} left')
    return ', '.join(words)


def rate_words(rate: float) -> str:
    """Photos per second, minute or hour, whichever reads best."""
    for factor, unit in ((1, 'second'), (60, 'minute')):
        if rate * factor >= 1:
            return f'{rate * factor:.1f} photos per {unit}'
    return f'{rate * 3600:.1f} photos per hour'


def duration_words(seconds: float) -> str:
    """Such as '45 s', '12 min', '3 h 20 min', '2 d 4 h'."""
    if seconds < 90:
        return f'{seconds:.0f} s'
    minutes = round(seconds / 60)
    if minutes < 90:
        return f'{minutes} min'
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f'{hours} h {minutes} min'
    return f'{hours // 24} d {hours % 24} h'
