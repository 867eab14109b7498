"""One worker thread for everything heavy, the latest request winning.

There is one queue for all photos. A job knows which photo it belongs to, so
that a stop, a failure or a deletion concerns the jobs of that photo only.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from qtpy.QtCore import QObject, Qt, Signal

from napari_sdcolor.core.cancel import CancelToken
from napari_sdcolor.core.progress import told_to
from napari_sdcolor.errors import Cancelled, SdcolorError
from napari_sdcolor.plugin.notices import show_error

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
    owner, plane
        What it is done for: a photo's trio, and which of its planes.
    lasting
        It is done also when the dock is closed meanwhile.

    Attributes
    ----------
    words
        How far it is, as it told last.
    """

    key: Hashable
    work: Callable[[Report], Any]
    then: Callable[[Any], None]
    quiet: bool = False
    name: str = ''
    owner: object = None
    plane: int = 0
    lasting: bool = False
    token: CancelToken = field(default_factory=CancelToken)
    words: str = field(default='', init=False)

    def run(self, report: Report) -> Any:
        with self.token.active(), told_to(report):
            return self.work(report)


class Jobs(QObject):
    """Runs jobs one after the other in a thread of its own.

    Signals
    -------
    submitted(Job), started(Job), progress(str)
        All arrive in the GUI thread, like the following.
    failed(Job, BaseException), finished(Job)
        A job that was started either fails or finishes. A stopped job
        finishes at once; what it still returns is dropped.
    stopped(Job)
        A job was stopped while it ran or waited.
    """

    submitted = Signal(object)
    started = Signal(object)
    progress = Signal(str)
    failed = Signal(object, object)
    finished = Signal(object)
    stopped = Signal(object)
    _told = Signal(object, str)
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
        self._told.connect(self._on_told, Qt.ConnectionType.QueuedConnection)

    @property
    def running(self) -> Job | None:
        """The job at work, unless it was stopped."""
        return self._running

    @property
    def idle(self) -> bool:
        """Nothing runs and nothing waits."""
        return not self._busy and not self._waiting

    def pending(
        self, owner: object = None, names: Collection[str] = ()
    ) -> list[Job]:
        """Jobs that run or wait, in the order in which they come.

        Parameters
        ----------
        owner
            Only jobs of this one; of everybody when None.
        names
            Only jobs of these kinds; of all kinds when empty.
        """
        running = [] if self._running is None else [self._running]
        return [
            job
            for job in (*running, *self._waiting.values())
            if (owner is None or job.owner == owner)
            and (not names or job.name in names)
        ]

    def submit(self, job: Job) -> None:
        """Do a job next, instead of a waiting one with the same key."""
        if self._closed:
            return
        self._waiting[job.key] = job
        self.submitted.emit(job)
        self._start_next()

    def withdraw(self, job: Job) -> None:
        """Leave out a waiting job that another one makes needless."""
        if self._waiting.get(job.key) is job:
            del self._waiting[job.key]

    def stop(
        self, owner: object = None, names: Collection[str] = ()
    ) -> list[Job]:
        """Drop what runs and what waits; answers at once.

        Parameters
        ----------
        owner, names
            Which jobs are meant, see ``pending``.

        Returns
        -------
        list of Job
            What was dropped: not a job that is all but done.
        """
        dropped = []
        for job in self.pending(owner, names):
            if not job.token.cancel():
                continue
            dropped.append(job)
            if job is self._running:
                self._running = None
                self.stopped.emit(job)
                self.finished.emit(job)
            elif self._waiting.pop(job.key, None) is not None:
                self.stopped.emit(job)
        return dropped

    def close(self) -> None:
        """Stop, and never call anybody again; lasting jobs are still done."""
        self._closed = True
        waiting, self._waiting = self._waiting, OrderedDict()
        if self._running is not None and not self._running.lasting:
            self._running.token.cancel()
        self._running = None
        for job in waiting.values():
            if job.lasting:
                future = self._executor.submit(job.run, _nobody)
                future.add_done_callback(partial(self._in_worker, job))
        # Python itself waits for them when it ends.
        self._executor.shutdown(wait=False)

    def _start_next(self) -> None:
        # A stopped job may still be winding down: wait for it.
        if self._busy or not self._waiting:
            return
        _, job = self._waiting.popitem(last=False)
        self._running = job
        self._busy = True
        self.started.emit(job)
        report = partial(self._report, job)
        future = self._executor.submit(job.run, report)
        future.add_done_callback(partial(self._in_worker, job))

    def _report(self, job: Job, words: str) -> None:
        if not self._closed:
            self._told.emit(job, words)

    def _on_told(self, job: Job, words: str) -> None:
        # Late, if it was stopped meanwhile.
        if job is self._running:
            job.words = words
            self.progress.emit(words)

    def _in_worker(self, job: Job, future: Future) -> None:
        if not self._closed:
            self._returned.emit(job, future)
        elif job.lasting and isinstance(future.exception(), SdcolorError):
            # Nobody is left to say it.
            show_error(str(future.exception()))

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


def _nobody(words: str) -> None:
    """Listens to nothing."""
