"""PASCAL-Context in the layout of its downloads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from napari_sdcolor.datasets.open import open_data
from napari_sdcolor.datasets.pascal_context import read_names
from napari_sdcolor.errors import DataError

NAMES = ('2008_000002', '2008_000003', '2008_000007')

# Some lines of the list of 459 classes.
LABELS = {
    1: 'accordion',
    2: 'aeroplane',
    65: 'bookshelf',
    98: 'cloth',
    360: 'sky',
    397: 'table',
    416: 'tree',
    431: 'unknown',
}


@pytest.fixture
def voc(tmp_path: Path, photo) -> Path:
    """VOC 2010: photos and lists."""
    folder = tmp_path / 'VOCdevkit' / 'VOC2010'
    for seed, name in enumerate(NAMES):
        photo(folder / 'JPEGImages' / f'{name}.jpg', seed, quality=95)
    # A photo of VOC that nobody annotated.
    photo(folder / 'JPEGImages' / '2010_000001.jpg', 9)
    lists = folder / 'ImageSets' / 'Main'
    lists.mkdir(parents=True)
    (lists / 'train.txt').write_text(''.join(f'{n}\n' for n in NAMES[:2]))
    (lists / 'val.txt').write_text(f'{NAMES[2]}\n')
    return folder


def annotate(folder: Path) -> None:
    """What trainval.tar.gz unpacks to."""
    maps = folder / 'trainval'
    maps.mkdir()
    ids = np.array([[2, 360], [98, 65]], np.uint16).repeat(6, 0).repeat(8, 1)
    ids[0, 0], ids[0, 1], ids[0, 2] = 0, 431, 397
    for name in NAMES:
        savemat(maps / f'{name}.mat', {'LabelMap': ids}, do_compression=True)
    lines = [f'{number}: {name}\n' for number, name in LABELS.items()]
    (folder / 'labels.txt').write_text(''.join(lines))


def test_whole_annotation(voc: Path) -> None:
    annotate(voc)
    source = open_data(voc)
    assert source.kind == 'pascal-context'
    assert [entry.name for entry in source.split('train')] == [*NAMES[:2]]
    assert [entry.name for entry in source.split('val')] == [NAMES[2]]
    rgb, labels = source.entries[0].load()
    assert rgb.shape == (12, 16, 3)
    assert labels[3, 3] == 1
    assert labels[3, 12] == 50
    assert labels[9, 3] == 28
    # Known, and none of the 59: background, as in the PNG files.
    assert labels[9, 12] == 0
    assert labels[0, :3].tolist() == [255, 255, 11]
    assert not source.skipped
    assert 'PASCAL-Context: 3 photographs' in source.describe()


@pytest.mark.parametrize('root', ['VOCdevkit', '.'])
@pytest.mark.usefixtures('voc')
def test_annotation_beside_voc(tmp_path: Path, root: str) -> None:
    """Each download unpacked where it came."""
    folder = tmp_path / root
    annotate(folder)
    source = open_data(folder)
    assert source.kind == 'pascal-context'
    assert len(source.split('train')) == 2


def test_png_annotation(voc: Path, id_png) -> None:
    """59_context_labels.tar.gz: our ids, 0 is background."""
    for name in NAMES:
        wanted = id_png(
            voc / '59_context_labels' / f'{name}.png', [[0, 59], [23, 1]], 'P'
        )
    (entry,) = open_data(voc).split('val')
    assert np.array_equal(entry.load()[1], wanted)


def test_names_of_the_png_annotation_are_obeyed(voc: Path, id_png) -> None:
    id_png(voc / '59_context_labels' / f'{NAMES[2]}.png', [[0, 1], [2, 2]])
    (voc / '59_labels.txt').write_text('1: table\n2: sky\n')
    (entry,) = open_data(voc).split('val')
    assert set(np.unique(entry.load()[1])) == {0, 11, 50}


def test_without_lists_some_are_held_out(voc: Path, id_png) -> None:
    (voc / 'ImageSets' / 'Main' / 'val.txt').unlink()
    for name in NAMES:
        id_png(voc / '59_context_labels' / f'{name}.png', [[0, 1], [2, 2]])
    source = open_data(voc)
    assert len(source.split('val')) == 1
    assert len(source.split('train')) == 2
    assert 'held out' in source.notes[0]


def test_missing_files_are_named(voc: Path) -> None:
    annotate(voc)
    (voc / 'JPEGImages' / f'{NAMES[0]}.jpg').unlink()
    (voc / 'trainval' / f'{NAMES[1]}.mat').unlink()
    source = open_data(voc)
    assert [entry.name for entry in source.entries] == [NAMES[2]]
    assert {(each.name, each.reason) for each in source.skipped} == {
        (NAMES[0], 'the photo is missing'),
        (NAMES[1], 'the label map is missing'),
    }
    with pytest.raises(DataError, match="split 'train'"):
        source.split('train')


def test_whole_annotation_needs_its_names(voc: Path) -> None:
    annotate(voc)
    (voc / 'labels.txt').unlink()
    with pytest.raises(DataError, match='labels.txt'):
        open_data(voc)


@pytest.mark.parametrize('damage', ['cut', 'other variable', 'noise'])
def test_damaged_maps_are_refused_one_by_one(voc: Path, damage: str) -> None:
    annotate(voc)
    path = voc / 'trainval' / f'{NAMES[0]}.mat'
    if damage == 'cut':
        path.write_bytes(path.read_bytes()[:150])
    elif damage == 'noise':
        path.write_bytes(b'MATLAB 5.0' + bytes(range(256)))
    else:
        savemat(path, {'Other': np.zeros((2, 2))})
    bad, good = open_data(voc).split('train')
    with pytest.raises(DataError, match=NAMES[0]):
        bad.load()
    good.load()


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='does not hold PASCAL-Context'):
        open_data(tmp_path, 'pascal-context')


def test_lists_of_names(tmp_path: Path) -> None:
    path = tmp_path / 'labels.txt'
    path.write_text('1: accordion\n 2: aeroplane \n\n')
    assert read_names(path) == {1: 'accordion', 2: 'aeroplane'}
    for text in ('', 'accordion\n', 'x: accordion\n'):
        path.write_text(text)
        with pytest.raises(DataError, match='labels.txt'):
            read_names(path)
