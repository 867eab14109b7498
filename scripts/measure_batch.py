"""Where the time and the memory of a batch go.

    python scripts/measure_batch.py            # CPU seconds of the stages
    python scripts/measure_batch.py 10000      # memory over so many photos

CPU seconds of one thread of the networks, so that other programs on the
machine do not matter. The memory is that of tiny networks and photos: what
grows with the number of photos would show.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import tifffile
import torch
from skimage import data, transform

from napari_sdcolor.archive.one_file import JobSpec
from napari_sdcolor.batch.pipeline import Pipeline
from napari_sdcolor.batch.plan import make_plan
from napari_sdcolor.batch.run import run_batch
from napari_sdcolor.batch.task import Task
from napari_sdcolor.batch.worker import Worker
from napari_sdcolor.core.colornet import ColorNetConfig
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.gridnet import GridNetConfig
from napari_sdcolor.settings import Settings

WIDTHS = (4, 4, 8, 8, 8)
SHAPES = {'1024 x 768, 8 bit': (768, 1024), '24 MP, 16 bit': (4000, 6000)}


def say(words: str) -> None:
    """One line, at once."""
    sys.stdout.write(f'{words}\n')
    sys.stdout.flush()


def stages(folder: Path) -> None:
    """CPU seconds of reading, networks and saving of one photo each."""
    worker = Worker(JobSpec(Settings()), Colorizer.load(device='cpu'))
    coffee = data.coffee().mean(2) / 255
    for name, shape in SHAPES.items():
        top, kind = (255, 'u1') if '8 bit' in name else (65535, 'u2')
        gray = transform.resize(coffee, shape, order=1) * top
        for number in range(3):
            path = folder / f'{shape[0]}-{number}.tif'
            tifffile.imwrite(path, gray.astype(kind), compression='zlib')
            marks = [time.process_time()]
            job = worker.open(Task(path.stem, str(path), str(folder)))
            page = worker.read(job, 0)
            marks.append(time.process_time())
            result = worker.color(job, page)
            marks.append(time.process_time())
            assert worker.save(job, [result]).status == 'done'
            marks.append(time.process_time())
        read, color, save = np.diff(marks)
        say(f'{name}: read {read:.2f}, networks {color:.2f}, save {save:.2f}')


def memory(folder: Path, count: int) -> None:
    """Resident memory while so many photos are colored."""
    y, x = np.mgrid[:32, :32]
    for number in range(count):
        path = folder / 'in' / f'box {number // 1000}' / f'{number}.tif'
        path.parent.mkdir(parents=True, exist_ok=True)
        gray = (x * (number % 251) + y * 3) % 256
        tifffile.imwrite(path, gray.astype(np.uint8))
    colorizer = Colorizer.random(
        ColorNetConfig(widths=WIDTHS, label_channels=2),
        grid=GridNetConfig(widths=WIDTHS),
        size=64,
    )
    spec, process = JobSpec(Settings(size=64)), psutil.Process()

    def watch(outcome: object, progress: object) -> None:
        if progress.done in (100, count) or progress.done % 1000 == 0:
            say(f'{progress.done}: {process.memory_info().rss >> 20} MiB')

    digests = {kind: part.digest for kind, part in colorizer.parts.items()}
    run_batch(
        make_plan([folder / 'in'], folder / 'out'),
        spec,
        Pipeline(Worker(spec, colorizer)),
        digests,
        observers=[watch],
    )


if __name__ == '__main__':
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        if len(sys.argv) > 1:
            memory(Path(place), int(sys.argv[1]))
        else:
            stages(Path(place))
