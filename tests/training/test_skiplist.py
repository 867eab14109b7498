"""What is left out is named once."""

from __future__ import annotations

import csv
from pathlib import Path

from napari_sdcolor.datasets.entry import Skipped
from napari_sdcolor.training.skiplist import SkipList


def test_each_is_named_once(tmp_path: Path) -> None:
    skips = SkipList(tmp_path / 'skipped.csv')
    assert skips.add([]) == []
    assert skips.summary() == ''
    assert not skips.path.exists()
    torn = Skipped('made', 'a', 'the photo is torn')
    assert skips.add([torn]) == [torn]
    assert skips.summary().startswith('1 file was left out (1 × the photo')
    other = Skipped('made', 'b, c', 'the photo is torn')
    assert skips.add([torn, other]) == [other]
    with skips.path.open(newline='') as file:
        found = list(csv.DictReader(file))
    assert [each['name'] for each in found] == ['a', 'b, c']
    assert '2 files were left out (2 × the photo is torn)' in skips.summary()
    assert str(skips.path) in skips.summary()
