"""The one door for writing: all of a result or nothing, never over another file.

A file is written under a temporary name in its own folder, brought to the
disk, and only then gets its name. The few that grow in place (a lock, a
journal, a log) are opened by ``open_own``. Nothing else in the package opens
a file for writing.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from napari_sdcolor.errors import SaveError, why_not
from napari_sdcolor.opening import open_regular

_NO_LINKS = {
    getattr(errno, name)
    for name in ('EPERM', 'ENOSYS', 'EOPNOTSUPP', 'ENOTSUP', 'EMLINK', 'EXDEV')
    if hasattr(errno, name)
}


_LEFTOVER = re.compile(r'\.[0-9a-f]{16}\.part')


def own_path(name: str, variable: str) -> Path:
    """A file or folder that is kept for the person.

    Parameters
    ----------
    name
        In the folder for the data of this program.
    variable
        Environment variable that names another place.
    """
    from platformdirs import user_data_path

    moved = os.environ.get(variable)
    if moved:
        return Path(moved)
    return user_data_path('napari-sdcolor', appauthor=False) / name


def sha256_of(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's bytes.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with open_regular(path) as stream:
        return hashlib.file_digest(stream, 'sha256').hexdigest()


def refuse_existing(paths: Sequence[Path]) -> None:
    """Refuse if any of the files exists.

    Raises
    ------
    SaveError
        Naming the first one that exists.
    """
    for path in paths:
        if os.path.lexists(path):
            raise _explained(path, OSError(errno.EEXIST, ''))


def remove_leftovers(folder: str | os.PathLike[str]) -> None:
    """Remove what was being written when an earlier run was killed.

    Such files hold nothing of value, but only those may call this who know
    that nobody else is writing into the folder at present.
    """
    with os.scandir(folder) as listing:
        leftovers = [
            Path(entry.path)
            for entry in listing
            if _LEFTOVER.fullmatch(entry.name)
        ]
    for path in leftovers:
        path.unlink(missing_ok=True)


def publish(files: Sequence[tuple[Path, bytes]]) -> None:
    """Write files so that all of them exist afterwards, or none.

    Parameters
    ----------
    files
        Path and content of each, published in this order.

    Raises
    ------
    SaveError
        See ``Publication``.
    """
    refuse_existing([path for path, _ in files])
    with Publication() as publication:
        for path, content in files:
            publication.write(path, content)
        publication.publish()


def replace_file(path: Path, content: bytes) -> None:
    """Write a file of our own anew, as a whole or not at all.

    Parameters
    ----------
    path
        Its folder is made if it is missing.
    content
        All of it.

    Raises
    ------
    SaveError
        If the disk does not take it; an earlier file is still there then.
    """
    with explaining(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as stream:
            stream.write(content)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A stream for a file of our own that is written anew.

    The file gets its new content when the block ends, and keeps the old one
    if the block fails.

    Raises
    ------
    OSError
        With the file's name, if the disk does not take it.
    """
    temporary = _temporary(path)
    try:
        with _to_disk(temporary) as stream:
            yield stream
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        if error.filename is None or Path(error.filename) == temporary:
            error.filename = str(path)
        raise
    finally:
        _remove(temporary)


def keep_copy(path: Path, place: Path) -> None:
    """Keep a file under a second name, whatever becomes of the first.

    Raises
    ------
    OSError
        If the disk does not take it.
    """
    try:
        os.link(path, place)
    except OSError:
        # No hard links here.
        with open_regular(path) as source, _to_disk(place) as stream:
            shutil.copyfileobj(source, stream)
        shutil.copystat(path, place)


class Publication:
    """Files that get their names together, or not at all.

    Used as a context manager: what is not published when it ends is
    removed. Files of other people are never touched.
    """

    def __init__(self) -> None:
        self._ready: list[tuple[Path, Path]] = []
        self._leftovers = contextlib.ExitStack()

    def __enter__(self) -> Publication:
        return self

    def __exit__(self, *error: object) -> None:
        self._leftovers.close()

    @contextlib.contextmanager
    def open(self, path: Path) -> Iterator[BinaryIO]:
        """A stream for the content of one file, to write, read and seek.

        Raises
        ------
        SaveError
            If the disk does not take it.
        """
        temporary = _temporary(path)
        self._leftovers.callback(_remove, temporary)
        with explaining(path), _to_disk(temporary) as stream:
            yield stream
        self._ready.append((temporary, path))

    def write(self, path: Path, content: bytes) -> None:
        """The whole content of one file; see ``open``."""
        with self.open(path) as stream:
            stream.write(content)

    def publish(self, first: Path | None = None) -> None:
        """Give the files their names, in the order of their writing.

        Parameters
        ----------
        first
            This one before all others.

        Raises
        ------
        SaveError
            If a name is taken by now; then none of the files exists.
        """
        with contextlib.ExitStack() as published:
            ready = sorted(self._ready, key=lambda pair: pair[1] != first)
            for temporary, path in ready:
                with explaining(path):
                    _give_name(temporary, path)
                published.callback(_remove, path)
            for folder in {path.parent for _, path in self._ready}:
                with explaining(folder):
                    _sync_folder(folder)
            published.pop_all()


def _temporary(path: Path) -> Path:
    return path.with_name(f'.{secrets.token_hex(8)}.part')


@contextlib.contextmanager
def _to_disk(path: Path) -> Iterator[BinaryIO]:
    """A stream to a new file that is on the disk when the block ends."""
    with open(path, 'x+b', opener=_opened) as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


def _opened(path: str, flags: int) -> int:
    # 0o666 less the umask, as for any file that a person saves.
    return os.open(path, flags, 0o666)


def _give_name(temporary: Path, path: Path) -> None:
    """Name a finished file; fails where the name is taken."""
    try:
        os.link(temporary, path)
        return
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
    # No hard links here: claim the name with an empty file, then replace
    # that one, which is known to be ours.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    os.close(os.open(path, flags, 0o666))
    try:
        os.replace(temporary, path)
    except OSError:
        _remove(path)
        raise


def _sync_folder(folder: Path) -> None:
    if os.name != 'posix':
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot do this for folders.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def explaining(path: Path) -> Iterator[None]:
    """Say in a SaveError why a file was not written.

    Raises
    ------
    SaveError
        In place of an OSError; its ``reason`` is a part of a sentence.
    """
    try:
        yield
    except OSError as error:
        raise _explained(path, error) from error


def _explained(path: Path, error: OSError) -> SaveError:
    reason, remedy = why_not(error)
    return SaveError(
        f'{path} was not written: {reason}. {remedy}. Nothing of this '
        'result was saved.',
        reason,
    )
