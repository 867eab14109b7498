"""Finished pictures of another method, scored like our own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.datasets.entry import BadEntry, Entry, Place
from napari_sdcolor.datasets.source import TRAINING_SUFFIXES
from napari_sdcolor.errors import DataError, UnfitData
from napari_sdcolor.evaluation.names import TAKEN
from napari_sdcolor.evaluation.split import Split


class Finished:
    """One method's pictures, found by the photos' names.

    A picture is ``DATASET/NAME`` or ``NAME`` below the folder, with any of
    ``TRAINING_SUFFIXES``, as PNG, JPEG, TIFF or WebP; ``NAME.color.tif``, as
    ``sdcolor colorize`` writes it, counts as well.

    Parameters
    ----------
    name
        Of the method, shown in tables.
    folder
        Holds the pictures.

    Attributes
    ----------
    paths : dict
        From the place of a photo in the split to its picture; filled by
        ``match``.
    missing : list of str
        Photos without a picture.
    refused : list of str
        Sentences on pictures that cannot be scored.

    Raises
    ------
    DataError
        If the name is taken, or the folder holds two pictures of one name.
    """

    def __init__(self, name: str, folder: Path) -> None:
        if name in TAKEN:
            raise UnfitData(
                f'A method cannot be named {name!r}: a row of the tables or '
                'of the user study has that name.'
            )
        self.name = name
        self.folder = folder
        self.paths: dict[int, Path] = {}
        self.missing: list[str] = []
        self.refused: list[str] = []
        self._found: dict[str, Path] = {}
        for path in sorted(folder.rglob('*')):
            if path.suffix.lower() in TRAINING_SUFFIXES and path.is_file():
                self._add(path)

    def _add(self, path: Path) -> None:
        stem = path.relative_to(self.folder).with_suffix('').as_posix()
        stem = stem.removesuffix('.color')
        if stem in self._found:
            raise DataError(
                f'{self.name}: both {self._found[stem]} and {path} are '
                f'pictures of {stem!r}.'
            )
        self._found[stem] = path

    def match(self, split: Split, places: Sequence[int]) -> None:
        """Find the pictures of photos, and check their sizes.

        Raises
        ------
        DataError
            If there is no picture at all, or one could be of two photos.
        """
        names = [split.usable[place].name for place in places]
        for place in places:
            entry = split.usable[place]
            path = self._path(entry, names.count(entry.name) > 1)
            if path is None:
                self.missing.append(entry.full_name)
                continue
            why = self._unfit(path, split.shapes[place])
            if why:
                self.refused.append(f'{path}: {why}.')
            else:
                self.paths[place] = path
        if not self.paths:
            why = (
                self.refused[0]
                if self.refused
                else (
                    f'{self.folder} should hold for example '
                    f'{self.missing[0]}.png or {names[0]}.png.'
                )
            )
            raise DataError(f'{self.name}: no picture can be scored. {why}')

    def _path(self, entry: Entry, shared: bool) -> Path | None:
        path = self._found.get(entry.full_name)
        if path is None and (path := self._found.get(entry.name)) and shared:
            raise DataError(
                f'{path} could be of several photos named {entry.name!r}; '
                f'put it into a folder {entry.dataset}.'
            )
        return path

    def _unfit(self, path: Path, shape: tuple[int, int]) -> str:
        try:
            found = _read(path).shape[:2]
        except BadEntry as error:
            return error.skipped.reason
        if found != shape:
            return (
                f'it is {found[1]} × {found[0]} pixels, the photo '
                f'{shape[1]} × {shape[0]}'
            )
        return ''

    def load(self, place: int) -> NDArray[np.uint8]:
        """(H, W, 3) of a photo's place in the split."""
        return _read(self.paths[place])


def _read(path: Path) -> NDArray[np.uint8]:
    one = Entry(path.parent.name, path.name, '', Place(path))
    return one.load()[0]
