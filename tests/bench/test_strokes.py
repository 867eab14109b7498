"""The stopwatch of the brush."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from napari_sdcolor.bench.strokes import Clock, _clocked, measure


class Worker:
    def outer(self) -> str:
        time.sleep(0.002)
        return self.inner()

    def inner(self) -> str:
        time.sleep(0.002)
        return 'done'


def test_nested_calls_are_counted_once_and_methods_are_put_back():
    clock = Clock()
    before = Worker.outer
    with _clocked(clock, [(Worker, 'outer'), (Worker, 'inner')]):
        begin = time.perf_counter()
        assert Worker().outer() == 'done'
        elapsed = time.perf_counter() - begin
    assert Worker.outer is before
    assert 0.004 <= clock.take() <= elapsed
    assert clock.take() == 0


def test_methods_are_put_back_after_an_error():
    before = Worker.inner
    with (
        pytest.raises(ZeroDivisionError),
        _clocked(Clock(), [(Worker, 'inner')]),
    ):
        raise ZeroDivisionError
    assert Worker.inner is before


def test_importing_it_loads_neither_torch_nor_qt():
    code = (
        'import sys, napari_sdcolor.bench.strokes\n'
        "print([m for m in ('torch', 'napari', 'qtpy') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == '[]'


@pytest.mark.viewer
@pytest.mark.slow
def test_a_real_window_is_measured(qapp, tiny_colorizer, autosave_folder):
    if qapp.platformName() == 'offscreen':
        pytest.skip('Nothing is drawn without a display.')
    timing = measure(tiny_colorizer, side=128, brush=4, moves=2)
    assert timing.side == 128
    assert timing.working_size == 64
    assert timing.moves == 2
    assert 0 < timing.slots_p50 <= timing.slots_p95
    assert timing.slots_p50 < timing.color_p50 <= timing.color_p95
    assert 0 < timing.bare_p50 < timing.color_p95
    assert timing.to_dict()['draw_p50'] > 0
