"""COCO-Stuff as it is distributed.

Photos in ``images/train2017`` and ``images/val2017`` (or without
``images``), maps of things and stuff as PNG files in
``annotations/train2017`` and so on (or ``stuffthingmaps``). Their values are
0 to 181, one less than in COCO-Stuff's list of labels, and 255 for
unlabeled. ``coco_stuff.csv`` says by name which of our classes each one is:
classes that are known and none of ours are background, those that may be
several of ours are unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from napari_sdcolor.datasets.entry import Entry, LabelFile, Place
from napari_sdcolor.datasets.ids import read_mapping
from napari_sdcolor.datasets.source import Source
from napari_sdcolor.errors import UnfitData

MAPPING = Path(__file__).with_name('coco_stuff.csv')

_SPLITS = {'train': 'train2017', 'val': 'val2017'}
_PHOTOS = ('images', '.')
_MAPS = ('annotations', 'stuffthingmaps', 'annotations/stuffthingmaps')


class CocoStuff(Source):
    """COCO-Stuff: photos with PNG maps of things and stuff."""

    kind = 'coco-stuff'
    title = 'COCO-Stuff'

    @classmethod
    def recognizes(cls, folder: Path) -> bool:
        return any(_folders(folder, part) for part in _SPLITS.values())

    def read(self) -> Iterator[Entry]:
        if not self.recognizes(self.folder):
            raise UnfitData(
                f'{self.folder} does not hold COCO-Stuff: expected '
                'images/train2017/*.jpg with annotations/train2017/*.png, or '
                'the same for val2017.'
            )
        table = read_mapping(MAPPING)
        for split, part in _SPLITS.items():
            found = _folders(self.folder, part)
            if found is None:
                self.notes.append(f'There is no {part}.')
                continue
            photos, maps = found
            # *_labelTrainIds.png and the like are made by other programs.
            labels = {path.stem: path for path in maps.glob('*.png')}
            for photo in sorted(photos.glob('*.jpg')):
                path = labels.pop(photo.stem, None)
                if path is None:
                    self.skip(self.kind, photo.stem, 'the map is missing')
                    continue
                yield Entry(
                    self.kind,
                    photo.stem,
                    split,
                    Place(photo),
                    LabelFile(Place(path), table),
                )
            for name in sorted(labels):
                if not name.endswith('TrainIds'):
                    self.skip(self.kind, name, 'the photo is missing')


def _folders(folder: Path, part: str) -> tuple[Path, Path] | None:
    """Folders of the photos and of the maps of a part."""
    for photos in (folder / name / part for name in _PHOTOS):
        for maps in (folder / name / part for name in _MAPS):
            if any(photos.glob('*.jpg')) and any(maps.glob('*.png')):
                return photos, maps
    return None
