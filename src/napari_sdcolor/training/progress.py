"""How far a run has come."""

from __future__ import annotations

from dataclasses import dataclass

from napari_sdcolor.words import duration


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
