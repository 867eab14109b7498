"""The report of an output folder: JSON and CSV for programs, HTML for people.

It covers all that the journal knows, not only the latest run, and is
written anew at the end of every run.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

from napari_sdcolor._version import __version__
from napari_sdcolor.archive.labels import LABELS_SUFFIX
from napari_sdcolor.archive.sidecar import SIDECAR_SUFFIX
from napari_sdcolor.batch.journal import Journal
from napari_sdcolor.batch.names import REPORTS, THUMBNAILS
from napari_sdcolor.batch.outcome import DONE, FAILED, Outcome
from napari_sdcolor.batch.plan import Plan
from napari_sdcolor.batch.report_page import write_page
from napari_sdcolor.files import replacing

FORMAT = 1

WAITING, SKIPPED = 'waiting', 'skipped'
"""Not colored yet; a file of another kind."""

COLUMNS = (
    'photo',
    'status',
    'needs_person',
    'confidence',
    'map',
    'color',
    'reason',
    'understood',
    'notes',
    'source_sha256',
    'color_sha256',
)

Entry = dict[str, Any]


def write_report(
    plan: Plan,
    journal: Journal,
    failures: Mapping[str, Outcome],
    confidence: float,
) -> tuple[Path, ...]:
    """Write the three files of the report.

    Parameters
    ----------
    plan
        Of the latest run.
    journal
        Of the output folder.
    failures
        Photos that failed in the latest run, by their keys.
    confidence
        Photos whose mean confidence in [0, 1] is lower are flagged.

    Returns
    -------
    tuple of Path
        JSON, CSV and HTML file.

    Raises
    ------
    OSError
        If they cannot be written; the earlier ones are still there then.
    """

    def entries() -> Iterator[Entry]:
        return _entries(plan, journal, failures, confidence)

    counts = Counter(entry['status'] for entry in entries())
    flagged = sum(entry['needs_person'] for entry in entries())
    facts = {
        'format': FORMAT,
        'software': f'napari-sdcolor {__version__}',
        'summary': dict(sorted(counts.items())) | {'needs_person': flagged},
        'confidence': confidence,
        'made_with': journal.last_run(),
    }
    thumbnails = plan.output / THUMBNAILS
    writers: dict[str, Callable[[TextIO], None]] = {
        'json': lambda stream: _write_json(stream, facts, entries()),
        'csv': lambda stream: _write_csv(stream, entries()),
        'html': lambda stream: write_page(
            stream, facts, entries(), thumbnails
        ),
    }
    written = []
    for kind, writer in writers.items():
        path = plan.output / REPORTS[kind]
        _renew(path, writer)
        written.append(path)
    return tuple(written)


def _entries(
    plan: Plan,
    journal: Journal,
    failures: Mapping[str, Outcome],
    confidence: float,
) -> Iterator[Entry]:
    """One entry per photo and per file that was left out."""
    planned = {task.key for task in plan.tasks}
    for task in plan.tasks:
        record = journal.get(task.key)
        if task.key in failures:
            reason = failures[task.key].reason
            yield _entry(task.source, FAILED, reason=reason)
        elif record is None:
            yield _entry(task.source, WAITING)
        else:
            yield _from_record(record, confidence)
    for record in journal:
        # Of earlier inputs, only what is there is told.
        if record['key'] not in planned and record['status'] == DONE:
            yield _from_record(record, confidence)
    for item in plan.refused:
        status = FAILED if item.failed else SKIPPED
        yield _entry(item.path, status, reason=item.reason)


def _entry(photo: str, status: str, **more: Any) -> Entry:
    return {
        'photo': photo,
        'status': status,
        'needs_person': False,
        'confidence': None,
        'map': '',
        'color': '',
        'outputs': {},
        'reason': '',
        'understood': '',
        'notes': [],
        'source_sha256': '',
        'color_sha256': '',
        'seconds': {},
        'thumbnail': None,
    } | more


def _from_record(record: Mapping[str, Any], confidence: float) -> Entry:
    if record['status'] == FAILED:
        return _entry(record['source'], FAILED, reason=record['reason'])
    if record['status'] != DONE:
        return _entry(record['source'], WAITING)
    folder = record['key'].rpartition('/')[0]
    outputs = {
        f'{folder}/{name}' if folder else name: digest
        for name, digest in record['outputs'].items()
    }
    color = next(
        name
        for name in outputs
        if not name.endswith((LABELS_SUFFIX, SIDECAR_SUFFIX))
    )
    sure = record['confidence']
    given = any(digest for _, digest in record['maps'])
    return _entry(
        record['source'],
        DONE,
        needs_person=sure is not None and sure < confidence,
        confidence=sure,
        map='given' if given else 'predicted',
        color=color,
        outputs=outputs,
        understood=record['understood'],
        notes=record['notes'],
        source_sha256=record['source_sha256'],
        color_sha256=outputs[color],
        seconds=record['seconds'],
        thumbnail=record.get('thumbnail'),
    )


def _write_json(
    stream: TextIO, facts: Mapping[str, Any], entries: Iterator[Entry]
) -> None:
    head = json.dumps(facts, indent=1)
    stream.write(head.removesuffix('\n}') + ',\n "photos": [')
    mark = '\n  '
    for entry in entries:
        del entry['thumbnail']
        stream.write(mark + json.dumps(entry))
        mark = ',\n  '
    stream.write('\n ]\n}\n')


def _write_csv(stream: TextIO, entries: Iterator[Entry]) -> None:
    table = csv.DictWriter(stream, COLUMNS, extrasaction='ignore')
    table.writeheader()
    for entry in entries:
        table.writerow(entry | {'notes': ' '.join(entry['notes'])})


def _renew(path: Path, writer: Callable[[TextIO], None]) -> None:
    """Replace a file as a whole or not at all."""
    with replacing(path) as stream:
        # Names that are no text are shown with their odd bytes escaped.
        text = TextIOWrapper(
            stream, 'utf-8', errors='backslashreplace', newline=''
        )
        writer(text)
        text.detach()
