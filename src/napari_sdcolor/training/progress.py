"""How far a run has come."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from napari_sdcolor.words import duration

LINE_EVERY_STEPS = 50
LINE_EVERY_SECONDS = 30.0


@dataclass(frozen=True)
class Progress:
    """State of a run after a step.

    Parameters
    ----------
    step, steps
        Done, and in all.
    loss
        Mean over the latest steps; None where nothing is learned.
    seconds_left
        Estimated; None before there is anything to estimate from.
    unit
        What is counted.
    """

    step: int
    steps: int
    loss: float | None = None
    seconds_left: float | None = None
    unit: str = 'step'

    @property
    def words(self) -> str:
        """One line for a person."""
        line = f'{self.unit} {self.step}/{self.steps}'
        if self.loss is not None:
            line += f'  loss {self.loss:.4f}'
        if self.seconds_left is None or self.step >= self.steps:
            return line
        return f'{line}  {duration(self.seconds_left)} left'


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
