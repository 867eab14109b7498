"""A batch with tiny networks, in a process of its own that may be killed.

Usage: batch_process.py PHOTOS OUTPUT THREADS
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from napari_sdcolor.archive.one_file import JobSpec
from napari_sdcolor.batch.made_with import identity_of
from napari_sdcolor.batch.pipeline import Pipeline
from napari_sdcolor.batch.plan import make_plan
from napari_sdcolor.batch.run import run_batch
from napari_sdcolor.batch.worker import Worker
from napari_sdcolor.core.colornet import ColorNetConfig
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.gridnet import GridNet, GridNetConfig
from napari_sdcolor.core.lab import gray_to_lightness
from napari_sdcolor.settings import Settings

WIDTHS = (4, 4, 8, 8, 8)

DEADLY = 201
"""A photo whose brightest pixel has this code kills a ``DeadlyGrid``."""


class DeadlyGrid(GridNet):
    """Dies as a process does that the system ends for lack of memory."""

    def forward(self, gray: Tensor) -> Tensor:
        lightness = float(gray_to_lightness(DEADLY / 255)) / 100
        if abs(float(gray.max()) - lightness) < 1e-3:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().forward(gray)


def run(photos: str, output: str, threads: int, deadly: bool = False) -> int:
    """Run it; the number of failures."""
    torch.set_num_threads(threads)
    colorizer = Colorizer.random(
        ColorNetConfig(widths=WIDTHS, label_channels=2),
        grid=GridNetConfig(widths=WIDTHS, columns=2),
        size=64,
    )
    if deadly:
        colorizer.parts['segmentation'].network.__class__ = DeadlyGrid
    spec = JobSpec(Settings(size=64))
    identity = identity_of(colorizer.parts)
    work = Pipeline(Worker(spec, colorizer))
    plan = make_plan([photos], output)
    return len(run_batch(plan, spec, work, identity).failed)


def forked(
    photos: Path,
    out: Path,
    before: Callable[[], None] | None = None,
    deadly: bool = False,
) -> int:
    """Start it in a forked process; its id.

    Forking spares it the seconds that importing torch takes. ``before`` is
    called there first.
    """
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if before is not None:
                before()
            code = run(str(photos), str(out), 1, deadly)
        finally:
            os._exit(code)
    return child


def ended(child: int) -> int:
    """Wait for it; its exit code, or minus the signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == '__main__':
    sys.exit(run(sys.argv[1], sys.argv[2], int(sys.argv[3])))
