"""Coloring every plane of a stack, and weights chosen in the dock."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sdcolor.core.colornet import ColorNetConfig
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.gridnet import GridNetConfig
from napari_sdcolor.plugin.color_jobs import RUN

GRASS = 36


@pytest.fixture
def stacked(viewer, pixels, make_widget):
    """The dock on a stack of four planes."""
    planes = [np.roll(pixels, 9 * step, axis=1) for step in range(4)]
    viewer.add_image(np.stack(planes), name='album')
    return make_widget(viewer)


def press(widget) -> None:
    widget.views.run.all_planes.native.click()


def test_only_stacks_have_planes_to_run(stacked, viewer, pixels):
    assert not stacked.views.run.all_planes.native.isHidden()
    viewer.add_image(pixels, name='single')
    assert stacked.views.run.all_planes.native.isHidden()


def test_every_plane_is_colored_one_after_the_other(
    stacked, settle, viewer, qtbot
):
    said: list[str] = []
    stacked.coordinator.jobs.progress.connect(
        lambda words: said.append(stacked.views.run.status.text())
    )
    press(stacked)
    settle(stacked)
    trio = stacked.coordinator.trio
    assert all(trio.planes[plane].shown for plane in range(4))
    for plane in range(4):
        assert trio.planes[plane].baseline is not None
        assert trio.color.data[plane].any()
        assert any(f'Plane {plane + 1} of 4' in words for words in said)
    assert stacked.views.run.button.text.startswith('Run')


def test_planes_that_were_painted_keep_their_map(
    stacked, settle, viewer, stroke
):
    stacked.run()
    settle(stacked)
    trio = stacked.coordinator.trio
    plane = trio.plane
    stacked.views.classes.class_requested.emit(GRASS)
    stroke(trio.map, [(plane, 20, 20), (plane, 25, 40)])
    settle(stacked)
    kept = trio.map.data[plane].copy()
    press(stacked)
    settle(stacked)
    np.testing.assert_array_equal(trio.map.data[plane], kept)
    assert all(trio.planes[other].shown for other in range(4))


def test_stop_ends_all_of_them(stacked, settle):
    press(stacked)
    jobs = stacked.coordinator.jobs
    trio = stacked.coordinator.trio
    assert len(jobs.pending(trio, (RUN,))) == 4
    stacked.views.run.button.native.click()
    assert not jobs.pending(trio, (RUN,))
    settle(stacked)
    assert not any(trio.planes[plane].shown for plane in range(4))


def test_a_second_time_there_is_nothing_to_do(stacked, settle, notices):
    press(stacked)
    settle(stacked)
    press(stacked)
    assert any('Every plane is colored' in words for words in notices())
    assert stacked.coordinator.jobs.idle


# --- weights ----------------------------------------------------------------


@pytest.fixture
def two_colorizers(engine, monkeypatch, tiny_colorizer):
    """An engine that lends other networks under the name "other"."""
    widths = (4, 4, 8, 8, 8)
    other = Colorizer.random(
        ColorNetConfig(widths=widths, label_channels=2),
        grid=GridNetConfig(widths=widths),
        size=64,
        seed=5,
    )
    lent = {'default': tiny_colorizer, 'other': other}
    monkeypatch.setattr(engine, 'get', lambda settings: lent[settings.weights])
    return lent


def test_other_weights_color_anew_and_are_remembered_with_the_photo(
    two_colorizers, colored, settle, viewer, pixels
):
    trio = colored.coordinator.trio
    before = trio.color.data.copy()
    colored.views.run.weights_requested.emit('other')
    settle(colored)
    expected = two_colorizers['other'].colorize(pixels, trio.map.data)
    difference = trio.color.data.astype(int) - expected.rgb
    assert np.abs(difference).max() <= 1
    assert (trio.color.data != before).any()
    assert colored.views.run.weights.value == 'other'
