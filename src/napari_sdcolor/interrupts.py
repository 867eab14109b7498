"""Ctrl+C and requests to end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from types import FrameType

from napari_sdcolor.errors import Cancelled


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
        first one; the others are then nothing new.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if not asked:
            asked = True
            ask()
        elif number in insisting:
            raise KeyboardInterrupt

    before = {
        number: signal.signal(number, note)
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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


def leave_to_main(worker: object) -> None:
    """In a process that helps: the main one alone decides on Ctrl+C.

    A terminal sends it to all of them.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
