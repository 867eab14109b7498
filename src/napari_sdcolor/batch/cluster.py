"""Working on tasks with the processes of a dask cluster.

The plan, the journal, the report and the lock stay with the machine that
asks; the processes only read photos and write results, on folders that all
of them see. A few more photos are on their way than there are threads, never
all of them. When a process is lost, dask gives its photos to another one. A
photo that was with several lost processes is tried once more at the end,
alone, so that no other photo is blamed for it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING
from uuid import uuid4

from napari_sdcolor.archive.folders import output_folder
from napari_sdcolor.archive.one_file import JobSpec
from napari_sdcolor.archive.sidecar import software_versions
from napari_sdcolor.batch.cluster_worker import (
    UnfitWorker,
    WorkerInfo,
    WorkerSetup,
    check_worker,
    color_photo,
    sees_lock,
)
from napari_sdcolor.batch.lock import LOCK, LOCK_BYTES, locked
from napari_sdcolor.batch.outcome import FAILED, Outcome
from napari_sdcolor.batch.plan import Plan
from napari_sdcolor.batch.run import remove_all_leftovers
from napari_sdcolor.batch.task import Task
from napari_sdcolor.batch.worker import failure
from napari_sdcolor.core.cancel import CancelToken
from napari_sdcolor.errors import Cancelled, ClusterError, PlanError, said
from napari_sdcolor.opening import read_whole
from napari_sdcolor.words import counted, listed

if TYPE_CHECKING:
    from distributed import Client, Future

EVERY = 2.0
"""Seconds between two looks at which processes there are."""

SAMPLES = 20
"""Folders of photos that every process must see."""

PROCESS = ('process', 'processes')

SHOWN = 5
"""So many processes that do not fit are named in a message."""


class Cluster:
    """Maps tasks to outcomes, in the order in which they are ready.

    Parameters
    ----------
    client
        Connected to a scheduler.
    plan
        What is to be done.
    spec
        How.
    weights
        Their identity, see ``made_with.identity_of``.
    token
        When it is cancelled, the photos that are on their way are finished,
        and the outcomes end.
    say
        Is told in words which processes come and go.
    batch_size
        Photos that go through a network in one pass.
    """

    def __init__(
        self,
        client: Client,
        plan: Plan,
        spec: JobSpec,
        weights: Mapping[str, str],
        token: CancelToken | None = None,
        say: Callable[[str], None] = str,
        batch_size: int = 1,
    ) -> None:
        self.client = client
        self.plan = plan
        self.token = token or CancelToken()
        self.say = say
        self._setup = WorkerSetup(
            spec=spec,
            weights=_weights_place(spec.settings.weights),
            identity=tuple(sorted(weights.items())),
            software=tuple(software_versions().items()),
            output=os.path.abspath(plan.output),
            proof=(LOCK, b''),
            samples=_samples(plan.tasks),
            batch_size=batch_size,
            batch=uuid4().hex,
        )
        self._threads: dict[str, int] = {}
        self._unfit: dict[str, str] = {}
        self._looked_at = 0.0

    def check_workers(self) -> dict[str, WorkerInfo]:
        """Have every process look whether it fits, before any work.

        Returns
        -------
        dict
            The processes by their addresses.

        Raises
        ------
        PlanError
            If one does not fit, with the reason; nothing was written then.
        Cancelled
            If the token was cancelled while there were no processes.
        ClusterError
            If the scheduler is gone.
        """
        with output_folder(self.plan.output), locked(self.plan.output):
            self._read_proof()
            self._wait_for_a_worker()
            try:
                answers = self.client.run(
                    check_worker, self._setup, on_error='return'
                )
            except OSError as error:
                raise _scheduler_gone() from error
        refusals = {
            address: answer
            for address, answer in answers.items()
            if not isinstance(answer, WorkerInfo)
        }
        if refusals:
            raise PlanError(_refusal_words(refusals))
        return dict(answers)

    def __call__(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """Color photos.

        Raises
        ------
        ClusterError
            If the scheduler is gone, or no process is left that fits.
        """
        self._read_proof()
        self._update_workers()
        suspected: list[Task] = []
        yield from self._work(iter(tasks), suspected)
        for task in suspected:
            if not self.token.cancelled:
                yield from self._work(iter([task]), None)
        # Of lost processes; nobody writes any more.
        remove_all_leftovers(self.plan)

    def _read_proof(self) -> None:
        """Who sees the lock of this run sees this very folder."""
        proof = (LOCK, read_whole(self.plan.output / LOCK, LOCK_BYTES))
        self._setup = replace(self._setup, proof=proof)

    def _work(
        self, tasks: Iterator[Task], suspected: list[Task] | None
    ) -> Iterator[Outcome]:
        """Outcomes of tasks; those of lost processes become suspected.

        ``None`` instead of a list: they have been suspected before.
        """
        from distributed import CancelledError, KilledWorker

        ready: SimpleQueue[Future] = SimpleQueue()
        under_way: dict[str, tuple[Future, Task]] = {}

        def watch(future: Future, task: Task) -> None:
            under_way[future.key] = future, task
            future.add_done_callback(ready.put)

        try:
            while True:
                room = max(0, self._capacity() - len(under_way))
                for task in islice(tasks, room):
                    watch(self._submit(task), task)
                if not under_way:
                    return
                future = self._next(ready)
                if self.token.cancelled and not self._threads:
                    return  # nobody is left to finish anything
                if future is None:
                    continue
                _, task = under_way.pop(future.key)
                try:
                    yield _outcome(future, task)
                except TimeoutError:
                    # Its outcome went down with a process; dask asks again.
                    watch(future, task)
                except UnfitWorker as error:
                    self._exclude(error)
                    watch(self._submit(task), task)
                except KilledWorker:
                    if suspected is None:
                        yield _killed_again(task)
                        continue
                    # The look at the processes now and then may miss those
                    # that were replaced at once.
                    self.say(
                        f'{task.source} was with several processes that were '
                        'lost: it is tried once more at the end, alone.'
                    )
                    suspected.append(task)
                except CancelledError as error:
                    raise _scheduler_gone() from error
        finally:
            self.client.cancel([future for future, _ in under_way.values()])

    def _submit(self, task: Task) -> Future:
        return self.client.submit(
            color_photo,
            self._setup,
            _absolute(task),
            key=f'sdcolor-photo-{uuid4().hex}',
            pure=False,
            workers=self._places(),
        )

    def _next(self, ready: SimpleQueue[Future]) -> Future | None:
        """The next photo that is done; None after a while without one."""
        if time.monotonic() - self._looked_at >= EVERY:
            self._update_workers()
            if not sees_lock(self._setup):
                raise ClusterError(
                    f'{self.plan.output / LOCK} was deleted: no process saves '
                    'anything now. The same command goes on from there.'
                )
        try:
            return ready.get(timeout=EVERY)
        except Empty:
            return None

    def _fit(self) -> dict[str, int]:
        """Threads of the processes that fit, by their addresses."""
        return {
            address: threads
            for address, threads in self._threads.items()
            if address not in self._unfit
        }

    def _capacity(self) -> int:
        """Photos that may be on their way: one waits for each process."""
        fit = self._fit()
        return max(1, sum(fit.values()) + len(fit))

    def _places(self) -> list[str] | None:
        """Where photos may go; None for anywhere."""
        if not self._unfit:
            return None
        fit = list(self._fit())
        if not fit:
            reason = next(iter(self._unfit.values()))
            raise ClusterError(
                f'No process is left that fits. {reason} What is done is in '
                'the journal: the same command goes on from there.'
            )
        return fit

    def _exclude(self, error: UnfitWorker) -> None:
        if error.address not in self._unfit:
            self._unfit[error.address] = str(error)
            self.say(f'{error.address} gets no photos. {error}')

    def _update_workers(self) -> None:
        """Look which processes there are, and tell what changed."""
        self._looked_at = time.monotonic()
        try:
            now = dict(self.client.nthreads())
        except (OSError, RuntimeError) as error:
            raise _scheduler_gone() from error
        lost = len(self._threads.keys() - now.keys())
        if lost and now:
            self.say(
                f'{counted(lost, *PROCESS)} lost, {len(now)} left. Their '
                'photos go to others.'
            )
        elif lost:
            self.say('No process is left; waiting for new ones.')
        self._threads = now

    def _wait_for_a_worker(self) -> None:
        self._update_workers()
        if not self._threads:
            self.say('Waiting for the first worker.')
        while not self._threads:
            if self.token.cancelled:
                raise Cancelled('Stopped before there was a worker.')
            time.sleep(EVERY / 4)
            self._update_workers()


def _outcome(future: Future, task: Task) -> Outcome:
    """What became of a photo that is done, or what came in between."""
    from distributed import CancelledError, KilledWorker

    error = future.exception(timeout=EVERY)
    if error is None:
        outcome = future.result(timeout=EVERY)
        # Otherwise dask would color the photo again if the process that
        # still holds the outcome were lost.
        future.release()
        return replace(outcome, source=task.source)
    if isinstance(error, (CancelledError, KilledWorker, UnfitWorker)):
        raise error
    return failure(task, error)


def _scheduler_gone() -> ClusterError:
    return ClusterError(
        'The scheduler is gone. What is done is in the journal: start a '
        'scheduler and workers, and the same command goes on from there.'
    )


def _refusal_words(refusals: Mapping[str, object]) -> str:
    """Why a batch cannot begin, by the reasons and not by the processes."""
    reasons: dict[str, list[str]] = {}
    for address, error in refusals.items():
        if isinstance(error, ImportError):
            why = (
                f'A part of this program is missing there ({said(error)}). Install '
                'the same version of napari-sdcolor on all machines.'
            )
        elif isinstance(error, ClusterError):
            why = str(error)
        else:
            why = f'It does not answer as it should: {error!r}.'
        reasons.setdefault(why, []).append(address)
    sentences = [
        f'{counted(len(names), *PROCESS)} cannot take part '
        f'({listed(names, SHOWN)}). {why}'
        for why, names in reasons.items()
    ]
    return ' '.join(sentences)


def _killed_again(task: Task) -> Outcome:
    return Outcome(
        task.key,
        task.source,
        FAILED,
        reason='Several processes ended while they worked on it, the last '
        'ones with no other photo under way. Perhaps their memory does not '
        'suffice: try it alone with "sdcolor colorize".',
    )


def _absolute(task: Task) -> Task:
    """The same task for a process that works in another folder."""

    def whole(path: str | None) -> str | None:
        return None if path is None else os.path.abspath(path)

    return replace(
        task,
        source=os.path.abspath(task.source),
        folder=os.path.abspath(task.folder),
        labels=whole(task.labels),
        edited=whole(task.edited),
    )


def _weights_place(weights: str) -> str:
    """A file's absolute path; names of weights stay as they are."""
    is_file = weights.endswith('.safetensors') or os.sep in weights
    return os.path.abspath(weights) if is_file else weights


def _samples(tasks: Iterable[Task]) -> tuple[tuple[str, int], ...]:
    """One photo of each of some folders, and where the maps are."""
    folders: dict[str, str] = {}
    maps: dict[str, None] = {}
    for task in tasks:
        folders.setdefault(os.path.dirname(task.source), task.source)
        if task.labels is not None:
            maps[task.labels] = None
    step = max(1, len(folders) // SAMPLES)
    chosen = [*list(folders.values())[::step], *list(maps)[:SAMPLES]]
    samples = []
    for path in map(os.path.abspath, chosen):
        try:
            size = -1 if os.path.isdir(path) else os.stat(path).st_size
        except OSError:
            continue  # its own failure says so later
        samples.append((path, size))
    return tuple(samples)
