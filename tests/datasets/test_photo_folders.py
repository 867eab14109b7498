"""A person's own folders, with and without maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_sdcolor.datasets.open import KINDS, open_data
from napari_sdcolor.errors import DataError


def names_of(source: object, split: str) -> list[str]:
    return [e.name for e in source.entries if e.split == split]


def test_photos_alone(tmp_path: Path, photo) -> None:
    for number in range(30):
        photo(tmp_path / 'album' / f'{number:02d}.jpg', number)
    photo(tmp_path / 'deeper' / 'scan.TIF', 5)
    photo(tmp_path / '.thumbnails' / 'a.jpg')
    (tmp_path / 'notes.txt').write_text('not a photo')
    source = open_data(tmp_path)
    assert source.kind == 'photos'
    assert len(source.entries) == 31
    assert all(entry.labels is None for entry in source.entries)
    assert 'deeper/scan.TIF' in {entry.name for entry in source.entries}
    assert 1 <= len(names_of(source, 'val')) <= 8
    assert 'held out' in source.notes[0]


def test_what_is_held_out_stays_so_when_photos_are_added(
    tmp_path: Path, photo
) -> None:
    for number in range(40):
        photo(tmp_path / f'{number:02d}.jpg', number)
    before = set(names_of(open_data(tmp_path), 'val'))
    for number in range(40, 60):
        photo(tmp_path / f'{number:02d}.jpg', number)
    after = set(names_of(open_data(tmp_path), 'val'))
    assert before == {name for name in after if name < '40'}


def test_two_photos_are_enough_for_both_splits(tmp_path: Path, photo) -> None:
    photo(tmp_path / 'a.jpg')
    with pytest.raises(DataError, match="split 'val'; its splits: 'train'"):
        open_data(tmp_path).split('val')
    photo(tmp_path / 'b.jpg')
    source = open_data(tmp_path)
    assert len(source.split('val')) == len(source.split('train')) == 1


def test_a_subfolder_or_lists_choose_what_is_held_out(
    tmp_path: Path, photo
) -> None:
    for name in ('a.jpg', 'b.jpg', 'val/c.jpg', 'val/d.jpg'):
        photo(tmp_path / name)
    assert names_of(open_data(tmp_path), 'val') == ['val/c.jpg', 'val/d.jpg']
    (tmp_path / 'train.txt').write_text('b.jpg\nval/c.jpg\n')
    (tmp_path / 'val.txt').write_text('a\n')
    source = open_data(tmp_path)
    assert names_of(source, 'val') == ['a.jpg']
    assert names_of(source, 'train') == ['b.jpg', 'val/c.jpg']
    (skipped,) = source.skipped
    assert skipped.name == 'val/d.jpg'
    assert skipped.reason == 'it is in no list'


@pytest.mark.parametrize(
    ('split', 'other'), [('val', 'train'), ('train', 'val')]
)
def test_one_list_is_enough(
    tmp_path: Path, photo, split: str, other: str
) -> None:
    for name in ('a.jpg', 'b.jpg', 'sea/c.jpg', 'val/d.jpg'):
        photo(tmp_path / name)
    (tmp_path / f'{split}.txt').write_text('b\n\nsea/c\n', 'utf-8-sig')
    source = open_data(tmp_path)
    assert names_of(source, split) == ['b.jpg', 'sea/c.jpg']
    assert names_of(source, other) == ['a.jpg', 'val/d.jpg']
    assert source.skipped == []
    assert source.notes == [
        f"{split}.txt lists 2 of 4 photos; the others count as '{other}'."
    ]


def test_a_list_that_cannot_be_read_is_named(tmp_path: Path, photo) -> None:
    photo(tmp_path / 'a.jpg')
    (tmp_path / 'val.txt').write_bytes(b'\xff\xff\n')
    with pytest.raises(DataError, match='val.txt cannot be read'):
        open_data(tmp_path)


@pytest.mark.parametrize(
    ('photos', 'maps'), [('photos', 'labels'), ('images', 'maps')]
)
def test_photos_and_maps_in_two_folders(
    tmp_path: Path, photo, id_png, photos: str, maps: str
) -> None:
    photo(tmp_path / photos / 'a.jpg')
    photo(tmp_path / photos / 'sub' / 'b.png')
    photo(tmp_path / photos / 'alone.jpg')
    one = id_png(tmp_path / maps / 'a.png', [[0, 50], [255, 59]])
    id_png(tmp_path / maps / 'sub' / 'b.labels.png', [[1, 1], [1, 1]])
    id_png(tmp_path / maps / 'orphan.png', [[1, 1], [1, 1]])
    source = open_data(tmp_path)
    assert source.kind == 'folder'
    found = {entry.name: entry for entry in source.entries}
    assert found.keys() == {'a.jpg', 'sub/b.png', 'alone.jpg'}
    assert np.array_equal(found['a.jpg'].load()[1], one)
    assert (found['sub/b.png'].load()[1] == 1).all()
    assert found['alone.jpg'].labels is None
    (skipped,) = source.skipped
    assert (skipped.name, skipped.reason) == (
        'orphan.png',
        'a map without a photo',
    )
    assert 'the ids are taken for those of this program' in source.notes[0]


def test_maps_beside_their_photos(tmp_path: Path, photo, id_png) -> None:
    """What ``sdcolor segment`` writes, repaired by hand."""
    photo(tmp_path / 'castle.png')
    photo(tmp_path / 'church.jpg')
    id_png(tmp_path / 'castle.labels.png', [[25, 25], [36, 50]])
    source = open_data(tmp_path)
    assert source.kind == 'folder'
    found = {entry.name: entry.labels for entry in source.entries}
    assert found.keys() == {'castle.png', 'church.jpg'}
    assert found['castle.png'] is not None
    assert found['church.jpg'] is None


def test_maps_at_working_size_beside_their_photos(
    tmp_path: Path, photo, id_png
) -> None:
    """``sdcolor segment`` writes them smaller or larger than the photo."""
    photo(tmp_path / 'castle.png')
    id_png(tmp_path / 'castle.labels.png', [[25, 25], [36, 50]])
    (entry,) = open_data(tmp_path).entries
    whole = entry.load()[1]
    with Image.open(tmp_path / 'castle.labels.png') as image:
        for factor in (0.5, 3):
            size = tuple(round(side * factor) for side in image.size)
            resized = image.resize(size, Image.Resampling.NEAREST)
            resized.save(tmp_path / 'castle.labels.png')
            (entry,) = open_data(tmp_path).entries
            assert np.array_equal(entry.load()[1], whole)
        resized.crop((0, 0, 9, 30)).save(tmp_path / 'castle.labels.png')
    (entry,) = open_data(tmp_path).entries
    with pytest.raises(DataError, match='the label map is'):
        entry.load()


def test_a_mapping_tells_what_the_ids_mean(
    tmp_path: Path, photo, id_png
) -> None:
    photo(tmp_path / 'photos' / 'a.jpg')
    id_png(tmp_path / 'labels' / 'a.png', [[7, 200], [9, 7]])
    mapping = tmp_path / 'mapping.csv'
    mapping.write_text('id,class\n7,sky\n200,unknown\n9,grass\n')
    (entry,) = open_data(tmp_path).entries
    assert entry.load()[1][::6, ::8].tolist() == [[50, 255], [36, 50]]
    mapping.write_text('id,class\n7,sky\n9,grass\n')
    (entry,) = open_data(tmp_path).entries
    with pytest.raises(DataError, match='a.jpg.*does not name: 200'):
        entry.load()
    mapping.write_text('id,class\n7,heaven\n')
    with pytest.raises(DataError, match="mapping.csv, line 2.*'heaven'"):
        open_data(tmp_path)


def test_what_is_no_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='no training data that is known'):
        open_data(tmp_path)
    for kind in KINDS:
        with pytest.raises(DataError, match='expected'):
            open_data(tmp_path, kind)
    with pytest.raises(DataError, match='no kind of data'):
        open_data(tmp_path, 'imagenet')


def test_a_kind_can_be_forced(tmp_path: Path, photo, id_png) -> None:
    photo(tmp_path / 'photos' / 'a.jpg')
    id_png(tmp_path / 'labels' / 'a.png', [[1, 1], [1, 1]])
    assert open_data(tmp_path).kind == 'folder'
    source = open_data(tmp_path / 'photos', 'photos')
    assert [entry.labels for entry in source.entries] == [None]
