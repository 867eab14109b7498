"""What a run writes down for people: log, curves, previews, left-out files.

The run goes on when one of these cannot be written.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from napari_sdcolor.datasets.entry import Skipped
from napari_sdcolor.errors import SaveError
from napari_sdcolor.files import explaining
from napari_sdcolor.opening import TEXT_BYTES, read_whole
from napari_sdcolor.own_files import (
    SIGNATURE,
    begins_with,
    is_signed,
    open_own_stream,
    replace_file,
)
from napari_sdcolor.training.heldout import Figures
from napari_sdcolor.training.recipe import Recipe, Task, learning_rate
from napari_sdcolor.words import cell, counted

LOGGED = ('step', 'loss', 'rate', 'seconds', 'val_loss', 'val_score')
"""Columns of ``log.csv``. ``seconds`` counts training only; the last two are
of the held-out sample and empty where it was not looked at."""

_is_log = begins_with('step,loss,')

SCORES: dict[Task, str] = {
    'color': 'PSNR of the colors (dB)',
    'segmentation': 'pixels of the right class (%)',
}
"""What ``val_score`` is, higher is better."""

NO_MATPLOTLIB = (
    'There is no plot of the loss, since matplotlib is missing; log.csv '
    'holds the same figures. Install it with: pip install '
    '"napari-sdcolor[train]"'
)

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

    Attributes
    ----------
    log
        ``log.csv``.
    skipped
        Photographs and maps that are left out, by data set and name. They
        are listed in ``skipped.csv``, which exists once there is one.
    """

    def __init__(
        self, folder: Path, recipe: Recipe, report: Callable[[str], None]
    ) -> None:
        self.folder = folder
        self.recipe = recipe
        self.report = report
        self.log = Log(folder / 'log.csv')
        self.skipped: dict[tuple[str, str], Skipped] = {}
        self._skipped_file = folder / 'skipped.csv'
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
            picture = curves(self.log.rows(), task, title)
        except ImportError:
            self._say_once(NO_MATPLOTLIB)
            return
        with self._unimportant(path):
            replace_file(path, picture, is_signed)

    def write_preview(self, step: int, picture: bytes) -> None:
        """Keep a preview sheet."""
        path = self.folder / 'previews' / f'step-{step:06d}.png'
        with self._unimportant(path):
            replace_file(path, picture, is_signed)

    def skip(self, skipped: Iterable[Skipped], aloud: bool = True) -> None:
        """Write down which files are left out, and say it once."""
        new = []
        for each in skipped:
            key = (each.dataset, each.name)
            if key not in self.skipped:
                self.skipped[key] = each
                new.append(each)
        if not new:
            return
        rows = [
            {column: cell(words) for column, words in asdict(each).items()}
            for each in self.skipped.values()
        ]
        table = _csv(rows[0], rows, header=True)
        with self._unimportant(self._skipped_file):
            # Names that are no text are told with their odd bytes escaped.
            replace_file(
                self._skipped_file,
                table.encode(errors='backslashreplace'),
                begins_with(','.join(rows[0])),
            )
        for each in new if aloud else ():
            self._named += 1
            if self._named <= NAMED:
                self.report(
                    f'Left out: {each.dataset}/{each.name}: {each.reason}.'
                )
            elif self._named == NAMED + 1:
                self.report(f'More files left out: see {self._skipped_file}.')

    def left_out(self) -> str:
        """A sentence on how many were left out, and why; '' for none."""
        if not self.skipped:
            return ''
        reasons = Counter(each.reason for each in self.skipped.values())
        some = '; '.join(
            f'{number} × {reason}' for reason, number in reasons.most_common(3)
        )
        more = ', …' if len(reasons) > 3 else ''
        files = counted(len(self.skipped), 'file was', 'files were')
        return (
            f'{files} left out ({some}{more}). '
            f'They are named in {self._skipped_file}.'
        )

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


class Log:
    """``log.csv`` of a run: one row now and then, none twice.

    Parameters
    ----------
    path
        Of the file; made with the first row.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(self) -> list[dict[str, str]]:
        """All whole rows, in order; empty without a file."""
        if not self.path.is_file():
            return []
        text = read_whole(self.path, TEXT_BYTES).decode('utf-8', 'replace')
        return [
            row
            for row in csv.DictReader(text.splitlines())
            # A run that was cut off may leave half a row.
            if (row.get('step') or '').isdecimal() and row.get('rate')
        ]

    def forget_after(self, step: int) -> None:
        """Take out what was logged after a step: it will come again."""
        if self.path.is_file():
            kept = [row for row in self.rows() if int(row['step']) <= step]
            content = _csv(LOGGED, kept, header=True).encode()
            replace_file(self.path, content, _is_log)

    def add(self, row: Mapping[str, Any]) -> None:
        """Append a row.

        Raises
        ------
        SaveError
            If it cannot be written.
        """
        with (
            explaining(self.path),
            open_own_stream(self.path, _is_log, append=True) as file,
        ):
            begun = os.fstat(file.fileno()).st_size > 0
            file.write(_csv(LOGGED, [row], header=not begun).encode())


def _csv(
    columns: Iterable[str], rows: Iterable[Mapping[str, Any]], header: bool
) -> str:
    stream = io.StringIO(newline='')
    writer = csv.DictWriter(
        stream, list(columns), extrasaction='ignore', lineterminator='\n'
    )
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def curves(rows: Sequence[dict[str, str]], task: Task, title: str) -> bytes:
    """Loss and held-out score over the steps, as PNG.

    Parameters
    ----------
    rows
        Of the log.
    task
        Says what the score is.
    title
        Stands above.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    """
    # Without pyplot: no display is looked for, and nothing is kept open.
    from matplotlib.figure import Figure

    def points(column: str) -> tuple[list[int], list[float]]:
        found = [row for row in rows if row.get(column)]
        steps = [int(row['step']) for row in found]
        return steps, [float(row[column]) for row in found]

    figure = Figure(figsize=(9, 6.5), layout='constrained')
    upper, lower = figure.subplots(2, 1, sharex=True)
    figure.suptitle(title)
    upper.plot(*points('loss'), label='training', color='0.6', lw=1.2)
    steps, losses = points('val_loss')
    if steps:
        upper.plot(steps, losses, 'o-', label='held out', color='C0', ms=3)
    upper.set_ylabel('loss')
    upper.legend()
    steps, scores = points('val_score')
    lower.plot(steps, scores, 'o-', color='C2', ms=3)
    if not steps:
        lower.text(
            0.5,
            0.5,
            'no held-out figures yet',
            ha='center',
            transform=lower.transAxes,
        )
    lower.set_ylabel(SCORES[task])
    lower.set_xlabel('step')
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
    stream = io.BytesIO()
    signed = {'Software': SIGNATURE}
    figure.savefig(stream, format='png', dpi=100, metadata=signed)
    return stream.getvalue()
