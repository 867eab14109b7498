"""Files of our own that are written again, or that grow in place.

A name may belong to another file by now: a link that leads to a master, or
something that a person put there. Nothing is written, cut off or replaced
before it is known to be ours.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from napari_sdcolor.errors import ForeignFile
from napari_sdcolor.files import explaining, sync_folder, to_disk
from napari_sdcolor.leftovers import temporary_name
from napari_sdcolor.opening import open_regular, refuse_irregular

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
    temporary = path.with_name(temporary_name(secrets.token_hex(8), 0))
    try:
        with to_disk(temporary) as stream:
            yield stream
        os.replace(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        if error.filename is None or Path(error.filename) == temporary:
            error.filename = str(path)
        raise
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


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


def open_own_stream(
    path: Path, known: Known, *, append: bool = False
) -> BinaryIO:
    """The same as a stream: at the end to append, else at the beginning."""
    descriptor = open_own(path, known, append=append)
    return open(descriptor, 'ab' if append else 'r+b')


def _head(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    head = os.read(descriptor, HEAD)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return head
