"""How far the photos of a plan are, read without touching anything."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_sdcolor.batch.corrections import is_outdated
from napari_sdcolor.batch.names import JOURNAL, THUMBNAILS
from napari_sdcolor.batch.outcome import DONE, FAILED
from napari_sdcolor.batch.plan import Plan, Refused, Task

WAITING, CORRECTED = 'waiting', 'corrected'
"""Not colored yet; to be colored anew by a map that a person corrected."""


@dataclass(frozen=True)
class PhotoStatus:
    """How far one photo is.

    Parameters
    ----------
    key
        Of the task; the path of a file that cannot be used.
    source
        The photo's file.
    folder
        Where its results go.
    status
        ``WAITING``, ``DONE``, ``FAILED`` or ``CORRECTED``.
    reason
        Why it failed, as a sentence.
    confidence
        Mean confidence in [0, 1]; None if its map was given by a person.
    thumbnail
        WebP picture of photo, map and color side by side.
    place
        Where ``THUMBNAILS`` holds it instead: start and length in bytes.
    understood
        What was understood of it, its tones among that; empty if it is not
        colored.
    """

    key: str
    source: str
    folder: str
    status: str = WAITING
    reason: str = ''
    confidence: float | None = None
    thumbnail: bytes = b''
    place: tuple[int, int] | None = None
    understood: str = ''


def read_records(output: Path) -> dict[str, dict[str, Any]]:
    """The last record of the journal about every photo, by its key.

    Other than ``Journal`` it only reads, so that it may look on while a
    batch runs. Lines that cannot be read are left out.
    """
    records: dict[str, dict[str, Any]] = {}
    try:
        stream = (output / JOURNAL).open('rb')
    except OSError:
        return records
    with stream:
        for line in stream:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict) and 'key' in record:
                records[record['key']] = record
    return records


def has_begun(output: Path) -> bool:
    """Whether a batch has worked in a folder."""
    return (output / JOURNAL).is_file()


def read_statuses(plan: Plan) -> list[PhotoStatus]:
    """How far every photo of a plan is, in the order of the plan.

    Files that cannot be used come last, files of other kinds not at all.
    """
    records = read_records(plan.output)
    found = [_standing(task, records.get(task.key)) for task in plan.tasks]
    return found + [_refused(item) for item in plan.refused if item.failed]


def read_thumbnail(output: Path, place: tuple[int, int]) -> bytes:
    """A picture that an earlier run made; empty if it cannot be read."""
    start, length = place
    try:
        with (output / THUMBNAILS).open('rb') as stream:
            stream.seek(start)
            return stream.read(length)
    except OSError:
        return b''


def _standing(task: Task, record: Mapping[str, Any] | None) -> PhotoStatus:
    known = {'key': task.key, 'source': task.source, 'folder': task.folder}
    if record is None or record['status'] not in (DONE, FAILED):
        return PhotoStatus(**known)
    if record['status'] == FAILED:
        return PhotoStatus(**known, status=FAILED, reason=record['reason'])
    place = record.get('thumbnail')
    try:
        outdated = is_outdated(task, record)
    except OSError:
        outdated = False  # the run itself will say what is wrong
    return PhotoStatus(
        **known,
        status=CORRECTED if outdated else DONE,
        understood=record.get('understood', ''),
        confidence=record['confidence'],
        place=(place[0], place[1]) if place else None,
    )


def _refused(item: Refused) -> PhotoStatus:
    return PhotoStatus(
        item.path, item.path, os.path.dirname(item.path), FAILED, item.reason
    )


def read_made_with(output: Path) -> dict[str, Any] | None:
    """Settings, format and weights of the latest batch in a folder."""
    latest = None
    try:
        stream = (output / JOURNAL).open('rb')
    except OSError:
        return None
    with stream:
        for line in stream:
            if line.startswith(b'{"journal"'):
                try:
                    latest = json.loads(line)
                except ValueError:
                    continue
    return latest
