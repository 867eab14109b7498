"""Edited maps survive a crash: they are kept, and offered again.

Every map lies in a small PNG whose name is the photo's fingerprint, so that
it is found again however the photo is opened. A map is kept when it rests,
whether its color follows or not, and also when its photo leaves the viewer
or the dock is closed.
"""

from __future__ import annotations

import io
import math
import struct
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_sdcolor.archive.labels import is_map
from napari_sdcolor.classes import N_CLASSES
from napari_sdcolor.errors import SaveError
from napari_sdcolor.files import own_path
from napari_sdcolor.opening import read_whole
from napari_sdcolor.own_files import replace_file
from napari_sdcolor.plugin.jobs import Job, Jobs, Report
from napari_sdcolor.plugin.listener import Listener
from napari_sdcolor.plugin.notices import show_warning
from napari_sdcolor.plugin.painter import Painted, ReadPhoto, fingerprint
from napari_sdcolor.plugin.questions import Questions, kept_map

if TYPE_CHECKING:
    from napari_sdcolor.core.photo import Photo
    from napari_sdcolor.plugin.trio import Trio

DELAY = 1500
"""Milliseconds without a change after which edited maps are kept."""

Found = tuple[str, tuple[NDArray[np.uint8], str] | None]

FOLDER_VARIABLE = 'SDCOLOR_AUTOSAVE'
"""Environment variable that moves the folder."""


def folder() -> Path:
    """Where the maps lie."""
    return own_path('autosave', FOLDER_VARIABLE)


def _path(fingerprint: str, place: Path | None = None) -> Path:
    return (place or folder()) / f'{fingerprint}.png'


def store(
    fingerprint: str, labels: NDArray[np.uint8], place: Path | None = None
) -> Path:
    """Keep a map (h, w) uint8; replaced atomically.

    Parameters
    ----------
    fingerprint
        Of the photo.
    labels
        Its map.
    place
        The folder, where it is not ``folder()``.

    Raises
    ------
    SaveError
        If the disk does not take it.
    """
    path = _path(fingerprint, place)
    stream = io.BytesIO()
    Image.fromarray(labels).save(stream, 'PNG')
    replace_file(path, stream.getvalue(), is_map)
    return path


def find(
    fingerprint: str, shape: tuple[int, int]
) -> tuple[NDArray[np.uint8], str] | None:
    """A kept map of this shape and when it was kept, in words.

    Damaged files count as none.
    """
    path = _path(fingerprint)
    header = struct.pack('>IIBB', *shape[1::-1], 8, 0)
    try:
        data = read_whole(path, 2 * math.prod(shape) + 2**16)
        if data[16:26] != header:
            return None
        # Checks the sums in the file, as Pillow does not: a flipped bit
        # would be another class.
        labels = imagecodecs.png_decode(data)
        when = path.stat().st_mtime
    except (OSError, ValueError, RuntimeError):
        return None
    if labels.shape != tuple(shape) or labels.dtype != np.uint8:
        return None
    if labels.max(initial=0) >= N_CLASSES:
        return None
    words = time.strftime('%Y-%m-%d %H:%M', time.localtime(when))
    return labels, words


def discard(fingerprint: str, place: Path | None = None) -> None:
    """Forget a map; ``place`` as for ``store``."""
    _path(fingerprint, place).unlink(missing_ok=True)


class Autosaver(Listener):
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
        self._timer = self.once_after(DELAY, self.save_now)

    def close(self) -> None:
        """The dock goes away: keep at once what is waiting."""
        super().close()
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
            offered = self.questions.waits(trio.photo, plane)
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
        work = partial(_store, name, trio.reader(plane), labels, folder())
        then = partial(self._on_stored, trio, plane)
        self._submit('autosave', trio, plane, work, then, lasting=True)

    def _forget_file(self, trio: Trio, plane: int) -> None:
        name = trio.planes[plane].fingerprint
        work = partial(_discard, name, trio.reader(plane), folder())
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
        work = partial(_look_up, painted.photo, painted.inputs.labels.shape)
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
        then = partial(self._on_offer_answered, trio, plane, labels)
        self.questions.ask(kept_map(trio, plane, when, then))

    def _on_offer_answered(
        self, trio: Trio, plane: int, labels: NDArray[np.uint8], key: str
    ) -> None:
        if key == 'restore' and trio.map is not None:
            trio.put_map(plane, labels)
        elif key == 'discard':
            discard(trio.planes[plane].fingerprint)


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
    return name, find(name, shape)


def _store(
    name: str,
    read: ReadPhoto,
    labels: NDArray[np.uint8],
    place: Path,
    report: Report,
) -> tuple[str, str]:
    """The photo's fingerprint, and what went wrong, if anything."""
    name = name or fingerprint(read())
    try:
        store(name, labels, place)
    except SaveError as error:
        return name, (
            f'The map could not be kept in {place}: {error.reason}. Save '
            'it yourself soon.'
        )
    return name, ''


def _discard(name: str, read: ReadPhoto, place: Path, report: Report) -> None:
    discard(name or fingerprint(read()), place)


def _done(result: object) -> None:
    """Nothing is left to do."""
