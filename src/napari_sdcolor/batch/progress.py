"""How far a batch is, how fast, and how long it still takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from napari_sdcolor.batch.outcome import DONE, FAILED, KNOWN, Outcome
from napari_sdcolor.words import short_duration


@dataclass
class Progress:
    """The counts of one run.

    Parameters
    ----------
    fresh
        Photos to color.
    checked
        Photos that an earlier run colored, whose files are only checked.
    confidence
        Photos whose map has a lower mean confidence need a person.
    """

    fresh: int
    checked: int = 0
    confidence: float = 0.0
    colored: int = 0
    known: int = 0
    failed: int = 0
    flagged: int = 0
    _began: float = field(default_factory=time.monotonic)
    _latest: float = field(default_factory=time.monotonic)
    _checking: float = 0.0

    def count(self, outcome: Outcome) -> None:
        """Take one more photo into account."""
        now = time.monotonic()
        if outcome.status == KNOWN:
            self._checking += now - self._latest
        self._latest = now
        self.colored += outcome.status == DONE
        self.known += outcome.status == KNOWN
        self.failed += outcome.status == FAILED
        self.flagged += outcome.needs_person(self.confidence)

    @property
    def total(self) -> int:
        return self.fresh + self.checked

    @property
    def done(self) -> int:
        return self.colored + self.known + self.failed

    @property
    def seconds(self) -> float:
        """From the beginning to the latest photo."""
        return self._latest - self._began

    @property
    def rate(self) -> float | None:
        """Photos colored per second; None before the first one."""
        spent = self.seconds - self._checking
        return self.colored / spent if self.colored and spent > 0 else None

    @property
    def remaining(self) -> float | None:
        """Seconds until all is colored; None before the first one.

        What is only checked costs next to nothing and is left out.
        """
        rate = self.rate
        if rate is None:
            return None
        return max(0, self.fresh - self.colored - self.failed) / rate

    @property
    def words(self) -> str:
        """How far, how fast, how long still."""
        words = [f'{self.done} of {self.total}']
        if self.failed:
            words.append(f'{self.failed} failed')
        if self.flagged:
            words.append(f'{self.flagged} to look at')
        if self.rate is not None:
            words.append(rate_words(self.rate))
        if self.remaining is not None and self.done < self.total:
            words.append(f'{short_duration(self.remaining)} left')
        return ', '.join(words)


Observer = Callable[[Outcome, Progress], None]
"""Called after each photo."""


def rate_words(rate: float) -> str:
    """Photos per second, minute or hour, whichever reads best."""
    for factor, unit in ((1, 'second'), (60, 'minute')):
        if rate * factor >= 1:
            return f'{rate * factor:.1f} photos per {unit}'
    return f'{rate * 3600:.1f} photos per hour'
