"""Names that become part of a path.

A name out of a table, a file or a person's hands is only a name: it must not
lead out of the folder that it is put into, on any system.
"""

from __future__ import annotations

import os
import re

MOST_BYTES = 200
"""File systems take 255; suffixes come behind."""

_DEVICES = re.compile(
    r'(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?',
    re.IGNORECASE | re.DOTALL,
)
"""What Windows takes for a device, with or without a suffix."""


def safe_name(name: str, *, here: bool = False) -> str:
    """A name that is safe as one part of a path, unchanged.

    Parameters
    ----------
    name
        Not yet part of a path.
    here
        Look only for what leads out of a folder: for names that files of
        this machine have already, whatever other systems think of them.

    Raises
    ------
    ValueError
        If it is not, with the reason as a part of a sentence.
    """
    if not name.strip():
        raise ValueError('it is empty')
    if name in ('.', '..'):
        raise ValueError('it stands for another folder')
    if (
        '/' in name
        or '\0' in name
        or (os.name == 'nt' and set(name) & {*'\\:'})
    ):
        raise ValueError('it holds a path')
    if not here:
        _refuse_elsewhere(name)
    return name


def _refuse_elsewhere(name: str) -> None:
    """Refuse a name that some system or shell cannot take.

    Raises
    ------
    ValueError
        With the reason.
    """
    if '\\' in name or ':' in name:
        raise ValueError('it holds a backslash or a colon')
    if not name.isprintable():
        raise ValueError('it holds signs that cannot be printed')
    if name.startswith('~'):
        raise ValueError('it begins with "~"')
    if name.endswith(('.', ' ')):
        raise ValueError('it ends with a dot or a space')
    if _DEVICES.fullmatch(name):
        raise ValueError('Windows has a device of that name')
    if len(name.encode()) > MOST_BYTES:
        raise ValueError(f'it is longer than {MOST_BYTES} bytes')


def safe_path(path: str) -> str:
    """A relative path with slashes whose every part is a safe name.

    Raises
    ------
    ValueError
        As ``safe_name``.
    """
    for name in path.split('/'):
        safe_name(name)
    return path
