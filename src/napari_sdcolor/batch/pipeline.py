"""Working on tasks on this machine, everything side by side.

One thread reads ahead, some run the networks, some save behind. On the CPU
each photo's networks run on one thread (``Colorizer.colorize``), so several
photos are colored at a time; on a GPU several go through them in one pass
(``core.batching``). The outcomes come in the order of the tasks. What may
bring the process down is colored in another one (``alone``).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from napari_sdcolor.archive.one_file import Page
from napari_sdcolor.batch.alone import Alone
from napari_sdcolor.batch.outcome import Outcome
from napari_sdcolor.batch.task import Task
from napari_sdcolor.batch.worker import Job, Worker, failure
from napari_sdcolor.core.cancel import CancelToken
from napari_sdcolor.core.results import Colorized
from napari_sdcolor.errors import TROUBLE, Cancelled

AHEAD, BEHIND = 1, 1
"""Files that are read ahead and that wait for being saved."""

MOST = 8
"""Photos in the networks at a time; each takes memory."""

Begun = Outcome | tuple[Job, Page]
Colored = Outcome | Future[Outcome]


class Pipeline:
    """Maps tasks to outcomes.

    Parameters
    ----------
    worker
        What is done with every photo.
    token
        When it is cancelled, photos in the networks are dropped, those that
        are being saved are finished, and the outcomes end.
    side_by_side
        Photos in the networks at a time; by default as many as go through
        them in one pass, or where that is one photo on the CPU, one for
        each thread that the networks may use.
    """

    def __init__(
        self,
        worker: Worker,
        token: CancelToken | None = None,
        side_by_side: int | None = None,
    ) -> None:
        self.worker = worker
        self.token = token or CancelToken()
        self.side_by_side = side_by_side or worker.side_by_side(MOST)

    def __call__(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        count = self.side_by_side
        waiting: deque[tuple[Future[Begun], Future[Colored]]] = deque()
        with (
            ThreadPoolExecutor(1, 'sdcolor-read') as reading,
            ThreadPoolExecutor(max(1, count // 4), 'sdcolor-save') as saving,
            self.worker.threads_for(count) as prepare,
            Alone(self.worker) as alone,
            ThreadPoolExecutor(count, 'sdcolor-color', prepare) as coloring,
        ):
            try:
                for task in tasks:
                    if task.alone:
                        while waiting:
                            yield from _outcome(waiting.popleft()[1])
                        try:
                            yield alone(task, self.token)
                        except Cancelled:
                            break
                        continue
                    begun = reading.submit(self._begin, task)
                    colored = coloring.submit(
                        self._color, begun, reading, saving
                    )
                    waiting.append((begun, colored))
                    while waiting and (
                        len(waiting) > count + AHEAD + BEHIND
                        or _is_done(waiting[0][1])
                    ):
                        yield from _outcome(waiting.popleft()[1])
                    if self.token.cancelled:
                        break
                while waiting:
                    yield from _outcome(waiting.popleft()[1])
            finally:
                if waiting:
                    # Whoever asked for outcomes wants no more of them.
                    self.token.cancel()
                for begun, colored in waiting:
                    if colored.cancel():
                        _close(begun)

    def _begin(self, task: Task) -> Begun:
        self._check()
        job = self.worker.open(task)
        if isinstance(job, Outcome):
            return job
        try:
            return job, self.worker.read(job, job.file.pages[0])
        except TROUBLE as error:
            job.resources.close()
            return failure(task, error)

    def _color(
        self,
        begun: Future[Begun],
        reading: ThreadPoolExecutor,
        saving: ThreadPoolExecutor,
    ) -> Colored:
        """Run the networks on what was read, and have it saved."""
        with self.worker.gathering():
            found = begun.result()
            if isinstance(found, Outcome):
                return found
            job, page = found
            try:
                self._check()
                with self.token.active():
                    result = self.worker.color(job, page)
            except Cancelled:
                job.resources.close()
                raise
            except TROUBLE as error:
                job.resources.close()
                return failure(job.task, error)
            # Nothing of a large photo stays here longer than it is needed.
            del found, page
            channel = Channel()
            saved = saving.submit(self.worker.save, job, channel)
            channel.put(result)
            del result
            self._color_further(job, channel, reading)
            return saved

    def _color_further(
        self,
        job: Job,
        channel: Channel,
        reading: ThreadPoolExecutor,
    ) -> None:
        """The pages after the first one."""
        try:
            for number in job.file.pages[1:]:
                page = reading.submit(self.worker.read, job, number).result()
                with self.token.active():
                    result = self.worker.color(job, page)
                if not channel.put(result):
                    break
        except (Cancelled, *TROUBLE) as error:
            channel.end(error)
        channel.end()

    def _check(self) -> None:
        if self.token.cancelled:
            raise Cancelled('Stopped.')


def _is_done(colored: Future[Colored]) -> bool:
    if not colored.done() or colored.cancelled() or colored.exception():
        return colored.done()
    saved = colored.result()
    return isinstance(saved, Outcome) or saved.done()


def _outcome(colored: Future[Colored]) -> Iterator[Outcome]:
    """The outcome of one task; none if it was cancelled."""
    try:
        found = colored.result()
        outcome = found if isinstance(found, Outcome) else found.result()
    except Cancelled:
        return
    yield outcome


def _close(begun: Future[Begun]) -> None:
    """Drop a photo that was read ahead in vain."""
    try:
        found = begun.result()
    except Cancelled:
        return
    if not isinstance(found, Outcome):
        found[0].resources.close()


class Channel:
    """A short queue that one thread fills and another one iterates over.

    Parameters
    ----------
    length
        So many results wait at most; ``put`` waits for room.
    """

    def __init__(self, length: int = 1) -> None:
        self._length = length
        self._things: deque[Colorized] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._error: BaseException | None = None

    def put(self, thing: Colorized) -> bool:
        """Hand one over; False if nobody takes it any more."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._ended or len(self._things) < self._length
            )
            if self._ended:
                return False
            self._things.append(thing)
            self._changed.notify_all()
            return True

    def end(self, error: BaseException | None = None) -> None:
        """Nothing more comes; an error is raised on the other side."""
        with self._changed:
            self._error = self._error or error
            self._ended = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Colorized]:
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._ended or self._things)
                    if self._error is not None:
                        raise self._error
                    if not self._things:
                        return
                    thing = self._things.popleft()
                    self._changed.notify_all()
                yield thing
                del thing
        finally:
            self.end()
