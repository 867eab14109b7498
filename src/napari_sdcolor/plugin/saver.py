"""Answers the Save and Copy buttons."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_sdcolor.errors import SdcolorError
from napari_sdcolor.plugin import saving
from napari_sdcolor.plugin.jobs import Job, Report
from napari_sdcolor.plugin.placement import placement_facts
from napari_sdcolor.settings import Settings

if TYPE_CHECKING:
    from napari_sdcolor.archive.saving import OutputNames
    from napari_sdcolor.plugin.coordinator import Coordinator
    from napari_sdcolor.plugin.trio import Trio
    from napari_sdcolor.plugin.views.save_view import SaveView

FILTERS = 'TIFF (*.tif);;PNG (*.png);;JPEG access copy (*.jpg)'


def ask_path(suggestion: str) -> str:
    """Let the person choose a file name; empty if none was chosen."""
    path, _ = QFileDialog.getSaveFileName(
        None,
        'Save the colored photo',
        suggestion,
        FILTERS,
        # An existing file is refused with a sentence: never overwritten.
        options=QFileDialog.Option.DontConfirmOverwrite,
    )
    return path


class Saver(QObject):
    """Saves the chosen trio's plane by one full pass in the worker.

    Parameters
    ----------
    coordinator
        Knows trio, worker and networks.
    view
        The buttons.
    choose
        Asks for a file name.
    """

    def __init__(
        self,
        coordinator: Coordinator,
        view: SaveView,
        choose: Callable[[str], str] = ask_path,
    ) -> None:
        super().__init__()
        self.coordinator = coordinator
        self.view = view
        self.choose = choose
        view.save_requested.connect(self._on_save_requested)
        view.command_requested.connect(self._on_command_requested)

    def _on_save_requested(self) -> None:
        trio = self.coordinator.trio
        if trio is None or trio.map is None:
            show_info('Press Run first: there is nothing to save yet.')
            return
        name = saving.result_name(trio, trio.plane)
        folder = trio.source.path.parent if trio.source.path else Path.home()
        chosen = self.choose(str(folder / f'{name}.color.tif'))
        if chosen:
            self.save(trio, Path(chosen))

    def save(self, trio: Trio, path: Path) -> None:
        """Save the shown plane; the words appear under the buttons."""
        plane = trio.plane
        labels, _ = trio.snapshot(plane)
        settings = saving.settings_of(trio, self.coordinator.engine.settings())
        placement = placement_facts(trio.photo)
        work = partial(
            self._work, trio, plane, labels, settings, placement, path
        )
        then = partial(self._on_saved, trio, plane, labels)
        self.view.show_words('')
        job = Job(('save', str(path)), work, then, name='save')
        self.coordinator.jobs.submit(job)

    def _work(
        self,
        trio: Trio,
        plane: int,
        labels: np.ndarray,
        settings: Settings,
        placement: dict[str, Any],
        path: Path,
        report: Report,
    ) -> OutputNames:
        from napari_sdcolor.archive.saving import save_result
        from napari_sdcolor.archive.sidecar import run_facts

        started = datetime.now(UTC)
        folder, name, form = saving.split_name(path)
        report('Coloring the photo at full depth…')
        colorizer = self.coordinator.engine.get(settings)
        result = saving.full_result(colorizer, trio, plane, labels, settings)
        report(f'Writing {path.name}…')
        return save_result(
            result,
            folder,
            name,
            form,
            run=partial(run_facts, started, placement=placement),
        )

    def _on_saved(
        self, trio: Trio, plane: int, labels: np.ndarray, paths: OutputNames
    ) -> None:
        self.coordinator.keeper.on_saved(trio, plane)
        trio.saved_maps[plane] = (paths.labels, labels)
        names = ', '.join(path.name for path in paths)
        self.view.show_words(f'Saved in {paths[0].parent}: {names}')

    def _on_command_requested(self) -> None:
        trio = self.coordinator.trio
        if trio is None:
            return
        try:
            command = saving.command_line(
                trio, trio.plane, self.coordinator.engine.settings()
            )
        except SdcolorError as error:
            show_error(str(error))
            return
        QApplication.clipboard().setText(command)
        self.view.show_words(f'Copied: {command}')
