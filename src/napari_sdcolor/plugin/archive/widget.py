"""The dock "Archive": whole folders of photos."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QDockWidget, QWidget

from napari_sdcolor.plugin import detail
from napari_sdcolor.plugin.archive.coordinator import ArchiveCoordinator
from napari_sdcolor.plugin.archive.dialogs import Chooser
from napari_sdcolor.plugin.archive.views import OptionsForm, Views
from napari_sdcolor.plugin.docks import (
    DockContent,
    bring_to_front,
    give_corner_to_right,
    open_dock,
)
from napari_sdcolor.plugin.engine import Engine, device_job
from napari_sdcolor.plugin.views.section import Section, lay_out_dock
from napari_sdcolor.plugin.widget import ColorizeWidget

if TYPE_CHECKING:
    import napari

    from napari_sdcolor.plugin.coordinator import Coordinator


class ArchiveWidget(DockContent):
    """Color folders of photos and correct those that need a person.

    The table of photos is wide: in a window it gets a dock of its own
    below the picture.

    Parameters
    ----------
    viewer
        The viewer that the dock belongs to (injected by napari).
    engine
        Lends the networks; another one for tests.
    chooser
        Asks for folders; another one for tests.
    colorize
        Gives what colors the painted; by default the dock "Colorize".
    """

    TITLE = 'Archive'

    def __init__(
        self,
        viewer: napari.viewer.Viewer,
        engine: Engine | None = None,
        chooser: Chooser | None = None,
        colorize: Callable[[], Coordinator] | None = None,
    ) -> None:
        super().__init__()
        self.viewer = viewer
        self._window = getattr(viewer, 'window', None)
        engine = engine or Engine()
        self.views = Views(OptionsForm(detail.choices(engine.settings().size)))
        self._lay_out()
        self.coordinator = ArchiveCoordinator(
            viewer,
            self.views,
            colorize or self._open_colorize,
            engine,
            chooser,
        )
        self.coordinator.photos_wanted.connect(self._show_photos)
        self.closed.connect(self._on_closed)
        # The coordinator outlives the widget's C++ side.
        self.destroyed.connect(self.coordinator.close)
        self._check_device()

    def _lay_out(self) -> None:
        views = self.views
        column: list[QWidget] = [
            Section(title, view)
            for title, view in (
                ('Photos and results', views.folders.native),
                ('Options', views.options.native),
                ('The same from the command line', views.command),
            )
        ]
        if self._window is None:
            column.append(views.photos)
        lay_out_dock(self, fixed=(views.badge, views.run), column=column)

    def _show_photos(self) -> None:
        """Bring the table into view; its dock may have been closed."""
        if self._window is None:
            return
        photos = self.views.photos
        if not isinstance(photos.parent(), QDockWidget):
            self._window.add_dock_widget(
                photos,
                name='Archive photos',
                area='bottom',
                add_vertical_stretch=False,
            )
            give_corner_to_right(photos)
        bring_to_front(photos)

    def _on_closed(self) -> None:
        """The person closed the dock: its table goes with it."""
        self.coordinator.close()
        dock = self.views.photos.parent()
        if self._window is not None and isinstance(dock, QDockWidget):
            self._window.remove_dock_widget(dock)

    def _open_colorize(self) -> Coordinator:
        """The dock that colors what is painted, in front of this one."""
        return open_dock(self.viewer, ColorizeWidget).coordinator

    def _check_device(self) -> None:
        """Say where the networks will run; torch loads in the worker."""
        coordinator = self.coordinator
        coordinator.queue.jobs.submit(
            device_job(coordinator.engine, self.views.badge.show_device)
        )
