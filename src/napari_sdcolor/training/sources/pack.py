"""Packs: an index with tar shards, or the same unpacked.

A pack is a folder with ``index.csv`` (columns dataset, id, split) and tar
shards that hold ``images/DATASET/ID.jpg`` and ``labels/DATASET/ID.png``;
the shards are read in place. Unpacked, the two folders lie beside the index.
"""

from __future__ import annotations

import csv
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

from napari_sdcolor.errors import DataError, UnfitData, said
from napari_sdcolor.training.sources.entry import Entry, LabelFile, Place
from napari_sdcolor.training.sources.source import Source

_END = 1024
"""Zero bytes that close a tar file; without them it was cut short."""


class Pack(Source):
    """A folder of tar shards, or of their content, with an index."""

    kind = 'pack'
    title = 'a training pack'

    @classmethod
    def recognizes(cls, folder: Path) -> bool:
        return (folder / 'index.csv').is_file() and (
            any(folder.glob('*.tar')) or (folder / 'images').is_dir()
        )

    def read(self) -> Iterator[Entry]:
        if not self.recognizes(self.folder):
            raise UnfitData(
                f'{self.folder} holds no training pack: expected index.csv '
                'and tar shards, or index.csv and the folders images and '
                'labels.'
            )
        places = _unpacked(self.folder)
        for shard in sorted(self.folder.glob('*.tar')):
            places.update(_members(shard))
        index = self.folder / 'index.csv'
        try:
            with index.open(newline='', encoding='utf-8') as file:
                yield from self._entries(csv.DictReader(file), places)
        except (UnicodeDecodeError, csv.Error) as error:
            raise DataError(
                f'{index} cannot be read ({said(error)}).'
            ) from error

    def _entries(
        self, rows: csv.DictReader, places: dict[str, Place]
    ) -> Iterator[Entry]:
        missing = {'dataset', 'id', 'split'} - set(rows.fieldnames or ())
        if missing:
            raise DataError(
                f'{self.folder / "index.csv"} has no column '
                f'{", ".join(sorted(missing))}.'
            )
        for row in rows:
            dataset, name = row['dataset'], row['id']
            photo = places.get(f'images/{dataset}/{name}.jpg')
            labels = places.get(f'labels/{dataset}/{name}.png')
            if photo is None:
                self.skip(dataset, name, 'the photo is missing')
                continue
            if labels is None and row.get('has_labels') == '1':
                self.skip(dataset, name, 'the label map is missing')
                continue
            yield Entry(
                dataset=dataset,
                name=name,
                split=row['split'],
                photo=photo,
                labels=None if labels is None else LabelFile(labels),
            )


def _members(shard: Path) -> dict[str, Place]:
    """Where each file of a shard lies."""
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
            f'{shard} cannot be read as a tar file ({said(error)}).'
        ) from error


def _unpacked(folder: Path) -> dict[str, Place]:
    """The files of an unpacked pack by the names that they have in shards."""
    return {
        path.relative_to(folder).as_posix(): Place(path)
        for kind in ('images', 'labels')
        for path in (folder / kind).glob('*/*')
        if path.is_file()
    }
