"""PASCAL-Context as it is distributed.

The photos of PASCAL VOC 2010 (``JPEGImages``) with either the whole
annotation, ``trainval/*.mat`` of 459 classes with their names in
``labels.txt``, or ``59_context_labels/*.png`` of the 59 frequent classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from napari_sdcolor.classes import UNKNOWN
from napari_sdcolor.datasets.entry import Entry, LabelFile, Place
from napari_sdcolor.datasets.ids import IdTable, table_of_names
from napari_sdcolor.datasets.source import Source, hold_out, lines_of
from napari_sdcolor.errors import DataError, UnfitData

_ROOTS = ('.', 'VOC2010', 'VOCdevkit/VOC2010')
_LISTS = (
    'ImageSets/SegmentationContext',
    'ImageSets/Main',
    'ImageSets/Segmentation',
    '.',
)
_PNG_FOLDERS = ('59_context_labels', 'SegmentationClassContext')


@dataclass(frozen=True)
class _Layout:
    photos: Path
    maps: Path
    suffix: str
    names: Path | None


class PascalContext(Source):
    """PASCAL-Context: photos with .mat or PNG label maps."""

    kind = 'pascal-context'
    title = 'PASCAL-Context'

    @classmethod
    def recognizes(cls, folder: Path) -> bool:
        return _layout(folder) is not None

    def read(self) -> Iterator[Entry]:
        layout = _layout(self.folder)
        if layout is None:
            raise UnfitData(
                f'{self.folder} does not hold PASCAL-Context: expected '
                'JPEGImages with either trainval/*.mat and labels.txt, or '
                '59_context_labels/*.png.'
            )
        table = _table(self.folder, layout)
        maps = {
            path.stem: path
            for path in sorted(layout.maps.glob(f'*{layout.suffix}'))
        }
        lists = _lists(self.folder)
        if lists:
            splits = {
                name: split for split, names in lists.items() for name in names
            }
        else:
            val = hold_out(maps)
            splits = {name: 'val' if name in val else 'train' for name in maps}
            self.notes.append(
                'No lists train.txt and val.txt: about one photo in twelve '
                'is held out.'
            )
        for name, path in maps.items():
            if name not in splits:
                self.skip(self.kind, name, 'it is in no list')
                continue
            photo = layout.photos / f'{name}.jpg'
            if not photo.is_file():
                self.skip(self.kind, name, 'the photo is missing')
                continue
            yield Entry(
                self.kind,
                name,
                splits[name],
                Place(photo),
                LabelFile(Place(path), table),
            )
        for name in splits:
            if name not in maps:
                self.skip(self.kind, name, 'the label map is missing')


def _layout(folder: Path) -> _Layout | None:
    for root in (folder / name for name in _ROOTS):
        photos = root / 'JPEGImages'
        if not photos.is_dir():
            continue
        # The annotation is a download of its own: it may lie beside.
        for place in dict.fromkeys((root, folder)):
            for name in _PNG_FOLDERS:
                if any((place / name).glob('*.png')):
                    names = place / '59_labels.txt'
                    return _Layout(
                        photos,
                        place / name,
                        '.png',
                        names if names.is_file() else None,
                    )
            maps = place / 'trainval'
            if any(maps.glob('*.mat')):
                lists = (place / 'labels.txt', maps / 'labels.txt')
                names = next(filter(Path.is_file, lists), None)
                return _Layout(photos, maps, '.mat', names)
    return None


def _table(folder: Path, layout: _Layout) -> IdTable | None:
    """What the ids mean.

    Of the 459 classes, those that are not among the 59 are background, as
    in the distributed PNG files; 0 and "unknown" are unknown.
    """
    if layout.names is not None:
        table = table_of_names(read_names(layout.names))
        table.ids[0] = UNKNOWN if layout.suffix == '.mat' else 0
        return table
    if layout.suffix == '.mat':
        raise DataError(
            f'{folder} has the maps of 459 classes, but no labels.txt that '
            'names them. It comes in the same download (trainval.tar.gz).'
        )
    # The PNG files count the 59 classes as we do.
    return None


def read_names(path: Path) -> dict[int, str]:
    """Class names of a list with lines such as ``23: bicycle``.

    Raises
    ------
    DataError
        If it is no such list.
    """
    names = {}
    for line in lines_of(path):
        number, colon, name = line.partition(':')
        if not colon or not number.strip().isdecimal():
            raise DataError(
                f'{path}: {line!r} is no line of a class list such as '
                '"23: bicycle".'
            )
        names[int(number)] = name.strip()
    if not names:
        raise DataError(f'{path} lists no class.')
    return names


def _lists(folder: Path) -> dict[str, list[str]]:
    """Names of the photos of each split; empty without lists."""
    for root in (folder / name for name in _ROOTS):
        for place in (root / name for name in _LISTS):
            found = {
                split: place / f'{split}.txt' for split in ('train', 'val')
            }
            if all(path.is_file() for path in found.values()):
                return {
                    split: [line.split()[0] for line in lines_of(path)]
                    for split, path in found.items()
                }
    return {}
