"""What comes of the jobs: kept with their plane, and told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_sdcolor.errors import SdcolorError
from napari_sdcolor.plugin.color_jobs import RECOLOR, RUN
from napari_sdcolor.plugin.notices import show_error
from napari_sdcolor.plugin.saver import SAVE
from napari_sdcolor.plugin.status import Kind, Outcome
from napari_sdcolor.plugin.trio import Trio

if TYPE_CHECKING:
    from napari_sdcolor.plugin.jobs import Job, Jobs


class JobNews(QObject):
    """Hears of every job, and tells what a person should know.

    Parameters
    ----------
    jobs
        The worker.

    Signals
    -------
    changed
        The status has something else to say.
    """

    changed = Signal()

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self.jobs = jobs
        jobs.submitted.connect(self._on_submitted)
        jobs.started.connect(self._on_moved)
        jobs.progress.connect(self._on_progress)
        jobs.stopped.connect(self._on_stopped)
        jobs.failed.connect(self._on_failed)
        jobs.finished.connect(self._on_moved)

    def _on_submitted(self, job: Job) -> None:
        if not job.quiet:
            # What came of an earlier one is of no interest now.
            self._note(job, None)

    def _on_moved(self, job: Job) -> None:
        if not job.quiet:
            self.changed.emit()

    def _on_progress(self, words: str) -> None:
        if self.jobs.running is not None:
            self._on_moved(self.jobs.running)

    def _on_stopped(self, job: Job) -> None:
        self._note(job, Outcome(Kind.STOPPED))

    def _on_failed(self, job: Job, error: BaseException) -> None:
        if not isinstance(error, SdcolorError):
            words = f'This failed: {type(error).__name__}.'
            self._note(job, Outcome(Kind.FAILED, words))
            # A fault of ours: napari shows the traceback to report.
            raise error
        self._note(job, Outcome(Kind.FAILED, str(error)))
        show_error(str(error))

    def _note(self, job: Job, outcome: Outcome | None) -> None:
        """Remember with the photo and the plane what came of a job."""
        if isinstance(job.owner, Trio) and job.name in (RUN, RECOLOR, SAVE):
            known = job.owner.planes[job.plane]
            known.outcome = outcome
            if job.name == SAVE:
                known.save_outcome = outcome
        self.changed.emit()
