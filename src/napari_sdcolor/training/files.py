"""Files of a run: whole or not at all, and never lost to a full disk."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from napari_sdcolor.errors import said

_FULL = (errno.ENOSPC, getattr(errno, 'EDQUOT', errno.ENOSPC))


def replace_file(path: Path, content: bytes) -> None:
    """Write a file; the one of that name stays until the new one is whole.

    Raises
    ------
    OSError
        If it cannot be written, for instance on a full disk. Nothing is
        left of it, and the old file is as it was.
    """
    part = path.with_name(f'{path.name}.part')
    try:
        with part.open('wb') as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def why_not_written(error: OSError) -> str:
    """Why writing failed, as the end of a sentence."""
    if error.errno in _FULL:
        return 'the disk is full'
    return said(error)
