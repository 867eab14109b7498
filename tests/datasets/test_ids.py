"""How ids of other data become ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_sdcolor.classes import CLASSES, N_CLASSES
from napari_sdcolor.datasets.coco_stuff import MAPPING
from napari_sdcolor.datasets.ids import (
    IdTable,
    our_id,
    read_mapping,
    table_of_names,
)
from napari_sdcolor.errors import DataError


def test_ids_that_are_not_listed_are_refused_or_replaced() -> None:
    ids = np.array([[3, 900], [7, 3]], np.uint16)
    strict = IdTable({3: 50, 7: 255})
    with pytest.raises(ValueError, match='900'):
        strict.ours(ids)
    found = IdTable({3: 50, 7: 255}, other=0).ours(ids)
    assert found.tolist() == [[50, 0], [255, 50]]
    assert found.dtype == np.uint8
    with pytest.raises(ValueError, match='float'):
        strict.ours(ids.astype(float))


@pytest.mark.parametrize(
    ('word', 'wanted'),
    [
        ('sky', 50),
        (' Sky ', 50),
        ('50', 50),
        ('airplane', 1),
        ('aeroplane', 1),
        ('table', 11),
        ('cloth', 28),
        ('bedclothes', 52),
        ('unknown', 255),
        ('255', 255),
        ('void', 255),
    ],
)
def test_words_for_classes(word: str, wanted: int) -> None:
    assert our_id(word) == wanted


@pytest.mark.parametrize('word', ['', 'elephant', '60', '254', '-1'])
def test_words_for_no_class(word: str) -> None:
    with pytest.raises(ValueError, match='no class'):
        our_id(word)


def test_classes_that_are_none_of_ours_are_background() -> None:
    names = {1: 'accordion', 2: 'aeroplane', 9: 'cloth', 430: 'unknown'}
    table = table_of_names(names)
    assert table.ids == {1: 0, 2: 1, 9: 28, 430: 255}
    with pytest.raises(ValueError, match='does not name: 3'):
        table.ours(np.array([[3]]))


def mapping(tmp_path: Path, text: str) -> Path:
    path = tmp_path / 'mapping.csv'
    path.write_text(text, encoding='utf-8')
    return path


def test_a_mapping_file(tmp_path: Path) -> None:
    path = mapping(
        tmp_path, '\ufeffid,name,class\n7,Himmel,sky\n9,Ufo,unknown\n*,,0\n'
    )
    found = read_mapping(path).ours(np.array([[7, 9, 200]]))
    assert found.tolist() == [[50, 255, 0]]


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('', 'no column class and no id'),
        ('id,name\n1,sky\n', 'no column class'),
        ('id,class\n1,elephant\n', r"line 2.*'elephant'"),
        ('id,class\n1,sky\nx,sky\n', 'line 3'),
        ('id,class\n1,sky\n1,wall\n', 'line 3: id 1 comes twice'),
        ('id,class\n', 'maps no id'),
        ('id,class\n1\n', 'line 2'),
    ],
)
def test_mapping_files_that_are_none(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        read_mapping(mapping(tmp_path, text))


def test_every_class_of_coco_stuff_has_a_meaning() -> None:
    table = read_mapping(MAPPING)
    assert set(table.ids) == {*range(182), 255}
    assert set(table.ids.values()) <= {*range(N_CLASSES), 255}
    assert table.other is None
    rows = MAPPING.read_text().splitlines()[1:]
    by_name = {row.split(',')[1]: row.split(',')[2] for row in rows}
    assert len(by_name) == 183
    # What is named alike means the same.
    for entry in CLASSES[1:]:
        if entry.name in by_name and entry.name != 'background':
            assert by_name[entry.name] == entry.name
    assert by_name['unlabeled'] == 'unknown'
    assert by_name['elephant'] == 'background'
