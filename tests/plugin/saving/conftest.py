"""Photos from files, and trios as a finished run leaves them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tifffile
from napari.layers import Image
from numpy.typing import NDArray

from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.plugin.painter import Painted
from napari_sdcolor.plugin.trio import Trio


@pytest.fixture
def assert_as_shown() -> Callable[[NDArray, NDArray], None]:
    """A saved picture is the shown one.

    Shown is a pass that keeps features, saved is one full pass: where a value
    lies between two codes, the rounding of either may differ by one.
    """

    def compare(saved: NDArray, shown: NDArray) -> None:
        assert saved.shape == shown.shape
        moved = np.abs(saved.astype(int) - shown)
        assert moved.max() <= 1
        assert (moved > 0).mean() < 1e-3

    return compare


@pytest.fixture
def open_photo(viewer, tmp_plugin) -> Iterator[Callable[[Path], Image]]:
    """Opens files with napari's own readers."""

    def open_one(path: Path) -> Image:
        (layer,) = viewer.open(path, plugin='napari')
        return layer

    with tmp_plugin('napari'):
        yield open_one


@pytest.fixture
def make_trio(viewer) -> Callable[[Image], Trio]:
    """A trio that was not run yet."""
    return partial(Trio, viewer)


@pytest.fixture
def run() -> Callable[..., Trio]:
    """Segments and colors a trio as the worker does, without the worker."""

    def once(trio: Trio, colorizer: Colorizer, plane: int = 0) -> Trio:
        window = trio.source.window(trio.window)
        read = partial(trio.source.photo, plane, window)
        found = colorizer.segment(read())
        photo, patches = trio.painter.paint(
            colorizer, (plane, window), read, found.labels, trio.saturation
        )
        inputs = trio.inputs(found.labels)
        painted = Painted(plane, inputs, patches, photo, found)
        trio.accept(painted, colorizer.size)
        return trio

    return once


@pytest.fixture
def write_tiff() -> Callable[..., Path]:
    """Writes gray pixels with tags."""

    def write(path: Path, pixels: np.ndarray, **tags: object) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(path, pixels, photometric='minisblack', **tags)
        return path

    return write
