"""How far a run has come."""

from __future__ import annotations

from dataclasses import dataclass


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


def duration(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 60:
        return 'less than a minute'
    minutes = round(seconds / 60)
    if minutes < 60:
        return f'about {_count(minutes, "minute")}'
    if minutes < 48 * 60:
        hours, minutes = divmod(minutes, 60)
        tail = f' {_count(minutes, "minute")}' if minutes else ''
        return f'about {_count(hours, "hour")}{tail}'
    return f'about {_count(round(minutes / 60 / 24), "day")}'


def _count(number: int, thing: str) -> str:
    return f'{number} {thing}{"" if number == 1 else "s"}'
