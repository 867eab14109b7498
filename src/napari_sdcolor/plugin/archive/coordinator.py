"""Answers what the views of the archive dock ask.

A batch goes on while the dock is hidden; it stops when the viewer closes
or when the person says so, and can be resumed in any case. A saved map is
on the disk before the next photo opens; the photo is colored by it when
the worker is free, at the latest by the next run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from napari.utils.notifications import show_error, show_info, show_warning
from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QApplication

from napari_sdcolor.archive.batch.corrections import save_maps
from napari_sdcolor.archive.batch.outcome import DONE, FAILED, Outcome
from napari_sdcolor.archive.batch.standing import (
    CORRECTED,
    WAITING,
    Standing,
)
from napari_sdcolor.core.cancel import CancelToken
from napari_sdcolor.errors import SdcolorError
from napari_sdcolor.plugin import detail
from napari_sdcolor.plugin.archive import work
from napari_sdcolor.plugin.archive.choices import (
    Choices,
    as_made,
    recall,
    remember,
)
from napari_sdcolor.plugin.archive.choosing import Chooser
from napari_sdcolor.plugin.archive.desk import Desk, Maps
from napari_sdcolor.plugin.archive.table import ALL, PERSON, PhotoTable
from napari_sdcolor.plugin.engine import Engine
from napari_sdcolor.plugin.jobs import Job, Jobs, Report

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_sdcolor.archive.batch.progress import Progress
    from napari_sdcolor.archive.batch.run import Summary
    from napari_sdcolor.plugin.archive.widget import Views
    from napari_sdcolor.plugin.coordinator import Coordinator

TOLD = 3
"""So many failures of a run are told at once; the table shows them all."""

GATHER = 100
"""Milliseconds over which news of photos are gathered for the table."""


@dataclass(frozen=True)
class News:
    """One photo, and how far the whole was after it."""

    outcome: Outcome
    done: int
    total: int
    words: str


class ArchiveCoordinator(QObject):
    """Owns the worker, the choices and the desk.

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

    Signals
    -------
    photos_wanted
        The table should be seen.
    """

    photos_wanted = Signal()
    _heard = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        views: Views,
        colorize: Callable[[], Coordinator],
        engine: Engine | None = None,
        chooser: Chooser | None = None,
    ) -> None:
        super().__init__()
        self.views = views
        self.engine = engine or Engine()
        self.chooser = chooser or Chooser()
        self.jobs = Jobs()
        # Opening and saving photos does not wait for the batch.
        self.desk_jobs = Jobs()
        self.desk = Desk(viewer, colorize)
        self.choices = recall(self.engine.settings())
        self.begun = False
        self._pending: set[str] = set()
        self._past: list[str] = []
        self._seen: set[str] = set()
        self._told = 0
        self._running = False
        self._stopped = False
        self._closed = False
        self._news: deque[News] = deque()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(GATHER)
        for signal, slot in self._pairs():
            signal.connect(slot)
        views.options.set_details(detail.choices(self.engine.settings().size))
        self._show_choices()
        self.look()

    def _pairs(self) -> list[tuple]:
        """Every (signal, slot) pair between views, worker and this."""
        views, photos = self.views, self.views.photos
        return [
            (views.folders.folder_requested, self._on_folder_requested),
            (views.folders.files_requested, self._on_files_requested),
            (views.folders.output_requested, self._on_output_requested),
            (views.options.changed, self._on_options_changed),
            (views.run.start_requested, self.start),
            (views.run.stop_requested, self.stop),
            (views.run.photos_requested, self.photos_wanted),
            (views.command.copy_requested, self._on_copy_requested),
            (photos.kind_requested, self._on_kind_requested),
            (photos.open_requested, self.open),
            (photos.queue_requested, self.open_next),
            (photos.save_requested, self.save_and_next),
            (photos.skip_requested, self.skip),
            (photos.back_requested, self.back),
            (self.desk.save_requested, self.save_and_next),
            (self.desk.skip_requested, self.skip),
            (self.desk.back_requested, self.back),
            (self.desk.left, self._show_queue),
            (self.jobs.progress, self._on_progress),
            (self.jobs.started, self._on_started),
            (self.jobs.failed, self._on_failed),
            (self.jobs.finished, self._on_finished),
            (self.desk_jobs.failed, self._on_desk_failed),
            (self.desk_jobs.progress, views.photos.show_words),
            (self._heard, self._on_heard),
            (self._timer.timeout, self._show_news),
        ]

    def close(self) -> None:
        """The dock goes away: stop, so that a later run can go on."""
        self._closed = True
        # Python may tear a forgotten dock down in any order.
        if isalive(self._timer):
            self._timer.stop()
        self.jobs.close()
        self.desk_jobs.close()
        self.desk.close()

    @property
    def table(self) -> PhotoTable:
        """The photos."""
        return self.views.photos.model

    @property
    def running(self) -> bool:
        """Whether photos are being colored, or will be in a moment."""
        return self._running

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
        folder = self.chooser.folder('Photos to color', self.choices.inputs)
        if folder:
            self.choose(replace(self.choices, inputs=(folder,)))

    def _on_files_requested(self) -> None:
        files = self.chooser.files('Photos to color', self.choices.inputs)
        if files:
            self.choose(replace(self.choices, inputs=tuple(files)))

    def _on_output_requested(self) -> None:
        folder = self.chooser.folder(
            'Folder for the results', (self.choices.output,)
        )
        if folder:
            self.choose(replace(self.choices, output=folder))

    def _on_options_changed(self) -> None:
        options = self.views.options
        settings = replace(
            self.choices.settings,
            size=options.detail.currentData(),
            saturation=round(options.saturation.value(), 2),
        )
        self.choose(
            replace(
                self.choices,
                settings=settings,
                format=options.format.currentData(),
                recursive=options.recursive.isChecked(),
                confidence=round(options.confidence.value(), 2),
            )
        )

    def _on_copy_requested(self) -> None:
        QApplication.clipboard().setText(self.choices.command())
        self.views.run.show_status('The command line is on the clipboard.')

    def _on_kind_requested(self, kind: str) -> None:
        self.table.show_kind(kind)

    # --- look, start, stop ------------------------------------------------

    def look(self) -> None:
        """Find out what lies in the chosen folders."""
        self.begun = False
        self.table.fill(Path(self.choices.output), [])
        if self.choices.complete:
            task = partial(work.look, self.choices)
            job = Job('look', task, self._on_looked, name='look')
            self.jobs.submit(job)
        self._show_state()

    def _on_looked(self, looked: work.Looked) -> None:
        if looked.plan.output != Path(self.choices.output):
            return
        self.begun = looked.begun
        made = looked.made_with
        if made is not None:
            self._go_on_as_made(made)
        self.table.fill(looked.plan.output, looked.standings)
        self._seen.clear()
        if looked.standings:
            self.photos_wanted.emit()

    def _go_on_as_made(self, made: dict) -> None:
        """An earlier batch is there: go on with its settings."""
        try:
            settings = as_made(self.choices.settings, made['settings'])
            choices = replace(
                self.choices, settings=settings, format=made['format']
            )
        except (SdcolorError, LookupError, TypeError):
            return  # the run itself says what is wrong
        if choices != self.choices:
            self.choices = choices
            self._show_choices()
            show_info(
                'The options were set to those with which the photos in '
                f'{choices.output} were colored.'
            )

    def start(self) -> None:
        """Color what is not colored yet; also resumes."""
        self._begin('run', _all)

    def _begin(
        self, name: str, keys: Callable[[], Collection[str] | None]
    ) -> None:
        token = CancelToken()
        task = partial(
            work.run, self.choices, self.engine, token, self._observe, keys
        )
        self._told = 0
        self._running, self._stopped = True, False
        job = Job(name, task, self._on_done, name=name, token=token)
        self.jobs.submit(job)
        if self.jobs.running is None:
            self.views.run.show_running('Finishing what was being saved…')

    def stop(self) -> None:
        """Stop at once; what is done stays done."""
        self._running, self._stopped = False, True
        self.jobs.stop()
        self._show_state()

    def _observe(self, outcome: Outcome, progress: Progress) -> None:
        """In the worker: a photo is done."""
        if self._closed:
            return
        self._news.append(
            News(outcome, progress.done, progress.total, progress.words)
        )
        if len(self._news) == 1:
            self._heard.emit()

    def _on_heard(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _show_news(self) -> None:
        news = []
        while self._news:
            news.append(self._news.popleft())
        if not news:
            return
        self._tell_failures(item.outcome for item in news)
        self.table.update(
            [
                self._standing(item.outcome)
                for item in news
                if self.table.get(item.outcome.key) is not None
            ]
        )
        if self.running:
            last = news[-1]
            self.views.run.show_progress(last.done, last.total, last.words)
            device = self.engine.in_use
            if device is not None:
                self.views.badge.show_device(
                    device.kind, device.words, ' '.join(device.notes)
                )
            self._show_queue()
        else:
            # What was being saved when the run was stopped.
            self._show_state()

    def _tell_failures(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            if outcome.status != FAILED:
                continue
            self._told += 1
            if self._told <= TOLD:
                named = outcome.source in outcome.reason
                name = '' if named else f'{outcome.source}: '
                show_warning(name + outcome.reason)

    def _standing(self, outcome: Outcome) -> Standing:
        known = self.table.get(outcome.key)
        if outcome.status == FAILED:
            return replace(known, status=FAILED, reason=outcome.reason)
        corrected = outcome.key in self._pending
        return replace(
            known,
            status=CORRECTED if corrected else DONE,
            reason='',
            confidence=outcome.confidence,
            thumbnail=outcome.thumbnail or known.thumbnail,
        )

    def _on_done(self, summary: Summary) -> None:
        self._show_news()
        if self._told > TOLD:
            show_warning(
                f'{self._told} photos failed; choose "Failed" above the '
                'table to see why.'
            )
        self.begun = True

    # --- correcting -------------------------------------------------------

    def open(self, key: str) -> None:
        """Lay a photo open for correction."""
        item = self.table.get(key)
        if item is None or key == self.desk.key:
            return
        if item.status == FAILED:
            show_error(f'{item.source} could not be colored: {item.reason}')
            return
        if item.status == WAITING:
            show_info(
                f'{key} is not colored yet. Press {self._verb()}, then open '
                'it.'
            )
            return
        if item.status == CORRECTED and key not in self.desk.drafts:
            show_info(
                f'The map of {key} was saved, but {key} is not colored by it '
                f'yet. Press {self._verb()}, then open it.'
            )
            return
        task = partial(self.desk.read, item)
        then = partial(self._on_read, key)
        self.desk_jobs.submit(Job('open', task, then, name='open'))

    def _on_read(self, key: str, layers: list[tuple]) -> None:
        if self.desk.key is not None:
            self._past.append(self.desk.key)
        try:
            self.desk.show(key, layers)
        except SdcolorError as error:
            show_error(str(error))
        self._seen.add(key)
        self.views.photos.choose(key)
        self._show_queue()

    def _left(self) -> list[str]:
        """Photos that need a person and were not opened yet."""
        return [key for key in self.table.flagged() if key not in self._seen]

    def open_next(self) -> None:
        """The next photo that needs a person."""
        left = self._left()
        if not left and self.desk.key is None:
            # All were seen: begin again with those that were skipped.
            self._seen.clear()
            left = self._left()
        if left:
            self.open(left[0])
            return
        if self.desk.key is not None:
            self._past.append(self.desk.key)
        self.desk.clear()
        self._show_queue()
        show_info('No other photo needs a person.')

    def skip(self) -> None:
        """Leave the open photo as it is."""
        if self.desk.key is not None:
            self.open_next()

    def back(self) -> None:
        """To the photo that was open before."""
        while self._past:
            key = self._past.pop()
            if key != self.desk.key:
                self.desk.clear()
                self.open(key)
                return

    def save_and_next(self) -> None:
        """Keep the open map, have the photo colored by it, and go on."""
        key = self.desk.key
        if key is None:
            return
        maps = self.desk.maps()
        task = partial(_save, self.table.output, key, maps)
        then = partial(self._on_saved, key, maps)
        self.desk_jobs.submit(Job(('save', key), task, then, name='save'))

    def _on_saved(self, key: str, maps: Maps, paths: list[Path]) -> None:
        item = self.table.get(key)
        if item is not None:
            self.table.update([replace(item, status=CORRECTED)])
        if self.desk.key == key:
            self.desk.saved()
            self._past.append(key)
            self.desk.clear(keep_draft=False)
            self.desk.drafts[key] = maps
        self._pending.add(key)
        # It names the folder of corrected maps from the first one on.
        self._show_choices()
        self._begin('recolor', self._take_pending)
        self.open_next()
        self.views.run.show_status(f'Saved {paths[0]}.')

    def _take_pending(self) -> set[str]:
        """In the worker: all that was saved until now."""
        taken = set(self._pending)
        self._pending -= taken
        return taken

    def _on_desk_failed(self, job: Job, error: BaseException) -> None:
        self._show_queue()
        if not isinstance(error, SdcolorError | OSError):
            raise error
        show_error(str(error))

    # --- the worker's news ------------------------------------------------

    def _on_started(self, job: Job) -> None:
        if job.name in ('run', 'recolor'):
            self._running = True
            self.views.run.show_running('Starting…')
            self._show_state()
        elif job.name == 'look':
            self.views.run.show_idle(
                'Start', 'Looking for photos…', ready=False
            )

    def _on_progress(self, words: str) -> None:
        if self.jobs.running is not None and not self.jobs.running.quiet:
            self.views.run.show_status(words)

    def _on_failed(self, job: Job, error: BaseException) -> None:
        self._running = False
        self._show_state()
        if not isinstance(error, SdcolorError | OSError):
            # A fault of ours: napari shows the traceback to report.
            raise error
        ready = job.name != 'look'
        self.views.run.show_idle(self._verb(), str(error), ready=ready)
        show_error(str(error))

    def _on_finished(self, job: Job) -> None:
        if job.quiet:
            return
        if job.name in ('run', 'recolor'):
            self.begun = True
            self._running = False
        self._show_state()

    # --- what is shown ----------------------------------------------------

    def _verb(self) -> str:
        """What the button does."""
        counts = self.table.counts()
        if not self.begun:
            return 'Start'
        if counts[WAITING] + counts[CORRECTED] or not counts[ALL]:
            return 'Resume'
        return 'Try the failed again' if counts[FAILED] else 'Check again'

    def _show_choices(self) -> None:
        self.views.folders.show_choices(self.choices)
        self.views.options.show_choices(self.choices)
        self.table.set_threshold(self.choices.confidence)
        self.views.command.show_command(
            self.choices.command() if self.choices.complete else ''
        )

    def _show_state(self) -> None:
        """Bring the button and the words in line with how things are."""
        running = self.running
        self.views.folders.set_enabled(not running)
        self.views.options.setEnabled(not running)
        self._show_queue()
        if not running and self.jobs.running is None:
            self.views.run.set_has_photos(bool(self.table.counts()[ALL]))
            words, ready = self._advice()
            self.views.run.show_idle(self._verb(), words, ready=ready)

    def _advice(self) -> tuple[str, bool]:
        """How things are, what to do next, and whether Start makes sense."""
        choices, counts = self.choices, self.table.counts()
        if not choices.inputs:
            return 'First choose a folder of photos, or some files.', False
        if not choices.output:
            return 'Now choose a folder for the results.', False
        total = counts[ALL]
        if not total:
            return 'There is no photo in the chosen folder.', False
        done = counts[DONE] + counts[CORRECTED]
        words = f'{done} of {total} photos are colored.'
        if self._stopped:
            words = f'Stopped. {words}'
        if counts[FAILED]:
            words += f' {counts[FAILED]} failed.'
        left = counts[WAITING] + counts[CORRECTED]
        if left and self.begun:
            words += f' Resume colors the {left} that are left.'
        elif left:
            words += f' Start colors {left}.'
        if counts[PERSON]:
            words += f' {counts[PERSON]} need a person: see the table.'
        elif not left:
            words += ' All is done.'
        return words, True

    def _show_queue(self) -> None:
        counts = self.table.counts()
        self.views.photos.show_counts(counts, counts[FAILED])
        self.views.photos.show_queue(
            self.desk.key,
            len(self._left()) if self.desk.key else counts[PERSON],
            can_go_back=bool(self._past),
        )


def _all() -> None:
    """No choice of photos."""


def _save(output: Path, key: str, maps: Maps, report: Report) -> list[Path]:
    report(f'Saving the map of {key}…')
    return save_maps(output, key, maps)
