"""Lines of a journal, believed only as far as they can be true.

Disks fail, files are edited, folders come from other people. What a line
says leads to files that are compared, replaced and shown, so a line in which
anything cannot be true is not used at all.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import Any, BinaryIO, NamedTuple

from napari_sdcolor.batch.outcome import BEGUN, DONE, FAILED, PLANNED
from napari_sdcolor.opening import parse_json

FORMAT = 1
"""Of the journals that this version writes."""

MOST = 2**24
"""No line has more bytes."""

_PIECE = 2**20
_THUMBNAIL_BYTES = 2**24
_FILE_BYTES = 2**62
_PAGES = 2**31

Record = dict[str, Any]


class Line(NamedTuple):
    """One line of a journal.

    Parameters
    ----------
    number
        From 1.
    place, length
        Of all its bytes in the file.
    content
        Its bytes; empty if it has more than ``MOST``.
    whole
        Whether it is ended; if not, it is the last one.
    """

    number: int
    place: int
    length: int
    content: bytes
    whole: bool


def read_lines(stream: BinaryIO) -> Iterator[Line]:
    """The lines of an open journal; memory is needed for one at most."""
    number = place = 0
    while first := stream.readline(MOST + 1):
        length, end = len(first), first
        while len(end) > _PIECE and not end.endswith(b'\n'):
            # Too long: what follows is passed by.
            end = stream.readline(2 * _PIECE)
            length += len(end)
        number += 1
        content = first if length <= MOST else b''
        yield Line(number, place, length, content, end.endswith(b'\n'))
        place += length


def parse_record(line: bytes) -> Record | None:
    """What a line says; None if it is damaged.

    Returns
    -------
    dict or None
        What a run was asked to do, where it has ``journal``; the SHA-256 of
        files of the report, by their names, where it has ``reports``; else
        what is known about the photo named by ``key``. All of it is of the
        kind and in the range that ``Outcome`` tells.
    """
    try:
        record = parse_json(line)
    except ValueError:
        return None
    if not isinstance(record, dict):
        return None
    if 'journal' in record:
        return record if _is_run(record) else None
    if 'reports' in record:
        return record if _are_files(record['reports']) else None
    if not {'key', 'status'} <= record.keys():
        return None
    good = all(
        _FIELDS[name](value)
        for name, value in record.items()
        if name in _FIELDS
    )
    return record if good else None


def is_newer(record: Mapping[str, Any]) -> bool:
    """Whether a run was that of a version with other journals."""
    return record['journal'] != FORMAT


def _is_run(record: Mapping[str, Any]) -> bool:
    form = record['journal']
    if not _is_count(form, 2**16) or form < FORMAT:
        return False
    if is_newer(record):
        return True
    return all(
        isinstance(record.get(name, {}), dict)
        for name in ('settings', 'weights')
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_path(value: object) -> bool:
    if not isinstance(value, str) or '\0' in value:
        return False
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        return False
    return True


def _is_inside(value: object) -> bool:
    """Whether it is a path that stays in the folder where it begins."""
    if not _is_path(value):
        return False
    path = PurePath(value)
    return not path.anchor and '..' not in path.parts


def _is_name(value: object) -> bool:
    return _is_inside(value) and PurePath(value).name == value != ''


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch('[0-9a-f]{64}', value))


def _is_count(value: object, limit: int) -> bool:
    return type(value) is int and 0 <= value < limit


def _is_number(value: object, most: float = math.inf) -> bool:
    return type(value) in (int, float) and 0 <= value <= most


def _is_source_digest(value: object) -> bool:
    return value == '' or _is_digest(value)


def _is_share(value: object) -> bool:
    return value is None or _is_number(value, 1)


def _are_files(value: object) -> bool:
    return isinstance(value, dict) and all(
        _is_name(name) and _is_digest(digest) for name, digest in value.items()
    )


def _are_maps(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, list)
        and len(pair) == 2
        and (pair[0] is None or _is_count(pair[0], _PAGES))
        and (pair[1] is None or _is_digest(pair[1]))
        for pair in value
    )


def _are_notes(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _are_seconds(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_number, value.values()))


def _is_own(value: object) -> bool:
    return isinstance(value, dict)


def _is_yes(value: object) -> bool:
    return value is True


def _is_status(value: object) -> bool:
    return value in (BEGUN, DONE, FAILED, PLANNED)


def _is_place(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and _is_count(value[0], _FILE_BYTES)
        and _is_count(value[1], _THUMBNAIL_BYTES)
    )


_FIELDS: Mapping[str, Callable[[object], bool]] = {
    'key': _is_inside,
    'source': _is_path,
    'status': _is_status,
    'reason': _is_text,
    'source_sha256': _is_source_digest,
    'outputs': _are_files,
    'maps': _are_maps,
    'own': _is_own,
    'confidence': _is_share,
    'understood': _is_text,
    'notes': _are_notes,
    'seconds': _are_seconds,
    'thumbnail': _is_place,
    'superseded': _is_inside,
    'replaced': _are_files,
    'alone': _is_yes,
    'damage': _are_notes,
}
"""What a photo's line may say, and whether it can be true."""
