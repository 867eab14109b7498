"""Handing things from one thread to another, a few at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar('T')


class Channel(Generic[T]):
    """A short queue that one thread fills and another one iterates over.

    Parameters
    ----------
    length
        So many things wait at most; ``put`` waits for room.
    """

    def __init__(self, length: int = 1) -> None:
        self._length = length
        self._things: deque[T] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._error: BaseException | None = None

    def put(self, thing: T) -> bool:
        """Hand one over; False if nobody takes it any more."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._ended or len(self._things) < self._length
            )
            if self._ended:
                return False
            self._things.append(thing)
            self._changed.notify_all()
            return True

    def end(self, error: BaseException | None = None) -> None:
        """Nothing more comes; an error is raised on the other side."""
        with self._changed:
            self._error = self._error or error
            self._ended = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._ended or self._things)
                    if self._error is not None:
                        raise self._error
                    if not self._things:
                        return
                    thing = self._things.popleft()
                    self._changed.notify_all()
                yield thing
                del thing
        finally:
            self.end()
