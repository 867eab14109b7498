"""Ctrl+C and requests to end, obeyed between two steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """Whether somebody asked the run to stop."""

    asked = False


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Note Ctrl+C and SIGTERM instead of breaking off at once.

    A second Ctrl+C breaks off wherever the run is. Outside the main
    thread signals cannot be caught, and nothing changes.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def note(number: int, frame: FrameType | None) -> None:
        if request.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        request.asked = True

    before = {
        number: signal.signal(number, note)
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave_to_main(worker: int) -> None:
    """In a reading process: the main one decides on Ctrl+C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
