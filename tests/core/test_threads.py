"""One colorizer, one photo and one session, used by several threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_sdcolor import Colorizer
from napari_sdcolor.core.colornet import ColorNetConfig
from napari_sdcolor.core.features import WIDTHS, FeaturesConfig
from napari_sdcolor.core.gridnet import GridNetConfig
from napari_sdcolor.core.photo import Photo, photo_from_array
from napari_sdcolor.core.recolor import RecolorSession
from napari_sdcolor.errors import WrongUsage

THREADS = 4
SHAPE = (96, 128)


@pytest.fixture
def colorizer() -> Colorizer:
    made = Colorizer.random(
        ColorNetConfig(widths=(2,) * 3, slope=0.3, features=WIDTHS),
        grid=GridNetConfig(widths=(2, 2)),
        size=SHAPE[0],
    )
    made.features_net.config = FeaturesConfig(size=32)
    return made


@pytest.fixture
def photo() -> Photo:
    rng = np.random.default_rng(1)
    return photo_from_array(rng.integers(0, 256, SHAPE, np.uint8))


@pytest.fixture
def session(colorizer: Colorizer, photo: Photo) -> RecolorSession:
    return colorizer.session(photo, np.zeros(SHAPE, np.uint8))


def together(works: list[Callable[[], object]]) -> list[object]:
    """Run everything at the same time."""
    start = Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        start.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def edited(rng: np.random.Generator) -> NDArray[np.uint8]:
    labels = np.zeros(SHAPE, np.uint8)
    y, x = rng.integers(0, 60, 2)
    labels[y : y + 30, x : x + 30] = rng.integers(1, 60)
    return labels


def test_edits_of_several_threads_never_mix(session: RecolorSession) -> None:
    def edit(seed: int) -> Callable[[], None]:
        def work() -> None:
            rng = np.random.default_rng(seed)
            for turn in range(6):
                session.update(edited(rng))
                with session.lock:
                    shape = session.rgb.shape, session.chroma.shape
                assert shape == ((*SHAPE, 3), (*SHAPE, 2))
                if turn == 3:
                    session.set_saturation(1 + seed / 10)

        return work

    together([edit(seed) for seed in range(THREADS)])
    fresh = session.colorizer.session(
        session.photo, session.labels, saturation=session.saturation
    )
    np.testing.assert_allclose(session.chroma, fresh.chroma, atol=1e-3)
    np.testing.assert_allclose(session.full(), fresh.chroma, atol=1e-3)
    assert np.abs(session.rgb.astype(int) - fresh.rgb).max() <= 1


def test_a_photo_in_several_threads_gets_the_same_bytes(
    colorizer: Colorizer, photo: Photo
) -> None:
    sizes = (64, 72, 80, SHAPE[0])
    alone = {size: colorizer.at(size).colorize(photo) for size in sizes}

    def color(size: int) -> Callable[[], bool]:
        def work() -> bool:
            same = True
            for _ in range(3):
                found = colorizer.at(size).colorize(photo)
                same &= np.array_equal(found.rgb, alone[size].rgb)
                same &= np.array_equal(found.labels, alone[size].labels)
            return same

        return work

    assert all(together([color(size) for size in sizes]))


def test_planes_of_one_photo_are_kept_one_at_a_time(photo: Photo) -> None:
    def look(seed: int) -> Callable[[], None]:
        def work() -> None:
            sizes = np.random.default_rng(seed).integers(16, 26, 200)
            for size in map(int, sizes):
                assert min(photo.working_lightness(size).shape) == size

        return work

    together([look(seed) for seed in range(8)])
    assert len(photo._resized) <= 2


ASKED: dict[str, Callable[[RecolorSession], object]] = {
    'update': lambda session: session.update(np.zeros(SHAPE, np.uint8)),
    'full': lambda session: session.full(),
    'set_saturation': lambda session: session.set_saturation(2),
    'photo_box': lambda session: session.photo_box((0, 0, 1, 1)),
    **{
        name: lambda session, name=name: getattr(session, name)
        for name in ('labels', 'chroma', 'rgb', 'nbytes', 'macs', 'notes')
    },
}


@pytest.mark.parametrize('asked', ASKED)
def test_a_closed_session_says_so(session: RecolorSession, asked: str) -> None:
    ASKED[asked](session)
    with session as entered:
        picture = entered.rgb
        assert not session.closed
    assert session.closed
    session.close()
    with pytest.raises(WrongUsage, match='session was closed'):
        ASKED[asked](session)
    assert picture.shape == (*SHAPE, 3)


def test_closing_waits_for_what_was_begun(session: RecolorSession) -> None:
    rng = np.random.default_rng(0)

    def edit() -> int:
        done = 0
        try:
            while True:
                session.update(edited(rng))
                done += 1
        except WrongUsage:
            return done

    together([edit, edit, session.close])
    assert session.closed
