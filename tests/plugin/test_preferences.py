"""The plugin's page in napari's preferences, and life without one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from napari.settings import get_plugin_settings
from npe2 import PluginManifest

from napari_sdcolor.plugin import preferences
from napari_sdcolor.plugin.engine import Engine
from napari_sdcolor.plugin.preferences import PLUGIN, Preferences
from napari_sdcolor.settings import Settings, declared

DEFAULTS = Preferences()


@pytest.fixture
def unknown(plugin_settings) -> None:
    """napari knows no plugin of ours, as in a plain script."""


@pytest.fixture
def page(plugin_settings, tmp_plugin) -> Iterator[Any]:
    """The page of the registered plugin."""
    with tmp_plugin(PLUGIN):
        yield get_plugin_settings(PLUGIN)


# --- without the plugin ---------------------------------------------------


@pytest.mark.usefixtures('unknown')
def test_napari_refuses_a_page_of_an_unknown_plugin():
    """If this changes, ``_page`` must catch something else."""
    with pytest.raises(KeyError):
        get_plugin_settings(PLUGIN)


@pytest.mark.usefixtures('unknown')
def test_without_the_plugin_the_defaults_hold():
    assert preferences.read() == DEFAULTS


@pytest.mark.usefixtures('unknown')
def test_without_the_plugin_nothing_is_remembered(tmp_path):
    preferences.remember('live', False)
    assert preferences.read().live
    assert not list(tmp_path.glob('*.yaml'))


@pytest.mark.usefixtures('unknown')
def test_an_engine_without_the_plugin_has_the_default_settings():
    assert Engine().settings() == Settings()


def test_another_plugin_alone_makes_no_page(plugin_settings, npe2pm):
    with npe2pm.tmp_plugin(name='another-plugin'):
        assert preferences.read() == DEFAULTS


def test_a_removed_plugin_falls_back_to_the_defaults(
    plugin_settings, npe2pm, tmp_plugin
):
    with tmp_plugin(PLUGIN):
        get_plugin_settings(PLUGIN).inference.size = 512
        assert preferences.read().size == 512
    # napari itself forgets its pages on changes of the plugins.
    npe2pm.events.enablement_changed.emit(set(), {PLUGIN})
    assert preferences.read() == DEFAULTS


# --- with the plugin ------------------------------------------------------


def test_the_page_starts_with_the_same_defaults(page):
    assert preferences.read() == DEFAULTS


def test_what_the_person_chose_is_read_anew_each_time(page):
    page.inference.device = 'cpu'
    page.inference.size = 512
    page.painting.live = False
    assert preferences.read() == Preferences('cpu', 512, live=False)
    page.inference.size = 256
    assert preferences.read().size == 256


def test_the_engine_takes_device_and_size_from_the_page(page):
    engine = Engine()
    page.inference.device = 'cpu'
    page.inference.size = 480
    assert engine.settings() == Settings(device='cpu', size=480)


def test_the_live_switch_is_remembered_in_a_file(page, tmp_path):
    preferences.remember('live', False)
    assert not preferences.read().live
    (stored,) = tmp_path.glob(f'{PLUGIN}.yaml')
    assert 'live: false' in stored.read_text()


def test_an_unchanged_switch_writes_nothing(page, tmp_path: Path):
    preferences.remember('live', DEFAULTS.live)
    assert not list(tmp_path.glob(f'{PLUGIN}.yaml'))


# --- the manifest says what the code does ---------------------------------


@pytest.fixture(scope='module')
def declared_pages() -> dict[str, dict[str, Any]]:
    """Properties of the preferences page by group, from the manifest."""
    manifest = PluginManifest.from_distribution(PLUGIN)
    pages = manifest.contributions.configurations
    return {key: entry.properties for key, entry in pages.items()}


def test_limits_of_the_size_are_those_of_the_settings(declared_pages):
    size, limits = declared_pages['inference']['size'], declared('size')
    assert size.default == limits.default == DEFAULTS.size
    assert size.minimum == limits.metadata['minimum']
    assert size.maximum == limits.metadata['maximum']


def test_devices_are_those_of_the_settings(declared_pages):
    device, limits = declared_pages['inference']['device'], declared('device')
    assert device.default == limits.default == DEFAULTS.device
    assert tuple(device.enum) == limits.metadata['choices']


@pytest.mark.parametrize(
    ('field', 'value'), [('device', 'abacus'), ('size', 63), ('size', 9999)]
)
def test_the_page_refuses_what_the_settings_refuse(page, field, value):
    with pytest.raises(ValueError, match=field):
        setattr(page.inference, field, value)
    assert preferences.read() == DEFAULTS


def test_the_memory_for_editing_reaches_the_networks(page, declared_pages):
    entry, limits = declared_pages['inference']['memory'], declared('memory')
    assert entry.default == limits.default == DEFAULTS.memory
    assert entry.minimum == limits.metadata['minimum']
    assert entry.maximum == limits.metadata['maximum']
    page.inference.memory = 77
    assert Engine().settings().memory == 77


def test_the_weights_reach_the_networks(page, declared_pages):
    entry = declared_pages['inference']['weights']
    assert entry.default == declared('weights').default == DEFAULTS.weights
    page.inference.weights = 'mine'
    assert Engine().settings().weights == 'mine'
    page.inference.weights = ' '
    assert Engine().settings().weights == DEFAULTS.weights
