"""The report as one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
import heapq
import json
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from napari_sdcolor.classes import CLASSES

MOST = 20_000
"""Photos on the page; a browser gets slow with many more."""

_DATA, _LEGEND = '<!-- data -->', '<!-- legend -->'


def write_page(
    stream: TextIO,
    facts: Mapping[str, Any],
    entries: Iterable[Mapping[str, Any]],
    thumbnails: Path,
) -> None:
    """Write the page, entry by entry.

    Parameters
    ----------
    stream
        Open for writing text.
    facts
        Head of the report.
    entries
        Of ``report``; with more than ``MOST`` of them, those that a person
        should look at come first and the rest is left to the CSV file.
    thumbnails
        File that holds the pictures one after the other.
    """
    template = (resources.files(__package__) / 'report.html').read_text(
        encoding='utf-8'
    )
    template = template.replace(_LEGEND, _legend())
    before, after = template.split(_DATA)
    total = sum(
        count
        for name, count in facts['summary'].items()
        if name != 'needs_person'
    )
    stream.write(before)
    _write_script(stream, 'facts', [dict(facts) | {'total': total}])
    with thumbnails.open('rb') as pictures:
        _write_script(stream, 'entries', _shown(entries, total, pictures))
    stream.write(after)


def _shown(
    entries: Iterable[Mapping[str, Any]], total: int, pictures: BinaryIO
) -> Iterator[dict[str, Any]]:
    if total > MOST:
        entries = heapq.nsmallest(MOST, entries, key=_urgency)
    for entry in entries:
        yield _small(entry, pictures)


def _urgency(entry: Mapping[str, Any]) -> tuple[bool, bool]:
    return entry['status'] != 'failed', not entry['needs_person']


def _small(entry: Mapping[str, Any], pictures: BinaryIO) -> dict[str, Any]:
    """What the page needs of an entry, under short names."""
    small = {
        'p': entry['photo'],
        's': 'person' if entry['needs_person'] else entry['status'],
        'c': entry['confidence'],
        'o': list(entry['outputs']),
        'm': entry['map'],
        'n': [
            text
            for text in (entry['reason'], entry['understood'], *entry['notes'])
            if text
        ],
    }
    if entry['thumbnail']:
        place, length = entry['thumbnail']
        pictures.seek(place)
        small['t'] = base64.b64encode(pictures.read(length)).decode('ascii')
    return small


def _write_script(
    stream: TextIO, name: str, items: Iterable[Mapping[str, Any]]
) -> None:
    """A JSON array in the page; nothing in it can end the script."""
    stream.write(f'<script type="application/json" id="{name}">[')
    mark = '\n'
    for item in items:
        text = json.dumps(item, separators=(',', ':'))
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
