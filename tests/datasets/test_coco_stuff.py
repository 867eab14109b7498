"""COCO-Stuff in the layout that its description asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_sdcolor.datasets.open import open_data
from napari_sdcolor.errors import DataError


@pytest.fixture
def coco(tmp_path: Path, photo, id_png) -> Path:
    """Values are one less than in the list of labels; 255 is unlabeled."""
    folder = tmp_path / 'dataset'
    for part, name in (
        ('train2017', '000000000009'),
        ('train2017', '000000000025'),
        ('val2017', '000000000139'),
    ):
        photo(folder / 'images' / part / f'{name}.jpg')
        # person, sky-other; bowl (food or cup?), unlabeled.
        id_png(
            folder / 'annotations' / part / f'{name}.png',
            [[0, 156], [50, 255]],
        )
    return folder


def test_as_distributed(coco: Path) -> None:
    source = open_data(coco)
    assert source.kind == 'coco-stuff'
    assert [entry.name for entry in source.split('train')] == [
        '000000000009',
        '000000000025',
    ]
    (entry,) = source.split('val')
    rgb, labels = entry.load()
    assert rgb.shape == (12, 16, 3)
    assert labels[::6, ::8].tolist() == [[15, 50], [255, 255]]
    assert not source.skipped


def test_downloads_unpacked_beside_each_other(coco: Path) -> None:
    for part in ('train2017', 'val2017'):
        (coco / 'images' / part).rename(coco / part)
    (coco / 'annotations').rename(coco / 'stuffthingmaps')
    source = open_data(coco)
    assert source.kind == 'coco-stuff'
    assert len(source.entries) == 3


def test_other_classes_are_background_or_unknown(coco: Path, id_png) -> None:
    path = coco / 'annotations' / 'val2017' / '000000000139.png'
    id_png(path, [[21, 123], [164, 181]])  # elephant, grass; table, wood
    (entry,) = open_data(coco).split('val')
    assert entry.load()[1][::6, ::8].tolist() == [[0, 36], [255, 59]]


def test_ids_that_coco_stuff_does_not_have(coco: Path, id_png) -> None:
    path = coco / 'annotations' / 'val2017' / '000000000139.png'
    id_png(path, [[182, 0], [0, 0]])
    (entry,) = open_data(coco).split('val')
    with pytest.raises(DataError, match='000000000139.*182'):
        entry.load()


def test_missing_partners_are_named(coco: Path) -> None:
    (coco / 'images' / 'train2017' / '000000000009.jpg').unlink()
    (coco / 'annotations' / 'train2017' / '000000000025.png').unlink()
    source = open_data(coco)
    assert [entry.split for entry in source.entries] == ['val']
    assert {(each.name, each.reason) for each in source.skipped} == {
        ('000000000009', 'the photo is missing'),
        ('000000000025', 'the map is missing'),
    }


def test_maps_of_other_programs_are_left_alone(coco: Path) -> None:
    maps = coco / 'annotations' / 'val2017'
    data = (maps / '000000000139.png').read_bytes()
    (maps / '000000000139_labelTrainIds.png').write_bytes(data)
    source = open_data(coco)
    assert len(source.split('val')) == 1
    assert not source.skipped


def test_one_part_is_enough(coco: Path, tmp_path: Path) -> None:
    (coco / 'images' / 'train2017').rename(tmp_path / 'elsewhere')
    source = open_data(coco)
    assert {entry.split for entry in source.entries} == {'val'}
    assert source.notes == ['There is no train2017.']


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='does not hold COCO-Stuff'):
        open_data(tmp_path, 'coco-stuff')


def test_maps_are_ids_not_colors(coco: Path, photo) -> None:
    photo(coco / 'annotations' / 'val2017' / '000000000139.png')
    (entry,) = open_data(coco).split('val')
    with pytest.raises(DataError, match=r'\(12, 16, 3\)'):
        entry.load()
