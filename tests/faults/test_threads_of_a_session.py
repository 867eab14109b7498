"""Many threads at one session: its result is that of a whole pass."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.photo import photo_from_array

THREADS = 8
SHAPE = (96, 128)


def test_hammered_from_all_sides(
    tiny_colorizer: Colorizer, thorough: bool, tried: Callable[..., None]
) -> None:
    gray = np.random.default_rng(2).integers(0, 256, SHAPE, np.uint8)
    photo = photo_from_array(gray)
    small = photo.working_shape(64)
    session = tiny_colorizer.session(photo, np.zeros(small, np.uint8))
    end = time.monotonic() + (60 if thorough else 1.5)

    def hammer(seed: int) -> int:
        chance, rng = random.Random(seed), np.random.default_rng(seed)

        def edit() -> None:
            with session.lock:
                labels = session.labels.copy()
            y, x = rng.integers(0, min(small) - 8, 2)
            labels[y : y + 8, x : x + 8] = rng.integers(0, 60)
            session.update(labels)

        def look() -> None:
            with session.lock:
                rgb, chroma = session.rgb, session.chroma
            assert rgb.shape == (*SHAPE, 3)
            assert np.isfinite(chroma).all()

        works: list[Callable[[], object]] = [
            edit,
            look,
            session.full,
            lambda: session.set_saturation(chance.choice((0.5, 1.0, 1.5))),
            lambda: session.photo_box((3, 2, 40, 50)),
        ]
        turns = 0
        while time.monotonic() < end:
            chance.choices(works, (6, 3, 1, 2, 1))[0]()
            turns += 1
        return turns

    with ThreadPoolExecutor(THREADS) as pool:
        turns = list(pool.map(hammer, range(THREADS)))
    tried(sum(turns))
    assert min(turns) > 0
    fresh = tiny_colorizer.session(
        photo, session.labels, saturation=session.saturation
    )
    np.testing.assert_allclose(session.chroma, fresh.chroma, atol=1e-3)
    np.testing.assert_allclose(session.full(), fresh.chroma, atol=1e-3)
    assert np.abs(session.rgb.astype(int) - fresh.rgb).max() <= 1
