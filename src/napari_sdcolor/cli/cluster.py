"""Where the photos of a batch are worked on: here, or on many machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_sdcolor.cli.colorize import (
    load_colorizer,
    machine_facts,
    refuse_dtype,
    weights_facts,
)
from napari_sdcolor.cli.console import Talk
from napari_sdcolor.words import counted

if TYPE_CHECKING:
    from napari_sdcolor.archive.one_file import JobSpec
    from napari_sdcolor.batch.cluster_worker import WorkerInfo
    from napari_sdcolor.batch.plan import Plan
    from napari_sdcolor.batch.run import Work
    from napari_sdcolor.core.cancel import CancelToken


@dataclass(frozen=True)
class Where:
    """Which machines work, and how many photos at a time.

    Parameters
    ----------
    scheduler
        Address or file of a dask scheduler; None for none.
    workers
        Number of processes of a local cluster; None for none.
    batch_size
        Photos that go through a network in one pass.
    """

    scheduler: str | None = None
    workers: int | None = None
    batch_size: int = 1


@dataclass(frozen=True)
class Workers:
    """What does the work.

    Parameters
    ----------
    work
        Maps tasks to outcomes.
    weights
        Their identity, see ``made_with.identity_of``.
    facts
        Devices and weights, JSON-serializable.
    """

    work: Work
    weights: dict[str, str]
    facts: dict[str, Any]


@contextmanager
def workers(
    talk: Talk, plan: Plan, spec: JobSpec, token: CancelToken, where: Where
) -> Iterator[Workers]:
    """What works on the photos of a plan, ready to begin.

    Raises
    ------
    PlanError, ClusterError
        If machines do not fit or do not answer.
    WeightsError, DeviceError
        See ``Colorizer.load``.
    """
    if where.scheduler is None and where.workers is None:
        yield _here(talk, spec, token, where)
        return
    with ExitStack() as stack:
        yield _elsewhere(talk, plan, spec, token, where, stack)


def _here(
    talk: Talk, spec: JobSpec, token: CancelToken, where: Where
) -> Workers:
    from napari_sdcolor.batch.made_with import identity_of
    from napari_sdcolor.batch.pipeline import Pipeline
    from napari_sdcolor.batch.worker import Worker

    refuse_dtype(spec.settings, spec.dtype)
    colorizer = load_colorizer(talk, spec.settings, spec.dtype)
    worker = Worker(spec, colorizer, where.batch_size, talk.warn)
    work = Pipeline(worker, token)
    identity = identity_of(colorizer.parts)
    return Workers(work, identity, machine_facts(colorizer))


def _elsewhere(
    talk: Talk,
    plan: Plan,
    spec: JobSpec,
    token: CancelToken,
    where: Where,
    stack: ExitStack,
) -> Workers:
    from napari_sdcolor.batch import machines
    from napari_sdcolor.batch.cluster import Cluster
    from napari_sdcolor.batch.made_with import identity_of
    from napari_sdcolor.core import models

    parts = models.load(spec.settings.weights)
    if where.scheduler is not None:
        talk.say(f'Reaching the scheduler {where.scheduler}')
        scheduler = where.scheduler
    else:
        talk.say('Starting a local cluster')
        local = stack.enter_context(
            machines.local_cluster(
                where.workers or 1,
                gpus=spec.settings.device != 'cpu',
                batch_size=where.batch_size,
            )
        )
        scheduler = local.scheduler_address
    client = stack.enter_context(machines.connected(scheduler))
    identity = identity_of(parts)
    cluster = Cluster(
        client, plan, spec, identity, token, talk.warn, where.batch_size
    )
    found = cluster.check_workers()
    talk.say(f'At work: {_describe(found)}')
    for note in _warnings(found):
        talk.warn(note)
    workers = [
        {'address': address, 'host': info.host, 'device': info.words}
        for address, info in found.items()
    ]
    facts = {'workers': workers, 'weights': weights_facts(parts)}
    return Workers(cluster, identity, facts)


def _describe(workers: Mapping[str, WorkerInfo]) -> str:
    """Such as '8 processes on 2 machines: CPU (1 thread)'."""
    hosts = len({info.host for info in workers.values()})
    words = sorted({info.words for info in workers.values()})
    processes = counted(len(workers), 'process', 'processes')
    machines = counted(hosts, 'machine')
    return f'{processes} on {machines}: {", ".join(words)}'


def _warnings(workers: Mapping[str, WorkerInfo]) -> list[str]:
    """Sentences on what makes the work slow or its bits differ."""
    notes = []
    kinds = {info.device for info in workers.values()}
    if len(kinds) > 1:
        notes.append(
            f'Some processes work on {" and some on ".join(sorted(kinds))}: '
            'the last bits of the colors differ between them. Choose one '
            'with --device.'
        )
    cards = Counter(
        (info.host, info.gpu) for info in workers.values() if info.gpu
    )
    shared = [host for (host, _), count in cards.items() if count > 1]
    if shared:
        notes.append(
            f'Several processes share a GPU on {", ".join(sorted(shared))}. '
            'Start one process for each, with its own CUDA_VISIBLE_DEVICES.'
        )
    return notes
