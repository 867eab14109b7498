"""What a process of a cluster does: look whether it fits, then color photos.

A process fits if it would write the same bytes as the machine that asks:
the same software, folders and weights. It looks once per batch and loads
the networks once per batch.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from napari_sdcolor.archive.one_file import JobSpec, Page
from napari_sdcolor.archive.sidecar import software_versions
from napari_sdcolor.batch.lock import LOCK_BYTES
from napari_sdcolor.batch.made_with import identity_of
from napari_sdcolor.batch.outcome import Outcome
from napari_sdcolor.batch.pipeline import MOST
from napari_sdcolor.batch.task import Task
from napari_sdcolor.batch.worker import Job, Worker
from napari_sdcolor.core.device import choose, refuse_half
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.results import Colorized
from napari_sdcolor.errors import ClusterError, SdcolorError, said
from napari_sdcolor.opening import read_whole
from napari_sdcolor.words import short_hash

Pairs = tuple[tuple[str, str | None], ...]

_guard = threading.Lock()


@dataclass(frozen=True)
class WorkerSetup:
    """What is asked of every process; picklable and hashable.

    Parameters
    ----------
    spec
        How photos are colored.
    weights
        Name of the weights, or the absolute path of a file.
    identity
        Of these weights, see ``made_with.identity_of``.
    software
        Versions of all that computes or encodes.
    output
        The output folder, as an absolute path.
    proof
        Name and content of a file that lies there during the batch.
    samples
        Paths that all must see, with the size of files, -1 for folders.
    batch_size
        Photos that go through a network in one pass.
    batch
        Tells batches apart: what a name of weights stands for may change
        between two of them.
    """

    spec: JobSpec
    weights: str
    identity: Pairs
    software: Pairs
    output: str
    proof: tuple[str, bytes]
    samples: tuple[tuple[str, int], ...] = ()
    batch_size: int = 1
    batch: str = ''


@dataclass(frozen=True)
class WorkerInfo:
    """A process that fits.

    Parameters
    ----------
    host
        Name of its machine.
    device
        'cpu', 'cuda' or 'mps'.
    words
        The device for a person.
    gpu
        Tells the GPUs of a machine apart; empty without one.
    """

    host: str
    device: str
    words: str
    gpu: str = ''


class UnfitWorker(ClusterError):
    """A process that must not color photos of this batch.

    Parameters
    ----------
    message
        Why, as a sentence.
    address
        Of the process.
    """

    def __init__(self, message: str, address: str) -> None:
        super().__init__(message, address)
        self.address = address

    def __str__(self) -> str:
        return str(self.args[0])


class ClusterWorker(Worker):
    """Colors photos in several threads of one process.

    On the CPU each photo's networks take one thread; a GPU takes as many
    photos at a time as go through the networks in one pass, while others
    are read and saved.

    Parameters
    ----------
    spec, colorizer, batch_size
        As for ``Worker``.
    is_wanted
        Whether the batch still goes on.
    """

    def __init__(
        self,
        spec: JobSpec,
        colorizer: Colorizer,
        batch_size: int = 1,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        super().__init__(spec, colorizer, batch_size)
        self.is_wanted = is_wanted
        self._places = threading.BoundedSemaphore(max(MOST, batch_size))
        self._networks: contextlib.AbstractContextManager[Any] = (
            contextlib.nullcontext()
            if colorizer.device.kind == 'cpu' or self.batch_size > 1
            else threading.Lock()
        )

    def __call__(self, task: Task) -> Outcome:
        with self._places:
            return super().__call__(task)

    def color(self, job: Job, page: Page) -> Colorized:
        with self._networks:
            return super().color(job, page)

    def make_room(self, job: Job) -> None:
        """Make room for the results, unless nobody wants them any more.

        A batch whose scheduler is gone has ended, and the next one has the
        same photos: its results stay.
        """
        if not self.is_wanted():
            raise ClusterError(
                'The batch ended before this photo was done, or its lock was '
                'deleted: nothing of it was saved.'
            )
        super().make_room(job)


async def check_worker(setup: WorkerSetup) -> WorkerInfo:
    """Look whether this process fits, beside its event loop.

    Raises
    ------
    ClusterError
        If it does not, with the reason.
    """
    return await asyncio.to_thread(_describe, setup)


def color_photo(setup: WorkerSetup, task: Task) -> Outcome:
    """Color one photo.

    Raises
    ------
    UnfitWorker
        If this process, which came late, does not fit.
    """
    try:
        found = worker_for(setup)
    except ClusterError as error:
        from distributed import get_worker

        raise UnfitWorker(str(error), get_worker().address) from error
    return found(task)


def worker_for(setup: WorkerSetup) -> ClusterWorker:
    """This process's networks for a batch, loaded once.

    Raises
    ------
    ClusterError
        If it does not fit.
    """
    with _guard:
        return _make_worker(setup)


@lru_cache(maxsize=2)
def _make_worker(setup: WorkerSetup) -> ClusterWorker:
    import torch

    torch.set_num_threads(1)
    _check_software(setup)
    _check_folders(setup)
    spec, wanted = setup.spec, setup.spec.settings.device
    # Whichever run of this batch asks.
    colorizer = _load_networks(replace(setup, proof=('', b'')))
    if wanted not in ('auto', colorizer.device.kind):
        raise ClusterError(
            f'It has no {wanted} device. Leave it out, or use --device auto.'
        )
    return ClusterWorker(
        spec, colorizer, setup.batch_size, partial(sees_lock, setup)
    )


@lru_cache(maxsize=2)
def _load_networks(setup: WorkerSetup) -> Colorizer:
    dtype, settings = setup.spec.dtype, setup.spec.settings
    try:
        refuse_half(dtype, choose(settings.device))
        colorizer = Colorizer.load(
            setup.weights,
            device=settings.device,
            dtype=dtype,
            size=settings.size,
        )
    except SdcolorError as error:
        raise ClusterError(str(error)) from error
    found = identity_of(colorizer.parts)
    for name, wanted in setup.identity:
        if found.get(name) != wanted:
            raise ClusterError(
                f'Its {name.split(".")[0]} weights of the name '
                f'{setup.weights} are others: '
                f'{_difference(name, found.get(name), wanted)}. '
                'Add the same weights there with "sdcolor models add", or '
                'give --weights a file that all machines see.'
            )
    return colorizer


def _difference(name: str, found: str | None, wanted: str | None) -> str:
    kind, _, field = name.partition('.')
    if field:
        return f'their {field} is {found or "missing"}, not {wanted}'
    return (
        f'their SHA-256 is {short_hash(str(found))}, not '
        f'{short_hash(str(wanted))}'
    )


def _describe(setup: WorkerSetup) -> WorkerInfo:
    device = worker_for(setup).colorizer.device
    gpu = ''
    if device.kind == 'cuda':
        import torch

        facts = torch.cuda.get_device_properties(torch.cuda.current_device())
        gpu = str(getattr(facts, 'uuid', '')) or os.environ.get(
            'CUDA_VISIBLE_DEVICES', ''
        )
    return WorkerInfo(platform.node(), device.kind, device.words, gpu)


def _check_software(setup: WorkerSetup) -> None:
    here = software_versions()
    others = [
        f'{name} is {here.get(name) or "missing"} there and '
        f'{version or "missing"} here'
        for name, version in setup.software
        if here.get(name) != version
    ]
    if others:
        raise ClusterError(
            f'Its software is other: {"; ".join(others)}. The results could '
            'differ: install the same versions on all machines.'
        )


def sees_lock(setup: WorkerSetup) -> bool:
    """Whether the run that asks goes on, in the folder that is seen here."""
    name, content = setup.proof
    try:
        return read_whole(Path(setup.output, name), LOCK_BYTES) == content
    except OSError:
        return False


def _check_folders(setup: WorkerSetup) -> None:
    for path, size in setup.samples:
        try:
            found = os.stat(path).st_size
        except OSError as error:
            raise ClusterError(
                f'It does not see {path} ({said(error)}). All machines '
                'must see photos, maps and output folder at the same place, '
                'for example on one shared file system.'
            ) from error
        if size >= 0 and found != size:
            raise ClusterError(
                f'It sees another file at {path}: {found} bytes there, {size} '
                'here. All machines must see the same photos.'
            )
    if not sees_lock(setup):
        raise ClusterError(
            f'Its {setup.output} is not the output folder of this batch. All '
            'machines must see it at the same place, for example on one '
            'shared file system.'
        )
    try:
        with TemporaryFile(dir=setup.output):
            pass
    except OSError as error:
        raise ClusterError(
            f'It cannot write into {setup.output}: {said(error)}.'
        ) from error
