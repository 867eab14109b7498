"""A stop answers at once; after the end nobody is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_sdcolor.core import cancel
from napari_sdcolor.errors import PhotoError
from napari_sdcolor.plugin.jobs import Job, Jobs, Report


def quick(result: Any) -> Callable[[Report], Any]:
    return lambda report: result


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


# --- close ----------------------------------------------------------------


def close_while_working(jobs: Jobs, gate: Any) -> None:
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
    prompt_jobs, prompt_log, qapp
):
    got = []
    prompt_jobs.submit(Job('a', quick('on its way'), got.append))
    prompt_jobs.close()
    qapp.processEvents()
    assert got == []
    assert prompt_log.finished == []


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
