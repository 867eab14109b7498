"""The first Ctrl+C asks, the second one breaks off."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from napari_sdcolor.errors import Cancelled
from napari_sdcolor.interrupts import (
    ending_at_once,
    ending_with,
    leave_to_main,
    stop_signals,
)

BOTH = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def _handlers_are_put_back() -> Iterator[None]:
    # Jobs that a shell starts in the background ignore Ctrl+C.
    before = [signal.getsignal(number) for number in BOTH]
    yield
    assert [signal.getsignal(number) for number in BOTH] == before


@pytest.mark.parametrize('number', BOTH)
def test_a_request_is_noted(number: signal.Signals) -> None:
    asked: list[int] = []
    with stop_signals(lambda: asked.append(1)):
        assert not asked
        os.kill(os.getpid(), number)
        assert asked == [1]
        os.kill(os.getpid(), signal.SIGTERM)
        assert asked == [1]


@pytest.mark.parametrize('first', BOTH)
def test_the_second_ctrl_c_breaks_off(first: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), stop_signals(list):
        os.kill(os.getpid(), first)
        os.kill(os.getpid(), signal.SIGINT)


def test_whatever_insists_breaks_off() -> None:
    with pytest.raises(KeyboardInterrupt), stop_signals(list, insisting=BOTH):
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)


STUCK = """
import os, sys, threading
from concurrent.futures import ThreadPoolExecutor
from napari_sdcolor.interrupts import stop_signals

pipe = os.pipe()
with stop_signals(lambda: print('asked', flush=True)):
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(os.read, pipe[0], 1)  # never comes back
        print('stuck', flush=True)
        work.result()
"""


@pytest.mark.skipif(os.name != 'posix', reason='signals of POSIX')
def test_a_thread_that_is_stuck_keeps_nobody() -> None:
    with subprocess.Popen(
        [sys.executable, '-c', STUCK],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == 'stuck\n'
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == 'asked\n'
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 128 + signal.SIGINT


DEEP = """
import time
from napari_sdcolor.interrupts import ending_at_once

with ending_at_once(lambda: print('said', flush=True)):
    print('deep', flush=True)
    try:
        time.sleep(60)
    finally:
        print('unwound', flush=True)
"""


@pytest.mark.skipif(os.name != 'posix', reason='signals of POSIX')
@pytest.mark.parametrize('number', BOTH)
def test_an_end_at_once_breaks_off_nothing(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, '-c', DEEP], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == 'deep\n'
        process.send_signal(number)
        assert process.stdout.read() == 'said\n'
        assert process.wait(10) == 130


def test_after_it_all_is_as_before() -> None:
    before = [signal.getsignal(number) for number in BOTH]
    with ending_at_once(list):
        assert signal.getsignal(signal.SIGINT) not in before
    assert [signal.getsignal(number) for number in BOTH] == before


def test_other_threads_are_never_asked() -> None:
    before = signal.getsignal(signal.SIGINT)
    found = []

    def run() -> None:
        with stop_signals(lambda: found.append('asked')):
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [before]


def test_an_end_with_a_sentence() -> None:
    with pytest.raises(Cancelled, match='Stopped; nothing was written'):  # noqa: SIM117
        with ending_with('Stopped; nothing was written.'):
            raise KeyboardInterrupt


def test_helping_processes_leave_it_to_the_main_one() -> None:
    before = signal.getsignal(signal.SIGINT)
    try:
        leave_to_main(3)
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
