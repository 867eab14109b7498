"""Temporary names, and what becomes of them when a process is killed.

A file is written under a temporary name that tells who writes it. The files
of one result share a token, are numbered in the order in which they get
their names, and keep their temporary names until all have them. So a result
that was cut off between its files is known afterwards, and taken back.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

from napari_sdcolor.classes import CLASSES
from napari_sdcolor.opening import open_regular, parse_json, read_whole

FORGOTTEN = 24 * 3600.0
"""Seconds after which what another machine was writing counts as left."""

_LOOKED_AT = 2**17
_PROGRAM = b'napari-sdcolor'
_PNG = b'\x89PNG\r\n\x1a\n'

_PART = re.compile(
    r'\.(?P<token>[0-9a-f]{16})'
    r'(?:-(?P<number>\d{1,9})-(?P<pid>\d{1,9})-(?P<machine>[0-9a-f]{8}))?'
    r'(?P<named>\.named)?\.part'
)


def temporary_name(token: str, number: int) -> str:
    """Name of the n-th file of a result while this process writes it."""
    return f'.{token}-{number}-{os.getpid()}-{_machine()}.part'


def marker_of(temporary: Path) -> Path:
    """What tells that a file got its name, where it cannot have two."""
    return temporary.with_name(f'{temporary.stem}.named.part')


@cache
def _machine() -> str:
    """Where numbers of processes mean the same: a machine or container."""
    words = platform.node()
    with suppress(OSError):
        words += os.readlink('/proc/self/ns/pid')
    return hashlib.sha256(words.encode()).hexdigest()[:8]


@dataclass(frozen=True)
class _Part:
    """A file under its temporary name, or a marker in its stead."""

    path: Path
    number: int
    marks: bool
    status: os.stat_result

    def is_named(self) -> bool:
        """Whether its file has its final name."""
        if self.marks:
            return any(True for _ in self.final(self.path.parent))
        return self.status.st_nlink > 1

    def final(self, folder: Path) -> Iterator[Path]:
        """The final name of its file, if it has one."""
        if self.marks:
            path = self._marked()
            if path is not None:
                yield path
            return
        with os.scandir(folder) as listing:
            for entry in listing:
                if entry.inode() != self.status.st_ino:
                    continue
                if not _PART.fullmatch(entry.name) and _same(
                    entry.stat(follow_symlinks=False), self.status
                ):
                    yield Path(entry.path)

    def _marked(self) -> Path | None:
        try:
            name, size, time_ns = parse_json(read_whole(self.path, 4096))
            path = self.path.with_name(os.path.basename(name))
            now = os.lstat(path)
        except (OSError, ValueError, TypeError):
            return None
        claimed = now.st_size == 0
        same = (now.st_size, now.st_mtime_ns) == (size, time_ns)
        return (
            path if stat.S_ISREG(now.st_mode) and (same or claimed) else None
        )


def remove_leftovers(folder: str | os.PathLike[str]) -> None:
    """Remove what was being written when a process was killed.

    Results that had got some of their names, but not the last one, lose
    them again: they were never finished. Only files that are known as this
    program's by their content lose a name. What a living process writes
    stays, and so does what another machine has been writing within the
    last day, of which nobody here can tell whether it still does.

    Parameters
    ----------
    folder
        An existing folder; those below it are not looked at.

    Raises
    ------
    OSError
        If something cannot be removed.
    """
    for parts in _abandoned(folder):
        if not parts[-1].is_named():
            for part in parts:
                for path in part.final(Path(folder)):
                    # Temporary names can be made up, and backups know links.
                    if is_result(path):
                        path.unlink(missing_ok=True)
        # The last one at the end: as long as it is there, what is complete
        # is known to be complete.
        for part in parts:
            part.path.unlink(missing_ok=True)


def is_result(path: Path) -> bool:
    """Whether a file is one that only this program makes, or empty.

    Results and sidecars name the program; maps have its palette.
    """
    try:
        with open_regular(path) as stream:
            size = os.fstat(stream.fileno()).st_size
            head = stream.read(_LOOKED_AT)
            stream.seek(max(0, size - _LOOKED_AT))
            tail = stream.read(_LOOKED_AT)
    except OSError:
        return False
    if not size or _PROGRAM in head or _PROGRAM in tail:
        return True
    palette = bytes(value for entry in CLASSES for value in entry.color)
    return head.startswith(_PNG) and palette in head


def _abandoned(folder: str | os.PathLike[str]) -> list[list[_Part]]:
    """Parts that nobody writes any more, by result and in their order."""
    results: dict[str, list[_Part]] = {}
    living: set[str] = set()
    with os.scandir(folder) as listing:
        for entry in listing:
            found = _PART.fullmatch(entry.name)
            if found is None:
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # it has just been finished
            if not stat.S_ISREG(status.st_mode):
                continue
            token = found['token']
            if _is_written(found, status):
                living.add(token)
            number = int(found['number'] or 0)
            marks = found['named'] is not None
            part = _Part(Path(entry.path), number, marks, status)
            results.setdefault(token, []).append(part)
    return [
        sorted(parts, key=_order)
        for token, parts in results.items()
        if token not in living
    ]


def _order(part: _Part) -> tuple[int, bool]:
    # A file that has not got its name decides over the marker beside it.
    return part.number, not part.marks


def _is_written(found: re.Match[str], status: os.stat_result) -> bool:
    """Whether the process that made a temporary file may still write it."""
    if found['pid'] is None:
        return False  # of the first version, which did not tell
    if found['machine'] != _machine():
        return time.time() - status.st_mtime < FORGOTTEN
    try:
        born = psutil.Process(int(found['pid'])).create_time()
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True
    # Another process may have got the number since.
    return born <= status.st_mtime + 2


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
