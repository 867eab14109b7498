"""Reaching a dask cluster, or starting one on this machine."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from napari_sdcolor.errors import ClusterError, said
from napari_sdcolor.interrupts import leave_to_main

if TYPE_CHECKING:
    from distributed import Client, SpecCluster

REMEDY = (
    'Work on a cluster needs dask. Install it with: '
    'pip install "napari-sdcolor[cluster]"'
)

PATIENCE = 15.0
"""Seconds for a scheduler to answer."""

FAILURES = 1
"""So many lost processes a local cluster forgives a photo at first."""


@contextmanager
def connected(scheduler: str) -> Iterator[Client]:
    """A client of a running scheduler.

    Parameters
    ----------
    scheduler
        Its address, such as 'tcp://node1:8786', or the file that it wrote
        (``--scheduler-file``).

    Raises
    ------
    ClusterError
        If dask is missing or no scheduler answers.
    """
    Client = _distributed().Client  # noqa: N806
    where = (
        {'scheduler_file': scheduler}
        if os.path.isfile(scheduler)
        else {'address': scheduler}
    )
    with _quiet():
        try:
            client = Client(**where, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise ClusterError(
                f'No scheduler answers at {scheduler} ({said(error)}). Start one '
                'with "dask scheduler", and give its address or the file of '
                'its --scheduler-file.'
            ) from error
        with client:
            yield client


@contextmanager
def local_cluster(
    workers: int,
    *,
    gpus: bool = True,
    batch_size: int = 1,
    env: dict[str, str] | None = None,
) -> Iterator[SpecCluster]:
    """Processes on this machine, reachable from this machine only.

    Parameters
    ----------
    workers
        Number of processes. They share the cores; where there are GPUs,
        each process sees one of them.
    gpus
        Whether to share out the GPUs.
    batch_size
        Photos that a GPU takes at a time.
    env
        Environment variables of the processes.

    Raises
    ------
    ClusterError
        If dask is missing or the processes do not start.
    """
    distributed = _distributed()
    import dask

    threads = max(1, (os.cpu_count() or 1) // workers)
    cards = visible_gpus() if gpus else []
    if cards:
        # Some photos in the networks, others are read and saved.
        threads = max(batch_size + 2, threads)
    here: dict[str, Any] = {
        'host': '127.0.0.1',
        'protocol': 'tcp://',
        # No dashboard, but its server has to have a port.
        'dashboard_address': '127.0.0.1:0',
        'dashboard': False,
    }
    spec = {
        number: {
            'cls': distributed.Nanny,
            'options': here
            | {
                'nthreads': threads,
                # Large photos are worked on in strips, and a process that
                # is killed for its memory would only try again.
                'memory_limit': 0,
                'silence_logs': logging.CRITICAL,
                'preload': [__name__],
                'env': (env or {}) | _card(cards, number),
            },
        }
        for number in range(workers)
    }
    scheduler = {
        'cls': distributed.Scheduler,
        'options': here | {'port': 0},
    }
    with (
        _quiet(),
        dask.config.set({'distributed.scheduler.allowed-failures': FAILURES}),
        ExitStack() as stack,
    ):
        try:
            cluster = stack.enter_context(
                distributed.SpecCluster(
                    spec,
                    scheduler,
                    silence_logs=logging.CRITICAL,
                    name='sdcolor',
                )
            )
        except (OSError, RuntimeError) as error:
            raise ClusterError(
                f'The local cluster does not start: {said(error)}.'
            ) from error
        yield cluster


def dask_setup(worker: object) -> None:
    """What dask calls in each new process of a local cluster."""
    leave_to_main(worker)


def visible_gpus() -> list[str]:
    """What ``CUDA_VISIBLE_DEVICES`` may say to choose one of the GPUs."""
    import torch

    chosen = os.environ.get('CUDA_VISIBLE_DEVICES')
    if not torch.cuda.is_available():
        return []
    if chosen:
        return [name.strip() for name in chosen.split(',')]
    return [str(number) for number in range(torch.cuda.device_count())]


def _card(cards: list[str], number: int) -> dict[str, str]:
    if not cards:
        return {}
    return {'CUDA_VISIBLE_DEVICES': cards[number % len(cards)]}


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise ClusterError(REMEDY) from error
    return distributed


@contextmanager
def _quiet() -> Iterator[None]:
    """What dask logs about lost processes is said in our own words."""
    names = ('distributed', 'distributed.client', 'tornado')
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
