"""The sample photos: gray, real, and there without a network."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from importlib import import_module

import numpy as np
import pytest
from npe2 import PluginManifest
from skimage import data

from napari_sdcolor.core import lab
from napari_sdcolor.plugin import sample_data
from napari_sdcolor.plugin.source import PhotoSource
from napari_sdcolor.samples import gray_version

PLUGIN = 'napari-sdcolor'
SAMPLES = {
    'astronaut': data.astronaut,
    'cat': data.chelsea,
    'coffee': data.coffee,
    'rocket': data.rocket,
    'camera': data.camera,
}


@pytest.fixture(autouse=True)
def no_network(monkeypatch) -> None:
    """Nobody may talk to another machine."""

    def refuse(*words: object) -> None:
        raise AssertionError('A sample must not need a network.')

    monkeypatch.setattr(socket, 'getaddrinfo', refuse)
    monkeypatch.setattr(socket.socket, 'connect', refuse)


@pytest.fixture
def plugin(tmp_plugin) -> Iterator[None]:
    with tmp_plugin(PLUGIN):
        yield


def test_every_sample_of_the_manifest_is_tested():
    manifest = PluginManifest.from_distribution(PLUGIN)
    keys = {sample.key for sample in manifest.contributions.sample_data}
    assert keys == set(SAMPLES)


@pytest.mark.parametrize('key', SAMPLES)
def test_a_sample_is_one_gray_image_layer(key):
    ((pixels, meta, kind),) = getattr(sample_data, key)()
    assert kind == 'image'
    assert meta['name']
    assert pixels.dtype == np.uint8
    assert pixels.shape == SAMPLES[key]().shape[:2]
    # A photo, not a plain plane.
    assert np.ptp(pixels) > 100


@pytest.mark.parametrize('key', SAMPLES)
def test_a_sample_keeps_the_lightness_of_the_color_photo(key):
    original = SAMPLES[key]()
    ((pixels, _, _),) = getattr(sample_data, key)()
    if original.ndim == 2:
        np.testing.assert_array_equal(pixels, original)
        return
    wanted = lab.rgb_to_lightness(original / 255)
    found = lab.gray_to_lightness(pixels / 255)
    # Half a step of 8 bits is 0.26 where L* is steepest.
    assert np.abs(found - wanted).max() <= 0.26


def test_gray_stays_gray():
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(gray_version(np.dstack([gray] * 3)), gray)


@pytest.mark.usefixtures('plugin')
@pytest.mark.parametrize('key', SAMPLES)
def test_napari_opens_a_sample_that_can_be_colored(viewer, key):
    (layer,) = viewer.open_sample(PLUGIN, key)
    assert not layer.rgb
    photo = PhotoSource(layer).photo(0, 'type')
    assert photo.kind == 'gray'


def test_the_commands_are_the_functions():
    manifest = PluginManifest.from_distribution(PLUGIN)
    names = {c.id: c.python_name for c in manifest.contributions.commands}
    for sample in manifest.contributions.sample_data:
        module, name = names[sample.command].split(':')
        assert import_module(module) is sample_data
        assert name == sample.key
