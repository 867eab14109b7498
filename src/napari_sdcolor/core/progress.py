"""Say how far the work is, wherever it happens to be.

Like the token of ``cancel``, the listener lives in a context variable, so
that the networks need no argument for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str], None]

_listener: ContextVar[Listener | None] = ContextVar('listener', default=None)


@contextmanager
def told_to(listener: Listener) -> Iterator[None]:
    """Let this function hear of the progress in this thread."""
    before = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(before)


def say(words: str) -> None:
    """Tell the listener, if there is one, what is being done now."""
    listener = _listener.get()
    if listener is not None:
        listener(words)
