"""A person's way through the photos that need one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_sdcolor.batch.corrections import save_maps
from napari_sdcolor.batch.outcome import CORRECTED, FAILED, WAITING
from napari_sdcolor.batch.photo_settings import Own, own_of, save_own
from napari_sdcolor.errors import FAILURES, SaveError, SdcolorError, reason
from napari_sdcolor.plugin.archive.choices import verb
from napari_sdcolor.plugin.archive.open_photo import Draft, Maps, OpenPhoto
from napari_sdcolor.plugin.archive.table import PERSON, PhotoTable
from napari_sdcolor.plugin.jobs import Job, Jobs, Report
from napari_sdcolor.plugin.notices import show_error, show_info
from napari_sdcolor.settings import Settings

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_sdcolor.plugin.archive.photos_view import PhotosView
    from napari_sdcolor.plugin.coordinator import Coordinator


class Queue(QObject):
    """Opens one photo after the other for correction and saves their maps.

    Parameters
    ----------
    viewer
        Receives the layers of the open photo.
    photos
        The table with its buttons.
    colorize
        Opens the dock that colors what is painted.

    Attributes
    ----------
    settings : Settings
        Those of the batch.
    open_photo : OpenPhoto
        Where the open photo lies.
    jobs : Jobs
        Opens and saves photos without waiting for the batch.
    pending : set of str
        Photos whose maps were saved and that are not colored by them yet.

    Signals
    -------
    saved(Path)
        A map was saved there; its photo is pending.
    """

    saved = Signal(object)

    def __init__(
        self,
        viewer: ViewerModel,
        photos: PhotosView,
        colorize: Callable[[], Coordinator],
    ) -> None:
        super().__init__()
        self.photos = photos
        self.open_photo = OpenPhoto(viewer, colorize)
        self.jobs = Jobs()
        self.pending: set[str] = set()
        self.settings = Settings()
        self._past: list[str] = []
        self._seen: set[str] = set()
        for signal, slot in (
            (photos.open_requested, self.open),
            (photos.queue_requested, self.open_next),
            (photos.save_requested, self.save_and_next),
            (photos.skip_requested, self.skip),
            (photos.back_requested, self.back),
            (self.open_photo.save_requested, self.save_and_next),
            (self.open_photo.skip_requested, self.skip),
            (self.open_photo.back_requested, self.back),
            (self.open_photo.left, self.show),
            (self.jobs.failed, self._on_failed),
            (self.jobs.progress, photos.show_words),
        ):
            signal.connect(slot)

    def close(self) -> None:
        """The dock goes away; what lies open stays in the viewer."""
        self.jobs.close()
        self.open_photo.close()

    @property
    def table(self) -> PhotoTable:
        """The photos."""
        return self.photos.model

    def forget(self) -> None:
        """Other photos are in the table: none of them was opened yet."""
        self._seen.clear()

    def show(self) -> None:
        """Bring the buttons of the queue in line with how things are."""
        counts = self.table.counts()
        self.photos.show_counts(counts)
        self.photos.show_queue(
            self.open_photo.key,
            len(self._left()) if self.open_photo.key else counts[PERSON],
            can_go_back=bool(self._past),
        )

    def open(self, key: str) -> None:
        """Lay a photo open for correction."""
        item = self.table.get(key)
        if item is None or key == self.open_photo.key:
            return
        if item.status == FAILED:
            show_error(f'{item.source} could not be colored: {item.reason}')
            return
        if item.status == WAITING:
            show_info(f'{key} is not colored yet. {self._remedy()}')
            return
        if item.status == CORRECTED and key not in self.open_photo.drafts:
            show_info(
                f'The map of {key} was saved, but {key} is not colored by it '
                f'yet. {self._remedy()}'
            )
            return
        task = partial(self.open_photo.read, self.table.output, key)
        then = partial(self._on_read, key)
        self.jobs.submit(Job('open', task, then, name='open'))

    def _remedy(self) -> str:
        button = verb(self.table.counts(), begun=self.table.begun)
        return f'Press {button}, then open it.'

    def _on_read(self, key: str, layers: list[tuple]) -> None:
        if self.open_photo.key is not None:
            self._past.append(self.open_photo.key)
        try:
            self.open_photo.show(key, layers, self.settings.weights)
        except SdcolorError as error:
            show_error(str(error))
        self._seen.add(key)
        self.photos.choose(key)
        self.show()

    def _left(self) -> list[str]:
        """Photos that need a person and were not opened yet."""
        return [key for key in self.table.flagged() if key not in self._seen]

    def open_next(self) -> None:
        """The next photo that needs a person."""
        left = self._left()
        if not left and self.open_photo.key is None:
            # All were seen: begin again with those that were skipped.
            self._seen.clear()
            left = self._left()
        if left:
            self.open(left[0])
            return
        if self.open_photo.key is not None:
            self._past.append(self.open_photo.key)
        self.open_photo.clear()
        self.show()
        show_info('No other photo needs a person.')

    def skip(self) -> None:
        """Leave the open photo as it is."""
        if self.open_photo.key is not None:
            self.open_next()

    def back(self) -> None:
        """To the photo that was open before."""
        while self._past:
            key = self._past.pop()
            if key != self.open_photo.key:
                # What is left this way comes up once more.
                self._seen.discard(self.open_photo.key or '')
                self.open_photo.clear()
                self.open(key)
                return

    def save_and_next(self) -> None:
        """Keep the open map, have the photo colored by it, and go on.

        Tones, detail and saturation of the photo are kept with the map.
        """
        key = self.open_photo.key
        if key is None:
            return
        try:
            own = own_of(self.open_photo.settings(), self.settings)
        except SaveError as error:
            show_error(str(error))
            return
        draft = self.open_photo.draft()
        task = partial(_save, self.table.output, key, draft.maps, own)
        then = partial(self._on_saved, key, draft)
        self.jobs.submit(Job(('save', key), task, then, name='save'))

    def _on_saved(self, key: str, draft: Draft, paths: list[Path]) -> None:
        item = self.table.get(key)
        if item is not None:
            self.table.update([replace(item, status=CORRECTED)])
        if self.open_photo.key == key:
            self.open_photo.saved()
            self._past.append(key)
            self.open_photo.clear(keep_draft=False)
            self.open_photo.drafts[key] = draft
        self.pending.add(key)
        self.saved.emit(paths[0])
        self.open_next()

    def take_pending(self) -> set[str]:
        """In the worker: all that was saved until now."""
        taken = set(self.pending)
        self.pending -= taken
        return taken

    def _on_failed(self, job: Job, error: BaseException) -> None:
        self.show()
        if not isinstance(error, FAILURES):
            raise error
        show_error(reason(error))


def _save(
    output: Path, key: str, maps: Maps, own: Own, report: Report
) -> list[Path]:
    report(f'Saving the map of {key}…')
    # The map last: only with it do the settings count.
    save_own(output, key, own)
    return save_maps(output, key, maps)
