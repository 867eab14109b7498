"""The one door for writing: all of a result or nothing, never over another file.

A file is written under a temporary name in its own folder, brought to the
disk, and only then gets its name. What is written again, or grows in place,
goes through ``own_files``. Nothing else in the package opens a file for
writing.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from napari_sdcolor.errors import NameTaken, SaveError, why_not
from napari_sdcolor.leftovers import marker_of, temporary_name
from napari_sdcolor.opening import (
    HASHED_BYTES,
    open_regular,
    sha256_of_stream,
)

_NO_LINKS = {
    getattr(errno, name)
    for name in ('EPERM', 'ENOSYS', 'EOPNOTSUPP', 'ENOTSUP', 'EMLINK', 'EXDEV')
    if hasattr(errno, name)
}


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


def sha256_of(path: str | os.PathLike[str], most: int = HASHED_BYTES) -> str:
    """SHA-256 of a file's bytes.

    Parameters
    ----------
    path
        Of a regular file.
    most
        Files of more bytes are refused before anything is read.

    Raises
    ------
    OSError
        If it is larger, or cannot be read.
    """
    with open_regular(path) as stream:
        try:
            return sha256_of_stream(stream, most)
        except OSError as error:
            error.filename = os.fspath(path)
            raise


def refuse_existing(paths: Sequence[Path]) -> None:
    """Refuse if any of the files exists.

    Raises
    ------
    NameTaken
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
        with open_regular(path) as source, to_disk(place) as stream:
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
        with explaining(path), to_disk(temporary) as stream:
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
        NameTaken, SaveError
            If a name is taken by now, or the disk does not take the files;
            then none of them exists.
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
                    sync_folder(folder)
            published.pop_all()


@contextlib.contextmanager
def to_disk(path: Path) -> Iterator[BinaryIO]:
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


def sync_folder(folder: Path) -> None:
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
    kind = NameTaken if error.errno == errno.EEXIST else SaveError
    return kind(
        f'{path} was not written: {reason}. {remedy}. Nothing of this '
        'result was saved.',
        reason,
    )
