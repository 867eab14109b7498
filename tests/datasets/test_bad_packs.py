"""Packs of photographs: read in place, refused when they are bad."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from napari_sdcolor.datasets.pack import Pack
from napari_sdcolor.errors import DataError

RGB = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)


def shot(
    photo: object = RGB,
    labels: object = None,
    split: str = 'train',
    dataset: str = 'made',
) -> SimpleNamespace:
    return SimpleNamespace(
        photo=photo, labels=labels, split=split, dataset=dataset
    )


def test_what_was_packed_is_read(
    shots: list, make_pack: Callable[[Sequence], Pack]
) -> None:
    pack = make_pack(shots)
    assert len(pack.entries) == len(shots)
    for entry, made in zip(pack.entries, shots, strict=True):
        rgb, labels = entry.load()
        assert np.array_equal(rgb, made.photo)
        if made.labels is None:
            assert labels is None
        else:
            assert labels.dtype == np.uint8
            assert np.array_equal(labels, made.labels)
            assert (labels == 255).any()


def test_splits_and_data_sets_are_kept_apart(
    make_pack: Callable[[Sequence], Pack],
) -> None:
    pack = make_pack(
        [shot(split='val'), shot(), shot(split='val', dataset='other')]
    )
    assert [entry.name for entry in pack.split('val')] == ['000', '002']
    assert [entry.dataset for entry in pack.split('val')] == ['made', 'other']
    assert len(pack.split('train')) == 1
    with pytest.raises(DataError, match="'test'"):
        pack.split('test')


def test_rows_without_a_photo_are_left_out(
    write_pack: Callable[..., Path],
) -> None:
    folder = write_pack([shot()])
    with (folder / 'index.csv').open('a', newline='') as file:
        file.write('made,999,train,0\n')
    assert [entry.name for entry in Pack(folder).entries] == ['000']


def jpeg(mode: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(RGB).convert(mode).save(buffer, 'JPEG', quality=95)
    return buffer.getvalue()


def test_gray_photos_become_rgb(
    make_pack: Callable[[Sequence], Pack],
) -> None:
    (entry,) = make_pack([shot(jpeg('L'))]).entries
    rgb, _ = entry.load()
    assert rgb.shape == (20, 30, 3)
    assert (rgb == rgb[..., :1]).all()


@pytest.mark.parametrize(
    'photo', [b'', b'no picture', jpeg('RGB')[:200], jpeg('RGB')[:-120]]
)
def test_damaged_photos_are_refused(
    photo: bytes, make_pack: Callable[[Sequence], Pack]
) -> None:
    (entry,) = make_pack([shot(photo)]).entries
    with pytest.raises(DataError, match='made/000'):
        entry.load()


@pytest.mark.parametrize(
    ('labels', 'words'),
    [
        (np.zeros((20, 31), np.uint8), r'\(20, 31\)'),
        (np.zeros((30, 20), np.uint8), r'\(30, 20\)'),
        (np.zeros((20, 30, 3), np.uint8), r'\(20, 30, 3\)'),
        (np.full((20, 30), 60, np.uint8), 'ids outside'),
        (np.full((20, 30), 254, np.uint8), 'ids outside'),
        (b'no map', 'cannot identify'),
    ],
)
def test_bad_maps_are_refused(
    labels: object, words: str, make_pack: Callable[[Sequence], Pack]
) -> None:
    (entry,) = make_pack([shot(labels=labels)]).entries
    with pytest.raises(DataError, match=f'made/000.*{words}'):
        entry.load()


def test_folders_that_are_no_pack_are_refused(
    tmp_path: Path, write_pack: Callable[..., Path]
) -> None:
    with pytest.raises(DataError, match='no training pack'):
        Pack(tmp_path)
    folder = write_pack([shot()], shards=1)
    index = folder / 'index.csv'
    rows = index.read_text()
    index.unlink()
    with pytest.raises(DataError, match='no training pack'):
        Pack(folder)
    index.write_text(rows.replace('split', 'part'))
    with pytest.raises(DataError, match='no column split'):
        Pack(folder)
    index.write_text('')
    with pytest.raises(DataError, match='no column dataset, id, split'):
        Pack(folder)


@pytest.mark.parametrize('damage', ['noise', 'packed'])
def test_shards_that_are_no_tar_files_are_refused(
    damage: str, write_pack: Callable[..., Path]
) -> None:
    folder = write_pack([shot()], shards=1)
    shard = folder / 'photos-0.tar'
    whole = shard.read_bytes()
    shard.write_bytes(
        gzip.compress(whole) if damage == 'packed' else b'x' * 2000
    )
    with pytest.raises(DataError, match='photos-0.tar'):
        Pack(folder)


def test_a_shard_cut_short_is_noticed(
    write_pack: Callable[..., Path],
) -> None:
    folder = write_pack([shot(), shot()], shards=1)
    shard = folder / 'photos-0.tar'
    whole = shard.read_bytes()
    # Within a photo, within its neighbor's header, and before the end mark.
    for length in (0, 400, 1500, 3000, 4000, len(whole.rstrip(b'\0'))):
        shard.write_bytes(whole[:length])
        with pytest.raises(DataError, match='photos-0.tar'):
            Pack(folder)
