"""Ctrl+C is noted first, and obeyed at once the second time."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from napari_sdcolor.training.interrupts import stop_requests


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_request_is_noted(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stop_requests() as request:
        assert not request.asked
        os.kill(os.getpid(), number)
        assert request.asked
    assert signal.getsignal(number) is before


def test_the_second_one_breaks_off() -> None:
    # Jobs that a shell starts in the background ignore Ctrl+C.
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), stop_requests():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_get_a_request_that_is_never_asked() -> None:
    found = []

    def run() -> None:
        with stop_requests() as request:
            found.append(request.asked)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [False]
