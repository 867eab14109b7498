"""The report of an output folder: JSON and CSV for programs, HTML for people.

It covers all that the journal knows, not only the latest run, and is
written anew at the end of every run. What a person wrote into it is kept
beside it: the journal knows the very bytes that a run wrote. The page needs
nothing beside it.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import heapq
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from html import escape
from importlib import resources
from io import TextIOWrapper
from itertools import count
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote

from napari_sdcolor._version import __version__
from napari_sdcolor.archive.formats import LABELS_SUFFIX, SIDECAR_SUFFIX
from napari_sdcolor.batch.journal import Journal
from napari_sdcolor.batch.outcome import (
    DONE,
    FAILED,
    SKIPPED,
    WAITING,
    Outcome,
)
from napari_sdcolor.batch.plan import Plan
from napari_sdcolor.batch.thumbnails import read_thumbnail
from napari_sdcolor.classes import CLASSES
from napari_sdcolor.files import keep_copy, sha256_of
from napari_sdcolor.own_files import (
    begins_with,
    is_signed,
    refuse_foreign,
    replacing,
)
from napari_sdcolor.words import cell, shown

REPORTS = {kind: f'sdcolor-report.{kind}' for kind in ('json', 'csv', 'html')}
"""Its files in the output folder."""

FORMAT = 1

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
    'damage',
    'source_sha256',
    'color_sha256',
)
"""Of the CSV file."""

_KNOWN = {
    REPORTS['json']: is_signed,
    REPORTS['csv']: begins_with('photo,status,needs_person,'),
    REPORTS['html']: is_signed,
}

MOST = 20_000
"""Photos on the page; a browser gets slow with many more."""

Entry = dict[str, Any]
"""What the JSON file tells of a photo."""


def write_report(
    plan: Plan,
    journal: Journal,
    failures: Mapping[str, Outcome],
    confidence: float,
    say: Callable[[str], object] = str,
) -> tuple[Path, ...]:
    """Write the three files of the report.

    One that no run wrote as it is, since a person edited it, is kept under
    another name.

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
    say
        Is told in words what was kept.

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
        for outcome in _outcomes(plan, journal, failures):
            yield _entry(outcome, confidence)

    counts = Counter(entry['status'] for entry in entries())
    flagged = sum(entry['needs_person'] for entry in entries())
    facts = {
        'format': FORMAT,
        'software': f'napari-sdcolor {__version__}',
        'summary': dict(sorted(counts.items())) | {'needs_person': flagged},
        'confidence': confidence,
        'made_with': journal.last_run(),
    }
    paths = tuple(plan.output / name for name in REPORTS.values())
    with _replacing(paths[0], journal, say) as stream:
        _write_json(stream, facts, entries())
    with _replacing(paths[1], journal, say) as stream:
        _write_csv(stream, entries())
    with _replacing(paths[2], journal, say) as stream:
        _write_page(stream, facts, entries(), plan.output)
    return paths


def refuse_foreign_reports(output: Path) -> None:
    """Refuse if the name of a report belongs to another file.

    Raises
    ------
    ForeignFile
        If one does.
    """
    for name, known in _KNOWN.items():
        refuse_foreign(output / name, known)


def _outcomes(
    plan: Plan, journal: Journal, failures: Mapping[str, Outcome]
) -> Iterator[Outcome]:
    """One per photo and per file that was left out."""
    for task in plan.tasks:
        record = journal.get(task.key)
        if task.key in failures:
            yield failures[task.key]
        elif record is None or record['status'] not in (DONE, FAILED):
            yield Outcome(task.key, task.source, WAITING)
        else:
            yield Outcome.from_record(record)
    planned = {task.key for task in plan.tasks}
    for record in journal:
        # Of earlier inputs, only what is there is told.
        if record['key'] not in planned and record['status'] == DONE:
            yield Outcome.from_record(record)
    for item in plan.refused:
        status = FAILED if item.failed else SKIPPED
        yield Outcome(item.path, item.path, status, item.reason)


def _entry(outcome: Outcome, confidence: float) -> Entry:
    folder, _, _ = outcome.key.rpartition('/')
    outputs = {
        f'{folder}/{name}' if folder else name: digest
        for name, digest in outcome.outputs.items()
    }
    color = next(
        (
            name
            for name in outputs
            if not name.endswith((LABELS_SUFFIX, SIDECAR_SUFFIX))
        ),
        '',
    )
    by = ''
    if outcome.status == DONE:
        given = any(digest for _, digest in outcome.maps)
        by = 'given' if given else 'predicted'
    return {
        'photo': outcome.source,
        'status': outcome.status,
        'needs_person': outcome.needs_person(confidence),
        'confidence': outcome.confidence,
        'map': by,
        'color': color,
        'outputs': outputs,
        'reason': outcome.reason,
        'understood': outcome.understood,
        'notes': outcome.notes,
        'damage': outcome.damage,
        'source_sha256': outcome.source_sha256,
        'color_sha256': outputs.get(color, ''),
        'seconds': outcome.seconds,
        'thumbnail': outcome.thumbnail_place,
    }


def _write_json(
    stream: TextIO, facts: Mapping[str, Any], entries: Iterable[Entry]
) -> None:
    head = json.dumps(facts, indent=1, allow_nan=False)
    stream.write(head.removesuffix('\n}') + ',\n "photos": [')
    mark = '\n  '
    for entry in entries:
        del entry['thumbnail']
        stream.write(mark + json.dumps(entry, allow_nan=False))
        mark = ',\n  '
    stream.write('\n ]\n}\n')


def _write_csv(stream: TextIO, entries: Iterable[Entry]) -> None:
    table = csv.DictWriter(stream, COLUMNS, extrasaction='ignore')
    table.writeheader()
    for entry in entries:
        lists = {name: ' '.join(entry[name]) for name in ('notes', 'damage')}
        table.writerow(
            {
                name: cell(fact) if isinstance(fact, str) else fact
                for name, fact in (entry | lists).items()
            }
        )


# --- the page -------------------------------------------------------------


def _write_page(
    stream: TextIO,
    facts: Mapping[str, Any],
    entries: Iterable[Entry],
    output: Path,
) -> None:
    """Write the page, entry by entry.

    With more than ``MOST`` of them, those that a person should look at come
    first and the rest is left to the CSV file.
    """
    template = (resources.files(__package__) / 'report.html').read_text(
        encoding='utf-8'
    )
    template = template.replace('<!-- legend -->', _legend())
    before, after = template.split('<!-- data -->')
    summary = facts['summary']
    total = sum(summary.values()) - summary['needs_person']
    if total > MOST:
        entries = heapq.nsmallest(MOST, entries, key=_urgency)
    stream.write(before)
    _write_script(stream, 'facts', [dict(facts) | {'total': total}])
    shown = (_small(entry, output) for entry in entries)
    _write_script(stream, 'entries', shown)
    stream.write(after)


def _urgency(entry: Entry) -> tuple[bool, bool]:
    return entry['status'] != FAILED, not entry['needs_person']


def _small(entry: Entry, output: Path) -> dict[str, Any]:
    """What the page needs of an entry, under short names."""
    small = {
        'p': shown(entry['photo']),
        's': 'person' if entry['needs_person'] else entry['status'],
        'c': entry['confidence'],
        'o': [_link(name) for name in entry['outputs']],
        'm': entry['map'],
        'n': [
            shown(text)
            for text in (entry['reason'], entry['understood'], *entry['notes'])
            if text
        ],
    }
    if entry['thumbnail']:
        picture = read_thumbnail(output, entry['thumbnail'])
        small['t'] = base64.b64encode(picture).decode('ascii')
    return small


def _link(path: str) -> tuple[str, str]:
    """What is read of a file, and the address that leads to it.

    A name may be no text: the address has the very bytes of it.
    """
    return shown(path.rpartition('/')[2]), quote(os.fsencode(path))


def _write_script(
    stream: TextIO, name: str, items: Iterable[Mapping[str, Any]]
) -> None:
    """A JSON array in the page; nothing in it can end the script."""
    stream.write(f'<script type="application/json" id="{name}">[')
    mark = '\n'
    for item in items:
        text = json.dumps(item, separators=(',', ':'), allow_nan=False)
        stream.write(mark + text.replace('<', '\\u003c'))
        mark = ',\n'
    stream.write('\n]</script>\n')


def _legend() -> str:
    groups: dict[str, list[str]] = {}
    for entry in CLASSES:
        red, green, blue = entry.color
        groups.setdefault(entry.group, []).append(
            f'<li><i style="background:rgb({red},{green},{blue})"></i>'
            f'{escape(entry.title)}</li>'
        )
    return '\n'.join(
        f'<section><h3>{escape(group)}</h3><ul>{"".join(items)}</ul></section>'
        for group, items in groups.items()
    )


@contextmanager
def _replacing(
    path: Path, journal: Journal, say: Callable[[str], object]
) -> Iterator[TextIO]:
    """A stream to a file that is replaced as a whole or not at all."""
    with replacing(path, _KNOWN[path.name]) as stream:
        # Names that are no text are shown with their odd bytes escaped.
        text = TextIOWrapper(
            stream, 'utf-8', errors='backslashreplace', newline=''
        )
        yield text
        text.detach()
        stream.seek(0)
        digest = hashlib.file_digest(stream, 'sha256').hexdigest()
        # Known before it has its name: killed in between, the next run meets
        # the file of the run before, which is known, too.
        journal.begin_report(path.name, digest)
        _keep_edited(path, journal, say)


def _keep_edited(
    path: Path, journal: Journal, say: Callable[[str], object]
) -> None:
    """Keep what a person made of a file of the report."""
    if not path.exists():
        return
    if journal.has_written(path.name, sha256_of(path)):
        return
    for number in count(1):
        place = path.with_suffix(f'.edited-{number}{path.suffix}')
        with suppress(FileExistsError):
            keep_copy(path, place)
            break
    say(
        f'{path} was changed after it was written. What it held is kept as '
        f'{place.name}.'
    )
