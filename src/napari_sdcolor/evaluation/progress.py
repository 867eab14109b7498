"""Progress in words, with what is left to wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from napari_sdcolor.words import duration

Item = TypeVar('Item')

PAUSE = 15.0
"""Seconds between two lines, at least."""


class Ticker:
    """Reports how far a loop has come.

    Parameters
    ----------
    report
        Called with a line.
    clock
        Gives seconds; lines never enter a result, so that results do not
        depend on it.
    """

    def __init__(
        self,
        report: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._report = report
        self._clock = clock

    def over(self, words: str) -> Callable[[Sequence[Item]], Iterator[Item]]:
        """A wrapper of sequences that reports while they are worked on."""

        def loop(items: Sequence[Item]) -> Iterator[Item]:
            start = last = self._clock()
            for done, item in enumerate(items, 1):
                yield item
                now = self._clock()
                if done == len(items):
                    self._report(f'{done} of {len(items)} {words}')
                elif now - last >= PAUSE:
                    last = now
                    left = (now - start) / done * (len(items) - done)
                    self._report(
                        f'{done} of {len(items)} {words}, {duration(left)} left'
                    )

        return loop
