"""What a killed process was writing is taken back; nothing else is."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from napari_sdcolor import leftovers
from napari_sdcolor.errors import SaveError
from napari_sdcolor.files import Publication, publish
from napari_sdcolor.leftovers import remove_leftovers, temporary_name

pytestmark = pytest.mark.skipif(
    not hasattr(os, 'fork'), reason='kills forked processes'
)

NAMES = ['boat.color.tif', 'boat.labels.png', 'boat.sdcolor.json']


def published(folder: Path) -> None:
    content = b'made by napari-sdcolor '
    publish([(folder / name, content + name.encode()) for name in NAMES])


def forked(work: Callable[[], None]) -> int:
    """Do something in a forked process; its id."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return child


def dying(work: Callable[[], None], point: str, number: int) -> int:
    """Do something in a process that dies when it calls a function of ``os``
    for the n-th time; minus the signal, or 0."""

    def work_and_die() -> None:
        real, calls = getattr(os, point), []

        def counted(*args: object, **more: object) -> object:
            calls.append(args)
            if len(calls) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **more)

        setattr(os, point, counted)
        work()

    child = forked(work_and_die)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def without_links(folder: Path) -> None:
    """Publish on a disk that knows no hard links."""

    def refuse(source: object, target: object) -> None:
        raise OSError(errno.EPERM, 'no hard links here')

    os.link = refuse
    published(folder)


@pytest.mark.parametrize('links', [True, False])
def test_a_result_is_whole_or_gone(tmp_path: Path, links: bool) -> None:
    """Killed at every call that changes the disk, then cleared up."""
    work = partial(published if links else without_links, tmp_path)
    seen = set()
    for point in ('link', 'open', 'replace', 'fsync', 'unlink'):
        number = 1
        while dying(work, point, number):
            found = sorted(path.name for path in tmp_path.glob('boat*'))
            remove_leftovers(tmp_path)
            left = sorted(path.name for path in tmp_path.iterdir())
            assert left in ([], NAMES), (point, number, left)
            if left:
                # Only where all had their names; then nothing is lost.
                assert found == NAMES
            seen.add((len(found), len(left)))
            for path in tmp_path.iterdir():
                path.unlink()
            number += 1
        for path in tmp_path.iterdir():
            path.unlink()
    assert {(0, 0), (1, 0), (2, 0), (3, 3)} <= seen


def test_the_next_attempt_needs_no_help(tmp_path: Path) -> None:
    """A name that a killed process gave is given again."""
    from napari_sdcolor.archive.saving import refuse_taken

    assert dying(partial(published, tmp_path), 'link', 3) < 0
    assert (tmp_path / NAMES[0]).exists()
    assert not (tmp_path / NAMES[2]).exists()
    with pytest.raises(SaveError):
        published(tmp_path)
    refuse_taken([tmp_path / name for name in NAMES])
    published(tmp_path)
    with pytest.raises(SaveError, match='never overwritten'):
        refuse_taken([tmp_path / name for name in NAMES])
    assert sorted(path.name for path in tmp_path.iterdir()) == NAMES


def test_a_name_that_somebody_else_took_stays(tmp_path: Path) -> None:
    """The file of the killed process was replaced by a person's."""
    assert dying(partial(published, tmp_path), 'link', 3) < 0
    color = tmp_path / NAMES[0]
    color.unlink()
    color.write_bytes(b'precious')
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == [color]
    assert color.read_bytes() == b'precious'


@pytest.mark.parametrize('marked', [False, True])
def test_a_master_with_made_up_temporary_names_stays(
    tmp_path: Path, marked: bool
) -> None:
    """Whoever can write into a folder can make up names; a backup keeps
    links."""
    master = tmp_path / 'master.tif'
    master.write_bytes(b'II*\0 the only scan')
    os.utime(master, (1e9, 1e9))
    first, last = (tmp_path / temporary_name('0a' * 8, n) for n in (0, 1))
    if marked:
        size, time_ns = master.stat().st_size, master.stat().st_mtime_ns
        marker = leftovers.marker_of(first)
        marker.write_text(f'["master.tif", {size}, {time_ns}]')
        os.utime(marker, (1e9, 1e9))
    else:
        os.link(master, first)
    last.write_bytes(b'')
    os.utime(last, (1e9, 1e9))
    remove_leftovers(tmp_path)
    assert master.read_bytes() == b'II*\0 the only scan'


def test_what_a_living_process_writes_stays(tmp_path: Path) -> None:
    ready, done = os.pipe(), os.pipe()

    def slowly() -> None:
        with Publication() as publication:
            publication.write(tmp_path / 'a.tif', b'a' * 99)
            with publication.open(tmp_path / 'b.png') as stream:
                os.write(ready[1], b'!')
                os.read(done[0], 1)
                stream.write(b'b')
            publication.publish()

    child = forked(slowly)
    os.read(ready[0], 1)
    remove_leftovers(tmp_path)
    assert len(list(tmp_path.glob('.*.part'))) == 2
    os.write(done[1], b'!')
    os.waitpid(child, 0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ['a.tif', 'b.png']
    for end in (*ready, *done):
        os.close(end)


def test_what_this_process_writes_stays(tmp_path: Path) -> None:
    with Publication() as publication:
        publication.write(tmp_path / 'a.tif', b'a')
        remove_leftovers(tmp_path)
        publication.publish()
    assert [path.name for path in tmp_path.iterdir()] == ['a.tif']


@pytest.mark.parametrize(
    ('days', 'stays'), [(0, True), (0.9, True), (1.1, False)]
)
def test_another_machine_has_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: float, stays: bool
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(leftovers, '_machine', lambda: '00c0ffee')
        part = tmp_path / temporary_name('0a' * 8, 0)
    part.write_bytes(b'half')
    then = time.time() - days * 24 * 3600
    os.utime(part, (then, then))
    remove_leftovers(tmp_path)
    assert part.exists() == stays


def test_a_number_that_another_process_has_now(tmp_path: Path) -> None:
    """This process is younger than the file that bears its number."""
    part = tmp_path / temporary_name('0a' * 8, 0)
    part.write_bytes(b'half')
    os.utime(part, (1e9, 1e9))
    remove_leftovers(tmp_path)
    assert not part.exists()


@pytest.mark.parametrize('content', [b'', b'{}', b'["x", 1]', b'[' * 4000])
def test_odd_markers(tmp_path: Path, content: bytes) -> None:
    part = leftovers.marker_of(tmp_path / temporary_name('0a' * 8, 0))
    part.write_bytes(content)
    os.utime(part, (1e9, 1e9))
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_marker_reaches_no_other_folder(tmp_path: Path) -> None:
    master = tmp_path / 'master.tif'
    master.write_bytes(b'')
    folder = tmp_path / 'out'
    folder.mkdir()
    part = leftovers.marker_of(folder / temporary_name('0a' * 8, 0))
    part.write_text(f'["../{master.name}", 0, {master.stat().st_mtime_ns}]')
    os.utime(part, (1e9, 1e9))
    remove_leftovers(folder)
    assert master.exists()
