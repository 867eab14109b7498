"""The session of the photo that is painted: kept, and closed when it goes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.photo import photo_from_array
from napari_sdcolor.plugin.painter import Painter

WAIT = 30
Paint = Callable[..., Any]


@pytest.fixture
def painter() -> Painter:
    return Painter()


@pytest.fixture
def paint(
    painter: Painter, tiny_colorizer: Colorizer, gray_ramp: NDArray[np.uint8]
) -> Paint:
    """Paints a photo by a map of one class, as the worker does."""
    photo = photo_from_array(gray_ramp)

    def painted(label: int = 1, key: object = 0) -> Any:
        labels = np.full(photo.working_shape(64), label, np.uint8)
        return painter.paint(tiny_colorizer, key, lambda: photo, labels, 1.0)

    return painted


def test_what_is_forgotten_is_closed(painter: Painter, paint: Paint) -> None:
    painter.forget()
    paint()
    first = painter.session
    paint(2)
    assert painter.session is first
    painter.forget()
    assert first.closed
    assert painter.session is None


def test_what_is_replaced_is_closed(painter: Painter, paint: Paint) -> None:
    paint(key=0)
    first = painter.session
    paint(key=1)
    assert first.closed
    assert not painter.session.closed


class Halt:
    """Stops a thread at the end of a function until it may go on."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()
        self._function = function

    def __call__(self, *arguments: Any, **choices: Any) -> Any:
        found = self._function(*arguments, **choices)
        self.reached.set()
        assert self.go_on.wait(WAIT)
        return found


@pytest.mark.parametrize('method', ['session', 'update'])
def test_nobody_waits_for_a_pass_that_runs(
    method: str,
    painter: Painter,
    paint: Paint,
    tiny_colorizer: Colorizer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It comes to its end, and what it used is closed then."""
    owner: Any = tiny_colorizer
    if method == 'update':
        paint()
        owner = painter.session
    halt = Halt(getattr(owner, method))
    monkeypatch.setattr(owner, method, halt)
    with ThreadPoolExecutor(1) as worker:
        running = worker.submit(paint, 2)
        assert halt.reached.wait(WAIT)
        # The pass stands still, and this comes back all the same.
        painter.forget()
        assert not running.done()
        halt.go_on.set()
        _, patches = running.result(WAIT)
    assert patches
    assert painter.session is None
    if method == 'update':
        assert owner.closed
    monkeypatch.undo()
    paint()
    assert not painter.session.closed


def test_a_pass_that_fails_closes_what_was_forgotten(
    painter: Painter, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    paint()
    session = painter.session

    def fail(labels: object) -> None:
        with ThreadPoolExecutor(1) as other:
            other.submit(painter.forget).result(WAIT)
        assert not session.closed
        raise MemoryError

    monkeypatch.setattr(session, 'update', fail)
    with pytest.raises(MemoryError):
        paint(2)
    assert session.closed


def test_forgotten_from_all_sides(painter: Painter, paint: Paint) -> None:
    """No thread ever uses what another one has closed."""
    ended = threading.Event()

    def forget() -> None:
        while not ended.is_set():
            painter.forget()
            time.sleep(1e-4)

    with ThreadPoolExecutor(2) as others:
        for _ in range(2):
            others.submit(forget)
        for turn in range(12):
            paint(turn % 3)
        ended.set()
    painter.forget()
    assert painter.session is None
