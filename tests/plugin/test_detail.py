"""The choice of detail in the dock, and what it says about its cost."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from napari.components import ViewerModel
from numpy.typing import NDArray

from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.plugin.detail import choices, cost
from napari_sdcolor.plugin.engine import Engine
from napari_sdcolor.plugin.widget import ColorizeWidget
from napari_sdcolor.settings import Settings


def test_four_details_are_offered() -> None:
    assert list(choices(352)) == [352, 512, 704, 'native']
    assert list(choices('native')) == [352, 512, 704, 'native']
    unusual = choices(600)
    assert list(unusual) == [352, 512, 600, 704, 'native']
    assert unusual[600].startswith('Preferred')


@pytest.mark.parametrize(
    ('size', 'words'),
    [
        (352, '469 × 352 pixels: the usual time'),
        (704, '939 × 704 pixels: about 4 times'),
        ('native', '4000 × 3000 pixels: about 73 times'),
        (176, '235 × 176 pixels: 25% of the usual time'),
    ],
)
def test_the_cost_is_said_in_words(size: int | str, words: str) -> None:
    assert words in cost((3000, 4000), size)


def test_a_small_photo_is_cheaper_at_its_own_size() -> None:
    assert '% of the usual time' in cost((100, 100), 'native')


class Sized(Engine):
    """Tiny networks at whatever size is asked for."""

    def __init__(self, build: Callable[..., Colorizer]) -> None:
        super().__init__()
        self._build = build

    def settings(self) -> Settings:
        return Settings(size=64, device='cpu')

    def get(self, settings: Settings) -> Colorizer:
        if self._colorizer is None or self._colorizer.size != settings.size:
            self._colorizer = self._build(size=settings.size)
        return self._colorizer


@pytest.fixture
def sized(
    qtbot, viewer: ViewerModel, pixels: NDArray, tiny_colorizer: Colorizer
):
    def build(size: int | str) -> Colorizer:
        return Colorizer(
            tiny_colorizer.parts, tiny_colorizer.device, size=size
        )

    viewer.add_image(pixels, name='castle')
    widget = ColorizeWidget(viewer, Sized(build))
    qtbot.addWidget(widget)
    yield widget
    widget.coordinator.close()


def choose(widget: ColorizeWidget, size: int | str) -> None:
    """What clicking on an entry of the list does."""
    widget.views.run.detail.value = size


def test_the_chosen_detail_is_used_by_the_next_run(
    sized: ColorizeWidget, settle: Callable
) -> None:
    run = sized.views.run
    assert run.detail.value == 64
    assert '85 × 64 pixels' in run.cost.text()
    sized.run()
    settle(sized)
    trio = sized.coordinator.trio
    assert trio.map.data.shape == (64, 85)
    choose(sized, 'native')
    assert '120 × 90 pixels' in run.cost.text()
    assert 'Press Run' in run.cost.text()
    assert trio.map.data.shape == (64, 85)
    sized.run()
    settle(sized)
    assert trio.map.data.shape == (90, 120)
    assert trio.color.data.shape == (90, 120, 3)
    assert 'Press Run' not in run.cost.text()


def test_an_edited_map_keeps_its_detail_and_says_so(
    sized: ColorizeWidget, settle: Callable
) -> None:
    sized.run()
    settle(sized)
    trio = sized.coordinator.trio
    trio.map.data_setitem((np.array([3]), np.array([4])), 36)
    settle(sized)
    choose(sized, 'native')
    assert 'keeps its own detail' in sized.views.run.cost.text()


def test_without_a_photo_nothing_is_said(
    viewer: ViewerModel, make_widget: Callable
) -> None:
    assert make_widget(viewer).views.run.cost.text() == ''


def test_what_is_no_photo_does_not_break_the_dock(
    viewer: ViewerModel, make_widget: Callable
) -> None:
    viewer.add_image(np.zeros((2, 2, 20, 20)))
    assert make_widget(viewer).views.run.cost.text() == ''
