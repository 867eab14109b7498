"""By what a file is known: its first bytes, never its suffix."""

from __future__ import annotations

import os

from napari_sdcolor.opening import open_regular

HEAD = 16
"""So many bytes tell the kind of a file."""

_SIGNATURES = {
    'tiff': (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+'),
    'png': (b'\x89PNG\r\n\x1a\n',),
    'jpeg': (b'\xff\xd8\xff',),
    'jpeg2000': (b'\0\0\0\x0cjP  \r\n\x87\n', b'\xff\x4f\xff\x51'),
}


def kind_of(head: bytes) -> str:
    """The kind of a file of which the first ``HEAD`` bytes are given.

    Returns
    -------
    str
        'tiff', 'png', 'jpeg', 'jpeg2000', 'webp', or '' for what this
        program does not read.
    """
    for kind, signatures in _SIGNATURES.items():
        if head.startswith(signatures):
            return kind
    is_webp = head[:4] == b'RIFF' and head[8:12] == b'WEBP'
    return 'webp' if is_webp else ''


def looks_like_photo(path: str | os.PathLike[str]) -> bool:
    """Whether a file is of a kind that can be read, by its first bytes.

    Raises
    ------
    OSError
        If it cannot be opened or is no regular file.
    """
    with open_regular(path) as stream:
        return bool(kind_of(stream.read(HEAD)))
