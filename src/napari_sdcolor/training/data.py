"""Photographs with label maps for training.

A pack is a folder with ``index.csv`` and tar shards that hold
``images/DATASET/ID.jpg`` and ``labels/DATASET/ID.png``.  The shards are read
in place.  Label value 255 means that nobody knows the class.
"""

from __future__ import annotations

import csv
import io
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_sdcolor.classes import N_CLASSES, UNKNOWN
from napari_sdcolor.errors import DataError

_END = 1024
"""Zero bytes that close a tar file; without them it was cut short."""


@dataclass(frozen=True)
class Place:
    """Where the bytes of a file lie inside a shard."""

    shard: Path
    offset: int
    size: int

    def read(self) -> bytes:
        with self.shard.open('rb') as file:
            file.seek(self.offset)
            return file.read(self.size)


@dataclass(frozen=True)
class Entry:
    """One photograph of a pack and, where there is one, its label map."""

    dataset: str
    name: str
    split: str
    photo: Place
    labels: Place | None

    def load(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        """RGB (h, w, 3) and label map (h, w) with 255 for unknown.

        Raises
        ------
        DataError
            If the photo cannot be decoded, or its label map has another
            size or ids outside 0..59 and 255.
        """
        try:
            with Image.open(io.BytesIO(self.photo.read())) as image:
                rgb = np.array(image.convert('RGB'))
            if self.labels is None:
                return rgb, None
            with Image.open(io.BytesIO(self.labels.read())) as image:
                labels = np.array(image)
        except (OSError, SyntaxError) as error:
            raise DataError(f'{self.dataset}/{self.name}: {error}') from error
        if labels.shape != rgb.shape[:2]:
            raise DataError(
                f'{self.dataset}/{self.name}: the label map is '
                f'{labels.shape}, the photo {rgb.shape[:2]}.'
            )
        if np.any((labels >= N_CLASSES) & (labels != UNKNOWN)):
            raise DataError(
                f'{self.dataset}/{self.name}: label ids outside 0..59 and 255.'
            )
        return rgb, labels


class Pack:
    """A folder of tar shards with an index.

    Parameters
    ----------
    folder
        Holds ``index.csv`` and ``*.tar``.

    Raises
    ------
    DataError
        If the folder has no index or no shard, or if they are damaged.
    """

    def __init__(self, folder: Path) -> None:
        index = folder / 'index.csv'
        shards = sorted(folder.glob('*.tar'))
        if not index.is_file() or not shards:
            raise DataError(
                f'{folder} holds no training pack: expected index.csv and '
                'tar shards.'
            )
        places: dict[str, Place] = {}
        for shard in shards:
            places.update(self._places(shard))
        with index.open(newline='') as file:
            rows = csv.DictReader(file)
            missing = {'dataset', 'id', 'split'} - set(rows.fieldnames or ())
            if missing:
                raise DataError(
                    f'{index} has no column {", ".join(sorted(missing))}.'
                )
            self.entries = list(self._entries(rows, places))

    @staticmethod
    def _places(shard: Path) -> dict[str, Place]:
        try:
            with shard.open('rb') as file:
                file.seek(-min(_END, shard.stat().st_size), os.SEEK_END)
                if any(file.read()):
                    raise tarfile.ReadError('its end is missing')
            # Members are read in place, so the shard must not be packed.
            with tarfile.open(shard, 'r:') as tar:
                return {
                    member.name: Place(shard, member.offset_data, member.size)
                    for member in tar
                    if member.isfile()
                }
        except tarfile.TarError as error:
            raise DataError(
                f'{shard} cannot be read as a tar file ({error}).'
            ) from error

    @staticmethod
    def _entries(
        rows: csv.DictReader, places: dict[str, Place]
    ) -> Iterator[Entry]:
        for row in rows:
            stem = f'{row["dataset"]}/{row["id"]}'
            photo = places.get(f'images/{stem}.jpg')
            if photo is None:
                continue
            yield Entry(
                dataset=row['dataset'],
                name=row['id'],
                split=row['split'],
                photo=photo,
                labels=places.get(f'labels/{stem}.png'),
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
            raise DataError(f'The pack has no photograph in split {name!r}.')
        return chosen
