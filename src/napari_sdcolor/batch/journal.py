"""The journal: what is known about every photo of an output folder.

One JSON object per line, appended and brought to the disk before anything
else happens. The last line about a photo counts. A line that was torn by a
crash is dropped. It is the only memory of a batch: with it, a second run
goes on where the first was killed.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from napari_sdcolor.errors import ForeignFile, PlanError
from napari_sdcolor.files import open_own
from napari_sdcolor.opening import open_regular

JOURNAL = 'sdcolor-journal.jsonl'
"""Its file in the output folder."""

FORMAT = 1

_BEGINNING = re.compile(rb'\{"journal": \d+[,}]')


class Journal:
    """The journal of one output folder, open for appending.

    Parameters
    ----------
    output
        An existing folder; the journal in it is made if it is missing.

    Attributes
    ----------
    damaged : int
        Lines that could not be read, a torn last one not counted.

    Raises
    ------
    ForeignFile
        If the folder holds a file or link of that name that is no journal.
    PlanError
        If it is one of a newer version.
    """

    def __init__(self, output: Path) -> None:
        self.path = output / JOURNAL
        self.damaged = 0
        self._places: dict[str, tuple[int, int]] = {}
        self._last_run: tuple[int, int] | None = None
        self._guard = threading.Lock()
        self._file = open_own(self.path, is_journal, append=True)
        with ExitStack() as otherwise:
            otherwise.callback(self.close)
            self._scan()
            otherwise.pop_all()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; nothing is ever pending."""
        os.close(self._file)

    def _scan(self) -> None:
        """Find the last line about every photo; cut off a torn one."""
        place = 0
        with open(os.dup(self._file), 'rb') as stream:
            for line in stream:
                if not line.endswith(b'\n'):
                    break
                self._note(line, place)
                place += len(line)
        if place < os.fstat(self._file).st_size:
            if place == 0 and not _is_torn(line):
                raise ForeignFile(self.path, 'it is no journal of a batch')
            os.ftruncate(self._file, place)

    def _note(self, line: bytes, place: int) -> None:
        record = _parsed(line)
        if record is None:
            self.damaged += 1
        elif 'journal' in record:
            if record['journal'] != FORMAT:
                raise PlanError(
                    f'{self.path} was written by a newer version of '
                    'napari-sdcolor. Install that version.'
                )
            self._last_run = place, len(line)
        elif 'key' in record:
            self._places[record['key']] = place, len(line)

    @property
    def is_new(self) -> bool:
        """Whether no batch has begun in this folder."""
        return self._last_run is None

    def last_run(self) -> dict[str, Any] | None:
        """What the latest batch in this folder was asked to do."""
        return self._last_run and self._read(self._last_run)

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The last record about every photo, in order of first mention."""
        for key in list(self._places):
            yield self[key]

    def __getitem__(self, key: str) -> dict[str, Any]:
        return self._read(self._places[key])

    def get(self, key: str) -> dict[str, Any] | None:
        """The last record about a photo, None if it is not known."""
        place = self._places.get(key)
        return None if place is None else self._read(place)

    def begin(self, facts: Mapping[str, Any]) -> None:
        """Record what a batch is asked to do."""
        self._append([{'journal': FORMAT, **facts}])

    def add(
        self, records: Iterable[Mapping[str, Any]], *, sync: bool = True
    ) -> None:
        """Append records, each with a ``key``, and bring them to the disk.

        Parameters
        ----------
        records
            JSON-serializable.
        sync
            Wait for the disk. What need not outlast a power cut is there
            all the same when the process dies.

        Raises
        ------
        OSError
            If the disk does not take them; then none of them is there.
        """
        self._append(list(records), sync)

    def _append(
        self, records: list[Mapping[str, Any]], sync: bool = True
    ) -> None:
        lines = [
            json.dumps(record, allow_nan=False).encode() + b'\n'
            for record in records
        ]
        with self._guard:
            start = os.fstat(self._file).st_size
            try:
                self._write(b''.join(lines))
                if sync:
                    os.fsync(self._file)
            except OSError:
                os.ftruncate(self._file, start)
                raise
            for line in lines:
                self._note(line, start)
                start += len(line)

    def _write(self, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def _read(self, place: tuple[int, int]) -> dict[str, Any]:
        start, length = place
        with self._guard:
            os.lseek(self._file, start, os.SEEK_SET)
            content = b''
            while len(content) < length:
                content += os.read(self._file, length - len(content))
        return json.loads(content)


def is_journal(head: bytes) -> bool:
    """``files.Known`` for journals: they begin with what a batch was asked."""
    return _is_torn(head) or _BEGINNING.match(head) is not None


def _is_torn(head: bytes) -> bool:
    """Whether this may be what a crash left of the very first line."""
    beginning = f'{{"journal": {FORMAT}, "settings"'.encode()
    return head.startswith(beginning[: len(head)])


def read_records(output: Path) -> dict[str, dict[str, Any]]:
    """The last record about every photo, by its key.

    Other than ``Journal`` it only reads, so that it may look on while a
    batch runs. Lines that cannot be read are left out.
    """
    return {each['key']: each for each in _read(output) if 'key' in each}


def read_last_run(output: Path) -> dict[str, Any] | None:
    """What the latest batch was asked to do, read as ``read_records`` does."""
    runs = [each for each in _read(output) if 'journal' in each]
    return runs[-1] if runs else None


def _read(output: Path) -> Iterator[dict[str, Any]]:
    try:
        stream = open_regular(output / JOURNAL)
    except OSError:
        return
    with stream:
        for line in stream:
            record = _parsed(line)
            if record is not None:
                yield record


def _parsed(line: bytes) -> dict[str, Any] | None:
    """One line; None if it is damaged."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
