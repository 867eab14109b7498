"""Coloring one photo file.

Three stages, read, color and save, that ``pipeline`` runs in threads of
their own. Calling the worker runs them one after the other: a function of
task, spec and networks, for any machine that sees the files.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import (
    AbstractContextManager,
    ExitStack,
    contextmanager,
    nullcontext,
)
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sdcolor.archive.one_file import (
    JobSpec,
    Page,
    color_page,
    refuse_album,
    refuse_colored,
    save_file,
    with_map,
)
from napari_sdcolor.archive.reading import PhotoFile, open_photos
from napari_sdcolor.archive.saving import album_paths, output_paths
from napari_sdcolor.archive.sidecar import run_facts
from napari_sdcolor.batch.earlier import earlier_files, remove, verify
from napari_sdcolor.batch.outcome import DONE, FAILED, Outcome
from napari_sdcolor.batch.photo_settings import (
    described,
    read_own,
    with_own,
)
from napari_sdcolor.batch.task import Task
from napari_sdcolor.batch.thumbnails import thumbnail
from napari_sdcolor.core import progress
from napari_sdcolor.core.device import threads
from napari_sdcolor.core.results import Colorized
from napari_sdcolor.errors import (
    FAILURES,
    TROUBLE,
    Cancelled,
    reason,
    said,
)
from napari_sdcolor.files import explaining, sha256_of
from napari_sdcolor.leftovers import remove_leftovers
from napari_sdcolor.settings import Settings

if TYPE_CHECKING:
    from napari_sdcolor.core.engine import Colorizer


@dataclass
class Job:
    """A photo file that is being worked on.

    Parameters
    ----------
    task
        What is to be done.
    file
        Open for reading.
    resources
        What has to be closed at the end.
    own
        Settings that only this photo has, see ``photo_settings``.
    maps
        Of the pages read so far, as in ``Outcome``.
    seconds
        Time of each stage so far.
    """

    task: Task
    file: PhotoFile
    resources: ExitStack
    own: Mapping[str, Any]
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    maps: list[tuple[int | None, str | None]] = field(default_factory=list)
    seconds: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(('read', 'color', 'save'), 0.0)
    )


class Worker:
    """Colors photo files.

    Parameters
    ----------
    spec
        How.
    colorizer
        The networks.
    batch_size
        Photos that go through a network in one pass.
    say
        Is told in words if the memory suffices for fewer only.
    """

    def __init__(
        self,
        spec: JobSpec,
        colorizer: Colorizer,
        batch_size: int = 1,
        say: Callable[[str], None] = progress.say,
    ) -> None:
        # Imported here: it imports torch.
        from napari_sdcolor.core.batching import Gatherer

        self.spec = spec
        self.colorizer = colorizer
        self.batch_size = batch_size
        self._gatherer = (
            Gatherer(colorizer.device, self.batch_size, say)
            if self.batch_size > 1
            else None
        )

    def gathering(self) -> AbstractContextManager[None]:
        """While a thread has a photo to color: others wait for it."""
        if self._gatherer is None:
            return nullcontext()
        return self._gatherer.active()

    def side_by_side(self, most: int) -> int:
        """Photos that the device takes at a time.

        Parameters
        ----------
        most
            At most so many, where each takes a thread of the CPU.
        """
        if self.batch_size > 1 or self.colorizer.device.kind != 'cpu':
            return self.batch_size
        return max(1, min(most, threads()))

    @contextmanager
    def threads_for(self, count: int) -> Iterator[Callable[[], None]]:
        """What each of ``count`` threads calls before it runs networks."""
        import torch

        before = torch.get_num_threads()

        def prepare() -> None:
            if count > 1:
                torch.set_num_threads(1)

        try:
            yield prepare
        finally:
            torch.set_num_threads(before)

    def __call__(self, task: Task) -> Outcome:
        """Color one photo file and save the results.

        Returns
        -------
        Outcome
            What went wrong with this photo is told there, not raised.

        Raises
        ------
        Cancelled
            If the active token was cancelled; nothing is left behind then.
        """
        job = self.open(task)
        if isinstance(job, Outcome):
            return job
        pages = (self.read(job, page) for page in job.file.pages)
        return self.save(job, (self.color(job, page) for page in pages))

    def open(self, task: Task) -> Job | Outcome:
        """Open a photo, or say why nothing is to be done about it."""
        since = time.perf_counter()
        with ExitStack() as resources:
            try:
                known = verify(task)
                if known is not None:
                    return known
                file = resources.enter_context(
                    open_photos(
                        task.source,
                        self.spec.page,
                        allow_damaged=self.spec.allow_damaged,
                    )
                )
                refuse_album(file, self.spec.format)
                own = read_own(task.find_settings())
                job = Job(task, file, resources, own)
                self._earlier(job)  # refuses before the networks run
                job.resources = resources.pop_all()
            except TROUBLE as error:
                return failure(task, error)
        job.seconds['read'] += time.perf_counter() - since
        return job

    def read(self, job: Job, page: int) -> Page:
        """Read one photo and its map, if a person provides one.

        Raises
        ------
        PhotoError, LabelsError
            If one of them cannot be used.
        """
        since = time.perf_counter()
        task = job.task
        settings = self._settings(job)
        photo = job.file.read(page, window=settings.window)
        refuse_colored(job.file, photo)
        read = with_map(
            job.file,
            photo,
            settings.size,
            partial(task.find_map, alone=not job.file.is_album),
        )
        digest = None if read.map is None else sha256_of(read.map.file)
        job.maps.append((read.photo.origin.page, digest))
        job.seconds['read'] += time.perf_counter() - since
        return read

    def color(self, job: Job, page: Page) -> Colorized:
        """Run the networks.

        Raises
        ------
        Cancelled, DeviceError, NetworkError
            See ``Colorizer.colorize``.
        """
        since = time.perf_counter()
        settings = self._settings(job)
        colorizer = self.colorizer.at(settings.size)
        with self.gathering():
            result = color_page(colorizer, page, settings, lazy=True)
        job.seconds['color'] += time.perf_counter() - since
        return result

    def save(self, job: Job, results: Iterable[Colorized]) -> Outcome:
        """Save the results of one file as they come, and close the file.

        Raises
        ------
        Cancelled
            As it comes out of ``results``.
        """
        task, told, since = job.task, _Told(), time.perf_counter()
        try:
            os.makedirs(task.folder, exist_ok=True)
            written = self._save(job, told.listening(results))
            outputs = {path.name: sha256_of(path) for path in written}
        except Cancelled:
            raise
        except TROUBLE as error:
            return failure(task, error)
        finally:
            job.resources.close()
        spent = time.perf_counter() - since - told.waited
        return Outcome(
            key=task.key,
            source=task.source,
            status=DONE,
            source_sha256=job.file.sha256,
            outputs=outputs,
            maps=tuple(job.maps),
            confidence=min(told.confidences, default=None),
            understood=told.understood,
            notes=tuple(dict.fromkeys((*told.notes, *described(job.own)))),
            damage=tuple(dict.fromkeys(told.damage)),
            own=job.own,
            seconds=job.seconds | {'save': spent},
            thumbnail=told.thumbnail,
        )

    def _save(
        self, job: Job, results: Iterator[Colorized]
    ) -> tuple[Path, ...]:
        task = job.task

        def run() -> dict[str, Any]:
            return run_facts(
                job.started, threads=threads(), batch_size=self.batch_size
            )

        return save_file(
            results,
            job.file,
            task.folder,
            task.name,
            self.spec.format,
            run,
            partial(self.make_room, job),
        )

    def make_room(self, job: Job) -> None:
        """Remove what an earlier attempt left where the results go.

        Raises
        ------
        SaveError
            If anything else lies there.
        """
        remove(self._earlier(job))

    def _earlier(self, job: Job) -> list[Path]:
        """Files of an earlier attempt that make room for the results.

        Raises
        ------
        SaveError
            If anything else lies where a result goes.
        """
        task, file = job.task, job.file
        if file.is_album:
            places = album_paths(task.folder, task.name, file.count)
        else:
            places = output_paths(task.folder, task.name, self.spec.format)
        if not any(os.path.lexists(path) for path in places):
            return []
        # Of a process of a cluster that was killed while it named them.
        with explaining(Path(task.folder)):
            remove_leftovers(task.folder)
        settings = self._settings(job)
        return earlier_files(
            task,
            places,
            file.sha256,
            settings.to_dict(),
            self.colorizer.facts(),
        )

    def _settings(self, job: Job) -> Settings:
        """Of the batch, with those that only this photo has."""
        batch = replace(self.spec.settings, size=self.colorizer.size)
        return with_own(batch, job.own)


class _Told:
    """What is told about the results of one file as they pass by."""

    def __init__(self) -> None:
        self.confidences: list[float] = []
        self.notes: list[str] = []
        self.damage: list[str] = []
        self.understood = ''
        self.tones = ''
        self.thumbnail = b''
        self.waited = 0.0

    def listening(self, results: Iterable[Colorized]) -> Iterator[Colorized]:
        """The same results, and how long they were waited for."""
        results = iter(results)
        while True:
            since = time.perf_counter()
            result = next(results, None)
            self.waited += time.perf_counter() - since
            if result is None:
                return
            if result.photo.in_memory:
                # Painted here, while the networks go on with the next one.
                result = replace(result, rgb=np.asarray(result.rgb))
            if result.confidence is not None:
                self.confidences.append(result.confidence)
            photo = result.photo
            self.notes += (*photo.notes, *result.notes)
            self.damage += photo.origin.damage
            if self.tones not in ('', photo.tones.sentence):
                # What is told of the file is told of its first page.
                self.tones = photo.tones.sentence
                self.notes.append(f'Page {photo.origin.page}: {self.tones}')
            if not self.thumbnail:
                self.understood = result.photo.describe()
                self.tones = result.photo.tones.sentence
                self.thumbnail = thumbnail(result)
            yield result


def failure(task: Task, error: BaseException) -> Outcome:
    """What is told about a photo that cannot be colored."""
    if isinstance(error, FAILURES):
        why = reason(error)
    else:
        why = (
            f'A defect of this program: {type(error).__name__}: {said(error)}. '
            'Please report it, if possible with the photo.'
        )
    return Outcome(task.key, task.source, FAILED, reason=why)
