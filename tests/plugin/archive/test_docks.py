"""One dock of each kind, whoever opens it; keys pressed on the canvas.

Everything goes through napari's own menu actions and real key events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from npe2 import PluginManager
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QAction
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMainWindow, QWidget

from napari_sdcolor.archive.labels import read_ids
from napari_sdcolor.batch.task import EDITED_MAPS
from napari_sdcolor.plugin import docks
from napari_sdcolor.plugin.archive.widget import ArchiveWidget
from napari_sdcolor.plugin.docks import find_dock, name_of, open_dock
from napari_sdcolor.plugin.widget import ColorizeWidget


@pytest.fixture(autouse=True)
def no_errors() -> Iterator[None]:
    """A test fails on anything that napari tells as an error."""
    first = len(notification_manager.records)
    yield
    told = notification_manager.records[first:]
    wrong = [n.message for n in told if n.severity.name == 'ERROR']
    assert not wrong


@pytest.fixture
def small_networks(engine, monkeypatch) -> None:
    """Docks that napari makes itself take the tiny networks, too."""
    monkeypatch.setattr(
        'napari_sdcolor.plugin.coordinator.Engine', lambda: engine
    )
    monkeypatch.setattr(
        'napari_sdcolor.plugin.archive.widget.Engine', lambda: engine
    )


@pytest.fixture
def make_window(
    make_napari_viewer_proxy, small_networks
) -> Iterator[Callable]:
    """Opens viewers; their docks are let go before they are closed."""
    viewers = []

    def make(title: str = 'one'):
        viewer = make_napari_viewer_proxy(show=True, title=title)
        viewers.append(viewer)
        return viewer

    yield make
    for viewer in viewers:
        for content in list(contents(viewer)):
            content.coordinator.close()


def contents(viewer) -> list[docks.DockContent]:
    """Our docks in a window, each once."""
    docked = viewer.window.dock_widgets
    return [
        docked[name].__wrapped__
        for name in docked
        if isinstance(docked[name], docks.DockContent)
    ]


def find(viewer, kind: type) -> docks.DockContent:
    """What ``find_dock`` finds, without the proxy of this viewer."""
    content = find_dock(viewer, kind)
    return getattr(content, '__wrapped__', content)


def main_window(viewer) -> QMainWindow:
    """The Qt window of a viewer, by the title that it was given."""
    (found,) = (
        top
        for top in QApplication.topLevelWidgets()
        if isinstance(top, QMainWindow) and top.windowTitle() == viewer.title
    )
    return found


def menu(viewer, kind: type) -> None:
    """Choose a dock in the menu Plugins of a window."""
    window = main_window(viewer)
    # Menus belong to the window that the person is in.
    QApplication.sendEvent(window, QEvent(QEvent.Type.WindowActivate))
    plugins = next(
        action.menu()
        for action in window.menuBar().actions()
        if action.text().replace('&', '') == 'Plugins'
    )
    plugins.aboutToShow.emit()
    action = next(
        action
        for action in actions_below(plugins)
        if action.text() == name_of(kind)
    )
    action.trigger()
    QApplication.processEvents()


def actions_below(menu) -> Iterator[QAction]:
    for action in menu.actions():
        if action.menu() is None:
            yield action
        else:
            yield from actions_below(action.menu())


def canvas(viewer) -> QWidget:
    """The widget that takes the keys of a viewer's canvas."""
    (found,) = (
        child
        for child in main_window(viewer).findChildren(QWidget)
        if type(child).__name__ == 'CanvasBackendDesktop'
    )
    return found


def kinds(viewer) -> list[str]:
    return sorted(content.TITLE for content in contents(viewer))


def test_the_menu_and_our_code_open_the_same_dock(make_window):
    viewer = make_window()
    menu(viewer, ColorizeWidget)
    mine = open_dock(viewer, ColorizeWidget)
    assert kinds(viewer) == ['Colorize']
    assert find(viewer, ColorizeWidget) == mine
    archive = open_dock(viewer, ArchiveWidget)
    menu(viewer, ArchiveWidget)
    # The menu shows and hides.
    assert kinds(viewer) == ['Archive', 'Colorize']
    assert archive.parent().isHidden()
    assert open_dock(viewer, ArchiveWidget) == archive
    assert not archive.parent().isHidden()


def test_the_archive_opens_the_dock_of_the_menu(make_window):
    viewer = make_window()
    menu(viewer, ArchiveWidget)
    archive = find(viewer, ArchiveWidget)
    open_photo = archive.coordinator.queue.open_photo
    first = open_photo.colorize()
    menu(viewer, ColorizeWidget)  # hides it
    assert open_photo.colorize() == first
    assert kinds(viewer) == ['Archive', 'Colorize']
    assert not find(viewer, ColorizeWidget).parent().isHidden()


def test_a_dock_that_a_script_opened_is_found_too(make_window):
    viewer = make_window()
    _, mine = viewer.window.add_plugin_dock_widget(
        'napari-sdcolor', 'Colorize'
    )
    assert open_dock(viewer, ColorizeWidget) == mine
    menu(viewer, ColorizeWidget)
    # Now there are two; the menu's counts.
    assert find(viewer, ColorizeWidget) != mine


def test_docks_share_a_tab_and_none_is_squeezed(make_window, qtbot):
    viewer = make_window()
    menu(viewer, ColorizeWidget)
    menu(viewer, ArchiveWidget)
    window = main_window(viewer)
    one, other = (content.parent() for content in contents(viewer))

    def tabbed():
        assert window.tabifiedDockWidgets(one) == [other]

    qtbot.waitUntil(tabbed)
    for content in contents(viewer):
        docks.bring_to_front(content)
        qtbot.waitUntil(lambda c=content: c.isVisible() and c.height() > 300)
        least = content.minimumSizeHint()
        assert content.width() >= least.width()
        assert content.height() >= least.height()


def test_closed_and_opened_again(make_window, choices, rest, settle, stroke):
    viewer = make_window()
    for kind in (ColorizeWidget, ArchiveWidget):
        menu(viewer, kind)
    # Away by the cross in their titles, and back.
    for content in contents(viewer):
        content.parent().destroyOnClose()
    QApplication.processEvents()
    assert not kinds(viewer)
    for kind in (ArchiveWidget, ColorizeWidget):
        menu(viewer, kind)
    assert kinds(viewer) == ['Archive', 'Colorize']
    archive = find(viewer, ArchiveWidget)
    paint_one(archive, choices, rest, settle, stroke)
    # The table goes with its dock, and comes back with the next one.
    archive.parent().destroyOnClose()
    QApplication.processEvents()
    assert 'Archive photos' not in viewer.window.dock_widgets
    menu(viewer, ArchiveWidget)
    rest(find(viewer, ArchiveWidget))
    assert 'Archive photos' in viewer.window.dock_widgets


def paint_one(archive, choices, rest, settle, stroke):
    """Color a folder, open a photo and paint; returns the photo's trio."""
    coordinator = archive.coordinator
    coordinator.choose(choices)
    rest(archive)
    coordinator.start()
    rest(archive)
    coordinator.queue.open('a')
    rest(archive)
    (trio,) = coordinator.queue.open_photo.trios
    colorize = find(archive.viewer, ColorizeWidget)
    before = trio.color.data.copy()
    colorize.views.classes.class_requested.emit(36)
    stroke(trio.map, [(20, 20), (25, 40)])
    settle(colorize)
    assert (trio.color.data != before).any()
    return trio


@pytest.mark.parametrize('order', [0, 1])
def test_a_photo_is_opened_whichever_dock_was_first(
    make_window, choices, rest, settle, stroke, order
):
    viewer = make_window()
    pair = [ColorizeWidget, ArchiveWidget]
    for kind in pair[::-1] if order else pair:
        menu(viewer, kind)
    # A second dock of a kind, as a script may open it, takes nothing away.
    viewer.window.add_plugin_dock_widget('napari-sdcolor', 'Colorize')
    archive = find(viewer, ArchiveWidget)
    paint_one(archive, choices, rest, settle, stroke)


def test_two_viewers_work_on_their_own(
    make_window, choices, rest, settle, stroke, tmp_path
):
    one, two = make_window('one'), make_window('two')
    for viewer in (one, two):
        menu(viewer, ArchiveWidget)
    first, second = (find(v, ArchiveWidget) for v in (one, two))
    assert first is not second
    paint_one(first, choices, rest, settle, stroke)
    assert not len(two.layers)
    assert kinds(two) == ['Archive']
    other = replace(choices, output=str(tmp_path / 'other'))
    paint_one(second, other, rest, settle, stroke)
    assert len(one.layers) == len(two.layers) == 3
    assert first.coordinator.queue.open_photo.key == 'a'


def test_the_keys_do_what_the_buttons_say(
    make_window, choices, rest, settle, stroke, qtbot
):
    viewer = make_window()
    menu(viewer, ArchiveWidget)
    archive = find(viewer, ArchiveWidget)
    open_photo = archive.coordinator.queue.open_photo
    trio = paint_one(archive, choices, rest, settle, stroke)
    painted = trio.map.data.copy()

    def press(key, modifier=Qt.KeyboardModifier.NoModifier):
        QTest.keyClick(canvas(viewer), key, modifier)
        rest(archive)

    press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert (trio.map.data != painted).any()
    control_shift = (
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    press(Qt.Key.Key_Z, control_shift)
    assert (trio.map.data == painted).all()
    press(Qt.Key.Key_K)
    assert open_photo.key == 'b'
    press(Qt.Key.Key_J)
    assert open_photo.key == 'a'
    (trio,) = open_photo.trios
    assert (trio.map.data == painted).all()
    press(Qt.Key.Key_N)
    qtbot.waitUntil(lambda: open_photo.key not in (None, 'a'))
    rest(archive)
    kept = Path(choices.output) / EDITED_MAPS / 'a.labels.png'
    assert np.array_equal(read_ids(kept), painted)


def test_the_title_in_the_manifest_is_ours(qapp):
    manifest = PluginManager.instance().get_manifest('napari-sdcolor')
    assert manifest.display_name == docks.DISPLAY_NAME
    titles = {entry.display_name for entry in manifest.contributions.widgets}
    assert titles >= {ColorizeWidget.TITLE, ArchiveWidget.TITLE}
