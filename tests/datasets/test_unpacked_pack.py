"""A pack unpacked into folders is the same pack."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from napari_sdcolor.datasets.open import open_data
from napari_sdcolor.datasets.pack import Pack
from napari_sdcolor.errors import DataError


def test_unpacked(shots: list, write_pack: Callable[[Sequence], Path]) -> None:
    folder = write_pack(shots)
    packed = Pack(folder)
    wanted = [entry.load() for entry in packed.entries]
    for shard in folder.glob('*.tar'):
        with tarfile.open(shard) as tar:
            tar.extractall(folder, filter='data')
        shard.unlink()
    source = open_data(folder)
    assert source.kind == 'pack'
    for entry, old, (rgb, labels) in zip(
        source.entries, packed.entries, wanted, strict=True
    ):
        assert (entry.dataset, entry.name, entry.split) == (
            old.dataset,
            old.name,
            old.split,
        )
        found, found_labels = entry.load()
        assert np.array_equal(found, rgb)
        if labels is None:
            assert found_labels is None
        else:
            assert np.array_equal(found_labels, labels)


def test_rows_without_their_files_are_named(
    shots: list, write_pack: Callable[[Sequence], Path]
) -> None:
    folder = write_pack(shots)
    index = folder / 'index.csv'
    rows = index.read_text().splitlines()
    lines = [f'{rows[0]},has_labels']
    # The last two photos have no map; one of them should have one.
    lines += [f'{row},{int(n != 4)}' for n, row in enumerate(rows[1:])]
    lines.append('made,gone,train,0,1')
    index.write_text('\n'.join(lines) + '\n')
    source = Pack(folder)
    assert len(source.entries) == 5
    assert [(each.name, each.reason) for each in source.skipped] == [
        ('005', 'the label map is missing'),
        ('gone', 'the photo is missing'),
    ]
    assert '2 left out' in source.describe()


def test_an_index_that_is_no_text(
    shots: list, write_pack: Callable[[Sequence], Path]
) -> None:
    folder = write_pack(shots)
    (folder / 'index.csv').write_bytes(b'\xff\xfe\x00 nothing')
    with pytest.raises(DataError, match='index.csv'):
        Pack(folder)


def test_a_pack_without_photos_is_refused(
    shots: list, write_pack: Callable[[Sequence], Path]
) -> None:
    folder = write_pack(shots)
    (folder / 'index.csv').write_text('dataset,id,split\nmade,gone,train\n')
    with pytest.raises(DataError, match='none of its photographs'):
        open_data(folder)
