"""A photo of one gigapixel, made and colored in bounded memory."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffWriter

from napari_sdcolor.bench.worker import Measured, run_apart
from napari_sdcolor.core import progress
from napari_sdcolor.errors import SdcolorError

SIDE = 32768
"""Side of the photo: 2**30 pixels."""

TILE = 512
BYTES_PER_PIXEL = 10
"""Disk space asked for: 2 for the photo, 6 for the result, and some air."""


def measure(side: int = SIDE, *, size: int = 352) -> Measured:
    """Make the photo, color it in a process of its own, delete both.

    Parameters
    ----------
    side
        Of the photo in pixels, a multiple of 512.
    size
        Working size.

    Raises
    ------
    SdcolorError
        If the disk has too little room, or the coloring fails.
    """
    with tempfile.TemporaryDirectory(prefix='sdcolor-bench-') as folder:
        free = shutil.disk_usage(folder).free
        needed = side * side * BYTES_PER_PIXEL
        if free < needed:
            raise SdcolorError(
                f'The photo and its result need {needed / 1e9:.0f} GB in '
                f'{folder}, but only {free / 1e9:.0f} GB are free. Set TMPDIR '
                'to a folder on a larger disk.'
            )
        photo = Path(folder) / 'gigapixel.tif'
        make_photo(photo, side)
        out = Path(folder) / 'out'
        out.mkdir()
        progress.say('coloring it')
        return run_apart('color_file', str(photo), str(out), size)


def make_photo(path: Path, side: int) -> None:
    """Write a tiled 16-bit gray TIFF with soft shapes and grain."""
    with TiffWriter(path, bigtiff=True) as writer:
        writer.write(
            _tiles(side),
            shape=(side, side),
            dtype=np.uint16,
            tile=(TILE, TILE),
            compression='zlib',
            predictor=True,
            photometric='minisblack',
            buffersize=2**26,
            metadata=None,
        )


def _tiles(side: int) -> Iterator[NDArray[np.uint16]]:
    grain = np.random.default_rng(0).normal(0, 600, (TILE, TILE))
    count = side // TILE
    for row in range(count):
        progress.say(f'making the photo: {row * 100 // count} %')
        y = (np.arange(TILE) + row * TILE) / side
        for column in range(count):
            x = (np.arange(TILE) + column * TILE) / side
            waves = np.sin(9 * y)[:, None] + np.cos(7 * x + 3 * y[:, None])
            tile = (
                32768 + 12000 * waves + np.roll(grain, (row, column), (0, 1))
            )
            yield np.clip(tile, 0, 65535).astype(np.uint16)
