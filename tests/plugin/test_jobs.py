"""One worker: the latest wins, a stop answers at once, nobody is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from napari_sdcolor.core import cancel
from napari_sdcolor.errors import PhotoError
from napari_sdcolor.plugin import jobs as jobs_module
from napari_sdcolor.plugin.jobs import Job, Jobs, Report


class Gate:
    """Work that waits until the test opens it."""

    def __init__(self, result: Any = None) -> None:
        self.result = result
        self.thread: threading.Thread | None = None
        self.entered = threading.Event()
        self.open = threading.Event()
        self.done = threading.Event()

    def __call__(self, report: Report) -> Any:
        self.thread = threading.current_thread()
        self.entered.set()
        # A test that fails must not hang the worker for ever.
        assert self.open.wait(60)
        self.done.set()
        return self.result


class Log:
    """What the jobs told, in order."""

    def __init__(self, jobs: Jobs) -> None:
        self.started: list[Job] = []
        self.finished: list[Job] = []
        self.failed: list[tuple[Job, BaseException]] = []
        self.words: list[str] = []
        jobs.started.connect(self.started.append)
        jobs.finished.connect(self.finished.append)
        jobs.failed.connect(self._on_failed)
        jobs.progress.connect(self.words.append)

    def _on_failed(self, job: Job, error: BaseException) -> None:
        self.failed.append((job, error))


@pytest.fixture
def gates() -> Iterator[Callable[..., Gate]]:
    """Makes gates, and opens all of them in the end."""
    made: list[Gate] = []

    def make(result: Any = None) -> Gate:
        made.append(Gate(result))
        return made[-1]

    yield make
    for gate in made:
        gate.open.set()


@pytest.fixture
def jobs(qapp, gates) -> Iterator[Jobs]:
    made = Jobs()
    yield made
    made.close()


@pytest.fixture
def log(jobs) -> Log:
    return Log(jobs)


@pytest.fixture
def wait_idle(qtbot, jobs) -> Callable[[], None]:
    def wait() -> None:
        qtbot.waitUntil(lambda: jobs.idle, timeout=30_000)

    return wait


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


class PromptExecutor(ThreadPoolExecutor):
    """A worker that is done before anybody can look."""

    def submit(self, *work: Any) -> Future:
        future = super().submit(*work)
        futures.wait([future])
        return future


@pytest.fixture
def prompt_jobs(qapp, monkeypatch) -> Iterator[Jobs]:
    """Every job has returned when ``submit`` does, but is not delivered."""
    monkeypatch.setattr(jobs_module, 'ThreadPoolExecutor', PromptExecutor)
    made = Jobs()
    yield made
    made.close()


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


# --- stop -----------------------------------------------------------------


def test_stop_answers_while_the_work_still_goes_on(jobs, log, gates):
    gate = gates()
    job = Job('a', gate, log.words.append)
    jobs.submit(job)
    assert gate.entered.wait(60)
    jobs.stop()
    # No event loop ran in between: the answer did not wait for the worker.
    assert log.finished == [job]
    assert job.token.cancelled
    assert jobs.running is None
    assert not gate.done.is_set()


def test_a_late_result_is_dropped(jobs, log, gates, wait_idle):
    gate, got = gates('late'), []
    jobs.submit(Job('a', gate, got.append))
    assert gate.entered.wait(60)
    jobs.stop()
    gate.open.set()
    wait_idle()
    assert gate.done.is_set()
    assert got == []
    assert len(log.finished) == 1


def test_a_late_error_is_dropped_too(jobs, log, gates, wait_idle):
    gate = gates()

    def work(report: Report) -> None:
        gate(report)
        raise PhotoError('too late')

    jobs.submit(Job('a', work, log.words.append))
    assert gate.entered.wait(60)
    jobs.stop()
    gate.open.set()
    wait_idle()
    assert log.failed == []


def test_stop_drops_what_waits(jobs, log, gates, wait_idle):
    gate, got = gates(), []
    jobs.submit(Job('a', gate, got.append))
    jobs.submit(Job('b', quick('b'), got.append))
    jobs.stop()
    gate.open.set()
    wait_idle()
    assert got == []
    assert len(log.started) == 1


def test_after_a_stop_the_next_job_waits_for_the_worker(
    jobs, log, gates, wait_idle
):
    gate, got = gates('old'), []
    jobs.submit(Job('a', gate, got.append))
    assert gate.entered.wait(60)
    jobs.stop()
    fresh = Job('a', quick('new'), got.append)
    jobs.submit(fresh)
    assert jobs.running is None
    assert not jobs.idle
    gate.open.set()
    wait_idle()
    assert got == ['new']
    assert log.started[-1] is fresh


def test_the_stopped_work_learns_of_it(jobs, gates, wait_idle):
    gate, told = gates(), []

    def work(report: Report) -> None:
        gate(report)
        try:
            cancel.check()
        finally:
            told.append(cancel.check)

    jobs.submit(Job('a', work, told.append))
    assert gate.entered.wait(60)
    jobs.stop()
    gate.open.set()
    wait_idle()
    assert told == [cancel.check]


def test_work_that_gives_up_by_itself_has_not_failed(jobs, log, wait_idle):
    def work(report: Report) -> None:
        job.token.cancel()
        cancel.check()

    job = Job('a', work, log.words.append)
    jobs.submit(job)
    wait_idle()
    assert log.failed == []
    assert log.finished == [job]
    assert log.words == []


def test_one_stop_does_not_reach_the_next_job(jobs, gates, wait_idle):
    gate, got = gates(), []

    def work(report: Report) -> str:
        cancel.check()
        return 'ran'

    jobs.submit(Job('a', gate, got.append))
    jobs.stop()
    jobs.submit(Job('a', work, got.append))
    gate.open.set()
    wait_idle()
    assert got == ['ran']


def test_stop_without_work_says_nothing(jobs, log):
    jobs.stop()
    assert log.finished == []


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


# --- close ----------------------------------------------------------------


def close_while_working(jobs: Jobs, gate: Gate) -> None:
    """Close in the middle of work, and wait until the work is through."""
    assert gate.entered.wait(60)
    jobs.close()
    gate.open.set()
    # Whatever the worker still sends is in the event queue after this.
    gate.thread.join(60)
    assert not gate.thread.is_alive()
    assert gate.done.is_set()


def test_after_close_nobody_is_called(jobs, log, gates, qapp):
    gate, got = gates('late'), []

    def work(report: Report) -> str:
        result = gate(report)
        report('still here')
        return result

    jobs.submit(Job('a', work, got.append))
    jobs.submit(Job('b', quick('b'), got.append))
    close_while_working(jobs, gate)
    qapp.processEvents()
    assert got == []
    assert log.words == []
    assert log.finished == log.failed == []
    assert len(log.started) == 1


def test_a_result_that_is_on_its_way_is_dropped_by_close(
    prompt_jobs, qapp
):
    log, got = Log(prompt_jobs), []
    prompt_jobs.submit(Job('a', quick('on its way'), got.append))
    prompt_jobs.close()
    qapp.processEvents()
    assert got == []
    assert log.finished == []


def test_close_tells_the_work_to_stop(jobs, gates):
    gate = gates()
    job = Job('a', gate, lambda _: None)
    jobs.submit(job)
    close_while_working(jobs, gate)
    assert job.token.cancelled


def test_after_close_nothing_is_taken(jobs, log):
    jobs.close()
    jobs.submit(Job('a', quick(1), log.words.append))
    assert log.started == []
    assert jobs.idle


def test_closing_twice_is_once(jobs):
    jobs.close()
    jobs.close()
    assert jobs.running is None
