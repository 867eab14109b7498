"""What the benchmark says about the window, with and without one."""

from __future__ import annotations

import sys

import pytest

from napari_sdcolor.bench import window
from napari_sdcolor.errors import SdcolorError

FOUND = {
    'side': 1024,
    'working_size': 352,
    'brush': 16,
    'moves': 30,
    'color_p50': 0.2,
    'color_p95': 0.3,
    'bare_p50': 0.1,
    'slots_p50': 0.001,
    'slots_p95': 0.002,
    'refresh_p50': 0.003,
    'draw_p50': 0.004,
}


def test_all_figures_become_rows() -> None:
    rows = window.rows_of(FOUND, 'random weights')
    medians = [FOUND[key] for key in FOUND if key.endswith('_p50')]
    assert sorted(row.median_s for row in rows) == sorted(medians)
    assert {(row.size, row.stroke, row.count) for row in rows} == {
        (352, 16, 30)
    }
    first = next(row for row in rows if row.name.endswith('to color'))
    assert first.p95_s == 0.3


def test_without_napari_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, 'find_spec', lambda name: None)
    with pytest.raises(SdcolorError, match='not installed'):
        window.measure(None)


@pytest.mark.skipif(sys.platform != 'linux', reason='displays of Linux')
def test_without_a_display_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, 'find_spec', lambda name: name)
    monkeypatch.delenv('DISPLAY', raising=False)
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    with pytest.raises(SdcolorError, match='xvfb-run'):
        window.measure(None)


def test_a_process_that_fails_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, '__name__', 'napari_sdcolor.nowhere')
    with pytest.raises(SdcolorError, match='could not be measured'):
        window._apart(64, None)
