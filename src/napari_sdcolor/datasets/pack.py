"""Packs: indexes with tar shards, or the same unpacked.

A pack is a folder with ``index.csv`` or several ``index*.csv`` (columns
dataset, id, split) and tar shards that hold ``images/DATASET/ID.EXT``, in any
format that Pillow reads, and ``labels/DATASET/ID.png``; the shards are read
in place. Unpacked, the two folders lie beside the indexes.

A photograph is its dataset and id. Where several rows, of one index or of
two, name the same one, the last counts: indexes are read in the order of
their names, so that a later one corrects an earlier one. The same holds for
two files of one photograph, shards after unpacked files.
"""

from __future__ import annotations

import csv
import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

from napari_sdcolor.datasets.entry import Entry, LabelFile, Place
from napari_sdcolor.datasets.source import Source
from napari_sdcolor.errors import DataError, UnfitData, said
from napari_sdcolor.names import safe_name, safe_path
from napari_sdcolor.opening import open_regular, read_text

_INDEXES = 'index*.csv'
_COLUMNS = ('dataset', 'id', 'split')

_END = 1024
"""Zero bytes that close a tar file; without them it was cut short."""

Row = dict[str, str]
"""One line of an index."""


class Pack(Source):
    """A folder of tar shards, or of their content, with one index or more."""

    kind = 'pack'
    title = 'a training pack'

    @classmethod
    def recognizes(cls, folder: Path) -> bool:
        return any(folder.glob(_INDEXES)) and (
            any(folder.glob('*.tar')) or (folder / 'images').is_dir()
        )

    def read(self) -> Iterator[Entry]:
        if not self.recognizes(self.folder):
            raise UnfitData(
                f'{self.folder} holds no training pack: expected index.csv '
                'and tar shards, or index.csv and the folders images and '
                'labels.'
            )
        files = _unpacked(self.folder)
        for shard in sorted(self.folder.glob('*.tar')):
            files.update(_members(shard))
        # Photographs have many suffixes, and their index names none.
        photos = {
            os.path.splitext(name)[0]: place
            for name, place in files.items()
            if name.startswith('images/')
        }
        rows: dict[str, Row] = {}
        for index in sorted(self.folder.glob(_INDEXES)):
            found = {
                f'{row["dataset"]}/{row["id"]}': row for row in _rows(index)
            }
            _refuse_alone(index, found, photos)
            rows |= found
        for key, row in rows.items():
            photo = photos.get(f'images/{key}')
            labels = files.get(f'labels/{key}.png')
            refused = _refused(row)
            if refused:
                self.skip(row['dataset'], row['id'], refused)
            elif photo is None:
                self.skip(row['dataset'], row['id'], 'the photo is missing')
            elif labels is None and row.get('has_labels') == '1':
                self.skip(
                    row['dataset'], row['id'], 'the label map is missing'
                )
            else:
                yield Entry(
                    dataset=row['dataset'],
                    name=row['id'],
                    split=row['split'],
                    photo=photo,
                    labels=None if labels is None else LabelFile(labels),
                )


def _refused(row: Row) -> str:
    """Why a row names no photograph: other files get its names as well."""
    try:
        safe_name(row['dataset'])
        safe_path(row['id'])
    except ValueError as error:
        return f'its name cannot be that of a file: {error}'
    return ''


def _rows(index: Path) -> list[Row]:
    """The lines of an index.

    Raises
    ------
    DataError
        If it cannot be read or lacks a column.
    """
    try:
        lines = io.StringIO(read_text(index), newline='')
        reader = csv.DictReader(lines)
        missing = set(_COLUMNS) - set(reader.fieldnames or ())
        if missing:
            raise DataError(
                f'{index} has no column {", ".join(sorted(missing))}. '
                'Its first line must name the columns dataset, id and '
                'split, with commas between.'
            )
        rows = []
        for row in reader:
            empty = [name for name in _COLUMNS if row[name] is None]
            if empty:
                raise DataError(
                    f'{index}, line {reader.line_num}, ends before its '
                    f'{empty[0]}. Complete the line or delete it.'
                )
            rows.append(row)
        return rows
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f'{index} cannot be read ({said(error)}).') from error


def _refuse_alone(
    index: Path, rows: dict[str, Row], photos: dict[str, Place]
) -> None:
    """Refuse an index whose photographs were left behind.

    Raises
    ------
    DataError
        If none of them is there; one of many may be missing.
    """
    if not rows or any(f'images/{key}' in photos for key in rows):
        return
    key, row = next(iter(rows.items()))
    shard = row.get('shard')
    named = f'shard {shard}' if shard else 'the tar shard'
    raise DataError(
        f'{index}: none of its photographs can be found, the first of '
        f'{len(rows)} being images/{key}. Put {named} that belongs to it '
        f'(a .tar file) into {index.parent}, or take {index.name} out.'
    )


def _members(shard: Path) -> dict[str, Place]:
    """Where each file of a shard lies."""
    try:
        with open_regular(shard) as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(-min(_END, size), os.SEEK_END)
            if any(file.read(_END)):
                raise tarfile.ReadError('its end is missing')
            file.seek(0)
            # Members are read in place, so the shard must not be packed.
            with tarfile.open(fileobj=file, mode='r:') as tar:
                members = list(tar)
            # At a damaged header tarfile stops as if it were the end.
            file.seek(_behind(members))
            if any(file.read(tarfile.BLOCKSIZE)):
                raise tarfile.ReadError('it is damaged in the middle')
    except (OSError, ValueError, tarfile.TarError) as error:
        raise DataError(
            f'{shard} cannot be read as a tar file ({said(error)}). Get the '
            'shard again.'
        ) from error
    return {
        member.name: Place(shard, member.offset_data, member.size)
        for member in members
        if member.isfile()
    }


def _behind(members: list[tarfile.TarInfo]) -> int:
    """Where the last member ends, at a whole block."""
    if not members:
        return 0
    last = members[-1]
    size = last.size if last.isreg() else 0
    return last.offset_data + -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


def _unpacked(folder: Path) -> dict[str, Place]:
    """The files of an unpacked pack by the names that they have in shards."""
    return {
        path.relative_to(folder).as_posix(): Place(path)
        for kind in ('images', 'labels')
        for path in sorted((folder / kind).glob('*/*'))
        if path.is_file()
    }
