"""Running a plan: what is known is checked, what becomes of the rest is
written down before anybody is told.

Where the tasks are worked on is a parameter: any function that maps tasks
to outcomes will do, in any order.
"""

from __future__ import annotations

import os
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from napari_sdcolor.archive.folders import output_folder
from napari_sdcolor.archive.one_file import JobSpec
from napari_sdcolor.archive.saving import output_paths
from napari_sdcolor.batch.corrections import (
    is_outdated,
    keep_superseded,
)
from napari_sdcolor.batch.fixed_names import refuse_own_files
from napari_sdcolor.batch.journal import Journal
from napari_sdcolor.batch.lock import locked
from napari_sdcolor.batch.made_with import TONES, made_with, refuse_other
from napari_sdcolor.batch.outcome import (
    BEGUN,
    DONE,
    FAILED,
    PLANNED,
    Outcome,
)
from napari_sdcolor.batch.plan import Plan
from napari_sdcolor.batch.progress import Observer, Progress
from napari_sdcolor.batch.report import write_report
from napari_sdcolor.batch.task import Task
from napari_sdcolor.batch.thumbnails import open_thumbnails
from napari_sdcolor.core.cancel import CancelToken
from napari_sdcolor.errors import ClusterError, SaveError
from napari_sdcolor.leftovers import remove_leftovers

Work = Callable[[Iterable[Task]], Iterator[Outcome]]
"""Maps tasks to outcomes; see ``pipeline.Pipeline``."""


@dataclass(frozen=True)
class Summary:
    """How a run ended.

    Parameters
    ----------
    progress
        The counts.
    failed
        Path and reason of all that a person should look at.
    flagged
        Photos whose map a person should look at.
    skipped
        Path and reason of files of other kinds.
    reports
        The files of the report.
    damaged
        Lines of the journal that are damaged and not used.
    damage
        A sentence on them, or ''.
    stopped
        Whether it was cancelled before the end.
    kept
        Sentences on reports that a person edited.
    """

    progress: Progress
    failed: tuple[tuple[str, str], ...]
    flagged: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    reports: tuple[Path, ...]
    damaged: int = 0
    damage: str = ''
    stopped: bool = False
    kept: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know about the output folder."""
        return (self.damage, *self.kept) if self.damage else self.kept


def run_batch(
    plan: Plan,
    spec: JobSpec,
    work: Work,
    weights: Mapping[str, str],
    *,
    limit: int | None = None,
    only: Collection[str] | None = None,
    confidence: float = 0.0,
    observers: Sequence[Observer] = (),
    token: CancelToken | None = None,
) -> Summary:
    """Run a plan in its output folder, which is made if it is missing.

    Parameters
    ----------
    plan
        What is to be done.
    spec
        How; must be what ``work`` does.
    work
        Maps tasks to outcomes, in any order.
    weights
        Their identity, see ``made_with.identity_of``.
    limit
        Color at most so many photos that are not known yet.
    only
        Keys of the tasks to work on; the others are left as they are.
    confidence
        Photos whose mean confidence in [0, 1] is lower are flagged.
    observers
        Called after each photo, in the thread of the caller.
    token
        When cancelled, no more tasks are handed out.

    Raises
    ------
    FolderError
        If the folder cannot be made or written into.
    PlanError
        If another run works in the folder, if an earlier one had other
        settings or weights, or if a report of somebody else is there;
        then nothing was done.
    ClusterError
        If the machines that work are gone. Another run goes on from there.
    OSError
        If the journal or the report cannot be written. Another
        run goes on from there.
    """
    token = token or CancelToken()
    with output_folder(plan.output):
        refuse_own_files(plan)
        with (
            locked(plan.output),
            Journal(plan.output) as journal,
            open_thumbnails(plan.output) as thumbnails,
        ):
            facts = made_with(spec, weights)
            refuse_other(plan.output, journal, facts)
            journal.begin(facts | {'tones': TONES})
            remove_all_leftovers(plan)
            run = _Run(plan, journal, thumbnails, confidence, observers)
            try:
                run.go(work, limit, only, token)
            except ClusterError:
                run.summary(stopped=True)  # the report tells how far it came
                raise
            return run.summary(token.cancelled)


class _Run:
    """One run, while the lock is held."""

    def __init__(
        self,
        plan: Plan,
        journal: Journal,
        thumbnails: BinaryIO,
        confidence: float,
        observers: Sequence[Observer],
    ) -> None:
        self.plan = plan
        self.journal = journal
        self.thumbnails = thumbnails
        self.observers = observers
        self.progress = Progress(0, confidence=confidence)
        self.failures: dict[str, Outcome] = {}
        self.flagged: list[str] = []
        self._begun: set[str] = set()

    def go(
        self,
        work: Work,
        limit: int | None,
        only: Collection[str] | None,
        token: CancelToken,
    ) -> None:
        """Hand out the tasks and take in the outcomes."""
        tasks, blocked = self._choose(limit, only)
        self.journal.add(
            Outcome(task.key, task.source, PLANNED).record()
            for task in tasks
            if task.key not in self.journal
        )
        known = {task.key for task in tasks if task.known is not None}
        self.progress = Progress(
            len(tasks) - len(known) + len(blocked),
            len(known),
            self.progress.confidence,
        )
        for outcome in blocked:
            self._tell(outcome)

        def handed_out() -> Iterator[Task]:
            for task in tasks:
                if token.cancelled:
                    return
                ready = self._make_room(task)
                if ready is not None:
                    if task.known is None:
                        self._begin(task)
                    yield ready

        try:
            for outcome in work(handed_out()):
                self._begun.discard(outcome.key)
                self._write_down(outcome, outcome.key in known)
                self._tell(outcome)
        finally:
            # Whatever stopped the work, this process is alive.
            self.journal.add(
                {**self.journal[key], 'status': PLANNED} for key in self._begun
            )

    def _choose(
        self, limit: int | None, only: Collection[str] | None
    ) -> tuple[list[Task], list[Outcome]]:
        """Tasks to work on; failures where files of others are in the way."""
        tasks, deadly, blocked, fresh = [], [], [], 0
        for task in self.plan.tasks:
            if only is not None and task.key not in only:
                continue
            record = self.journal.get(task.key)
            if record is None:
                failed = _refuse_existing(task, self.plan.format)
                if failed is not None:
                    blocked.append(failed)
                    continue
            elif record['status'] == DONE:
                done = Outcome.from_record(record)
                if not is_outdated(task, done):
                    tasks.append(replace(task, known=done))
                    continue
            if limit is None or fresh < limit:
                if record is not None and _is_deadly(record):
                    deadly.append(replace(task, alone=True))
                else:
                    tasks.append(task)
                fresh += 1
        return tasks + deadly, blocked

    def _begin(self, task: Task) -> None:
        """Write down that a photo is in work, for the case of sudden death."""
        self._begun.add(task.key)
        begun = Outcome(task.key, task.source, BEGUN).record()
        if task.alone:
            begun['alone'] = True
        self.journal.add([self._aside(task.key) | begun], sync=False)

    def _aside(self, key: str) -> dict[str, Any]:
        """What stays known of a photo until it is done.

        The result that makes room for the next one, and that a process died
        in the work on it.
        """
        record = self.journal.get(key) or {}
        return {
            name: record[name]
            for name in ('superseded', 'replaced', 'alone')
            if name in record
        }

    def _make_room(self, task: Task) -> Task | None:
        """Put a result aside whose map was corrected since.

        From then on the journal counts its files as those of an attempt
        that was cut off, which the next result may replace.

        Returns
        -------
        Task or None
            None if the earlier result cannot be kept: it stays then.
        """
        if task.known is not None:
            return task
        record = self.journal[task.key]
        if record['status'] != DONE:
            return replace(task, replaces=record.get('replaced', {}))
        try:
            kept = keep_superseded(
                self.plan.output, task, Outcome.from_record(record)
            )
        except SaveError as error:
            self._tell(_failed(task, str(error)))
            return None
        aside = {
            'superseded': kept.relative_to(self.plan.output).as_posix(),
            'replaced': record.get('outputs', {}),
        }
        planned = Outcome(task.key, task.source, PLANNED)
        self.journal.add([planned.record() | aside])
        return replace(task, replaces=aside['replaced'])

    def _write_down(self, outcome: Outcome, known: bool) -> None:
        """Bring an outcome to the disk; what was known stays known."""
        if outcome.status == FAILED and not known:
            self.journal.add([self._aside(outcome.key) | outcome.record()])
        elif outcome.status == DONE:
            start = self.thumbnails.seek(0, os.SEEK_END)
            place = start, len(outcome.thumbnail)
            self.thumbnails.write(outcome.thumbnail)
            self.thumbnails.flush()
            placed = replace(outcome, thumbnail_place=place)
            self.journal.add([placed.record()])

    def _tell(self, outcome: Outcome) -> None:
        self.progress.count(outcome)
        if outcome.status == FAILED:
            self.failures[outcome.key] = outcome
        if outcome.needs_person(self.progress.confidence):
            self.flagged.append(outcome.source)
        for observer in self.observers:
            observer(outcome, self.progress)

    def summary(self, stopped: bool) -> Summary:
        """Write the report and say how it went."""
        kept: list[str] = []
        reports = write_report(
            self.plan,
            self.journal,
            self.failures,
            self.progress.confidence,
            kept.append,
        )
        failed = [
            (outcome.source, outcome.reason)
            for outcome in self.failures.values()
        ]
        failed += [(item.path, item.reason) for item in self.plan.unusable]
        return Summary(
            progress=self.progress,
            failed=tuple(failed),
            flagged=tuple(self.flagged),
            skipped=tuple(
                (item.path, item.reason) for item in self.plan.others
            ),
            reports=reports,
            damaged=self.journal.damaged,
            damage=self.journal.damage,
            stopped=stopped,
            kept=tuple(kept),
        )


def remove_all_leftovers(plan: Plan) -> None:
    """Remove what was being written when an earlier run was killed."""
    for folder in {str(plan.output), *(task.folder for task in plan.tasks)}:
        if os.path.isdir(folder):
            remove_leftovers(folder)


def _is_deadly(record: Mapping[str, Any]) -> bool:
    """Whether a process died in the work on a photo that is not done."""
    return record['status'] == BEGUN or 'alone' in record


def _refuse_existing(task: Task, form: str) -> Outcome | None:
    """A failure if a file of others lies where a result would go."""
    for path in output_paths(task.folder, task.name, form):
        if os.path.lexists(path):
            return _failed(
                task,
                f'{path} exists and was not made by this batch; it is never '
                'overwritten. Move it away, or choose another output folder.',
            )
    return None


def _failed(task: Task, reason: str) -> Outcome:
    return Outcome(task.key, task.source, FAILED, reason)
