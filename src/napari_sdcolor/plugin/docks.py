"""Our docks in napari's window: one of each kind, together behind tabs.

napari's menu finds an open dock by the display name of its plugin, its
function ``add_plugin_dock_widget`` by another name. What opens a dock of
ours goes through ``open_dock``, which takes the menu's name, so that both
find the same dock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from napari.plugins import menu_item_template
from qtpy.QtCore import QEvent, Qt, QTimer, Signal
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

if TYPE_CHECKING:
    import napari

BUTTONS = 120
"""Pixels beside the title of a dock, for its buttons and margins."""

DISPLAY_NAME = 'Semantic Colorization'
"""Of the plugin, as its manifest has it."""


class DockContent(QWidget):
    """What a dock of ours shows.

    Attributes
    ----------
    TITLE : str
        Display name of the widget, as the manifest has it.

    Signals
    -------
    closed
        The person closed the dock. Another one will be opened next time, so
        this one has to let go of everything.
    """

    TITLE: ClassVar[str]

    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._docked = False
        # The dock gets its place in the window after its content.
        self._arrived = QTimer(self)
        self._arrived.setSingleShot(True)
        self._arrived.setInterval(0)
        self._arrived.timeout.connect(self._join_others)

    def changeEvent(self, event: QEvent) -> None:
        """Notice that the dock was opened or closed."""
        super().changeEvent(event)
        if event.type() != QEvent.Type.ParentChange:
            return
        if isinstance(self.parent(), QDockWidget):
            self._docked = True
            self._arrived.start()
        elif self._docked and self.parent() is None:
            self._docked = False
            self.closed.emit()

    def _join_others(self) -> None:
        """Show the whole title, and share a tab with the docks of ours that are there already."""
        dock = self.parent()
        if not isinstance(dock, QDockWidget) or dock.isFloating():
            return
        window = dock.parent()
        if not isinstance(window, QMainWindow):
            return
        dock.setWindowTitle(self.TITLE)  # on its tab
        title = self.fontMetrics().horizontalAdvance(name_of(type(self)))
        self.setMinimumWidth(title + BUTTONS)
        area = window.dockWidgetArea(dock)
        for other in window.findChildren(QDockWidget):
            ours = other is not dock and isinstance(
                other.widget(), DockContent
            )
            if (
                ours
                and not other.isFloating()
                and window.dockWidgetArea(other) == area
            ):
                window.tabifyDockWidget(other, dock)
                break
        dock.raise_()


Content = TypeVar('Content', bound=DockContent)


def name_of(kind: type[DockContent]) -> str:
    """What napari's menu calls the dock."""
    return menu_item_template.format(DISPLAY_NAME, kind.TITLE)


def find_dock(viewer: napari.viewer.Viewer, kind: type[Content]) -> Content:
    """The content of an open dock, whoever opened it.

    Raises
    ------
    LookupError
        If the window has none of this kind.
    """
    docked = viewer.window.dock_widgets
    named = name_of(kind)
    # The menu's own first, should a script have opened a second one.
    for name in sorted(docked, key=lambda name: name != named):
        if isinstance(docked[name], kind):
            return docked[name]
    raise LookupError(f'There is no dock {kind.TITLE}.')


def open_dock(viewer: napari.viewer.Viewer, kind: type[Content]) -> Content:
    """Bring a dock to the front; it is opened if it is not there.

    Parameters
    ----------
    viewer
        In whose window.
    kind
        Made with the viewer as its only argument.

    Returns
    -------
    DockContent
        The content of the dock.
    """
    try:
        content = find_dock(viewer, kind)
    except LookupError:
        content = kind(viewer)
        viewer.window.add_dock_widget(content, name=name_of(kind))
    bring_to_front(content)
    return content


def give_corner_to_right(content: QWidget) -> None:
    """Let docks on the right reach down beside a dock at the bottom."""
    dock = content.parent()
    window = dock.parent() if isinstance(dock, QDockWidget) else None
    if isinstance(window, QMainWindow):
        window.setCorner(
            Qt.Corner.BottomRightCorner,
            Qt.DockWidgetArea.RightDockWidgetArea,
        )


def bring_to_front(content: QWidget) -> None:
    """Show the dock of a widget above those that share its place."""
    dock = content.parent()
    if isinstance(dock, QDockWidget):
        dock.show()
        dock.raise_()
