"""The one door for reading: regular files only, and no more than they hold.

A name that a person, a sidecar or another program gives may belong to a pipe,
a device, a socket or a file that the kernel makes up. Opening or reading such
a thing can wait for ever or never end. Whatever the package reads comes
through here.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

JSON_BYTES = 2**24
"""No JSON file that this program reads is larger."""

TEXT_BYTES = 2**28
"""No table or list of names that this program reads is larger."""

HASHED_BYTES = 2**40
"""No file that this program hashes is larger."""

_PART = 2**20

_DIGITS = 400
"""No number that is a float has more before its point."""

_KINDS = {
    stat.S_IFDIR: 'a folder',
    stat.S_IFIFO: 'a named pipe',
    stat.S_IFSOCK: 'a socket',
    stat.S_IFCHR: 'a device',
    stat.S_IFBLK: 'a device',
}

# A pipe without a writer would keep ``open`` waiting, a terminal could become
# that of this process; where the system knows no such flags it has no such
# things either.
_FLAGS = os.O_RDONLY | sum(
    getattr(os, name, 0)
    for name in ('O_NONBLOCK', 'O_NOCTTY', 'O_CLOEXEC', 'O_BINARY')
)


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file for reading; what is no regular file is refused.

    Links are followed: what counts is what they lead to.

    Parameters
    ----------
    path
        Of the file.

    Returns
    -------
    BinaryIO
        At its beginning.

    Raises
    ------
    OSError
        If it cannot be opened or is no regular file; ``strerror`` says so
        in words.
    ValueError
        If the path holds a NUL.
    """
    return open(path, 'rb', opener=_opened)


def _opened(path: str, flags: int) -> int:
    # Looked at before it is opened, for opening alone can move a tape or
    # drop a connection; and again behind, for the name may be another's now.
    refuse_irregular(os.stat(path), path)
    descriptor = os.open(path, _FLAGS)
    try:
        refuse_irregular(os.fstat(descriptor), path)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def refuse_irregular(
    status: os.stat_result, path: str | os.PathLike[str]
) -> None:
    """Refuse what is no regular file.

    Raises
    ------
    OSError
        With the kind of thing that it is, in words.
    """
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        words = f'it is {_KINDS.get(kind, "something else")}, not a file'
        code = errno.EISDIR if kind == stat.S_IFDIR else errno.EINVAL
        raise OSError(code, words, os.fspath(path))


def read_whole(path: str | os.PathLike[str], most: int) -> bytes:
    """All bytes of a file.

    Parameters
    ----------
    path
        Of a regular file.
    most
        Files of more bytes are refused before anything is read.

    Raises
    ------
    OSError
        As ``open_regular``, and if it is larger.
    """
    with open_regular(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > most:
            raise OSError(
                errno.EFBIG,
                f'it holds {size} bytes, and more than {most} are refused',
                os.fspath(path),
            )
        # Files that the kernel makes up say that they are empty, and some
        # of them never end.
        return stream.read(size)


def sha256_of_stream(stream: BinaryIO, most: int = HASHED_BYTES) -> str:
    """SHA-256 of all bytes of an open file.

    It ends where the file ended when it began, also if the file grows.

    Parameters
    ----------
    stream
        Of a regular file.
    most
        Files of more bytes are refused before anything is read: holes of
        a disk and what the kernel makes up can claim any size.

    Raises
    ------
    OSError
        If it is larger, or cannot be read.
    """
    left = stream.seek(0, os.SEEK_END)
    if left > most:
        raise OSError(
            errno.EFBIG,
            f'it holds {left} bytes, and more than {most} are not hashed',
        )
    stream.seek(0)
    digest = hashlib.sha256()
    while part := stream.read(min(left, _PART)):
        digest.update(part)
        left -= len(part)
    return digest.hexdigest()


def read_text(path: str | os.PathLike[str], most: int = TEXT_BYTES) -> str:
    """The text of a file in UTF-8, with or without a byte order mark.

    Raises
    ------
    OSError
        As ``read_whole``.
    ValueError
        If it is no UTF-8.
    """
    return read_whole(path, most).decode('utf-8-sig')


def read_json(path: str | os.PathLike[str]) -> Any:
    """What a JSON file of at most ``JSON_BYTES`` holds.

    Raises
    ------
    OSError
        As ``read_whole``.
    ValueError
        As ``parse_json``.
    """
    return parse_json(read_whole(Path(path), JSON_BYTES))


def parse_json(data: str | bytes, *, once: bool = False) -> Any:
    """What a JSON text holds; numbers are finite, depth is bounded.

    Parameters
    ----------
    data
        The text.
    once
        Refuse tables that name a thing twice: readers do not agree on which
        of the two counts.

    Raises
    ------
    ValueError
        If it is no JSON, nested too deeply, or holds a number that is none
        or beyond all measure.
    """
    try:
        return json.loads(
            data,
            object_pairs_hook=_named_once if once else None,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
    except RecursionError as error:
        raise ValueError('it is nested too deeply') from error
    except UnicodeDecodeError as error:
        raise ValueError('it is no text in UTF-8') from error
    except json.JSONDecodeError as error:
        raise ValueError(
            f'it is no JSON at line {error.lineno}, column {error.colno}'
        ) from error


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError('a table in it names a thing twice')
    return table


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f'it holds {name}, which is no number')


def _whole(text: str) -> int:
    # Python counts the digits of long ones itself, and tells programmers.
    if len(text) > _DIGITS:
        raise ValueError('it holds a number beyond all measure')
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if abs(number) == float('inf'):
        raise ValueError('it holds a number beyond all measure')
    return number
