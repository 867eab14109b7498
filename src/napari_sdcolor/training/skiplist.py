"""What a run leaves out, named in ``skipped.csv``."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path

from napari_sdcolor.datasets.entry import Skipped
from napari_sdcolor.files import replace_file
from napari_sdcolor.words import counted

COLUMNS = ('dataset', 'name', 'reason')


class SkipList:
    """Photographs and maps that are left out, each once.

    Parameters
    ----------
    path
        Of the CSV file; there is none while nothing is left out.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: dict[tuple[str, str], Skipped] = {}

    def add(self, skipped: Iterable[Skipped]) -> list[Skipped]:
        """Note them, and return those that are new.

        Raises
        ------
        SaveError
            If the file cannot be written; they are noted all the same.
        """
        new = []
        for each in skipped:
            key = (each.dataset, each.name)
            if key not in self.found:
                self.found[key] = each
                new.append(each)
        if new:
            stream = io.StringIO(newline='')
            writer = csv.writer(stream, lineterminator='\n')
            writer.writerow(COLUMNS)
            writer.writerows(map(astuple, self.found.values()))
            replace_file(self.path, stream.getvalue().encode())
        return new

    def summary(self) -> str:
        """A sentence on how many were left out, and why; '' for none."""
        if not self.found:
            return ''
        reasons = Counter(each.reason for each in self.found.values())
        some = '; '.join(
            f'{number} × {reason}' for reason, number in reasons.most_common(3)
        )
        more = ', …' if len(reasons) > 3 else ''
        left_out = counted(len(self.found), 'file was', 'files were')
        return (
            f'{left_out} left out ({some}{more}). '
            f'They are named in {self.path}.'
        )
