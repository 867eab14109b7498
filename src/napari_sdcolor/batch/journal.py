"""The journal: what is known about every photo of an output folder.

One JSON object per line, appended and brought to the disk before anything
else happens. The last line about a photo counts. A line that was torn by a
crash is dropped, one that was damaged otherwise is told and not used. It is
the only memory of a batch: with it, a second run goes on where the first was
killed.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from napari_sdcolor.batch.records import (
    FORMAT,
    Line,
    Record,
    is_newer,
    parse_record,
    read_lines,
)
from napari_sdcolor.errors import ForeignFile, PlanError
from napari_sdcolor.opening import open_regular
from napari_sdcolor.own_files import open_own
from napari_sdcolor.words import counted, listed

JOURNAL = 'sdcolor-journal.jsonl'
"""Its file in the output folder."""

NAMED = 20
"""So many damaged lines are told by their numbers."""


class Journal:
    """The journal of one output folder, open for appending.

    Parameters
    ----------
    output
        An existing folder; the journal in it is made if it is missing.

    Attributes
    ----------
    damaged : int
        Lines that are not used, a torn last one not counted.
    damaged_lines : list of int
        The numbers of the first ``NAMED`` of them, from 1.

    Raises
    ------
    ForeignFile
        If the folder holds a file or link of that name that is no journal.
    PlanError
        If it is one of a newer version, or one that no longer tells what
        was asked for.
    """

    def __init__(self, output: Path) -> None:
        self.path = output / JOURNAL
        self.damaged = 0
        self.damaged_lines: list[int] = []
        self._places: dict[str, tuple[int, int]] = {}
        self._last_run: tuple[int, int] | None = None
        self._reports: set[tuple[str, str]] = set()
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
        end, line = 0, None
        with open(os.dup(self._file), 'rb') as stream:
            for line in read_lines(stream):
                if not line.whole:
                    break
                self._note(line)
                end = line.place + line.length
        if end and self.is_new:
            raise PlanError(self._what_is_missing())
        if line is not None and not line.whole:
            if end == 0 and not _is_torn(line.content):
                raise ForeignFile(self.path, 'it is no journal of a batch')
            os.ftruncate(self._file, end)

    def _note(self, line: Line) -> None:
        record = parse_record(line.content)
        if record is None:
            self.damaged += 1
            if self.damaged <= NAMED:
                self.damaged_lines.append(line.number)
        elif 'journal' in record and is_newer(record):
            raise PlanError(
                f'{self.path} was written by a newer version of '
                'napari-sdcolor. Install that version.'
            )
        else:
            self._remember(record, line.place, line.length)

    def _remember(
        self, record: Mapping[str, Any], place: int, length: int
    ) -> None:
        if 'journal' in record:
            self._last_run = place, length
        elif 'reports' in record:
            self._reports.update(record['reports'].items())
        else:
            self._places[record['key']] = place, length

    def _what_is_missing(self) -> str:
        if not self._places:
            return (
                f'{self.path} is no journal of a batch. Choose another '
                'output folder.'
            )
        return (
            f'{self.path} is damaged: no line of it tells the settings with '
            'which the photos in this folder were colored. Choose another '
            'output folder.'
        )

    @property
    def damage(self) -> str:
        """A sentence on the lines that are not used, or ''."""
        if not self.damaged:
            return ''
        were = 'was' if self.damaged == 1 else 'were'
        numbers = listed(self.damaged_lines, NAMED)
        if self.damaged > NAMED:
            numbers += ', …'
        return (
            f'{counted(self.damaged, "line")} of the journal {self.path} '
            f'{were} damaged and not used: '
            f'{"line" if self.damaged == 1 else "lines"} {numbers}. What '
            'they told counts as unknown.'
        )

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

    def begin_report(self, name: str, digest: str) -> None:
        """Record what a file of the report is about to hold.

        Parameters
        ----------
        name
            In the output folder.
        digest
            SHA-256 of its bytes.
        """
        self._append([{'reports': {name: digest}}])

    def has_written(self, name: str, digest: str) -> bool:
        """Whether a run wrote these very bytes into a file of the report."""
        return (name, digest) in self._reports

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
            except OSError as error:
                error.filename = os.fspath(self.path)
                os.ftruncate(self._file, start)
                raise
            for record, line in zip(records, lines, strict=True):
                self._remember(record, start, len(line))
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
    """``own_files.Known`` for journals: a line of it can be one of ours."""
    return _is_torn(head) or any(
        parse_record(line) is not None for line in head.splitlines()
    )


def _is_torn(head: bytes) -> bool:
    """Whether this may be what a crash left of the very first line."""
    beginning = f'{{"journal": {FORMAT}, "settings"'.encode()
    return head.startswith(beginning[: len(head)])


def read_records(output: Path) -> dict[str, Record]:
    """The last record about every photo, by its key.

    Other than ``Journal`` it only reads, so that it may look on while a
    batch runs. Lines that are damaged are left out.
    """
    records = map(parse_record, _whole_lines(output))
    return {each['key']: each for each in records if each and 'key' in each}


def read_last_run(output: Path) -> Record | None:
    """What the latest batch was asked to do, read as ``read_records`` does."""
    last = None
    for line in _whole_lines(output):
        # Of very many lines only a few are about a run.
        if b'"journal"' in line:
            record = parse_record(line)
            if record and 'journal' in record and not is_newer(record):
                last = record
    return last


def _whole_lines(output: Path) -> Iterator[bytes]:
    try:
        stream = open_regular(output / JOURNAL)
    except OSError:
        return
    with stream:
        for line in read_lines(stream):
            yield line.content
