"""The files of an output folder that a batch writes to again and again."""

from __future__ import annotations

import os
from contextlib import suppress

from napari_sdcolor.batch.journal import JOURNAL
from napari_sdcolor.batch.lock import LOCK
from napari_sdcolor.batch.plan import Plan
from napari_sdcolor.batch.report import REPORTS, refuse_foreign_reports
from napari_sdcolor.batch.thumbnails import THUMBNAILS
from napari_sdcolor.errors import PlanError


def refuse_own_files(plan: Plan) -> None:
    """Refuse a run whose files are others' files, or its own photos.

    Lock and journal are looked at once more when they are opened.

    Raises
    ------
    PlanError
        If a photo is one of them, under whatever name, or a report of
        somebody else is there.
    ForeignFile
        If one of their names belongs to another file.
    """
    _refuse_report_of_others(plan)
    own = {}
    for name in (LOCK, JOURNAL, THUMBNAILS, *REPORTS.values()):
        with suppress(OSError):
            own[_identity(plan.output / name)] = name
    if not own:
        return
    for task in plan.tasks:
        with suppress(OSError):
            name = own.get(_identity(task.source))
            if name is not None:
                raise PlanError(
                    f'{task.source} is {plan.output / name}, to which a batch '
                    'into this folder writes. Choose another output folder.'
                )


def _identity(path: str | os.PathLike[str]) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _refuse_report_of_others(plan: Plan) -> None:
    """Reports are renewed, but never those of somebody else."""
    if os.path.lexists(plan.output / JOURNAL):
        refuse_foreign_reports(plan.output)
        return
    for name in (*REPORTS.values(), THUMBNAILS):
        if os.path.lexists(plan.output / name):
            raise PlanError(
                f'{plan.output / name} exists, but no journal that tells '
                'where it comes from. Choose another output folder.'
            )
