"""The dock in a real window: it opens, runs, corrects, and leaks nothing."""

from __future__ import annotations

from napari_sdcolor.plugin.archive.widget import ArchiveWidget
from napari_sdcolor.plugin.widget import ColorizeWidget


def test_the_story_in_a_real_viewer(
    make_napari_viewer_proxy, engine, choices, qtbot, stroke, settle, rest
):
    viewer = make_napari_viewer_proxy(show=True)
    colorize = ColorizeWidget(viewer, engine)
    viewer.window.add_dock_widget(colorize, name='Colorize', area='right')
    widget = ArchiveWidget(
        viewer, engine, colorize=lambda: colorize.coordinator
    )
    dock = viewer.window.add_dock_widget(
        widget, name='Archive', area='right', tabify=True
    )
    coordinator = widget.coordinator
    coordinator.choose(choices)
    rest(widget)
    coordinator.start()
    # A batch goes on behind another tab.
    dock.hide()
    rest(widget)
    assert coordinator.table.counts()['done'] == 3
    assert widget.views.photos.isVisible()
    coordinator.queue.open('a')
    rest(widget)
    (trio,) = coordinator.queue.open_photo.trios
    before = trio.color.data.copy()
    colorize.views.classes.class_requested.emit(36)
    stroke(trio.map, [(20, 20), (25, 40)])
    settle(colorize)
    assert (trio.color.data != before).any()
    coordinator.queue.save_and_next()
    # The viewer closes in the middle of coloring it anew.
    colorize.coordinator.close()
    coordinator.close()


def test_the_manifest_opens_the_dock(make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy()
    _, widget = viewer.window.add_plugin_dock_widget(
        'napari-sdcolor', 'Archive'
    )
    assert isinstance(widget, ArchiveWidget)
    assert 'choose a folder' in widget.views.run.status.text()
    widget.coordinator.close()
