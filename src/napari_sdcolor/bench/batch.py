"""How fast a batch is, beside its networks alone."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from napari_sdcolor.archive.one_file import JobSpec
from napari_sdcolor.archive.reading import read_photo
from napari_sdcolor.batch.outcome import DONE
from napari_sdcolor.batch.pipeline import MOST, Pipeline
from napari_sdcolor.batch.task import Task
from napari_sdcolor.batch.worker import Worker
from napari_sdcolor.errors import SdcolorError

if TYPE_CHECKING:
    from napari_sdcolor.core.engine import Colorizer
    from napari_sdcolor.core.photo import Photo


@dataclass(frozen=True)
class Timing:
    """Medians over the rounds, in seconds per photo.

    Parameters
    ----------
    networks
        Both networks on photos that are in memory, as many side by side as
        in the batch.
    batch
        Everything, from file to files.
    stages
        Time that one photo spends in each stage: ``read``, ``color`` (the
        networks), ``save`` (painting at full size, encoding, writing).
    side_by_side
        Photos in the networks at a time.
    """

    networks: float
    batch: float
    stages: Mapping[str, float]
    side_by_side: int

    @property
    def share(self) -> float:
        """Rate of the batch as a share of the rate of the networks."""
        return self.networks / self.batch


def measure(
    colorizer: Colorizer,
    sources: Sequence[Path],
    spec: JobSpec,
    *,
    rounds: int = 3,
) -> Timing:
    """Time networks and batch by turns, so that both see the same machine.

    Parameters
    ----------
    colorizer
        The networks.
    sources
        Photo files of different names, each of one photo.
    spec
        How they are colored.
    rounds
        How often; the results are deleted after each.

    Raises
    ------
    SdcolorError
        If a photo cannot be colored.
    """
    worker = Worker(spec, colorizer)
    count = worker.side_by_side(MOST)
    bare, whole, stages = [], [], []
    for _ in range(rounds):
        bare.append(_networks(worker, sources, count) / len(sources))
        with TemporaryDirectory() as folder:
            tasks = [Task(path.stem, str(path), folder) for path in sources]
            began = time.perf_counter()
            outcomes = list(Pipeline(worker)(tasks))
            whole.append((time.perf_counter() - began) / len(sources))
        for outcome in outcomes:
            if outcome.status != DONE:
                raise SdcolorError(outcome.reason)
            stages.append(outcome.seconds)
    return Timing(
        networks=median(bare),
        batch=median(whole),
        stages={
            name: median(spent[name] for spent in stages) for name in stages[0]
        },
        side_by_side=count,
    )


def _networks(worker: Worker, sources: Sequence[Path], count: int) -> float:
    """Seconds of the networks alone on photos that are read before."""
    settings = worker.spec.settings
    photos = [read_photo(path, window=settings.window) for path in sources]

    def color(photo: Photo) -> None:
        with worker.gathering():
            worker.colorizer.colorize(photo, settings=settings, lazy=True)

    with (
        worker.threads_for(count) as prepare,
        ThreadPoolExecutor(count, initializer=prepare) as pool,
    ):
        began = time.perf_counter()
        for _ in pool.map(color, photos):
            pass
        return time.perf_counter() - began
