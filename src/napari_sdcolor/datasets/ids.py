"""How the class ids of other data become ours."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.classes import CLASSES, N_CLASSES, UNKNOWN, class_id
from napari_sdcolor.errors import DataError, said
from napari_sdcolor.opening import read_text

BACKGROUND = 0
"""Our id of what is known to be none of the 59 classes."""

_UNKNOWN_WORDS = ('unknown', 'void', 'ignore', 'unlabeled', str(UNKNOWN))

_OTHER_NAMES = {
    'table': 'diningtable',
    'cloth': 'clothes',
    'bedclothes': 'bedcloth',
}
"""Names in PASCAL-Context's own lists that our list spells differently."""


class IdTable:
    """What the ids of a data set mean.

    Parameters
    ----------
    ids
        Our id, or 255 for unknown, of each id of the data set.
    other
        What every id becomes that is not listed; None refuses it.
    """

    def __init__(
        self, ids: Mapping[int, int], other: int | None = None
    ) -> None:
        self.ids = dict(ids)
        self.other = other

    def ours(self, ids: NDArray) -> NDArray[np.uint8]:
        """A map in our ids.

        Parameters
        ----------
        ids
            (h, w) integers.

        Raises
        ------
        ValueError
            If it holds ids that are not listed, and these are refused.
        """
        if ids.dtype.kind not in 'ui':
            raise ValueError(f'the label map holds {ids.dtype}, not ids')
        found, places = np.unique(ids, return_inverse=True)
        foreign = [int(n) for n in found if int(n) not in self.ids]
        if foreign and self.other is None:
            some = ', '.join(map(str, foreign[:5]))
            raise ValueError(
                f'label ids that the mapping does not name: {some}'
            )
        ours = [self.ids.get(int(number), self.other) for number in found]
        return np.array(ours, np.uint8)[places.reshape(ids.shape)]


def our_id(name: str) -> int:
    """Our id of a class name, id, or word for unknown.

    Raises
    ------
    ValueError
        If there is no such class.
    """
    word = name.strip().lower()
    if word in _UNKNOWN_WORDS:
        return UNKNOWN
    if word.isdecimal() and int(word) < N_CLASSES:
        return int(word)
    return class_id(_OTHER_NAMES.get(word, word))


def table_of_names(names: Mapping[int, str]) -> IdTable:
    """A table from a data set's class names, for those we have by name.

    Every other named class becomes background (0): its class is known,
    and it is none of ours. What is not named at all is refused.
    """
    known = {entry.name for entry in CLASSES[1:]}
    ids = {}
    for number, name in names.items():
        word = name.strip().lower()
        word = _OTHER_NAMES.get(word, word)
        if word in _UNKNOWN_WORDS:
            ids[number] = UNKNOWN
        else:
            ids[number] = class_id(word) if word in known else BACKGROUND
    return IdTable(ids)


def read_mapping(path: Path) -> IdTable:
    """The table of a mapping file.

    A CSV file with the columns ``id``, the value in the maps (``*`` for
    every other one), and ``class``: the name or id of one of our classes,
    or ``unknown``. Further columns are for people.

    Raises
    ------
    DataError
        If the file is none, names a class that does not exist, or an id
        twice.
    """
    try:
        rows = csv.DictReader(io.StringIO(read_text(path), newline=''))
        missing = {'id', 'class'} - set(rows.fieldnames or ())
        if missing:
            raise DataError(
                f'{path} has no column {" and no ".join(sorted(missing))}:'
                ' a mapping has the columns id and class.'
            )
        return _table(path, rows)
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f'{path} cannot be read ({said(error)}).') from error


def _table(path: Path, rows: Iterable[dict[str, str]]) -> IdTable:
    ids: dict[int, int] = {}
    other = None
    for line, row in enumerate(rows, 2):
        try:
            ours = our_id(row['class'] or '')
            id_ = (row['id'] or '').strip()
            if id_ == '*':
                other = ours
                continue
            number = int(id_)
        except ValueError as error:
            raise DataError(f'{path}, line {line}: {error}') from error
        if number in ids:
            raise DataError(f'{path}, line {line}: id {number} comes twice.')
        ids[number] = ours
    if not ids and other is None:
        raise DataError(f'{path} maps no id.')
    return IdTable(ids, other)
