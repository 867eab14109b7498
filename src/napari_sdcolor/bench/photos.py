"""Whole photos: the first color, and an archive of them."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_sdcolor.bench.timing import Case, Row, row_of, take_turns
from napari_sdcolor.core.photo import photo_from_array
from napari_sdcolor.core.planes import pad

if TYPE_CHECKING:
    from napari_sdcolor.core.engine import Colorizer

BARE = 'the two bare networks'


def gray_photo(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """An 8-bit photo with soft shapes and grain."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / height
    waves = np.sin(9 * y + seed) + np.cos(7 * x + 3 * y)
    grain = rng.normal(0, 4, waves.shape)
    return np.uint8(np.clip(127 + 50 * waves + grain, 0, 255))


def measure_first_color(
    colorizer: Colorizer, *, budget: float, most: int
) -> list[Row]:
    """From an array of 1024 x 768 pixels to its first colors in the dock."""
    array = gray_photo(768, 1024)

    def first_color() -> None:
        photo = photo_from_array(array)
        found = colorizer.segment(photo, steady=False)
        colorizer.session(photo, found.labels)

    times = take_turns(
        {BARE: _bare(colorizer, array), 'first color': first_color},
        budget=budget,
        most=most,
    )
    bare = row_of(BARE, times[BARE], size=_side(colorizer), ratio=1.0)
    found = times['first color']
    return [
        bare,
        row_of(
            'first color after load',
            found,
            size=_side(colorizer),
            ratio=bare.median_s / float(np.median(found)),
            against=BARE,
        ),
    ]


def measure_archive(colorizer: Colorizer, *, count: int) -> list[Row]:
    """Seconds per photo of a batch of 8-bit photos of 1024 x 768 pixels."""
    from napari_sdcolor.archive.batch.pipeline import Pipeline
    from napari_sdcolor.archive.batch.plan import make_plan
    from napari_sdcolor.archive.batch.worker import Recipe, Worker
    from napari_sdcolor.settings import Settings

    bare = _bare(colorizer, gray_photo(768, 1024))
    with tempfile.TemporaryDirectory(prefix='sdcolor-bench-') as folder:
        place = Path(folder) / 'photos'
        place.mkdir()
        for number in range(count):
            photo = Image.fromarray(gray_photo(768, 1024, number))
            photo.save(place / f'{number:04d}.tif')
        out = Path(folder) / 'out'
        out.mkdir()
        plan = make_plan([place], out)
        recipe = Recipe(Settings(size=colorizer.size))
        before = _timed(bare, count)
        begin = time.perf_counter()
        outcomes = list(Pipeline(Worker(recipe, colorizer))(plan.tasks))
        seconds = (time.perf_counter() - begin) / max(1, len(outcomes))
        times = [*before, *_timed(bare, count)]
    own = row_of(BARE, times, size=_side(colorizer), ratio=1.0)
    return [
        own,
        row_of(
            'archive, per photo',
            [seconds],
            size=_side(colorizer),
            ratio=own.median_s / seconds,
            against=BARE,
        ),
    ]


def _timed(case: Case, count: int) -> list[float]:
    return take_turns({'': case}, budget=60, most=max(2, count // 2))['']


def _side(colorizer: Colorizer) -> int | None:
    return None if colorizer.size == 'native' else colorizer.size


def _bare(colorizer: Colorizer, array: NDArray) -> Case:
    """Runs both networks on planes as they see them of a photo."""
    photo = photo_from_array(array)
    size = colorizer.grid_net.config.size or colorizer.size
    seen, _ = pad(
        colorizer.network_gray(photo, 'segmentation', size),
        colorizer.grid_net.config.multiple,
    )
    gray, _ = pad(
        colorizer.network_gray(photo, 'color', colorizer.size),
        colorizer.color_net.config.multiple,
    )
    labels = np.zeros(gray.shape, np.uint8)

    def run() -> None:
        colorizer.logits(seen)
        colorizer.chroma(gray, labels)

    return run
