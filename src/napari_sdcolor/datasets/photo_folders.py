"""A person's own folders: photos with maps, or photos alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from napari_sdcolor.archive.formats import LABELS_SUFFIX
from napari_sdcolor.datasets.entry import Entry, LabelFile, Place
from napari_sdcolor.datasets.ids import read_mapping
from napari_sdcolor.datasets.source import (
    TRAINING_SUFFIXES,
    Source,
    files_in,
    hold_out,
    lines_of,
)
from napari_sdcolor.errors import UnfitData

MAPPING = 'mapping.csv'
SPLITS = ('train', 'val')
_PHOTOS = ('photos', 'images')
_MAPS = ('labels', 'maps')


class PhotoFolder(Source):
    """Color photos without maps, in a folder and its subfolders.

    Files ``train.txt`` and ``val.txt`` may list them, and one of the two
    is enough; otherwise the photos below a subfolder ``val`` are held out,
    and without one about one in twelve.
    """

    kind = 'photos'
    title = 'a folder of photographs'

    @classmethod
    def recognizes(cls, folder: Path) -> bool:
        return any(_photos(folder))

    def read(self) -> Iterator[Entry]:
        paths = list(_photos(self.folder))
        if not paths:
            raise UnfitData(
                f'{self.folder} holds no photographs: expected '
                f'{", ".join(TRAINING_SUFFIXES)} files.'
            )
        yield from self.entries_of(self.folder, paths)

    def entries_of(self, root: Path, paths: list[Path]) -> Iterator[Entry]:
        """Entries of photos below a folder, with their splits."""
        names = {path: path.relative_to(root).as_posix() for path in paths}
        splits = self._splits(list(names.values()))
        for path, name in names.items():
            if name not in splits:
                self.skip(self.folder.name, name, 'it is in no list')
                continue
            split = splits[name]
            labels = self.labels_of(path, name)
            yield Entry(self.folder.name, name, split, Place(path), labels)

    def labels_of(self, path: Path, name: str) -> LabelFile | None:
        """The map of a photo, if there is one."""
        return None

    def _splits(self, names: list[str]) -> dict[str, str]:
        """The split of every photo; those in no list have none."""
        lists = {
            split: set(lines_of(path))
            for split in SPLITS
            if (path := self.folder / f'{split}.txt').is_file()
        }
        if len(lists) == len(SPLITS):
            return {
                name: split
                for split, listed in lists.items()
                for name in names
                if _is_listed(name, listed)
            }
        if lists:
            ((split, listed),) = lists.items()
            (other,) = set(SPLITS) - {split}
            chosen = {name for name in names if _is_listed(name, listed)}
            self.notes.append(
                f'{split}.txt lists {len(chosen)} of {len(names)} photos; '
                f'the others count as {other!r}.'
            )
            return {name: split if name in chosen else other for name in names}
        held_out = {name for name in names if 'val' in Path(name).parts[:-1]}
        if held_out:
            self.notes.append('The photos below "val" are held out.')
        else:
            held_out = hold_out(names)
            self.notes.append(
                f'{len(held_out)} of {len(names)} photos are held out, '
                'chosen by their names. To choose them yourself put them '
                'into a subfolder "val", or list them in val.txt.'
            )
        return {name: 'val' if name in held_out else 'train' for name in names}


class LabeledFolder(PhotoFolder):
    """Photos with maps: PNG files whose values are ids.

    Either ``photos`` (or ``images``) and ``labels`` (or ``maps``) with
    files of the same names, or each ``NAME.labels.png`` beside its photo,
    as ``sdcolor segment`` writes them. ``mapping.csv`` tells what the ids
    mean; without it they are ours.
    """

    kind = 'folder'
    title = 'a folder of photographs with maps'

    @classmethod
    def recognizes(cls, folder: Path) -> bool:
        return _pair(folder) is not None or any(
            folder.rglob(f'*{LABELS_SUFFIX}')
        )

    def read(self) -> Iterator[Entry]:
        if not self.recognizes(self.folder):
            raise UnfitData(
                f'{self.folder} holds no photographs with maps: expected '
                'the folders photos and labels, or NAME.labels.png beside '
                'each photo.'
            )
        mapping = self.folder / MAPPING
        self._table = read_mapping(mapping) if mapping.is_file() else None
        self.notes.append(
            f'What the ids mean is told by {mapping.name}.'
            if self._table
            else f'No {mapping.name}: the ids are taken for those of this '
            'program, 0 to 59, and 255 for unknown.'
        )
        root, maps = _pair(self.folder) or (self.folder, self.folder)
        self._maps = maps
        paths = list(_photos(root))
        self._used: set[Path] = set()
        yield from self.entries_of(root, paths)
        pattern = '*.png' if maps != root else f'*{LABELS_SUFFIX}'
        for path in sorted(set(maps.rglob(pattern)) - self._used):
            name = path.relative_to(maps).as_posix()
            self.skip(self.folder.name, name, 'a map without a photo')

    def labels_of(self, path: Path, name: str) -> LabelFile | None:
        stem = self._maps / Path(name).with_suffix('')
        for suffix in (LABELS_SUFFIX, '.png'):
            found = stem.with_name(stem.name + suffix)
            if found.is_file() and found != path:
                self._used.add(found)
                return LabelFile(Place(found), self._table, any_size=True)
        return None


def _is_listed(name: str, listed: set[str]) -> bool:
    """Whether a list has a photo's name, with or without folder and suffix."""
    path = Path(name)
    without = path.with_suffix('').as_posix()
    return not listed.isdisjoint({name, without, path.name, path.stem})


def _photos(folder: Path) -> Iterator[Path]:
    for path in files_in(folder, TRAINING_SUFFIXES):
        if not path.name.endswith(LABELS_SUFFIX):
            yield path


def _pair(folder: Path) -> tuple[Path, Path] | None:
    """The folders of the photos and of the maps, if there are both."""
    for photos in (folder / name for name in _PHOTOS):
        for maps in (folder / name for name in _MAPS):
            if photos.is_dir() and maps.is_dir():
                return photos, maps
    return None
