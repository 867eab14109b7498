"""Ctrl+C and requests to end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from types import FrameType

from napari_sdcolor.errors import Cancelled

STOPPED = 128 + signal.SIGINT
"""Exit code of what Ctrl+C broke off, as shells have it."""

GRACE = 2.0
"""Seconds after which whoever insisted is obeyed in whatever work."""


@contextmanager
def stop_signals(
    ask: Callable[[], object],
    *,
    insisting: Collection[int] = (signal.SIGINT,),
) -> Iterator[None]:
    """Let Ctrl+C and SIGTERM ask the work to stop, not break it off.

    Outside the main thread signals cannot be caught, and nothing changes.

    Parameters
    ----------
    ask
        Called once, at the first signal.
    insisting
        Signals that break off wherever the work is if they come after the
        first one; the others are then nothing new. Threads that are deep
        in a decoder cannot be broken off: if they keep the process alive
        for ``GRACE`` seconds, it ends without them. Nothing that was
        written is lost by that.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = False
    ends: list[threading.Timer] = []

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if not asked:
            asked = True
            ask()
        elif number in insisting:
            if not ends:
                ends.append(_end_after(GRACE, 128 + number))
            raise KeyboardInterrupt

    try:
        with _handled_by(note):
            yield
    finally:
        for end in ends:
            end.cancel()


@contextmanager
def _handled_by(
    handler: Callable[[int, FrameType | None], None],
) -> Iterator[None]:
    """Give Ctrl+C and SIGTERM another handler for a while."""
    before = {
        number: signal.signal(number, handler)
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _end_after(seconds: float, code: int) -> threading.Timer:
    """End this process after a while, unless it is cancelled."""
    timer = threading.Timer(seconds, os._exit, [code])
    timer.daemon = True
    timer.start()
    return timer


@contextmanager
def ending_with(sentence: str) -> Iterator[None]:
    """Let Ctrl+C break off the work at once, with a sentence.

    Raises
    ------
    Cancelled
        In place of a KeyboardInterrupt.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise Cancelled(sentence) from None


@contextmanager
def ending_at_once(say: Callable[[], object]) -> Iterator[None]:
    """Let Ctrl+C and SIGTERM end the process wherever it is.

    For the import of libraries that crash when an exception breaks it off.
    Nothing may be under way that would have to be tidied up.

    Parameters
    ----------
    say
        Called before, to say so.
    """

    def end(number: int, frame: FrameType | None) -> None:
        try:
            say()
        finally:
            os._exit(STOPPED)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with _handled_by(end):
        yield


@contextmanager
def withheld() -> Iterator[None]:
    """Processes that are started here see no Ctrl+C while they start.

    Until then they could only answer it with a traceback; see
    ``leave_to_main`` for what follows.
    """
    if not hasattr(signal, 'pthread_sigmask'):
        yield
        return
    from multiprocessing import resource_tracker

    # It comes with the first process, and lets Ctrl+C through when it does.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_to_main(worker: object) -> None:
    """In a process that helps: the main one alone decides on Ctrl+C.

    A terminal sends it to all of them.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
