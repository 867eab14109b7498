"""The widget for scripts: values in, layers out."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image, Labels, Layer

from napari_sdcolor.errors import PhotoError
from napari_sdcolor.plugin import once
from napari_sdcolor.settings import declared

GRASS = 36


@pytest.fixture(autouse=True)
def tiny(engine, monkeypatch):
    monkeypatch.setattr(once, '_ENGINE', engine)
    return engine


@pytest.fixture
def castle(pixels) -> Image:
    return Image(pixels, name='castle', scale=(2, 2), translate=(5, 7))


def test_layers_lie_over_their_photo(castle, tiny):
    color, labels = (
        Layer.create(*data) for data in once.color_layers(castle, size=64)
    )
    assert isinstance(labels, Labels)
    assert color.rgb
    assert color.data.dtype == np.uint8
    for layer in (color, labels):
        first = layer.data_to_world((-0.5, -0.5))
        np.testing.assert_allclose(first, castle.data_to_world((-0.5, -0.5)))
        last = np.array(layer.data.shape[:2]) - 0.5
        np.testing.assert_allclose(
            layer.data_to_world(last), castle.data_to_world((89.5, 119.5))
        )
    expected = tiny.get(None).colorize(castle.data)
    np.testing.assert_array_equal(color.data, expected.rgb)
    np.testing.assert_array_equal(labels.data, expected.labels)


def test_a_given_map_steers_the_color(castle):
    grass = Labels(np.full((90, 120), GRASS, np.uint8))
    (_, (labels, *_)) = once.color_layers(castle, grass, size=64)
    assert (labels == GRASS).all()


def test_saturation_zero_is_gray(castle):
    ((rgb, *_), _) = once.color_layers(castle, saturation=0.0, size=64)
    assert (rgb == castle.data[..., None]).all()


def test_sixteen_bits_are_shown_in_eight(pixels):
    ((rgb, *_), _) = once.color_layers(
        Image(pixels.astype(np.uint16) * 257),
        saturation=0.0,
        window='type',
        size=64,
    )
    assert np.abs(rgb[..., 0].astype(int) - pixels).max() <= 1


def test_a_stack_is_refused_with_a_remedy(pixels):
    with pytest.raises(PhotoError, match='one plane'):
        once.color_layers(Image(np.stack([pixels] * 3)))


def test_the_form_has_what_the_settings_declare():
    widget = once.colorize_once()
    slider = widget.saturation
    assert slider.max == declared('saturation').metadata['maximum']
    assert slider.tooltip == declared('saturation').metadata['help']
    assert 'default' in widget.weights.choices


@pytest.mark.viewer
def test_in_a_window_two_layers_appear(
    make_napari_viewer_proxy, pixels, qtbot
):
    viewer = make_napari_viewer_proxy()
    viewer.add_image(pixels, name='castle')
    _, widget = viewer.window.add_plugin_dock_widget(
        'napari-sdcolor', 'Colorize once'
    )
    assert widget.photo.value.name == 'castle'
    viewer.add_image(255 - pixels, name='negative')
    assert len(widget.photo.choices) == 2
    widget.size.value = 352
    widget.call_button.native.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 4, timeout=30_000)
    names = {layer.name for layer in viewer.layers}
    assert {'castle color', 'castle semantic map'} <= names
