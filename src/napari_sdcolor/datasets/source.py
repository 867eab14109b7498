"""What every kind of training data has in common."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar

from napari_sdcolor.datasets.entry import Entry, Skipped
from napari_sdcolor.errors import DataError, UnfitData, said
from napari_sdcolor.opening import read_text

TRAINING_SUFFIXES = ('.jpg', '.jpeg', '.png', '.tif', '.tiff', '.webp')
"""Files that are taken for photographs to learn from, or to judge by."""

VAL_SHARE = 0.08
"""Share of the photos held out where the data name no splits."""


class Source:
    """Photographs of one folder.

    Parameters
    ----------
    folder
        Of the kind of the subclass.

    Attributes
    ----------
    kind
        Short name, for ``--source``.
    title
        What the folder is, for a person.
    entries
        All photographs that can be used, in a fixed order.
    skipped
        What is left out, with reasons.
    notes
        Sentences on what was understood.

    Raises
    ------
    DataError
        If the folder is not of this kind or damaged.
    """

    kind: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.skipped: list[Skipped] = []
        self.notes: list[str] = []
        self.entries: list[Entry] = list(self.read())

    @classmethod
    def recognizes(cls, folder: Path) -> bool:
        """Whether a folder looks like this kind."""
        raise NotImplementedError

    def read(self) -> Iterator[Entry]:
        """Find the entries; add to ``skipped`` and ``notes``."""
        raise NotImplementedError

    def skip(self, dataset: str, name: str, reason: str) -> None:
        self.skipped.append(Skipped(dataset, name, reason))

    def describe(self) -> str:
        """A sentence on what was found."""
        splits = Counter(entry.split for entry in self.entries)
        maps = sum(entry.labels is not None for entry in self.entries)
        parts = ', '.join(
            f'{count} in {split!r}' for split, count in splits.items()
        )
        left_out = f'; {len(self.skipped)} left out' if self.skipped else ''
        return (
            f'{self.folder} is {self.title}: {len(self.entries)} photographs '
            f'({parts or "none"}), {maps} with maps{left_out}.'
        )

    def split(self, name: str) -> list[Entry]:
        """The entries of one split.

        Raises
        ------
        DataError
            If the split is empty.
        """
        chosen = [entry for entry in self.entries if entry.split == name]
        if not chosen:
            splits = sorted({entry.split for entry in self.entries})
            there = ', '.join(map(repr, splits)) or 'none'
            raise UnfitData(
                f'{self.folder} has no photograph in split {name!r}; its '
                f'splits: {there}.'
            )
        return chosen


def files_in(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """Files of a folder and its subfolders by suffix, hidden ones aside."""
    wanted = set(suffixes)
    return sorted(
        path
        for path in folder.rglob('*')
        if path.suffix.lower() in wanted
        and not any(
            part.startswith('.') for part in path.relative_to(folder).parts
        )
        and path.is_file()
    )


def lines_of(path: Path) -> list[str]:
    """The lines of a list, those aside that are empty.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    try:
        text = read_text(path)
    except (OSError, ValueError) as error:
        raise DataError(f'{path} cannot be read ({said(error)}).') from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def hold_out(names: Iterable[str]) -> set[str]:
    """Names for a split 'val' where the data have none.

    A name's place depends on the name alone, so that photos may be added.
    From two photos on at least one is held out.
    """
    ranks = {
        name: int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
        / 2**64
        for name in names
    }
    chosen = {name for name, rank in ranks.items() if rank < VAL_SHARE}
    if not chosen and len(ranks) > 1:
        chosen = {min(ranks, key=ranks.__getitem__)}
    return chosen
