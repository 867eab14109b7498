"""Output folders: made when they are needed, and gone if nothing came."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile

from napari_sdcolor.errors import FolderError, why_not

_IN_THE_WAY = (errno.EEXIST, errno.ENOTDIR)


@contextlib.contextmanager
def output_folder(folder: Path) -> Iterator[Path]:
    """An output folder into which files can be written.

    It is made if it is missing, with its parents. Those folders that were
    made here and are still empty in the end are removed again, so that a
    command that fails leaves nothing behind.

    Parameters
    ----------
    folder
        The folder.

    Raises
    ------
    FolderError
        If it cannot be made or nothing can be written into it.
    """
    with contextlib.ExitStack() as made:
        try:
            for place in reversed(_missing(folder)):
                if _make(place):
                    made.callback(_remove_if_empty, place)
            # The one sure way to find out; the file never has a name.
            with TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise _explained(folder, error) from error
        yield folder


def _missing(folder: Path) -> list[Path]:
    """The folder and those of its parents that are not there."""
    missing = []
    for place in (folder, *folder.parents):
        if place.exists():
            break
        missing.append(place)
    return missing


def _make(place: Path) -> bool:
    """Make one folder; False if somebody else has just done so."""
    try:
        place.mkdir()
    except FileExistsError:
        if place.is_dir():
            return False
        raise
    return True


def _remove_if_empty(place: Path) -> None:
    with contextlib.suppress(OSError):
        place.rmdir()


def _explained(folder: Path, error: OSError) -> FolderError:
    reason = (
        'there is a file in its place'
        if error.errno in _IN_THE_WAY
        else 'no folder can be made there'
        if error.errno == errno.ENOENT
        else why_not(error)[0]
    )
    return FolderError(
        f'{folder} cannot be the output folder: {reason}. Choose another one.'
    )
