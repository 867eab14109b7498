"""Keeps a person's edits: autosave, and offering them again.

A map is kept when it rests, whether its color follows or not, and also when
its photo leaves the viewer or the dock is closed.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from napari.utils.notifications import show_warning
from numpy.typing import NDArray
from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer

from napari_sdcolor.errors import SaveError
from napari_sdcolor.plugin import autosave
from napari_sdcolor.plugin.jobs import Job, Jobs, Report
from napari_sdcolor.plugin.painter import Painted, ReadPhoto, fingerprint
from napari_sdcolor.plugin.questions import Question, Questions

if TYPE_CHECKING:
    from napari_sdcolor.core.photo import Photo
    from napari_sdcolor.plugin.trio import Trio

DELAY = 1500
"""Milliseconds without a change after which edited maps are kept."""

Found = tuple[str, tuple[NDArray[np.uint8], str] | None]


class Autosaver(QObject):
    """Autosaves edited maps and offers them again.

    Parameters
    ----------
    jobs
        Where files are written.
    questions
        Asks whether a map that was found again is wanted.
    """

    def __init__(self, jobs: Jobs, questions: Questions) -> None:
        super().__init__()
        self.jobs = jobs
        self.questions = questions
        self._touched: list[Trio] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY)
        self._timer.timeout.connect(self.save_now)

    def close(self) -> None:
        """The dock goes away: keep at once what is waiting."""
        # Python may tear a forgotten dock down in any order.
        if isalive(self._timer):
            self._timer.stop()
        self.save_now()

    # --- keeping ----------------------------------------------------------

    def on_touched(self, trio: Trio) -> None:
        """The map of a photo may have changed, in whatever plane."""
        if trio not in self._touched:
            self._touched.append(trio)
        self._timer.start()

    def save_now(self) -> None:
        """Keep all edited maps, in the worker."""
        touched, self._touched = self._touched, []
        for trio in touched:
            self._save(trio)

    def flush(self, trio: Trio) -> None:
        """The photo or its map is about to go: keep its edits at once."""
        self._touched = [known for known in self._touched if known != trio]
        self._save(trio)

    def _save(self, trio: Trio) -> None:
        if trio.map is None:
            return
        for plane in range(min(trio.source.planes, _planes_of_map(trio))):
            labels, _ = trio.snapshot(plane)
            known = trio.planes[plane]
            unedited = np.array_equal(labels, _baseline(trio, plane, labels))
            offered = self.questions.waits(trio, plane)
            if unedited and known.kept is not None and not offered:
                # Undone to the end: there is nothing to offer any more.
                known.kept = None
                self._forget_file(trio, plane)
            elif not unedited and not np.array_equal(labels, known.kept):
                known.kept = labels
                self._keep(trio, plane, labels)

    def _keep(self, trio: Trio, plane: int, labels: NDArray[np.uint8]) -> None:
        name = trio.planes[plane].fingerprint
        # The folder as it is now: a lasting job may outlive the dock.
        work = partial(
            _store, name, trio.reader(plane), labels, autosave.folder()
        )
        then = partial(self._on_stored, trio, plane)
        self._submit('autosave', trio, plane, work, then, lasting=True)

    def _forget_file(self, trio: Trio, plane: int) -> None:
        name = trio.planes[plane].fingerprint
        work = partial(_discard, name, trio.reader(plane), autosave.folder())
        # Instead of a map that still waits to be kept, and after one that
        # is being written.
        self._submit('autosave', trio, plane, work, _done, lasting=True)

    def _submit(
        self,
        name: str,
        trio: Trio,
        plane: int,
        work: object,
        then: object,
        *,
        lasting: bool = False,
    ) -> None:
        self.jobs.submit(
            Job(
                (name, trio, plane),
                work,
                then,
                quiet=True,
                name=name,
                owner=trio,
                plane=plane,
                lasting=lasting,
            )
        )

    def _on_stored(
        self, trio: Trio, plane: int, result: tuple[str, str]
    ) -> None:
        trio.planes[plane].fingerprint, trouble = result
        if trouble:
            show_warning(trouble)

    def on_saved(
        self,
        trio: Trio,
        plane: int,
        labels: NDArray[np.uint8] | None = None,
    ) -> None:
        """The person saved a map: its kept copy has done its work.

        Parameters
        ----------
        trio, plane
            Whose.
        labels
            The map that was saved; the one that is there now when None.
        """
        if trio.map is not None:
            now, _ = trio.snapshot(plane)
            if labels is not None and not np.array_equal(now, labels):
                # Painted on meanwhile.
                self.on_touched(trio)
                return
            trio.planes[plane].kept = now
        self._forget_file(trio, plane)

    # --- offering ---------------------------------------------------------

    def on_painted(self, trio: Trio, painted: Painted) -> None:
        """A plane is on the screen: was a map of it kept earlier?"""
        plane = painted.plane
        if trio.planes[plane].fingerprint:
            return
        work = partial(_look_up, painted.photo, painted.labels.shape)
        then = partial(self._on_looked_up, trio, plane)
        self._submit('look up', trio, plane, work, then)

    def _on_looked_up(self, trio: Trio, plane: int, found: Found) -> None:
        known = trio.planes[plane]
        known.fingerprint, kept = found
        if kept is None or trio.map is None:
            return
        labels, when = kept
        if known.kept is not None or np.array_equal(
            labels, trio.snapshot(plane)[0]
        ):
            return
        self.questions.ask(
            Question(
                trio,
                plane,
                f'A map of {trio.photo.name} that you edited was kept on '
                f'{when}. Go on with it?',
                {'restore': 'Use it', 'discard': 'Forget it'},
                partial(self._on_offer_answered, trio, plane, labels),
                lasting=True,
            )
        )

    def _on_offer_answered(
        self, trio: Trio, plane: int, labels: NDArray[np.uint8], key: str
    ) -> None:
        if key == 'restore' and trio.map is not None:
            trio.put_map(plane, labels)
        elif key == 'discard':
            autosave.discard(trio.planes[plane].fingerprint)


def _planes_of_map(trio: Trio) -> int:
    return 1 if trio.map.ndim == 2 else len(trio.map.data)


def _baseline(
    trio: Trio, plane: int, labels: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """The map before a person changed it, as far as this dock knows."""
    baseline = trio.planes[plane].baseline
    return np.zeros_like(labels) if baseline is None else baseline


def _look_up(photo: Photo, shape: tuple[int, int], report: Report) -> Found:
    name = fingerprint(photo)
    return name, autosave.find(name, shape)


def _store(
    name: str,
    read: ReadPhoto,
    labels: NDArray[np.uint8],
    folder: Path,
    report: Report,
) -> tuple[str, str]:
    """The photo's fingerprint, and what went wrong, if anything."""
    name = name or fingerprint(read())
    try:
        autosave.store(name, labels, folder)
    except SaveError as error:
        return name, (
            f'The map could not be kept in {folder}: {error.reason}. Save '
            'it yourself soon.'
        )
    return name, ''


def _discard(name: str, read: ReadPhoto, folder: Path, report: Report) -> None:
    autosave.discard(name or fingerprint(read()), folder)


def _done(result: object) -> None:
    """Nothing is left to do."""
