"""Answers what the views of the archive dock ask.

A batch goes on while the dock is hidden; it stops when the viewer closes
or when the person says so, and can be resumed in any case. A saved map is
on the disk before the next photo opens; the photo is colored by it when
the worker is free, at the latest by the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QApplication

from napari_sdcolor.batch.outcome import CORRECTED, DONE, FAILED, Outcome
from napari_sdcolor.core.cancel import CancelToken
from napari_sdcolor.errors import FAILURES, reason
from napari_sdcolor.plugin.archive import work
from napari_sdcolor.plugin.archive.choices import (
    Choices,
    advice,
    holdings,
    recall,
    remember,
    verb,
)
from napari_sdcolor.plugin.archive.dialogs import Chooser
from napari_sdcolor.plugin.archive.queue import Queue
from napari_sdcolor.plugin.archive.table import ALL, PhotoTable
from napari_sdcolor.plugin.engine import Engine
from napari_sdcolor.plugin.jobs import Job, Jobs
from napari_sdcolor.plugin.listener import Listener
from napari_sdcolor.plugin.notices import show_error, show_info, show_warning
from napari_sdcolor.settings import SettingsError

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_sdcolor.batch.progress import Progress
    from napari_sdcolor.batch.run import Summary
    from napari_sdcolor.plugin.archive.views import Views
    from napari_sdcolor.plugin.coordinator import Coordinator

SHOWN = 3
"""So many failures of a run are told at once; the table shows them all."""

GATHER = 100
"""Milliseconds over which news of photos are gathered for the table."""


class ArchiveCoordinator(Listener):
    """Owns the worker, the choices and the queue.

    Parameters
    ----------
    viewer
        The viewer (or its model).
    views
        The parts of the dock.
    colorize
        Opens the dock that colors what is painted.
    engine
        Lends the networks.
    chooser
        Asks for folders.

    Attributes
    ----------
    running : bool
        Whether photos are being colored, or will be in a moment.

    Signals
    -------
    photos_wanted
        The table should be seen.
    """

    photos_wanted = Signal()
    _observed = Signal(object, int, int, str)

    def __init__(
        self,
        viewer: ViewerModel,
        views: Views,
        colorize: Callable[[], Coordinator],
        engine: Engine,
        chooser: Chooser | None = None,
    ) -> None:
        super().__init__()
        self.views = views
        self.engine = engine
        self.chooser = chooser or Chooser()
        self.jobs = Jobs()
        self.queue = Queue(viewer, views.photos, colorize)
        self.choices = recall(self.engine.settings())
        self._looked = False
        self._wrong = ''
        self._failed = 0
        self.running = False
        self._stopped = False
        self._closed = False
        self._news: list[Outcome] = []
        self._far = (0, 0, '')
        self._timer = self.once_after(GATHER, self._show_news)
        self._connect()
        self._show_choices()
        self.look()

    def _connect(self) -> None:
        """Every signal of views, queue and worker, and what it calls."""
        views = self.views
        for signal, slot in (
            (views.folders.folder.changed, self._on_folder_requested),
            (views.folders.files.changed, self._on_files_requested),
            (views.folders.output.changed, self._on_output_requested),
            (views.options.changed, self._on_options_changed),
            (views.run.start_requested, self.start),
            (views.run.stop_requested, self.stop),
            (views.run.photos_requested, self.photos_wanted),
            (views.command.copy_requested, self._on_copy_requested),
            (views.photos.kind_requested, self.table.show_kind),
            (self.queue.saved, self._on_saved),
            (self.jobs.progress, self._on_progress),
            (self.jobs.started, self._on_started),
            (self.jobs.failed, self._on_failed),
            (self.jobs.finished, self._on_finished),
            (self._observed, self._on_observed),
        ):
            signal.connect(slot)

    def close(self) -> None:
        """The dock goes away: stop, so that a later run can go on."""
        self._closed = True
        super().close()
        self.jobs.close()
        self.queue.close()

    @property
    def table(self) -> PhotoTable:
        """The photos."""
        return self.views.photos.model

    # --- choices ----------------------------------------------------------

    def choose(self, choices: Choices) -> None:
        """Take other choices over; look if they concern what lies where."""
        before, self.choices = self.choices, choices
        remember(choices)
        self._show_choices()
        places = ('inputs', 'output', 'recursive', 'format')
        if any(getattr(before, n) != getattr(choices, n) for n in places):
            self.look()
        else:
            self._show_state()

    def _on_folder_requested(self) -> None:
        folder = self.chooser.folder('Photos to color', self._near())
        if folder:
            self.choose(replace(self.choices, inputs=(folder,), near=folder))

    def _on_files_requested(self) -> None:
        files = self.chooser.files('Photos to color', self._near())
        if files:
            near = str(Path(files[0]).parent)
            self.choose(replace(self.choices, inputs=tuple(files), near=near))

    def _on_output_requested(self) -> None:
        near = (self.choices.output, *self._near())
        folder = self.chooser.folder('Folder for the results', near)
        if folder:
            self.choose(replace(self.choices, output=folder))

    def _on_options_changed(self) -> None:
        try:
            chosen = self.views.options.read(self.choices)
        except SettingsError as error:
            self._wrong = str(error)
            self._show_state()
            return
        self._wrong = ''
        self.choose(chosen)

    def _near(self) -> tuple[str, ...]:
        """Where a person looked for photos last."""
        return (*self.choices.inputs[:1], self.choices.near)

    def _on_copy_requested(self) -> None:
        QApplication.clipboard().setText(self.choices.command())
        self.views.run.show_status('The command line is on the clipboard.')

    # --- look, start, stop ------------------------------------------------

    def look(self) -> None:
        """Find out what lies in the chosen folders."""
        self._looked = False
        self.table.fill(Path(self.choices.output), [])
        self.views.folders.show_counted('')
        if self.choices.inputs:
            task = partial(work.look, self.choices)
            job = Job('look', task, self._on_looked, name='look')
            self.jobs.submit(job)
        self._show_state()

    def _on_looked(self, looked: work.Looked) -> None:
        self._looked = True
        self.views.folders.show_counted(
            holdings(looked.photos, looked.left_out)
        )
        if looked.plan is None:
            return
        if looked.made_with is not None:
            self._go_on_as_made(looked.made_with)
        self.table.fill(
            looked.plan.output, looked.statuses, begun=looked.begun
        )
        self.queue.forget()
        if looked.statuses:
            self.photos_wanted.emit()

    def _go_on_as_made(self, made: dict) -> None:
        """An earlier batch is there: go on with its settings."""
        choices = self.choices.as_made(made)
        if choices != self.choices:
            self.choices = choices
            self._show_choices()
            show_info(
                'The options were set to those with which the photos in '
                f'{choices.output} were colored.'
            )

    def start(self) -> None:
        """Color what is not colored yet; also resumes."""
        self._begin('run')

    def _begin(
        self,
        name: str,
        keys: Callable[[], Collection[str]] | None = None,
    ) -> None:
        token = CancelToken()
        task = partial(
            work.run, self.choices, self.engine, token, self._observe, keys
        )
        self._failed = 0
        self.running, self._stopped = True, False
        job = Job(name, task, self._on_done, name=name, token=token)
        self.jobs.submit(job)
        if self.jobs.running is None:
            self.views.run.show_running('Finishing what was being saved…')

    def _on_saved(self, path: Path) -> None:
        """A map was saved: its photo is colored by it as soon as may be."""
        # It names the folder of corrected maps from the first one on.
        self._show_choices()
        self._begin('recolor', self.queue.take_pending)
        self.views.run.show_status(f'Saved {path}.')

    def stop(self) -> None:
        """Stop at once; what is done stays done."""
        self._stopped, self.running = self.running, False
        self.jobs.stop()
        self._show_state()

    def _observe(self, outcome: Outcome, progress: Progress) -> None:
        """In the worker: a photo is done."""
        if not self._closed:
            self._observed.emit(
                outcome, progress.done, progress.total, progress.words
            )

    def _on_observed(
        self, outcome: Outcome, done: int, total: int, words: str
    ) -> None:
        self._news.append(outcome)
        self._far = done, total, words
        if not self._timer.isActive():
            self._timer.start()

    def _show_news(self) -> None:
        news, self._news = self._news, []
        if not news:
            return
        self._tell_failures(news)
        self.table.update(
            [
                self._status(outcome)
                for outcome in news
                if self.table.get(outcome.key) is not None
            ]
        )
        if self.running:
            self.views.run.show_progress(*self._far)
            if self.engine.in_use is not None:
                self.views.badge.show_device(self.engine.in_use)
            self.queue.show()
        else:
            # What was being saved when the run was stopped.
            self._show_state()

    def _tell_failures(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            if outcome.status != FAILED:
                continue
            self._failed += 1
            if self._failed <= SHOWN:
                named = outcome.source in outcome.reason
                name = '' if named else f'{outcome.source}: '
                show_warning(name + outcome.reason)

    def _status(self, outcome: Outcome) -> Outcome:
        """What the table shows of a photo from now on."""
        before = self.table.get(outcome.key)
        if outcome.status == FAILED:
            return replace(before, status=FAILED, reason=outcome.reason)
        corrected = outcome.key in self.queue.pending
        return replace(
            outcome,
            status=CORRECTED if corrected else DONE,
            thumbnail=outcome.thumbnail or before.thumbnail,
        )

    def _on_done(self, summary: Summary) -> None:
        self._show_news()
        if self._failed > SHOWN:
            show_warning(
                f'{self._failed} photos failed; choose "Failed" above the '
                'table to see why.'
            )
        for note in summary.notes:
            show_warning(note)
        self.table.begun = True

    # --- the worker's news ------------------------------------------------

    def _on_started(self, job: Job) -> None:
        if job.name in ('run', 'recolor'):
            self.running = True
            self.views.run.show_running('Starting…')
            self._show_state()
        elif job.name == 'look':
            self.views.run.show_running('Looking for photos…')

    def _on_progress(self, words: str) -> None:
        if self.jobs.running is not None and not self.jobs.running.quiet:
            self.views.run.show_status(words)

    def _on_failed(self, job: Job, error: BaseException) -> None:
        self.running = False
        self._show_state()
        if not isinstance(error, FAILURES):
            # A fault of ours: napari shows the traceback to report.
            raise error
        ready = job.name != 'look'
        self.views.run.show_idle(self._verb(), reason(error), ready=ready)
        show_error(reason(error))

    def _on_finished(self, job: Job) -> None:
        if job.quiet:
            return
        if job.name in ('run', 'recolor'):
            self.table.begun = True
            self.running = False
        self._show_state()

    # --- what is shown ----------------------------------------------------

    def _verb(self) -> str:
        """What the button does."""
        return verb(self.table.counts(), begun=self.table.begun)

    def _show_choices(self) -> None:
        self.views.folders.show_choices(self.choices)
        self.views.options.show_choices(self.choices)
        self.table.set_threshold(self.choices.confidence)
        self.queue.settings = self.choices.settings
        self.views.command.show_command(self.choices.command())

    def _show_state(self) -> None:
        """Bring the button and the words in line with how things are."""
        self.views.folders.enabled = not self.running
        self.views.options.enabled = not self.running
        self.queue.show()
        if self.running or self.jobs.running is not None:
            return
        counts = self.table.counts()
        self.views.run.set_has_photos(counts[ALL] > 0)
        words, ready = advice(
            self.choices,
            counts,
            begun=self.table.begun,
            stopped=self._stopped,
            looked=self._looked,
        )
        if self._wrong:
            words, ready = self._wrong, False
        self.views.run.show_idle(self._verb(), words, ready=ready)
