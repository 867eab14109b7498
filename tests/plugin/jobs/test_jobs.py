"""One worker: the latest wins, and no error stalls the queue."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from napari_sdcolor.errors import PhotoError
from napari_sdcolor.plugin.jobs import Job, Report


def quick(result: Any) -> Callable[[Report], Any]:
    return lambda report: result


def test_the_result_arrives_in_the_gui_thread(jobs, log, wait_idle):
    arrived = []

    def work(report: Report) -> int:
        return threading.get_ident()

    def then(worker: int) -> None:
        arrived.append((worker, threading.get_ident()))

    job = Job('a', work, then)
    jobs.submit(job)
    assert jobs.running is job
    assert not jobs.idle
    wait_idle()
    ((worker, gui),) = arrived
    assert gui == threading.get_ident() != worker
    assert log.started == log.finished == [job]
    assert jobs.running is None


def test_however_quick_the_worker_nobody_is_called_inside_submit(
    prompt_jobs, qtbot
):
    got = []
    job = Job('a', quick('quick'), got.append)
    prompt_jobs.submit(job)
    assert got == []
    assert prompt_jobs.running is job
    qtbot.waitUntil(lambda: got == ['quick'])


def test_every_job_runs_in_the_same_thread(jobs, wait_idle):
    """The networks keep their pool of threads warm."""
    threads = []
    for key in range(5):
        jobs.submit(Job(key, lambda _: threading.get_ident(), threads.append))
    wait_idle()
    assert len(threads) == 5
    assert len(set(threads)) == 1


def test_progress_is_told_while_the_work_goes_on(jobs, log, gates, qtbot):
    gate = gates()

    def work(report: Report) -> None:
        report('Half of it…')
        gate(report)

    jobs.submit(Job('a', work, log.finished.append))
    qtbot.waitUntil(lambda: log.words == ['Half of it…'])
    assert not gate.done.is_set()


# --- the latest wins ------------------------------------------------------


def test_the_latest_of_a_key_wins_and_the_others_never_run(
    jobs, log, gates, wait_idle
):
    gate, got = gates('first'), []
    jobs.submit(Job('other', gate, got.append))
    for number in range(20):
        jobs.submit(Job('edit', quick(number), got.append))
    gate.open.set()
    wait_idle()
    assert got == ['first', 19]
    assert len(log.started) == len(log.finished) == 2


def test_what_runs_is_not_replaced(jobs, gates, wait_idle):
    gate, got = gates('old'), []
    jobs.submit(Job('edit', gate, got.append))
    jobs.submit(Job('edit', quick('new'), got.append))
    gate.open.set()
    wait_idle()
    assert got == ['old', 'new']


def test_other_keys_wait_in_the_order_of_their_coming(jobs, gates, wait_idle):
    gate, got = gates(0), []
    jobs.submit(Job('a', gate, got.append))
    for number, key in enumerate(['b', 'c', 'd'], start=1):
        jobs.submit(Job(key, quick(number), got.append))
    gate.open.set()
    wait_idle()
    assert got == [0, 1, 2, 3]


def test_a_result_may_ask_for_the_next_job(jobs, wait_idle):
    got = []

    def again(number: int) -> None:
        got.append(number)
        if number < 3:
            jobs.submit(Job('a', quick(number + 1), again))

    jobs.submit(Job('a', quick(0), again))
    wait_idle()
    assert got == [0, 1, 2, 3]


# --- errors ---------------------------------------------------------------


@pytest.mark.parametrize('kind', [PhotoError, ZeroDivisionError, MemoryError])
def test_an_error_is_told_with_its_job(jobs, log, wait_idle, kind):
    got = []

    def work(report: Report) -> None:
        raise kind('broken')

    job = Job('a', work, got.append)
    jobs.submit(job)
    wait_idle()
    ((failed, error),) = log.failed
    assert failed is job
    assert type(error) is kind
    assert got == []
    assert log.finished == []


def test_after_an_error_the_queue_goes_on(jobs, gates, wait_idle):
    gate, got = gates(), []

    def work(report: Report) -> None:
        gate(report)
        raise PhotoError('broken')

    jobs.submit(Job('a', work, got.append))
    jobs.submit(Job('b', quick('b'), got.append))
    gate.open.set()
    wait_idle()
    assert got == ['b']


def test_an_error_while_showing_does_not_stall_the_queue(
    jobs, log, gates, wait_idle, qtbot
):
    gate, got = gates(), []

    def then(result: object) -> None:
        raise ZeroDivisionError('cannot show that')

    job = Job('a', gate, then)
    with qtbot.captureExceptions() as caught:
        jobs.submit(job)
        jobs.submit(Job('b', quick('b'), got.append))
        gate.open.set()
        wait_idle()
    assert [kind for kind, _, _ in caught] == [ZeroDivisionError]
    assert got == ['b']
    # Nobody waits for it for ever.
    assert log.finished[0] is job


def test_an_error_of_a_listener_does_not_stall_the_queue(
    jobs, gates, wait_idle, qtbot
):
    """The coordinator raises faults of ours again, for napari to show."""
    gate, got = gates(), []

    def work(report: Report) -> None:
        gate(report)
        raise ZeroDivisionError('a fault of ours')

    def on_failed(job: Job, error: BaseException) -> None:
        raise error

    jobs.failed.connect(on_failed)
    with qtbot.captureExceptions() as caught:
        jobs.submit(Job('a', work, got.append))
        jobs.submit(Job('b', quick('b'), got.append))
        gate.open.set()
        wait_idle()
    assert [kind for kind, _, _ in caught] == [ZeroDivisionError]
    assert got == ['b']
