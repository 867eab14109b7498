"""Noticing that another program writes to a file while it is read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from napari_sdcolor.archive.scan import DECODE_ERRORS
from napari_sdcolor.errors import PhotoError
from napari_sdcolor.opening import sha256_of_stream


class Unchanged:
    """An open file that must stay as it was when it was opened.

    Parameters
    ----------
    stream
        The file, of which nothing was read yet.

    Attributes
    ----------
    sha256 : str
        Of its bytes, once they are known.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.sha256 = ''
        self._stream = stream
        self._known = self._status()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """What is read within is of the very file that was opened.

        Raises
        ------
        PhotoError
            If it was written to. With the reason only; the caller names the
            file.
        """
        self._refuse_changed()
        try:
            yield
        except (PhotoError, *DECODE_ERRORS):
            self._refuse_changed()  # which explains it better
            raise
        self._refuse_changed()

    def hashed(self) -> str:
        """SHA-256 of the bytes as they are now."""
        return sha256_of_stream(self._stream)

    def _status(self) -> os.stat_result:
        return os.fstat(self._stream.fileno())

    def _refuse_changed(self) -> None:
        now, known = self._status(), self._known
        if _written(now) == _written(known):
            if now.st_ctime_ns == known.st_ctime_ns:
                return
            # Names, links and permissions that change move this time too,
            # as backups and file managers do; reading does not. So does
            # writing, after which the time of writing can be put back: the
            # bytes tell. (Windows has no such time and keeps the same one.)
            if self.sha256:
                same = self.hashed() == self.sha256
            else:
                same = now.st_nlink != known.st_nlink
            if same:
                self._known = now
                return
        raise PhotoError('it was changed while it was read')


def _written(status: os.stat_result) -> tuple[int, ...]:
    return status.st_size, status.st_mtime_ns, status.st_dev, status.st_ino
