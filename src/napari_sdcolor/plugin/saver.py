"""Answers the Save and Copy buttons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QApplication

from napari_sdcolor.core import cancel
from napari_sdcolor.errors import SdcolorError
from napari_sdcolor.plugin import saving
from napari_sdcolor.plugin.coordinator import SAVE
from napari_sdcolor.plugin.jobs import Job, Report
from napari_sdcolor.plugin.placement import placement_facts
from napari_sdcolor.plugin.save_dialog import ask_path
from napari_sdcolor.plugin.status import Kind, Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_sdcolor.archive.saving import OutputNames
    from napari_sdcolor.plugin.coordinator import Coordinator
    from napari_sdcolor.plugin.trio import Trio
    from napari_sdcolor.plugin.views.save_view import SaveView

    Saved = tuple[OutputNames, NDArray[np.uint8], float | None]


class Saver(QObject):
    """Saves the chosen trio's plane by one full pass in the worker.

    Parameters
    ----------
    coordinator
        Knows trio, worker and networks.
    view
        The buttons.
    choose
        Asks for a file name, given NAME and the photo's folder.
    """

    def __init__(
        self,
        coordinator: Coordinator,
        view: SaveView,
        choose: Callable[[str, Path | None], Path | None] = ask_path,
    ) -> None:
        super().__init__()
        self.coordinator = coordinator
        self.view = view
        self.choose = choose
        view.save_requested.connect(self._on_save_requested)
        view.command_requested.connect(self._on_command_requested)

    def _on_save_requested(self) -> None:
        self.coordinator.when_settled(self._ask_and_save)

    def _ask_and_save(self) -> None:
        trio = self.coordinator.ensure_trio()
        if trio is None:
            return
        path = trio.source.path
        name = saving.result_name(trio, trio.plane)
        chosen = self.choose(name, path.parent if path else None)
        if chosen is not None:
            self.save(trio, chosen)

    def save(self, trio: Trio, path: Path) -> None:
        """Save the shown plane; the words appear under the buttons.

        A plane that was not run is segmented first. All that is needed goes
        with the job: it is done also if the layers are gone by then.
        """
        plane = trio.plane
        coloring = self.coordinator.coloring
        before = trio.map_at(plane)
        wanted = saving.as_shown(trio, plane, coloring.engine.settings())
        if wanted.labels is not None:
            # What is saved is also what is shown.
            coloring.recolor(trio, quiet=True)
        self.coordinator.jobs.submit(
            Job(
                (SAVE, trio, plane, str(path)),
                partial(self._work, wanted, placement_facts(trio.photo), path),
                partial(self._on_saved, trio, plane, wanted, before),
                name=SAVE,
                owner=trio,
                plane=plane,
                lasting=True,
            )
        )

    def _work(
        self,
        wanted: saving.Wanted,
        placement: dict[str, Any],
        path: Path,
        report: Report,
    ) -> Saved:
        from napari_sdcolor.archive.saving import save_result

        started = datetime.now(UTC)
        folder, name, form = saving.split_name(path)
        report('Coloring the photo at full depth…')
        colorizer = self.coordinator.engine.get(wanted.settings)
        result = saving.full_result(colorizer, wanted)
        report(f'Writing {path.name}…')
        paths = save_result(
            result,
            folder,
            name,
            form,
            run=partial(_run_facts, started, placement),
        )
        return paths, result.labels, result.confidence

    def _on_saved(
        self,
        trio: Trio,
        plane: int,
        wanted: saving.Wanted,
        before: NDArray | None,
        saved: Saved,
    ) -> None:
        paths, labels, confidence = saved
        coordinator = self.coordinator
        there = trio in coordinator.all_trios()
        if there and wanted.labels is None:
            self._show_map(trio, plane, wanted, before, labels, confidence)
        known = trio.planes[plane]
        if there:
            coordinator.autosaver.on_saved(trio, plane, labels)
        known.saved = (paths.labels, labels)
        names = ', '.join(path.name for path in paths)
        words = f'{paths[0].parent}: {names}'
        known.save_outcome = Outcome(Kind.SAVED, words)
        known.save_inputs = replace(wanted.inputs, labels=labels)
        if trio is not coordinator.trio or plane != trio.plane:
            show_info(f'{trio.photo.name} was saved in {words}')

    def _show_map(
        self,
        trio: Trio,
        plane: int,
        wanted: saving.Wanted,
        before: NDArray | None,
        labels: NDArray[np.uint8],
        confidence: float | None,
    ) -> None:
        """What was found while saving a plane that was not run."""
        known = trio.planes[plane]
        if known.shown is None and not trio.map_changed(plane, before):
            self.coordinator.coloring.show_map(
                trio, plane, labels, confidence, wanted.settings.size
            )

    def _on_command_requested(self) -> None:
        coordinator = self.coordinator
        trio = coordinator.ensure_trio()
        if trio is None:
            return
        try:
            command = saving.command_line(
                trio, trio.plane, coordinator.engine.settings()
            )
        except SdcolorError as error:
            show_error(str(error))
            outcome = Outcome(Kind.FAILED, str(error))
        else:
            QApplication.clipboard().setText(command)
            outcome = Outcome(Kind.COPIED, command)
        known = trio.planes[trio.plane]
        known.save_outcome = outcome
        if trio.map is not None:
            known.save_inputs = trio.map_inputs(trio.plane)
        coordinator.show_state()


def _run_facts(started: datetime, placement: dict[str, Any]) -> dict[str, Any]:
    """Asked for when the colored file is written, but has no name yet."""
    from napari_sdcolor.archive.sidecar import run_facts

    # A stop that comes later finds the result saved; one that came before
    # ends here, and nothing is left behind.
    cancel.commit()
    return run_facts(started, placement=placement)
