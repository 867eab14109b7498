"""The manifest is valid, and everything that it names exists."""

from __future__ import annotations

import inspect
from importlib import import_module
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import PurePath
from typing import Any

import pytest
from npe2 import PluginManifest

from napari_sdcolor.archive.formats import SUFFIXES
from napari_sdcolor.plugin.widget import ColorizeWidget

PLUGIN = 'napari-sdcolor'


@pytest.fixture(scope='module')
def manifest() -> PluginManifest:
    """As npe2 finds it through the entry point of the distribution."""
    return PluginManifest.from_distribution(PLUGIN)


@pytest.fixture(scope='module')
def commands(manifest: PluginManifest) -> dict[str, Any]:
    """What each command calls."""
    found = {}
    for command in manifest.contributions.commands:
        module, name = command.python_name.split(':')
        found[command.id] = getattr(import_module(module), name)
    return found


def used_by(manifest: PluginManifest) -> list[str]:
    """Commands that widgets, writers, samples and menus call."""
    contributions = manifest.contributions
    items = [
        *contributions.widgets,
        *contributions.readers,
        *contributions.writers,
        *contributions.sample_data,
        *(item for menu in contributions.menus.values() for item in menu),
    ]
    return [item.command for item in items]


def test_npe2_finds_nothing_to_complain_about(manifest):
    manifest.validate_imports()


def test_the_manifest_belongs_to_this_distribution(manifest):
    assert manifest.name == PLUGIN
    (entry,) = (
        entry
        for entry in distribution(PLUGIN).entry_points
        if entry.group == 'napari.manifest'
    )
    module, path = entry.value.split(':')
    assert (files(module) / path).is_file()
    assert PurePath(path).name == 'napari.yaml'


def test_every_command_can_be_called(commands):
    assert len(commands) > 5
    for called in commands.values():
        assert callable(called)
        assert inspect.getdoc(called)


def test_every_command_is_used_and_every_use_is_a_command(manifest, commands):
    assert set(used_by(manifest)) == set(commands)


def test_the_widget_gets_the_viewer_from_napari(commands):
    widget = commands[f'{PLUGIN}.colorize']
    assert widget is ColorizeWidget
    first, *others = inspect.signature(widget).parameters.values()
    assert first.annotation == 'napari.viewer.Viewer'
    assert all(other.default is not other.empty for other in others)


def test_writers_offer_only_suffixes_that_keep_the_lightness(manifest):
    kept = {suffix for form, suffix in SUFFIXES.items() if form != 'jpeg'}
    for writer in manifest.contributions.writers:
        offered = set(writer.filename_extensions)
        assert kept <= offered
        assert '.jpg' not in offered


def test_menus_are_those_that_take_plugins(manifest):
    """A menu that napari does not open to plugins is dropped in silence."""
    for menu in manifest.contributions.menus:
        assert menu.startswith(('napari/layers/', 'napari/file/'))
        assert menu != 'napari/layers/context'
