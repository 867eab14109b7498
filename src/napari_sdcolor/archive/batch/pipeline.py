"""Working on tasks on this machine, reading and saving beside the networks.

One thread reads ahead, the caller's thread runs the networks, one thread
saves behind. The outcomes come in the order of the tasks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

from napari_sdcolor.archive.batch.channel import Channel
from napari_sdcolor.archive.batch.outcome import Outcome
from napari_sdcolor.archive.batch.plan import Task
from napari_sdcolor.archive.batch.worker import (
    TROUBLE,
    Job,
    Page,
    Worker,
    failure,
)
from napari_sdcolor.core.cancel import CancelToken
from napari_sdcolor.core.results import Colorized
from napari_sdcolor.errors import Cancelled

AHEAD, BEHIND = 1, 1
"""Files that are read ahead and that wait for being saved."""

Begun = Outcome | tuple[Job, Page]


class Pipeline:
    """Maps tasks to outcomes.

    Parameters
    ----------
    worker
        What is done with every photo.
    token
        When it is cancelled, the photo in the networks is dropped, the
        photos before it are saved, and the outcomes end.
    """

    def __init__(self, worker: Worker, token: CancelToken | None = None):
        self.worker = worker
        self.token = token or CancelToken()

    def __call__(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        tasks = iter(tasks)
        ahead: deque[Future[Begun]] = deque()
        behind: deque[Future[Outcome]] = deque()
        with (
            ThreadPoolExecutor(1, 'sdcolor-read') as reading,
            ThreadPoolExecutor(1, 'sdcolor-save') as saving,
        ):
            try:
                while True:
                    missing = AHEAD + 1 - len(ahead)
                    ahead.extend(
                        reading.submit(self._begin, task)
                        for task in islice(tasks, missing)
                    )
                    if not ahead or self.token.cancelled:
                        break
                    begun = ahead.popleft().result()
                    behind.append(self._go_on(begun, reading, saving))
                    while behind and (
                        len(behind) > BEHIND or behind[0].done()
                    ):
                        yield behind.popleft().result()
            except Cancelled:
                pass  # by whoever holds the token, and who knows it
            finally:
                for future in ahead:
                    _close(future)
            for future in behind:
                yield future.result()

    def _begin(self, task: Task) -> Begun:
        job = self.worker.open(task)
        if isinstance(job, Outcome):
            return job
        try:
            return job, self.worker.read(job, job.file.pages[0])
        except TROUBLE as error:
            job.resources.close()
            return failure(task, error)

    def _go_on(
        self,
        begun: Begun,
        reading: ThreadPoolExecutor,
        saving: ThreadPoolExecutor,
    ) -> Future[Outcome]:
        """Run the networks on what was read, and have it saved."""
        if isinstance(begun, Outcome):
            ready: Future[Outcome] = Future()
            ready.set_result(begun)
            return ready
        job, page = begun
        channel: Channel[Colorized] = Channel()
        saved = saving.submit(self.worker.save, job, channel)
        try:
            for number in job.file.pages[1:]:
                upcoming = reading.submit(self.worker.read, job, number)
                if not self._color(job, page, channel):
                    return saved
                page = upcoming.result()
            self._color(job, page, channel)
        except Cancelled as error:
            channel.end(error)
            raise
        except TROUBLE as error:
            channel.end(error)
        except BaseException:
            channel.end(Cancelled('Stopped.'))
            raise
        channel.end()
        return saved

    def _color(
        self, job: Job, page: Page, channel: Channel[Colorized]
    ) -> bool:
        with self.token.active():
            result = self.worker.color(job, page)
        return channel.put(result)


def _close(future: Future[Begun]) -> None:
    """Drop a photo that was read ahead in vain."""
    if not future.cancel():
        begun = future.result()
        if not isinstance(begun, Outcome):
            begun[0].resources.close()
