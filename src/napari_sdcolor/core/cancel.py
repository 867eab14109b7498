"""Stop between two layers, wherever the work happens to be.

The token of the running job lives in a context variable, so that the
networks need no argument for it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from napari_sdcolor.errors import Cancelled

_current: ContextVar[CancelToken | None] = ContextVar('token', default=None)


class CancelToken:
    """Set once by the person who stops, read by the worker."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._committed = False

    def cancel(self) -> bool:
        """Ask to stop.

        Returns
        -------
        bool
            False if it is too late: the job said ``commit`` already.
        """
        with self._lock:
            if not self._committed:
                self._event.set()
            return not self._committed

    def commit(self) -> None:
        """From here on it is too late to stop.

        Raises
        ------
        Cancelled
            If somebody stopped before.
        """
        with self._lock:
            if self._event.is_set():
                raise Cancelled('Stopped.')
            self._committed = True

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    @contextmanager
    def active(self) -> Iterator[CancelToken]:
        """Make this the token that ``check`` looks at in this thread."""
        before = _current.set(self)
        try:
            yield self
        finally:
            _current.reset(before)


def check() -> None:
    """Stop here if the running job was cancelled.

    Raises
    ------
    Cancelled
        If it was.
    """
    token = _current.get()
    if token is not None and token.cancelled:
        raise Cancelled('Stopped.')


def commit() -> None:
    """Tell the running job's token that it is too late to stop now.

    Raises
    ------
    Cancelled
        If it was cancelled before.
    """
    token = _current.get()
    if token is not None:
        token.commit()
