"""One batch at a time in an output folder.

The operating system holds the lock and drops it when the process ends, in
whatever way. The file also tells who holds it.
"""

from __future__ import annotations

import errno
import json
import os
import platform
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from napari_sdcolor.errors import PlanError
from napari_sdcolor.opening import parse_json
from napari_sdcolor.own_files import open_own

LOCK = '.sdcolor-lock'
"""Its file in the output folder, as long as a run is under way."""

LOCK_BYTES = 4096
"""No lock file has more bytes."""


@contextmanager
def locked(output: Path) -> Iterator[None]:
    """Hold the lock of an existing output folder.

    Raises
    ------
    ForeignFile
        If the name of the lock belongs to another file.
    PlanError
        If another run holds it, or one on another machine did not end
        properly, which cannot be told apart from here.
    """
    path = output / LOCK
    descriptor = _open(path)
    try:
        owner = _owner(descriptor)
        host = owner.get('host')
        if host not in (None, platform.node()):
            raise PlanError(
                f'A batch of process {owner.get("pid", "unknown")} on the machine '
                f'{host} works in {output}, or was interrupted there. If it '
                f'no longer runs, delete {path} and start again.'
            )
        owner = {
            'pid': os.getpid(),
            'host': platform.node(),
            # Tells this run from a later one of the same process.
            'run': secrets.token_hex(8),
        }
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(owner).encode(), 0)
        os.fsync(descriptor)
        try:
            yield
        finally:
            # Deleted by a person, the name may belong to another run by now.
            with suppress(OSError):
                if _is_at(descriptor, path):
                    path.unlink()
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    """The lock file, locked, and still the one that has this name."""
    while True:
        descriptor = open_own(path, is_lock)
        with ExitStack() as otherwise:
            otherwise.callback(os.close, descriptor)
            if not _lock(descriptor):
                owner = _owner(descriptor)
                raise PlanError(
                    f'Another batch works in {path.parent} (process '
                    f'{owner.get("pid", "unknown")} on the machine '
                    f'{owner.get("host", "unknown")}). Wait until it is '
                    'done, or choose another output folder.'
                )
            if _is_at(descriptor, path):
                otherwise.pop_all()
                return descriptor
            # Its owner has just removed it.


def is_lock(head: bytes) -> bool:
    """``own_files.Known`` for locks."""
    beginning = b'{"pid":'
    return head.startswith(beginning[: len(head)])


def _lock(descriptor: int) -> bool:
    """Take the lock; False if somebody else has it."""
    try:
        if os.name == 'posix':
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            import msvcrt

            # Far behind the text, which others must be able to read.
            os.lseek(descriptor, 2**20, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK):
            return False
        raise
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        now = os.stat(path)
    except FileNotFoundError:
        return False
    held = os.fstat(descriptor)
    return (now.st_dev, now.st_ino) == (held.st_dev, held.st_ino)


def _owner(descriptor: int) -> dict[str, object]:
    """Who holds the lock, as far as the file tells it credibly."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        owner = parse_json(os.read(descriptor, LOCK_BYTES))
    except ValueError:
        return {}
    if not isinstance(owner, dict):
        return {}
    return {
        name: owner[name]
        for name, kind in (('pid', int), ('host', str))
        if type(owner.get(name)) is kind
    }
