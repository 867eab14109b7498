"""A job belongs to a photo: a stop concerns the jobs of one photo only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from napari_sdcolor.core import cancel
from napari_sdcolor.errors import SaveError
from napari_sdcolor.plugin.jobs import Job, Report

A, B = object(), object()


def quick(result: Any) -> Callable[[Report], Any]:
    return lambda report: result


def test_a_stop_leaves_the_running_job_of_another_owner(
    jobs, log, gates, wait_idle
):
    gate, got = gates('a'), []
    jobs.submit(Job('a', gate, got.append, owner=A))
    jobs.submit(Job('b', quick('b'), got.append, owner=B))
    assert [job.key for job in jobs.stop(B)] == ['b']
    gate.open.set()
    wait_idle()
    assert got == ['a']


def test_a_stop_leaves_the_waiting_job_of_another_owner(
    jobs, log, gates, wait_idle
):
    gate, got = gates('a'), []
    jobs.submit(Job('a', gate, got.append, owner=A))
    jobs.submit(Job('b', quick('b'), got.append, owner=B))
    jobs.submit(Job('any', quick('any'), got.append))
    jobs.stop(A)
    gate.open.set()
    wait_idle()
    assert got == ['b', 'any']


def test_a_stop_may_be_meant_for_some_kinds_only(jobs, gates, wait_idle):
    gate, got = gates('save'), []
    jobs.submit(Job('save', gate, got.append, owner=A, name='save'))
    jobs.submit(Job('run', quick('run'), got.append, owner=A, name='run'))
    jobs.stop(A, ['run'])
    gate.open.set()
    wait_idle()
    assert got == ['save']


def test_every_stopped_job_is_told(jobs, gates):
    told = []
    jobs.stopped.connect(told.append)
    first = Job('a', gates(), told.append, owner=A)
    second = Job('b', quick('b'), told.append, owner=A)
    jobs.submit(first)
    jobs.submit(second)
    jobs.stop(A)
    assert told == [first, second]
    assert jobs.pending(A) == []


def test_what_is_pending_is_listed_in_its_order(jobs, gates):
    gate = gates()
    made = [Job(key, gate, print, owner=A, name=key) for key in 'abc']
    for job in made:
        jobs.submit(job)
    assert jobs.pending() == jobs.pending(A) == made
    assert jobs.pending(A, ['c']) == [made[2]]
    assert jobs.pending(B) == []


def test_the_words_of_a_stopped_job_are_not_those_of_the_next(
    jobs, log, gates, wait_idle
):
    gate, second = gates(), gates()

    def work(report: Report) -> None:
        gate(report)
        report('from long ago')

    jobs.submit(Job('a', work, log.words.append))
    assert gate.entered.wait(60)
    jobs.stop()
    following = Job('b', second, lambda result: None)
    jobs.submit(following)
    gate.open.set()
    second.open.set()
    wait_idle()
    assert log.words == []
    assert following.words == ''


def test_a_job_that_is_all_but_done_is_not_stopped(
    jobs, log, gates, wait_idle
):
    """What has its name on the disk is never called stopped."""
    gate, got = gates('saved'), []

    def work(report: Report) -> str:
        cancel.commit()
        return gate(report)

    job = Job('a', work, got.append)
    jobs.submit(job)
    assert gate.entered.wait(60)
    assert jobs.stop() == []
    assert not job.token.cancelled
    gate.open.set()
    wait_idle()
    assert got == ['saved']


def test_a_job_that_was_stopped_does_not_get_so_far(jobs, gates, wait_idle):
    gate, written = gates(), []

    def work(report: Report) -> None:
        gate(report)
        cancel.commit()
        written.append(1)

    job = Job('a', work, written.append)
    jobs.submit(job)
    assert gate.entered.wait(60)
    assert jobs.stop() == [job]
    gate.open.set()
    wait_idle()
    assert written == []


@pytest.mark.parametrize('runs', [True, False], ids=['runs', 'waits'])
def test_lasting_jobs_are_done_after_the_dock_is_closed(jobs, gates, runs):
    gate, done, told = gates(), gates(), []
    done.open.set()
    first = gate if not runs else _both(gate, done)
    jobs.submit(Job('a', first, told.append, lasting=runs))
    if not runs:
        jobs.submit(Job('b', done, told.append, lasting=True))
        jobs.submit(Job('c', lambda report: told.append(1), told.append))
    assert gate.entered.wait(60)
    jobs.close()
    gate.open.set()
    assert done.done.wait(60)
    gate.thread.join(60)
    assert told == []


def _both(first: Callable, then: Callable) -> Callable[[Report], None]:
    def work(report: Report) -> None:
        first(report)
        cancel.check()
        then(report)

    return work


@pytest.mark.shows_errors
def test_what_goes_wrong_after_the_end_is_still_said(jobs, gates, notices):
    gate = gates()

    def work(report: Report) -> None:
        gate(report)
        raise SaveError('The disk is full.')

    jobs.submit(Job('a', work, lambda result: None, lasting=True))
    assert gate.entered.wait(60)
    jobs.close()
    gate.open.set()
    gate.thread.join(60)
    assert notices() == ['The disk is full.']
