"""Work that waits until a test lets it go, and a log of what was told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

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


@pytest.fixture
def prompt_log(prompt_jobs) -> Log:
    return Log(prompt_jobs)
