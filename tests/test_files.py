"""All files or none, and never over another file."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from napari_sdcolor.errors import ForeignFile, SaveError
from napari_sdcolor.files import (
    keep_copy,
    own_path,
    publish,
    refuse_existing,
    sha256_of,
)
from napari_sdcolor.leftovers import remove_leftovers
from napari_sdcolor.own_files import (
    begins_with,
    is_record_of,
    is_signed,
    open_own,
    replace_file,
    replacing,
)


def any_file(head: bytes) -> bool:
    """``Known`` where it does not matter what was there."""
    return True


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

    monkeypatch.setattr(Path, 'unlink', refuse)
    with pytest.raises(SaveError, match='disk is full'):
        publish(files)


def test_replacing(tmp_path):
    path = tmp_path / 'made' / 'a.bin'
    replace_file(path, b'one', any_file)
    replace_file(path, b'two', any_file)
    assert path.read_bytes() == b'two'
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize('call', ['open', 'fsync', 'replace'])
@pytest.mark.parametrize(
    ('code', 'words'),
    [
        (errno.ENOSPC, 'the disk is full'),
        (errno.EDQUOT, 'your share of the disk is full'),
        (errno.EACCES, 'writing is not allowed there'),
        (errno.EIO, 'Input/output error'),
    ],
)
def test_a_failure_keeps_the_old_file_and_leaves_nothing(
    tmp_path, monkeypatch, call, code, words
):
    path = tmp_path / 'a.bin'
    replace_file(path, b'old', any_file)
    fail_at(monkeypatch, call, 1, OSError(code, os.strerror(code)))
    with pytest.raises(SaveError) as caught:
        replace_file(path, b'new', any_file)
    assert str(caught.value).startswith(f'{path} was not written: {words}. ')
    assert caught.value.reason == words
    assert path.read_bytes() == b'old'
    assert list(tmp_path.iterdir()) == [path]


def test_a_stream_that_fails_names_the_file(tmp_path, monkeypatch):
    path = tmp_path / 'report.json'
    replace_file(path, b'old', any_file)
    fail_at(monkeypatch, 'fsync', 1, OSError(errno.ENOSPC, 'full'))
    with pytest.raises(OSError, match='full') as caught:  # noqa: SIM117
        with replacing(path, any_file) as stream:
            stream.write(b'new')
    assert caught.value.filename == str(path)
    with pytest.raises(FileNotFoundError) as other:  # noqa: SIM117
        with replacing(path, any_file):
            (tmp_path / 'another').read_bytes()
    assert other.value.filename == str(tmp_path / 'another')
    with pytest.raises(KeyboardInterrupt), replacing(path, any_file):
        raise KeyboardInterrupt
    assert path.read_bytes() == b'old'
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_is_really_full(small_disk):
    path = small_disk / 'a.bin'
    replace_file(path, b'old', any_file)
    with pytest.raises(SaveError, match=r'a\.bin .*the disk is full'):
        replace_file(path, bytes(2**17), any_file)
    with pytest.raises(SaveError, match=r'b\.bin .*the disk is full'):
        publish([(small_disk / 'b.bin', bytes(2**17))])
    assert path.read_bytes() == b'old'
    assert list(small_disk.iterdir()) == [path]


@pytest.mark.skipif(not Path('/dev/full').exists(), reason='Linux only')
def test_a_device_that_is_full(tmp_path, monkeypatch):
    path = tmp_path / 'a.bin'
    replace_file(path, b'old', any_file)
    monkeypatch.setattr('secrets.token_hex', lambda size: 'full')
    original = os.open

    def full(name, *options):
        if '.full-' in str(name):
            return original('/dev/full', os.O_RDWR)
        return original(name, *options)

    monkeypatch.setattr(os, 'open', full)
    with pytest.raises(SaveError, match='the disk is full'):
        replace_file(path, b'new', any_file)
    assert path.read_bytes() == b'old'


def test_leftovers_are_removed_and_nothing_else(tmp_path):
    left = tmp_path / f'.{"0a" * 8}.part'
    others = [tmp_path / name for name in ('.0a.part', 'a.part', 'boat.tif')]
    for path in (left, *others):
        path.write_bytes(b'')
    remove_leftovers(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(others)


def test_places_of_the_person(tmp_path, monkeypatch):
    monkeypatch.delenv('SDCOLOR_PLACE', raising=False)
    usual = own_path('models', 'SDCOLOR_PLACE')
    assert usual.is_absolute()
    assert usual.parts[-2:] == ('napari-sdcolor', 'models')
    monkeypatch.setenv('SDCOLOR_PLACE', str(tmp_path))
    assert own_path('models', 'SDCOLOR_PLACE') == tmp_path


def test_sha256(tmp_path):
    path = tmp_path / 'abc'
    path.write_bytes(b'abc')
    assert sha256_of(path).startswith('ba7816bf8f01cfea')
    assert sha256_of(str(path)) == sha256_of(path)


@pytest.mark.parametrize('links', [True, False])
def test_a_second_name_outlives_the_first(tmp_path, monkeypatch, links):
    path, place = tmp_path / 'a.tif', tmp_path / 'kept.tif'
    path.write_bytes(b'colored')
    os.utime(path, (10, 20))
    if not links:
        fail_at(monkeypatch, 'link', 1, OSError(errno.EPERM, 'no links'))
    keep_copy(path, place)
    path.unlink()
    assert place.read_bytes() == b'colored'
    assert place.stat().st_mtime == 20


def refuse(head: bytes) -> bool:
    """``Known`` that knows nothing."""
    return False


@pytest.mark.skipif(os.name != 'posix', reason='links need privileges here')
@pytest.mark.parametrize('kind', ['file', 'link', 'dangling', 'pipe'])
def test_only_our_own_files_are_replaced(tmp_path, kind):
    master = tmp_path / 'master.tif'
    master.write_bytes(b'the only scan')
    path = tmp_path / 'loss.png'
    if kind == 'file':
        path.write_bytes(b'a picture of a person')
    elif kind == 'link':
        path.symlink_to(master)
    elif kind == 'dangling':
        path.symlink_to(tmp_path / 'nowhere')
    else:
        os.mkfifo(path)
    before = os.lstat(path)
    with pytest.raises(ForeignFile, match=r'loss\.png is in the way'):
        replace_file(path, b'new', refuse)
    after = os.lstat(path)
    assert (before.st_ino, before.st_mtime_ns) == (
        after.st_ino,
        after.st_mtime_ns,
    )
    assert master.read_bytes() == b'the only scan'
    assert sorted(tmp_path.iterdir()) == [path, master]


def test_signed_files_are_ours(tmp_path):
    path = tmp_path / 'page.html'
    for content in (b'<meta content="napari-sdcolor">', b'napari-sdcolor 2'):
        replace_file(path, content, is_signed)
    path.write_bytes(b'<p>mine</p>')
    with pytest.raises(ForeignFile):
        replace_file(path, b'napari-sdcolor 3', is_signed)
    table = tmp_path / 'table.csv'
    table.write_bytes(b'')  # a crash left it
    replace_file(table, b'a,b\n1,2\n', begins_with('a,b'))
    replace_file(table, b'a,b\n3,4\n', begins_with('a,b'))
    record = tmp_path / 'record.json'
    replace_file(record, b'{"inputs": []}', is_record_of('inputs'))
    replace_file(record, b'{"inputs": [1]}', is_record_of('inputs'))
    with pytest.raises(ForeignFile):
        replace_file(record, b'{}', is_record_of('outputs'))


def test_a_file_of_our_own_is_opened_as_it_is(tmp_path):
    path = tmp_path / 'log.csv'
    descriptor = open_own(path, begins_with('step'), append=True)
    os.write(descriptor, b'step,loss\n')
    os.close(descriptor)
    descriptor = open_own(path, begins_with('step'), append=True)
    os.write(descriptor, b'1,2\n')
    os.close(descriptor)
    assert path.read_bytes() == b'step,loss\n1,2\n'
    with pytest.raises(ForeignFile, match='no file that this program wrote'):
        open_own(path, refuse)
    os.link(path, tmp_path / 'another name')
    with pytest.raises(ForeignFile, match='other names'):
        open_own(path, begins_with('step'))
