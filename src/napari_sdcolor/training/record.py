"""What a run writes down for people: log, curves, previews, left-out files.

The run goes on when one of these cannot be written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from napari_sdcolor.datasets.entry import Skipped
from napari_sdcolor.errors import SaveError
from napari_sdcolor.files import replace_file
from napari_sdcolor.training import curves
from napari_sdcolor.training.heldout import Figures
from napari_sdcolor.training.recipe import Recipe, learning_rate
from napari_sdcolor.training.runlog import RunLog
from napari_sdcolor.training.skiplist import SkipList

NAMED = 20
"""So many files that are left out are named while training."""


class Record:
    """The files of a run beside its checkpoint.

    Parameters
    ----------
    folder
        Of the run.
    recipe
        Of the run.
    report
        Called with sentences for a person.
    """

    def __init__(
        self, folder: Path, recipe: Recipe, report: Callable[[str], None]
    ) -> None:
        self.folder = folder
        self.recipe = recipe
        self.report = report
        self.log = RunLog(folder / 'log.csv')
        self.skips = SkipList(folder / 'skipped.csv')
        self._said: set[str] = set()
        self._named = 0

    def write_row(
        self,
        step: int,
        seconds: float,
        loss: float | None,
        figures: Figures | None = None,
    ) -> None:
        """A row of the log; what is None stays empty."""

        def words(value: float | None, digits: int) -> str:
            return '' if value is None else f'{value:.{digits}f}'

        with self._unimportant(self.log.path):
            self.log.add(
                {
                    'step': step,
                    'loss': words(loss, 5),
                    'rate': f'{learning_rate(self.recipe, step):.2e}',
                    'seconds': words(seconds, 0),
                    'val_loss': words(figures and figures.loss, 5),
                    'val_score': words(figures and figures.score, 3),
                }
            )

    def draw_curves(self, step: int) -> None:
        """Bring ``loss.png`` up to date."""
        path = self.folder / 'loss.png'
        task = self.recipe.task
        title = f'{self.folder.name}: {task}, step {step}'
        try:
            with self._unimportant(path):
                picture = curves.draw(self.log.rows(), task, title)
                replace_file(path, picture)
        except ImportError:
            self._say_once(curves.MISSING)

    def write_preview(self, step: int, picture: bytes) -> None:
        """Keep a preview sheet."""
        path = self.folder / 'previews' / f'step-{step:06d}.png'
        with self._unimportant(path):
            replace_file(path, picture)

    def note(self, skipped: Sequence[Skipped], aloud: bool = True) -> None:
        """Write down which files are left out, and say it once."""
        new: list[Skipped] = []
        with self._unimportant(self.skips.path):
            new = self.skips.add(skipped)
        for each in new if aloud else ():
            self._named += 1
            if self._named <= NAMED:
                self.report(
                    f'Left out: {each.dataset}/{each.name}: {each.reason}.'
                )
            elif self._named == NAMED + 1:
                self.report(f'More files left out: see {self.skips.path}.')

    @contextlib.contextmanager
    def _unimportant(self, path: Path) -> Iterator[None]:
        try:
            yield
        except SaveError as error:
            self._say_once(
                f'{path.name} was not written: {error.reason}. '
                'Training goes on.'
            )

    def _say_once(self, words: str) -> None:
        if words not in self._said:
            self._said.add(words)
            self.report(words)
