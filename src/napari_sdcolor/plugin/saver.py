"""Saves what is shown, or copies the command that would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.history import get_save_history, update_save_history
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_sdcolor.archive.formats import FORMATS, SUFFIXES, TITLES
from napari_sdcolor.archive.saving import output_paths
from napari_sdcolor.core import cancel
from napari_sdcolor.errors import SdcolorError
from napari_sdcolor.plugin import saving
from napari_sdcolor.plugin.jobs import Job, Report
from napari_sdcolor.plugin.notices import show_error
from napari_sdcolor.plugin.placement import placement_facts
from napari_sdcolor.plugin.status import Kind, Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_sdcolor.archive.saving import OutputNames
    from napari_sdcolor.plugin.color_jobs import ColorJobs
    from napari_sdcolor.plugin.trio import Trio

    Saved = tuple[OutputNames, NDArray[np.uint8], float | None]


TYPES = {
    f'{title} (*{SUFFIXES[form]})': form for form, title in TITLES.items()
}
"""What the dialog offers, and the format behind it."""

SAVE = 'save'
"""Kind of the jobs that save."""


def ask_path(name: str, beside: Path | None) -> Path | None:
    """Let the person choose a file name; None if none was chosen.

    Parameters
    ----------
    name
        NAME of the photo.
    beside
        Folder of the photo, where nothing was saved yet.
    """
    proposed = free_path(start_folder(beside), name)
    chosen, kind = QFileDialog.getSaveFileName(
        None,
        'Save the colored photo',
        str(proposed),
        ';;'.join(TYPES),
        # An existing file is refused with a sentence: never overwritten.
        options=QFileDialog.Option.DontConfirmOverwrite,
    )
    if not chosen:
        return None
    path = with_suffix(Path(chosen), kind)
    update_save_history(str(path))
    return path


def start_folder(beside: Path | None) -> Path:
    """Where the dialog begins: where was saved last, else by the photo."""
    last = Path(get_save_history()[0])
    # napari's history begins with the home folder, before anything is saved.
    if last.is_dir() and last != Path.home():
        return last
    if beside is not None and beside.is_dir():
        return beside
    return Path.home()


def free_path(folder: Path, name: str) -> Path:
    """A name beside which no file would have to be overwritten."""
    numbered = (f'{name}-{number}' for number in count(2))
    for tried in chain([name], numbered):
        paths = output_paths(folder, tried)
        if not any(path.exists() for path in paths):
            break
    return paths.color


def with_suffix(path: Path, kind: str) -> Path:
    """The path with the suffix of the chosen type, unless it has one."""
    if path.suffix.lower() in FORMATS:
        return path
    return path.with_name(path.name + SUFFIXES[TYPES.get(kind, 'tiff')])


class Saver(QObject):
    """Saves a trio's shown plane by one full pass in the worker.

    Parameters
    ----------
    coloring
        Lends worker and networks, and shows what was found on the way.
    choose
        Asks for a file name, given NAME and the photo's folder.

    Signals
    -------
    saved(Trio, plane, labels, words)
        The map (h, w) and its color are on the disk; where, in words.
    """

    saved = Signal(object, int, object, str)

    def __init__(
        self,
        coloring: ColorJobs,
        choose: Callable[[str, Path | None], Path | None] = ask_path,
    ) -> None:
        super().__init__()
        self.coloring = coloring
        self.choose = choose

    def ask_and_save(self, trio: Trio) -> None:
        """Save the shown plane under a name that the person chooses."""
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
        settings = self.coloring.engine.settings()
        before = trio.map_at(plane)
        request = saving.as_shown(trio, plane, settings)
        if request.inputs.labels is not None:
            # What is saved is also what is shown.
            self.coloring.recolor(trio, quiet=True)
        self.coloring.jobs.submit(
            Job(
                (SAVE, trio, plane, str(path)),
                partial(
                    self._work, request, placement_facts(trio.photo), path
                ),
                partial(self._on_saved, trio, plane, request, before),
                name=SAVE,
                owner=trio,
                plane=plane,
                lasting=True,
            )
        )

    def _work(
        self,
        request: saving.SaveRequest,
        placement: dict[str, Any],
        path: Path,
        report: Report,
    ) -> Saved:
        from napari_sdcolor.archive.saving import save_result

        started = datetime.now(UTC)
        folder, name, form = saving.split_name(path)
        report('Coloring the photo at full depth…')
        colorizer = self.coloring.engine.get(request.settings)
        result = saving.full_result(colorizer, request)
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
        request: saving.SaveRequest,
        before: NDArray | None,
        saved: Saved,
    ) -> None:
        paths, labels, confidence = saved
        known = trio.planes[plane]
        new = request.inputs.labels is None and known.shown is None
        if (
            new
            and trio in self.coloring.trios
            and not trio.map_changed(plane, before)
        ):
            # The plane had not been run: what was found is shown as well.
            self.coloring.show_map(
                trio, plane, labels, confidence, request.settings.size
            )
        known.saved = (paths.labels, labels)
        names = ', '.join(path.name for path in paths)
        words = f'{paths[0].parent}: {names}'
        known.save_outcome = Outcome(Kind.SAVED, words)
        known.save_inputs = replace(request.inputs, labels=labels)
        self.saved.emit(trio, plane, labels, words)

    def copy_command(self, trio: Trio) -> None:
        """Copy the command that makes the shown plane's files."""
        settings = self.coloring.engine.settings()
        try:
            command = saving.command_line(trio, trio.plane, settings)
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


def _run_facts(started: datetime, placement: dict[str, Any]) -> dict[str, Any]:
    """Asked for when the colored file is written, but has no name yet."""
    from napari_sdcolor.archive.sidecar import run_facts

    # A stop that comes later finds the result saved; one that came before
    # ends here, and nothing is left behind.
    cancel.commit()
    return run_facts(started, placement=placement)
