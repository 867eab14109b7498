"""All files or none, and never over another file."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from napari_sdcolor.archive import atomic
from napari_sdcolor.archive.atomic import publish, refuse_existing
from napari_sdcolor.errors import SaveError


@pytest.fixture
def files(tmp_path):
    return [(tmp_path / f'boat.{n}', bytes([n]) * 5000) for n in range(3)]


def fail_at(monkeypatch, function: str, count: int, error: BaseException):
    """Let the ``count``-th call of a function of ``os`` fail."""
    original, calls = getattr(os, function), []

    def failing(*args, **options):
        calls.append(args)
        if len(calls) == count:
            raise error
        return original(*args, **options)

    monkeypatch.setattr(os, function, failing)
    return calls


def test_files_are_written_and_nothing_else(tmp_path, files):
    publish(files)
    assert sorted(tmp_path.iterdir()) == [path for path, _ in files]
    assert [path.read_bytes() for path, _ in files] == [c for _, c in files]


@pytest.mark.skipif(os.name != 'posix', reason='POSIX permissions')
def test_permissions_are_those_of_any_saved_file(tmp_path, files):
    before = os.umask(0o027)
    try:
        publish(files)
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path, _ in files}
    assert modes == {0o640}
    assert {path.stat().st_nlink for path, _ in files} == {1}


@pytest.mark.parametrize('place', [0, 1, 2])
@pytest.mark.parametrize('kind', ['file', 'folder', 'dangling link'])
def test_what_exists_is_left_alone(tmp_path, files, place, kind):
    taken = files[place][0]
    if kind == 'dangling link' and os.name != 'posix':
        pytest.skip('links need privileges here')
    if kind == 'file':
        taken.write_bytes(b'precious')
    elif kind == 'folder':
        taken.mkdir()
    else:
        taken.symlink_to(tmp_path / 'nowhere')
    before = os.lstat(taken)
    with pytest.raises(SaveError, match=rf'{taken.name} .*never overwritten'):
        publish(files)
    assert list(tmp_path.iterdir()) == [taken]
    after = os.lstat(taken)
    assert (after.st_mtime_ns, after.st_ino) == (
        before.st_mtime_ns,
        before.st_ino,
    )
    with pytest.raises(SaveError):
        refuse_existing([path for path, _ in files])


@pytest.mark.parametrize('links', [True, False])
@pytest.mark.parametrize('place', [0, 1, 2])
def test_a_file_that_appears_meanwhile_is_left_alone(
    tmp_path, files, monkeypatch, place, links
):
    """The name is taken after the check and before the publication."""
    original, taken = os.link, files[place][0]

    def racing(source, target):
        if target == taken:
            taken.write_bytes(b'precious')
        if not links:
            raise OSError(errno.EPERM, 'no hard links here')
        original(source, target)

    monkeypatch.setattr(os, 'link', racing)
    with pytest.raises(SaveError, match='never overwritten'):
        publish(files)
    assert list(tmp_path.iterdir()) == [taken]
    assert taken.read_bytes() == b'precious'


@pytest.mark.parametrize('code', [errno.EPERM, errno.EOPNOTSUPP])
def test_file_systems_without_hard_links(tmp_path, files, monkeypatch, code):
    def refuse(source, target):
        raise OSError(code, 'no hard links here')

    monkeypatch.setattr(os, 'link', refuse)
    publish(files)
    assert sorted(tmp_path.iterdir()) == [path for path, _ in files]
    assert [path.read_bytes() for path, _ in files] == [c for _, c in files]
    with pytest.raises(SaveError, match='never overwritten'):
        publish(files)


@pytest.mark.parametrize('count', [1, 2, 3, 4])
@pytest.mark.parametrize(
    ('code', 'words'),
    [
        (errno.ENOSPC, 'the disk is full. Free some space'),
        (errno.EDQUOT, 'your share of the disk is full'),
        (errno.EFBIG, 'too large'),
        (errno.EIO, 'another folder'),
    ],
)
def test_a_full_disk_leaves_nothing(
    tmp_path, files, monkeypatch, count, code, words
):
    """Three files and their folder are brought to the disk."""
    error = OSError(code, os.strerror(code))
    calls = fail_at(monkeypatch, 'fsync', count, error)
    with pytest.raises(SaveError, match=words) as caught:
        publish(files)
    assert len(calls) == count
    assert str(tmp_path) in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    publish(files)
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize('function', ['open', 'link', 'fsync'])
@pytest.mark.parametrize('count', [1, 2, 3])
def test_stopping_leaves_nothing(
    tmp_path, files, monkeypatch, function, count
):
    fail_at(monkeypatch, function, count, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        publish(files)
    assert list(tmp_path.iterdir()) == []


def test_a_limit_of_the_system_itself(tmp_path, files):
    """No simulation: the kernel refuses the second file's size."""
    resource = pytest.importorskip('resource')
    big = [files[0], (tmp_path / 'big', bytes(2**20)), files[2]]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**19, before[1]))
    try:
        with pytest.raises(SaveError, match=r'big .*too large'):
            publish(big)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ('code', 'words'),
    [
        (errno.EACCES, 'not allowed'),
        (errno.EROFS, 'read-only'),
        (errno.EMFILE, 'another folder'),
    ],
)
def test_forbidden_folders(tmp_path, files, monkeypatch, code, words):
    fail_at(monkeypatch, 'open', 1, OSError(code, os.strerror(code)))
    with pytest.raises(SaveError, match=rf'boat.0 .*{words}'):
        publish(files)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(
    os.name != 'posix' or os.geteuid() == 0, reason='root may write anywhere'
)
def test_a_folder_that_is_read_only(tmp_path, files):
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(SaveError, match='not allowed'):
            publish(files)
        assert list(tmp_path.iterdir()) == []
    finally:
        tmp_path.chmod(0o755)


def test_a_missing_folder(tmp_path, files):
    path = tmp_path / 'missing' / 'boat.tif'
    with pytest.raises(SaveError, match='Create the folder'):
        publish([*files, (path, b'')])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != 'posix', reason='POSIX reasons')
def test_impossible_paths(tmp_path):
    (tmp_path / 'file').write_bytes(b'')
    for path, words in [
        (tmp_path / 'file' / 'boat.tif', 'is no folder'),
        (tmp_path / ('b' * 300), 'too long'),
    ]:
        with pytest.raises(SaveError, match=words):
            publish([(tmp_path / 'first', b'1'), (path, b'2')])
        assert list(tmp_path.iterdir()) == [tmp_path / 'file']


def test_leftovers_that_cannot_be_removed_do_not_hide_the_reason(
    tmp_path, files, monkeypatch
):
    fail_at(monkeypatch, 'fsync', 2, OSError(errno.ENOSPC, 'full'))

    def refuse(path, missing_ok=False):
        raise OSError(errno.EACCES, 'no')

    monkeypatch.setattr(atomic.Path, 'unlink', refuse)
    with pytest.raises(SaveError, match='disk is full'):
        publish(files)
