"""A pack has indexes, shards, and photographs in many formats."""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from napari_sdcolor.datasets.open import open_data
from napari_sdcolor.datasets.pack import Pack
from napari_sdcolor.errors import DataError

RGB = np.zeros((24, 30, 3), np.uint8)
RGB[:, :15] = (200, 60, 30)

Row = tuple[str, str, str]
"""Data set, id and split."""


def picture(form: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(RGB).save(buffer, form, quality=90)
    return buffer.getvalue()


def write_shard(path: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(path, 'w') as tar:
        for name, data in members.items():
            about = tarfile.TarInfo(name)
            about.size = len(data)
            tar.addfile(about, io.BytesIO(data))


def write_index(path: Path, rows: Sequence[Row], shard: str = '') -> None:
    with path.open('w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(['dataset', 'id', 'split', 'shard'])
        writer.writerows([*row, shard] for row in rows)


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A pack with two indexes and a shard for each."""
    write_index(
        tmp_path / 'index.csv', [('a', '1', 'train'), ('a', '2', 'val')], '0'
    )
    write_index(tmp_path / 'index_5.csv', [('b', '1', 'val')], '5')
    photo = picture('PNG')
    write_shard(
        tmp_path / 'photos-0.tar',
        {'images/a/1.png': photo, 'images/a/2.png': photo},
    )
    write_shard(tmp_path / 'photos-5.tar', {'images/b/1.png': photo})
    return tmp_path


def named(pack: Pack) -> list[tuple[str, str, str]]:
    return [(each.dataset, each.name, each.split) for each in pack.entries]


def test_all_indexes_are_read_in_the_order_of_their_names(two: Path) -> None:
    source = open_data(two)
    assert source.kind == 'pack'
    assert named(source) == [
        ('a', '1', 'train'),
        ('a', '2', 'val'),
        ('b', '1', 'val'),
    ]
    assert not source.skipped


def test_an_index_of_any_name_makes_a_pack(two: Path) -> None:
    (two / 'index.csv').unlink()
    assert named(open_data(two)) == [('b', '1', 'val')]


def test_a_photograph_of_two_indexes_is_one_entry(two: Path) -> None:
    # A photograph must not be in two splits: the last index decides.
    write_index(
        two / 'index_9.csv', [('a', '1', 'train'), ('a', '1', 'val')], '0'
    )
    assert named(open_data(two)) == [
        ('a', '1', 'val'),
        ('a', '2', 'val'),
        ('b', '1', 'val'),
    ]


def test_an_index_without_its_shard_is_refused(two: Path) -> None:
    (two / 'photos-5.tar').unlink()
    with pytest.raises(DataError) as caught:
        open_data(two)
    words = str(caught.value)
    assert str(two / 'index_5.csv') in words
    assert 'images/b/1' in words
    assert 'shard 5' in words
    assert f'into {two}' in words
    (two / 'index_5.csv').unlink()
    assert len(open_data(two).entries) == 2


def test_one_photograph_of_an_index_may_be_missing(two: Path) -> None:
    write_index(
        two / 'index_5.csv', [('b', '1', 'val'), ('b', '2', 'val')], '5'
    )
    source = open_data(two)
    assert len(source.entries) == 3
    assert [(each.name, each.reason) for each in source.skipped] == [
        ('2', 'the photo is missing')
    ]


def test_a_damaged_index_is_named(two: Path) -> None:
    (two / 'index_5.csv').write_text('dataset,id\n')
    with pytest.raises(DataError, match=r'index_5\.csv has no column split'):
        open_data(two)


def test_a_line_that_is_cut_short_is_named(two: Path) -> None:
    with (two / 'index_5.csv').open('a') as file:
        file.write('b,2\n')
    said = r'index_5\.csv, line 3, ends before its split'
    with pytest.raises(DataError, match=said):
        open_data(two)


def test_an_index_may_begin_with_a_byte_order_mark(two: Path) -> None:
    index = two / 'index_5.csv'
    index.write_bytes(b'\xef\xbb\xbf' + index.read_bytes())
    assert len(open_data(two).entries) == 3


@pytest.mark.parametrize('fault', ['folder', 'header', 'end'])
def test_a_damaged_shard_is_named(two: Path, fault: str) -> None:
    shard = two / 'photos-0.tar'
    data = bytearray(shard.read_bytes())
    if fault == 'folder':
        shard.unlink()
        shard.mkdir()
    else:
        second = data.index(b'images/a/2.png')
        data[second : second + 300] = b'x' * 300
        shard.write_bytes(data[:-1024] if fault == 'end' else data)
    with pytest.raises(DataError, match=r'photos-0\.tar cannot be read'):
        open_data(two)


@pytest.mark.parametrize('packed', [True, False])
@pytest.mark.parametrize(
    ('form', 'suffix'),
    [
        ('JPEG', 'jpg'),
        ('JPEG', 'JPEG'),
        ('PNG', 'png'),
        ('WEBP', 'webp'),
        ('TIFF', 'tif'),
        ('BMP', 'bmp'),
        pytest.param(
            'AVIF',
            'avif',
            marks=pytest.mark.skipif(
                not features.check('avif'), reason='this Pillow has no AVIF'
            ),
        ),
    ],
)
def test_photographs_of_any_format(
    form: str, suffix: str, packed: bool, tmp_path: Path
) -> None:
    # Ids may hold periods, which are no suffix.
    name = 'v1.2_img'
    write_index(tmp_path / 'index.csv', [('a', name, 'train')])
    labels = io.BytesIO()
    Image.fromarray(np.full(RGB.shape[:2], 7, np.uint8)).save(labels, 'PNG')
    members = {
        f'images/a/{name}.{suffix}': picture(form),
        f'labels/a/{name}.png': labels.getvalue(),
    }
    if packed:
        write_shard(tmp_path / 'photos-0.tar', members)
    else:
        for member, data in members.items():
            (tmp_path / member).parent.mkdir(parents=True)
            (tmp_path / member).write_bytes(data)
    (entry,) = open_data(tmp_path).entries
    rgb, ids = entry.load()
    assert entry.name == name
    assert np.abs(rgb.astype(int)[:, :10] - RGB[:, :10]).max() < 12
    assert (ids == 7).all()


@pytest.mark.parametrize(
    ('dataset', 'name'),
    [('..', '1'), ('a', '../../1'), ('a', '/1'), ('a', '..'), ('a/b', '1')],
)
def test_names_that_lead_elsewhere_are_left_out(
    dataset: str, name: str, two: Path
) -> None:
    """Maps of the photographs get the same names, below another folder."""
    write_index(
        two / 'index_9.csv', [('b', '1', 'val'), (dataset, name, 'val')]
    )
    write_shard(
        two / 'photos-9.tar', {f'images/{dataset}/{name}.png': picture('PNG')}
    )
    pack = Pack(two)
    (skipped,) = pack.skipped
    assert (skipped.dataset, skipped.name) == (dataset, name)
    assert 'its name cannot be that of a file' in skipped.reason
    assert len(pack.entries) == 3
