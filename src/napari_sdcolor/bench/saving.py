"""Saving a large photo, and where its seconds go."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.bench.timing import Row, row_of, take_turns
from napari_sdcolor.core.paint import Painting
from napari_sdcolor.core.photo import photo_from_array
from napari_sdcolor.core.results import Colorized
from napari_sdcolor.settings import Settings

if TYPE_CHECKING:
    from napari_sdcolor.core.engine import Colorizer

SHAPE = 4000, 6000
"""Of the photo."""

NAME = 'saving a 24-megapixel 16-bit photo'
PARTS = 'painting', 'compression', 'writing'


def measure(
    colorizer: Colorizer, *, budget: float, most: int, least: int
) -> list[Row]:
    """The whole from chroma to files, and each part alone.

    The parts are taken in turns with the whole: painting in memory,
    compressing the painted picture into a file in memory, and bringing that
    file to the disk. Their shares need not sum up to 1: the parts overlap,
    and the whole also saves map and sidecar.

    Parameters
    ----------
    colorizer
        Tells working size and model.
    budget, most, least
        As for ``take_turns``.
    """
    from napari_sdcolor.archive.marking import make_mark
    from napari_sdcolor.archive.saving import save_result
    from napari_sdcolor.archive.writing import Picture, write
    from napari_sdcolor.files import publish

    result = _colored(colorizer)
    rgb, mark = np.asarray(result.rgb), make_mark('')
    packed = io.BytesIO()

    def whole() -> None:
        with tempfile.TemporaryDirectory(prefix='sdcolor-bench-') as folder:
            save_result(result, folder, 'photo')

    def paint() -> None:
        np.asarray(result.rgb)

    def compress() -> None:
        packed.seek(0)
        packed.truncate()
        write(packed, [Picture(rgb, mark)], 'tiff')

    def to_disk() -> None:
        with tempfile.TemporaryDirectory(prefix='sdcolor-bench-') as folder:
            publish([(Path(folder) / 'photo.tif', packed.getvalue())])

    parts = zip(PARTS, (paint, compress, to_disk), strict=True)
    times = take_turns(
        {NAME: whole, **dict(parts)}, budget=budget, most=most, least=least
    )
    total = row_of(NAME, times.pop(NAME))
    rows = [
        row_of(f'{NAME}: {name}', found, share=_share(found, total))
        for name, found in times.items()
    ]
    return [total, *rows]


def _share(times: list[float], total: Row) -> float:
    return float(np.median(times)) / total.median_s


def _colored(colorizer: Colorizer) -> Colorized:
    """A result with soft colors that no network made."""
    photo = photo_from_array(grainy_photo(*SHAPE))
    guide = photo.working_lightness(colorizer.size)
    y, x = np.indices(guide.shape, np.float32) / np.float32(min(guide.shape))
    waves = np.sin(5 * x + 2 * y), np.cos(4 * y - x)
    chroma = np.stack(waves, -1) * np.float32(25)
    return Colorized(
        rgb=Painting(photo, chroma, guide),
        labels=np.zeros(guide.shape, np.uint8),
        chroma=chroma,
        photo=photo,
        settings=Settings(size=colorizer.size),
        model=colorizer.facts(),
    )


def grainy_photo(height: int, width: int) -> NDArray[np.uint16]:
    """A 16-bit photo with soft shapes and grain in its lower bits."""
    rng = np.random.default_rng(0)
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(0, width / height, width, dtype=np.float32)
    plane = rng.standard_normal((height, width), np.float32)
    plane *= 600
    plane += 32768 + 12000 * (np.sin(9 * y) + np.cos(7 * x + 3 * y))
    return np.clip(plane, 0, 65535).astype(np.uint16)
