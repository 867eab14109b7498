"""How far the photos of a plan are, read without touching anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_sdcolor.batch.corrections import is_outdated
from napari_sdcolor.batch.journal import JOURNAL, read_records
from napari_sdcolor.batch.outcome import (
    CORRECTED,
    DONE,
    FAILED,
    WAITING,
    Outcome,
)
from napari_sdcolor.batch.plan import Plan
from napari_sdcolor.batch.task import Task


def has_begun(output: Path) -> bool:
    """Whether a batch has worked in a folder."""
    return (output / JOURNAL).is_file()


def read_statuses(plan: Plan) -> list[Outcome]:
    """How far every photo of a plan is, in the order of the plan.

    Each is ``WAITING``, ``DONE``, ``CORRECTED`` or ``FAILED``. Files that
    cannot be used come last, files of other kinds not at all.
    """
    records = read_records(plan.output)
    found = [_status(task, records.get(task.key)) for task in plan.tasks]
    return found + [
        Outcome(item.path, item.path, FAILED, item.reason)
        for item in plan.unusable
    ]


def _status(task: Task, record: Mapping[str, Any] | None) -> Outcome:
    if record is None or record['status'] not in (DONE, FAILED):
        return Outcome(task.key, task.source, WAITING)
    known = replace(Outcome.from_record(record), source=task.source)
    try:
        outdated = known.status == DONE and is_outdated(task, known)
    except OSError:
        outdated = False  # the run itself will say what is wrong
    return replace(known, status=CORRECTED) if outdated else known
