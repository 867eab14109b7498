"""One worker thread for everything heavy, the latest request winning."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from qtpy.QtCore import QObject, Qt, Signal

from napari_sdcolor.core.cancel import CancelToken
from napari_sdcolor.core.progress import told_to
from napari_sdcolor.errors import Cancelled

Report = Callable[[str], None]


@dataclass(eq=False)
class Job:
    """Something to do off the GUI thread.

    Parameters
    ----------
    key
        A waiting job is replaced by a newer one with the same key.
    work
        Called in the worker with a function that takes progress words.
    then
        Called in the GUI thread with what ``work`` returned.
    quiet
        Do not show it as progress.
    name
        What kind of job it is, where somebody wants to know.
    """

    key: Hashable
    work: Callable[[Report], Any]
    then: Callable[[Any], None]
    quiet: bool = False
    name: str = ''
    token: CancelToken = field(default_factory=CancelToken)

    def run(self, report: Report) -> Any:
        with self.token.active(), told_to(report):
            return self.work(report)


class Jobs(QObject):
    """Runs jobs one after the other in a thread of its own.

    Signals
    -------
    started(Job), progress(str), failed(Job, BaseException), finished(Job)
        All arrive in the GUI thread; a job either fails or finishes. A
        stopped job finishes at once; what it still returns is dropped.
    """

    started = Signal(object)
    progress = Signal(str)
    failed = Signal(object, object)
    finished = Signal(object)
    _returned = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self._executor = ThreadPoolExecutor(1, 'sdcolor')
        self._waiting: OrderedDict[Hashable, Job] = OrderedDict()
        self._running: Job | None = None
        self._busy = False
        self._closed = False
        # Queued also when the worker was done before it could be asked to
        # tell: nobody is called inside ``submit``.
        self._returned.connect(
            self._on_returned, Qt.ConnectionType.QueuedConnection
        )

    @property
    def running(self) -> Job | None:
        """The job at work, unless it was stopped."""
        return self._running

    @property
    def idle(self) -> bool:
        """Nothing runs and nothing waits."""
        return not self._busy and not self._waiting

    def submit(self, job: Job) -> None:
        """Do a job next, instead of a waiting one with the same key."""
        if self._closed:
            return
        self._waiting[job.key] = job
        self._start_next()

    def stop(self) -> None:
        """Drop what runs and what waits; answers at once."""
        self._waiting.clear()
        if self._running is not None:
            job, self._running = self._running, None
            job.token.cancel()
            self.finished.emit(job)

    def close(self) -> None:
        """Stop, and never call anybody again."""
        self._closed = True
        self._waiting.clear()
        if self._running is not None:
            self._running.token.cancel()
            self._running = None
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _start_next(self) -> None:
        # A stopped job may still be winding down: wait for it.
        if self._busy or not self._waiting:
            return
        _, job = self._waiting.popitem(last=False)
        self._running = job
        self._busy = True
        self.started.emit(job)
        future = self._executor.submit(job.run, self._report)
        future.add_done_callback(partial(self._in_worker, job))

    def _report(self, words: str) -> None:
        if not self._closed:
            self.progress.emit(words)

    def _in_worker(self, job: Job, future: Future) -> None:
        if not self._closed:
            self._returned.emit(job, future)

    def _on_returned(self, job: Job, future: Future) -> None:
        self._busy = False
        if self._closed:
            return
        current = self._running is job
        self._running = None
        try:
            if current:
                self._deliver(job, future)
        finally:
            self._start_next()

    def _deliver(self, job: Job, future: Future) -> None:
        error = future.exception()
        if error is not None and not isinstance(error, Cancelled):
            self.failed.emit(job, error)
            return
        try:
            if error is None:
                job.then(future.result())
        finally:
            self.finished.emit(job)
