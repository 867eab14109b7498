"""Where the photos of a batch are worked on: here, or on many machines."""

from __future__ import annotations

from collections.abc import Iterator
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

if TYPE_CHECKING:
    from napari_sdcolor.batch.plan import Plan
    from napari_sdcolor.batch.run import Work
    from napari_sdcolor.batch.worker import Recipe
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
class Hands:
    """What does the work.

    Parameters
    ----------
    work
        Maps tasks to outcomes.
    weights
        Digest of the weights of each network.
    facts
        Devices and weights, JSON-serializable.
    """

    work: Work
    weights: dict[str, str]
    facts: dict[str, Any]


@contextmanager
def hands(
    talk: Talk, plan: Plan, recipe: Recipe, token: CancelToken, where: Where
) -> Iterator[Hands]:
    """What works on the photos of a plan, ready to begin.

    Raises
    ------
    PlanError, ClusterError
        If machines do not fit or do not answer.
    WeightsError, DeviceError
        See ``Colorizer.load``.
    """
    if where.scheduler is None and where.workers is None:
        yield _here(talk, recipe, token, where)
        return
    with ExitStack() as stack:
        yield _elsewhere(talk, plan, recipe, token, where, stack)


def _here(
    talk: Talk, recipe: Recipe, token: CancelToken, where: Where
) -> Hands:
    from napari_sdcolor.batch.pipeline import Pipeline
    from napari_sdcolor.batch.worker import Worker

    refuse_dtype(recipe.settings, recipe.dtype)
    colorizer = load_colorizer(talk, recipe.settings, recipe.dtype)
    digests = {kind: part.digest for kind, part in colorizer.parts.items()}
    worker = Worker(recipe, colorizer, where.batch_size, talk.warn)
    work = Pipeline(worker, token)
    return Hands(work, digests, machine_facts(colorizer))


def _elsewhere(
    talk: Talk,
    plan: Plan,
    recipe: Recipe,
    token: CancelToken,
    where: Where,
    stack: ExitStack,
) -> Hands:
    from napari_sdcolor.batch import machines
    from napari_sdcolor.batch.cluster import (
        Cluster,
        describe,
        warnings,
    )
    from napari_sdcolor.core import models

    parts = models.load(recipe.settings.weights)
    if where.scheduler is not None:
        talk.say(f'Reaching the scheduler {where.scheduler}')
        scheduler = where.scheduler
    else:
        talk.say('Starting a local cluster')
        local = stack.enter_context(
            machines.local_cluster(
                where.workers or 1,
                gpus=recipe.settings.device != 'cpu',
                batch_size=where.batch_size,
            )
        )
        scheduler = local.scheduler_address
    client = stack.enter_context(machines.connected(scheduler))
    digests = {kind: part.digest for kind, part in parts.items()}
    cluster = Cluster(
        client, plan, recipe, digests, token, talk.warn, where.batch_size
    )
    found = cluster.greet()
    talk.say(f'At work: {describe(found)}')
    for note in warnings(found):
        talk.warn(note)
    workers = [
        {'address': address, 'host': hand.host, 'device': hand.words}
        for address, hand in found.items()
    ]
    facts = {'workers': workers, 'weights': weights_facts(parts)}
    return Hands(cluster, digests, facts)
