"""The log of a run: one row now and then, none twice."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from napari_sdcolor.files import explaining, replace_file

COLUMNS = ('step', 'loss', 'rate', 'seconds', 'val_loss', 'val_score')
"""``seconds`` counts training only; the last two are of the held-out sample
and empty where it was not looked at."""


class RunLog:
    """``log.csv`` of a run.

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
        text = self.path.read_text(encoding='utf-8', errors='replace')
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
            replace_file(self.path, _text(kept, header=True).encode())

    def add(self, row: dict[str, Any]) -> None:
        """Append a row.

        Raises
        ------
        SaveError
            If it cannot be written.
        """
        text = _text([row], header=not self.path.is_file())
        with (
            explaining(self.path),
            self.path.open('a', encoding='utf-8', newline='') as file,
        ):
            file.write(text)


def _text(rows: Iterable[dict[str, Any]], header: bool) -> str:
    stream = io.StringIO(newline='')
    writer = csv.DictWriter(
        stream, COLUMNS, extrasaction='ignore', lineterminator='\n'
    )
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()
