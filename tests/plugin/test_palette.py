"""The palette and the names of the classes, as napari shows them."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Labels

from napari_sdcolor.classes import CLASSES, N_CLASSES
from napari_sdcolor.plugin.palette import names, palette


@pytest.fixture
def layer() -> Labels:
    """A map whose row r holds the id r."""
    rows = np.repeat(np.arange(N_CLASSES, dtype=np.uint8), 2)
    return Labels(
        rows.reshape(N_CLASSES, 2), colormap=palette(), features=names()
    )


def test_every_class_has_a_color_of_its_own():
    colors = palette().map(np.arange(N_CLASSES, dtype=np.uint8))
    assert len(colors) == 60
    shown = {tuple(np.rint(255 * color).astype(int)) for color in colors[1:]}
    assert len(shown) == 59
    assert all(color[3] == 255 for color in shown)


def test_the_colors_are_those_of_the_swatches():
    colors = palette().map(np.arange(N_CLASSES, dtype=np.uint8))
    for entry in CLASSES[1:]:
        np.testing.assert_allclose(
            255 * colors[entry.id, :3], entry.color, atol=0.5
        )


@pytest.mark.parametrize('number', [0, N_CLASSES, 77, 255])
def test_no_class_and_foreign_ids_are_transparent(number):
    color = palette().map(np.array([number], np.uint8))
    assert color[0, 3] == 0


def test_the_status_bar_names_every_class(layer):
    for entry in CLASSES:
        status = layer.get_status((entry.id, 1), world=True)
        assert status['value'].endswith(f'name: {entry.title}')


def test_the_brush_shows_the_color_of_its_class(layer):
    layer.selected_label = 50
    np.testing.assert_allclose(
        255 * layer.get_color(50)[:3], CLASSES[50].color, atol=0.5
    )


def test_two_maps_do_not_share_a_palette():
    one, two = palette(), palette()
    one.color_dict[5] = np.ones(4)
    np.testing.assert_allclose(
        255 * two.color_dict[5][:3], CLASSES[5].color, atol=0.5
    )
