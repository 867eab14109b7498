"""The dock widget: views in folding sections, and nothing else."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtGui import QHideEvent, QShowEvent

from napari_sdcolor.plugin.coordinator import Coordinator
from napari_sdcolor.plugin.docks import DockContent
from napari_sdcolor.plugin.engine import Engine, device_job
from napari_sdcolor.plugin.jobs import Job, Report
from napari_sdcolor.plugin.views.section import Section, lay_out_dock
from napari_sdcolor.plugin.views.views import Views
from napari_sdcolor.plugin.writers import UnmarkedWarning

if TYPE_CHECKING:
    import napari

    from napari_sdcolor.core.device import Device


class ColorizeWidget(DockContent):
    """Color gray photos with an editable semantic map.

    Parameters
    ----------
    viewer
        The viewer that the dock belongs to (injected by napari).
    engine
        Lends the networks; another one for tests.
    """

    TITLE = 'Colorize'

    def __init__(
        self, viewer: napari.viewer.Viewer, engine: Engine | None = None
    ) -> None:
        super().__init__()
        self.views = Views()
        self._lay_out()
        self.coordinator = Coordinator(viewer, self.views, engine)
        self.unmarked = UnmarkedWarning(viewer)
        self.closed.connect(self.coordinator.close)
        self.closed.connect(self.unmarked.close)
        # The coordinator outlives the widget's C++ side, so that this slot
        # never touches a deleted object.
        self.destroyed.connect(self.coordinator.close)
        self._check_device()

    def run(self) -> None:
        """Segment and color the chosen photo, as the Run button does."""
        self.coordinator.run()

    def _lay_out(self) -> None:
        views = self.views
        lay_out_dock(
            self,
            fixed=(views.badge, views.banner),
            column=(
                Section('Photo', views.run),
                Section('Color', views.color),
                views.brush,
                Section('Classes', views.classes),
            ),
            below=(views.save,),
            grows=True,
        )

    def _check_device(self) -> None:
        """Say where the networks will run; torch loads in the worker."""
        coordinator = self.coordinator
        coordinator.jobs.submit(
            device_job(coordinator.engine, self._on_device)
        )

    def _on_device(self, device: Device) -> None:
        self.coordinator.display.show_device(device)
        # Not before torch is known to load.
        self._mark_rare_classes()

    def _mark_rare_classes(self) -> None:
        """Say which classes the networks hardly know."""
        engine = self.coordinator.engine
        work = partial(_rare, engine.settings().weights)
        job = Job('rare', work, self.views.classes.model.set_rare, quiet=True)
        self.coordinator.jobs.submit(job)

    def hideEvent(self, event: QHideEvent) -> None:
        """A hidden dock does not color in the background."""
        self.coordinator.coloring.pause()
        super().hideEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        """What changed meanwhile is colored now."""
        self.coordinator.coloring.resume()
        super().showEvent(event)


def _rare(weights: str, report: Report) -> dict[int, int]:
    from napari_sdcolor.core import models

    return models.rarely_seen(models.training_record(weights, 'color'))
