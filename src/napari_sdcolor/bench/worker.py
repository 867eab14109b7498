"""Tasks that are measured in a process of their own, for their memory."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_sdcolor.errors import SdcolorError


@dataclass(frozen=True)
class Measured:
    """What a task took.

    Parameters
    ----------
    seconds
        Of the task itself, without the start of the process.
    peak_bytes
        Largest resident memory of the process, libraries included.
    """

    seconds: float
    peak_bytes: int


def run_apart(task: str, *arguments: Any) -> Measured:
    """Run a task of this module in a fresh process.

    Raises
    ------
    SdcolorError
        If it fails; with its last words.
    """
    words = [sys.executable, '-m', __name__, task, json.dumps(arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise SdcolorError(f'{task} failed: {" ".join(last)}')
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def peak_bytes() -> int:
    """Largest resident memory of this process so far.

    On Linux ``getrusage`` begins with that of the process which started this
    one, so the kernel's count for the program itself is asked for.
    """
    import resource

    status = Path('/proc/self/status')
    if status.exists():
        line = re.search(r'VmHWM:\s+(\d+) kB', status.read_text())
        if line is not None:
            return int(line[1]) * 1024
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found if sys.platform == 'darwin' else found * 1024


def load() -> None:
    """Only the libraries and the networks."""
    _colorizer(352)


def color_array(height: int, width: int, size: int) -> None:
    """Color an 8-bit photo that lies in memory."""
    _colorizer(size).colorize(_photo(height, width))


def strokes(size: int) -> None:
    """Open a session at a working size and paint a few strokes."""
    colorizer = _colorizer(size)
    labels = np.zeros((size, size), np.uint8)
    with colorizer.session(_photo(size, size), labels) as session:
        for step in range(4):
            labels[step * 9 : step * 9 + 16, 40:56] = step + 1
            session.update(labels)


def color_file(photo: str, folder: str, size: int) -> None:
    """Color a file as the command line does, but with random weights."""

    from napari_sdcolor.archive.reading import open_photos
    from napari_sdcolor.archive.saving import save_result

    colorizer = _colorizer(size)
    with open_photos(photo) as file:
        result = colorizer.colorize(file.read(0))
        save_result(result, folder, Path(photo).stem)


def _colorizer(size: int) -> Any:
    from napari_sdcolor.core.engine import Colorizer

    return Colorizer.random('paper', size=size)


def _photo(height: int, width: int) -> Any:
    y, x = np.mgrid[:height, :width].astype(np.float32)
    waves = np.sin(y / 31) + np.cos(x / 23 + y / 57)
    return np.uint8(np.clip(127 + 50 * waves, 0, 255))


TASKS = {
    task.__name__: task for task in (load, color_array, strokes, color_file)
}


def main() -> None:
    """Run the task that the command line names and tell what it took."""
    task, arguments = sys.argv[1:]
    start = time.perf_counter()
    TASKS[task](*json.loads(arguments))
    seconds = time.perf_counter() - start
    found = {'seconds': seconds, 'peak_bytes': peak_bytes()}
    os.write(1, (json.dumps(found) + '\n').encode())


if __name__ == '__main__':
    main()
