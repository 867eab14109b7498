"""The dock in a real viewer: it opens, runs, follows, and leaks nothing."""

from __future__ import annotations

import numpy as np
import pytest

GRASS = 36


@pytest.fixture
def docked(make_napari_viewer_proxy, engine, pixels):
    """Viewer, dock and widget; the viewer is closed by its fixture."""
    from napari_sdcolor.plugin.widget import ColorizeWidget

    # Shown, as a hidden dock follows no edits.
    viewer = make_napari_viewer_proxy(show=True)
    viewer.add_image(pixels, name='castle')
    widget = ColorizeWidget(viewer, engine)
    viewer.window.add_dock_widget(widget, name='Colorize', area='right')
    yield viewer, widget
    widget.coordinator.close()


def test_the_manifest_opens_the_widget(make_napari_viewer_proxy):
    from napari_sdcolor.plugin.widget import ColorizeWidget

    viewer = make_napari_viewer_proxy()
    _, widget = viewer.window.add_plugin_dock_widget(
        'napari-sdcolor', 'Colorize'
    )
    assert isinstance(widget, ColorizeWidget)
    widget.coordinator.close()


def test_a_stroke_in_a_real_viewer_and_its_undo(docked, settle, stroke):
    viewer, widget = docked
    widget.run()
    settle(widget)
    trio = widget.coordinator.trio
    before = trio.color.data.copy()
    widget.views.classes.class_requested.emit(GRASS)
    assert 'grass' in widget.views.brush.text
    stroke(trio.map, [(20, 20), (25, 40)])
    settle(widget)
    assert (trio.color.data != before).any()
    trio.map.undo()
    settle(widget)
    assert np.abs(trio.color.data.astype(int) - before).max() <= 1


def test_closing_the_viewer_in_the_middle_of_a_run(docked):
    _, widget = docked
    widget.run()


def test_the_compare_key_lives_on_our_layers_only(docked, settle):
    viewer, widget = docked
    widget.run()
    settle(widget)
    trio = widget.coordinator.trio
    assert 'C' in {str(key) for key in trio.map.keymap}
    assert 'C' in {str(key) for key in trio.color.keymap}
    assert 'C' not in {str(key) for key in trio.photo.keymap}
