"""Keeps a person's edits: autosave, restore, and asking first."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from napari.utils.notifications import show_warning
from numpy.typing import NDArray
from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer

from napari_sdcolor.plugin import autosave
from napari_sdcolor.plugin.jobs import Job, Report
from napari_sdcolor.plugin.painter import Painted, fingerprint

if TYPE_CHECKING:
    from napari_sdcolor.core.photo import Photo
    from napari_sdcolor.plugin.coordinator import Coordinator
    from napari_sdcolor.plugin.trio import Trio

DELAY = 1500
"""Milliseconds without a new color after which an edited map is kept."""

Found = tuple[str, tuple[NDArray[np.uint8], str] | None]


class Keeper(QObject):
    """Autosaves edited maps and offers them again.

    Parameters
    ----------
    coordinator
        Whose trios are kept.
    """

    def __init__(self, coordinator: Coordinator) -> None:
        super().__init__()
        self.coordinator = coordinator
        self.banner = coordinator.views.banner
        self._pending: tuple[Trio, int] | None = None
        self._offers: dict[tuple[Trio, int], tuple[NDArray, str]] = {}
        self._asked: tuple[Trio, int] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY)
        self._timer.timeout.connect(self.save_now)
        self.banner.answered.connect(self._on_answered)

    def close(self) -> None:
        """The widget goes away: keep at once what is waiting."""
        # Python may tear a forgotten dock down in any order.
        if isalive(self._timer):
            self._timer.stop()
        pending, self._pending = self._pending, None
        if pending is not None:
            self._store(*self._edits(*pending), _silent)

    # --- questions --------------------------------------------------------

    def ask_before_replacing(self, trio: Trio) -> None:
        """Run was pressed over an edited map."""
        self._asked = (trio, trio.plane)
        self.banner.ask(
            f'You edited the map of {trio.photo.name}. Segment the photo '
            'again and replace your edits? One undo would bring them back.',
            {'replace': 'Segment again', 'keep': 'Keep my map'},
        )

    def on_chosen(self) -> None:
        """Another photo or plane is shown: ask only what is about it."""
        self._asked = None
        self.banner.withdraw()
        self._ask_about_kept()

    def forget(self, trio: Trio) -> None:
        """The photo or its map is gone."""
        for place in [place for place in self._offers if place[0] is trio]:
            del self._offers[place]
        self.on_chosen()

    def _ask_about_kept(self) -> None:
        trio = self.coordinator.trio
        if trio is None or (trio, trio.plane) not in self._offers:
            return
        self._asked = (trio, trio.plane)
        _, when = self._offers[self._asked]
        self.banner.ask(
            f'A map of {trio.photo.name} that you edited was kept on {when}. '
            'Go on with it?',
            {'restore': 'Use it', 'discard': 'Forget it'},
        )

    def _on_answered(self, key: str) -> None:
        asked, self._asked = self._asked, None
        if asked is None:
            return
        trio, plane = asked
        labels, _ = self._offers.pop(asked, (None, ''))
        if key == 'replace':
            self.coordinator.segment_and_color()
        elif key == 'keep':
            self.coordinator.update()
        elif key == 'restore' and trio.map is not None and labels is not None:
            trio.put_map(plane, labels)
        elif key == 'discard':
            autosave.discard(trio.fingerprints[plane])

    # --- autosave ---------------------------------------------------------

    def on_painted(self, trio: Trio, painted: Painted) -> None:
        """A run or an edit is on the screen."""
        if painted.plane not in trio.fingerprints:
            work = partial(self._look_up, painted.photo, painted.labels.shape)
            then = partial(self._on_looked_up, trio, painted.plane)
            key = ('look up', id(trio), painted.plane)
            self.coordinator.jobs.submit(Job(key, work, then, quiet=True))
        elif painted.segmentation is None:
            self._pending = (trio, painted.plane)
            self._timer.start()

    @staticmethod
    def _look_up(
        photo: Photo, shape: tuple[int, int], report: Report
    ) -> Found:
        name = fingerprint(photo)
        return name, autosave.find(name, shape)

    def _on_looked_up(self, trio: Trio, plane: int, found: Found) -> None:
        trio.fingerprints[plane], kept = found
        if kept is None or trio.map is None:
            return
        labels, when = kept
        if np.array_equal(labels, trio.snapshot(plane)[0]):
            return
        self._offers[trio, plane] = (labels, when)
        if trio is self.coordinator.trio and self._asked is None:
            self._ask_about_kept()

    def save_now(self) -> None:
        """Keep the edited map, in the worker."""
        if self._pending is None:
            return
        trio, plane = self._pending
        self._pending = None
        if trio.map is None or not trio.edited_share(plane):
            return
        work = partial(self._store, *self._edits(trio, plane))
        key = ('autosave', id(trio), plane)
        job = Job(key, work, self._on_stored, quiet=True)
        self.coordinator.jobs.submit(job)

    @staticmethod
    def _edits(trio: Trio, plane: int) -> tuple[str, NDArray[np.uint8] | None]:
        if trio.map is None or not trio.edited_share(plane):
            return '', None
        return trio.fingerprints.get(plane, ''), trio.snapshot(plane)[0]

    @staticmethod
    def _store(
        name: str, labels: NDArray[np.uint8] | None, report: Report
    ) -> str:
        if not name or labels is None:
            return ''
        try:
            autosave.store(name, labels)
        except OSError as error:
            return (
                f'The map could not be kept in {autosave.folder()}: '
                f'{error.strerror}. Save it yourself soon.'
            )
        return ''

    def _on_stored(self, trouble: str) -> None:
        if trouble:
            show_warning(trouble)

    def on_saved(self, trio: Trio, plane: int) -> None:
        """The person saved the map: the kept copy has done its work."""
        name = trio.fingerprints.get(plane)
        if name:
            autosave.discard(name)


def _silent(words: str) -> None:
    """Nobody looks any more."""
