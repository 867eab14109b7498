"""Files of a run survive full disks."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from napari_sdcolor.training.files import replace_file, why_not_written


def test_replacing(tmp_path: Path) -> None:
    path = tmp_path / 'a.bin'
    replace_file(path, b'one')
    replace_file(path, b'two')
    assert path.read_bytes() == b'two'
    assert [each.name for each in tmp_path.iterdir()] == ['a.bin']


@pytest.mark.parametrize('call', ['fsync', 'replace'])
def test_a_failure_keeps_the_old_file_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / 'a.bin'
    replace_file(path, b'old')

    def fail(*words: object) -> None:
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match='No space'):
        replace_file(path, b'new')
    assert path.read_bytes() == b'old'
    assert [each.name for each in tmp_path.iterdir()] == ['a.bin']


@pytest.mark.skipif(not Path('/dev/full').exists(), reason='Linux only')
def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    path = tmp_path / 'a.bin'
    replace_file(path, b'old')
    (tmp_path / 'a.bin.part').symlink_to('/dev/full')
    with pytest.raises(OSError, match='a.bin|space') as caught:
        replace_file(path, b'new')
    assert why_not_written(caught.value) == 'the disk is full'
    assert path.read_bytes() == b'old'


def test_other_reasons_are_said_too() -> None:
    error = OSError(errno.EACCES, 'Permission denied')
    assert why_not_written(error) == 'Permission denied'
