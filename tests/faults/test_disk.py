"""A disk that takes no more: nothing half-written, and it can go on."""

from __future__ import annotations

import errno
import itertools
import os
import signal
import subprocess
from functools import partial

import pytest

from . import batch_process
from .batch_process import ended, forked


@pytest.fixture
def whole(photos, tmp_path, contents) -> dict[str, str]:
    """What one undisturbed run gives."""
    assert batch_process.run(str(photos), str(tmp_path / 'whole'), 1) == 0
    return contents(tmp_path / 'whole')


@pytest.mark.parametrize('code', [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_fsync_that_fails_now_and_then(
    photos, tmp_path, whole, monkeypatch, code, thorough, contents, tried
):
    """The n-th file cannot be brought to the disk."""
    real = os.fsync
    out = tmp_path / 'out'
    for number in itertools.count(4, 3 if thorough else 12):
        calls = 0

        def fsync(descriptor):
            nonlocal calls
            calls += 1
            if calls == number:  # noqa: B023
                raise OSError(code, os.strerror(code))
            real(descriptor)

        tried()
        monkeypatch.setattr(os, 'fsync', fsync)
        try:
            failures = batch_process.run(str(photos), str(out), 1)
        except OSError:
            failures = 1  # the journal itself
        monkeypatch.setattr(os, 'fsync', real)
        if calls < number:
            break
        assert failures >= 1
        for place, digest in contents(out).items():
            assert whole[place] == digest
        assert not list(out.rglob('.*.part'))
        assert batch_process.run(str(photos), str(out), 1) == 0
        assert contents(out) == whole
        subprocess.run(['rm', '-r', str(out)], check=True)
    assert number > 4


def limit_files(size: int) -> None:
    """Let no file of this process grow beyond so many bytes."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.skipif(os.name != 'posix', reason='POSIX limits')
@pytest.mark.parametrize('size', [900, 3000, 5500])
def test_a_limit_on_the_size_of_files(photos, tmp_path, whole, size, contents):
    """The kernel itself refuses: journal, results or sidecars do not fit."""
    out = tmp_path / 'out'
    assert ended(forked(photos, out, partial(limit_files, size))) > 0
    for place, digest in contents(out).items():
        assert whole[place] == digest
    assert not list(out.rglob('.*.part'))
    assert batch_process.run(str(photos), str(out), 1) == 0
    assert contents(out) == whole


def test_a_disk_that_is_really_full(
    photos, tmp_path, whole, small_disk, contents
):
    out = small_disk / 'out'
    filler = small_disk / 'filler'
    filler.write_bytes(bytes(40 * 1024))
    try:
        failures = batch_process.run(str(photos), str(out), 1)
    except OSError as error:
        assert error.errno == errno.ENOSPC
        failures = 1
    assert failures >= 1
    for place, digest in contents(out).items():
        assert whole[place] == digest
    assert not list(out.rglob('.*.part'))
    filler.unlink()
    size = ['mount', '-o', 'remount,size=4m', str(small_disk)]
    subprocess.run(size, check=True)
    assert batch_process.run(str(photos), str(out), 1) == 0
    assert contents(out) == whole
