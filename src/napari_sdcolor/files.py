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
import json
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from napari_sdcolor.errors import ForeignFile, SaveError, why_not
from napari_sdcolor.leftovers import marker_of, temporary_name
from napari_sdcolor.opening import open_regular, refuse_irregular

_NO_LINKS = {
    getattr(errno, name)
    for name in ('EPERM', 'ENOSYS', 'EOPNOTSUPP', 'ENOTSUP', 'EMLINK', 'EXDEV')
    if hasattr(errno, name)
}

Known = Callable[[bytes], bool]
"""Tells by the first ``HEAD`` bytes of a file whether it is one of ours."""

HEAD = 2**16

SIGNATURE = 'napari-sdcolor'
"""Stands in the head of pictures, pages and records that are written anew."""


def is_signed(head: bytes) -> bool:
    """``Known`` for files that hold the ``SIGNATURE``."""
    return SIGNATURE.encode() in head


def begins_with(beginning: str) -> Known:
    """``Known`` for files that begin with a text, such as column names."""

    def known(head: bytes) -> bool:
        # A file that was cut off may end inside it.
        return head.startswith(beginning.encode()[: len(head)])

    return known


def is_record_of(name: str) -> Known:
    """``Known`` for JSON objects that have a field of this name."""

    def known(head: bytes) -> bool:
        return head.startswith(b'{') and f'"{name}":'.encode() in head

    return known


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


def write_new(path: Path, content: bytes) -> None:
    """Write one new file; its folder is made if it is missing.

    Raises
    ------
    SaveError
        See ``Publication``.
    """
    with explaining(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    publish([(path, content)])


def replace_file(path: Path, content: bytes, known: Known) -> None:
    """Write a file of our own anew, as a whole or not at all.

    Parameters
    ----------
    path
        Its folder is made if it is missing.
    content
        All of it.
    known
        Tells whether a file that is there may go.

    Raises
    ------
    ForeignFile
        If another file has this name, or a link.
    SaveError
        If the disk does not take it; an earlier file is still there then.
    """
    with explaining(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, known) as stream:
            stream.write(content)


@contextlib.contextmanager
def replacing(path: Path, known: Known) -> Iterator[BinaryIO]:
    """A stream for a file of our own that is written anew.

    The file gets its new content when the block ends, and keeps the old one
    if the block fails.

    Parameters
    ----------
    path, known
        As for ``replace_file``.

    Raises
    ------
    ForeignFile
        As ``replace_file``, before anything is written.
    OSError
        With the file's name, if the disk does not take it.
    """
    refuse_foreign(path, known)
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


def refuse_foreign(path: Path, known: Known) -> None:
    """Refuse if a name belongs to something that we did not write.

    Raises
    ------
    ForeignFile
        If it does.
    OSError
        If it cannot be looked at.
    """
    if not os.path.lexists(path):
        return
    if not stat.S_ISREG(os.lstat(path).st_mode):
        raise ForeignFile(path, 'it is a link or no file at all')
    with open_regular(path) as stream:
        head = stream.read(HEAD)
    if head and not known(head):
        raise ForeignFile(path, 'it is no file that this program wrote')


def open_own(path: Path, known: Known, *, append: bool = False) -> int:
    """Open a file of our own that is read and written in place.

    Nothing is written or cut off before it is known to be ours.

    Parameters
    ----------
    path
        Made, empty, if it is missing.
    known
        Tells whether what is there is ours.
    append
        Write at the end, wherever it is by then.

    Returns
    -------
    int
        A descriptor for reading and writing.

    Raises
    ------
    ForeignFile
        If the name belongs to a link, to a file that has further names, or
        to one that is not ours.
    OSError
        If it cannot be opened.
    """
    flags = os.O_RDWR | os.O_CREAT | (os.O_APPEND if append else 0)
    for name in ('O_NOFOLLOW', 'O_NONBLOCK', 'O_CLOEXEC', 'O_BINARY'):
        flags |= getattr(os, name, 0)
    if os.path.islink(path):  # where the system knows no O_NOFOLLOW
        raise ForeignFile(path, 'it is a link')
    try:
        descriptor = os.open(path, flags, 0o666)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise ForeignFile(path, 'it is a link or no file') from error
        raise
    with contextlib.ExitStack() as otherwise:
        otherwise.callback(os.close, descriptor)
        status = os.fstat(descriptor)
        try:
            refuse_irregular(status, path)
        except OSError as error:
            raise ForeignFile(path, str(error.strerror)) from error
        if status.st_nlink > 1:
            raise ForeignFile(path, 'the same file has other names too')
        head = _head(descriptor)
        if head and not known(head):
            raise ForeignFile(path, 'it is no file that this program wrote')
        otherwise.pop_all()
    return descriptor


def _head(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    head = os.read(descriptor, HEAD)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return head


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
    removed. Files of other people are never touched. If the process is
    killed between the first name and the last, ``leftovers`` knows it.
    """

    def __init__(self) -> None:
        self._ready: list[tuple[Path, Path]] = []
        self._temporaries: list[Path] = []
        self._token = secrets.token_hex(8)

    def __enter__(self) -> Publication:
        return self

    def __exit__(self, *error: object) -> None:
        # The last one at the end: it tells that the result is complete.
        for temporary in self._temporaries:
            _remove(temporary)
            _remove(marker_of(temporary))

    @contextlib.contextmanager
    def open(self, path: Path) -> Iterator[BinaryIO]:
        """A stream for the content of one file, to write, read and seek.

        Raises
        ------
        SaveError
            If the disk does not take it.
        """
        name = temporary_name(self._token, len(self._temporaries))
        temporary = path.with_name(name)
        self._temporaries.append(temporary)
        with explaining(path), _to_disk(temporary) as stream:
            yield stream
        self._ready.append((temporary, path))

    def write(self, path: Path, content: bytes) -> None:
        """The whole content of one file; see ``open``."""
        with self.open(path) as stream:
            stream.write(content)

    def publish(self) -> None:
        """Give the files their names, in the order in which they were opened.

        Raises
        ------
        SaveError
            If a name is taken by now; then none of the files exists.
        """
        order = {path: n for n, path in enumerate(self._temporaries)}
        ready = sorted(self._ready, key=lambda pair: order[pair[0]])
        with contextlib.ExitStack() as published:
            for temporary, path in ready:
                with explaining(path):
                    _give_name(temporary, path)
                published.callback(_remove, path)
            for folder in {path.parent for _, path in ready}:
                with explaining(folder):
                    _sync_folder(folder)
            published.pop_all()


def _temporary(path: Path) -> Path:
    return path.with_name(temporary_name(secrets.token_hex(8), 0))


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
    # that one, which is known to be ours. The marker will know it as ours
    # when its temporary name is gone.
    status = os.stat(temporary)
    mark = [path.name, status.st_size, status.st_mtime_ns]
    with open(marker_of(temporary), 'xb', opener=_opened) as stream:
        stream.write(json.dumps(mark).encode())
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
