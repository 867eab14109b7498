"""Whole photos: the first color, and an archive of them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_sdcolor.bench.timing import Case, Row, row_of, take_turns
from napari_sdcolor.core.depth import in_sixteen_bits
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
        colorizer.session(photo, found.labels).close()

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


def measure_archive(
    colorizer: Colorizer, *, count: int, rounds: int, large: int
) -> list[Row]:
    """Seconds per photo of a batch, and where they are spent.

    Parameters
    ----------
    colorizer
        The networks.
    count
        8-bit photos of 1024 x 768 pixels.
    rounds
        How often networks and batch take turns.
    large
        16-bit photos of 24 megapixels, for the stages alone; 0 leaves them
        out.
    """
    small = [gray_photo(768, 1024, seed) for seed in range(count)]
    rows = _archive(colorizer, small, rounds, 'archive')
    if large:
        photo = in_sixteen_bits(gray_photo(4000, 6000))
        rows += _archive(
            colorizer, [photo] * large, 1, 'archive of 24 megapixels, 16 bits'
        )
    return rows


def _archive(
    colorizer: Colorizer, photos: list[NDArray], rounds: int, name: str
) -> list[Row]:
    from napari_sdcolor.archive.one_file import JobSpec
    from napari_sdcolor.bench.batch import measure
    from napari_sdcolor.settings import Settings

    spec = JobSpec(Settings(size=colorizer.size))
    with tempfile.TemporaryDirectory(prefix='sdcolor-bench-') as folder:
        paths = []
        for number, photo in enumerate(photos):
            paths.append(Path(folder) / f'{number:04d}.tif')
            Image.fromarray(photo).save(paths[-1])
        found = measure(colorizer, paths, spec, rounds=rounds)
    size, count = _side(colorizer), len(photos) * rounds
    bare = f'{BARE}, {found.side_by_side} photos side by side'
    return [
        Row(f'{name}: {bare}', size, None, found.networks, count=count),
        Row(
            f'{name}: per photo',
            size,
            None,
            found.batch,
            ratio=found.share,
            against=bare,
            count=count,
        ),
        *(
            Row(f'{name}: stage {stage}', size, None, seconds, count=count)
            for stage, seconds in found.stages.items()
        ),
    ]


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
