"""A batch with tiny networks in a process of its own, to be killed.

Usage: batch_process.py PHOTOS OUTPUT THREADS
"""

from __future__ import annotations

import sys

import torch

from napari_sdcolor.archive.one_file import JobSpec
from napari_sdcolor.batch.pipeline import Pipeline
from napari_sdcolor.batch.plan import make_plan
from napari_sdcolor.batch.run import run_batch
from napari_sdcolor.batch.worker import Worker
from napari_sdcolor.core.colornet import ColorNetConfig
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.gridnet import GridNetConfig
from napari_sdcolor.settings import Settings

WIDTHS = (4, 4, 8, 8, 8)


def run(photos: str, output: str, threads: int) -> int:
    """Run it; the number of failures."""
    torch.set_num_threads(threads)
    colorizer = Colorizer.random(
        ColorNetConfig(widths=WIDTHS, label_channels=2),
        grid=GridNetConfig(widths=WIDTHS),
        size=64,
    )
    spec = JobSpec(Settings(size=64))
    digests = {kind: part.digest for kind, part in colorizer.parts.items()}
    work = Pipeline(Worker(spec, colorizer))
    plan = make_plan([photos], output)
    return len(run_batch(plan, spec, work, digests).failed)


if __name__ == '__main__':
    sys.exit(run(sys.argv[1], sys.argv[2], int(sys.argv[3])))
