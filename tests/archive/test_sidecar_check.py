"""The schema bounds all that it names, and what it does not name is bounded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from napari_sdcolor.archive import sidecar_check
from napari_sdcolor.archive.sidecar_check import (
    MOST_DEPTH,
    read_content,
    schema,
)
from napari_sdcolor.archive.tiff_chain import MAX_PAGES
from napari_sdcolor.errors import PhotoError

BOUNDS = {
    'string': ('maxLength', 'pattern'),
    'array': ('maxItems',),
    'integer': ('maximum',),
    'number': ('maximum',),
}


def _parts(part: Any, place: str = '') -> Iterator[tuple[str, dict]]:
    """All schemas within a schema."""
    if isinstance(part, dict):
        if 'type' in part:
            yield place, part
        for name, inner in part.items():
            yield from _parts(inner, f'{place}/{name}')
    elif isinstance(part, list):
        for number, inner in enumerate(part):
            yield from _parts(inner, f'{place}/{number}')


def test_everything_that_has_a_meaning_is_bounded():
    for place, part in _parts(schema()):
        kinds = part['type']
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            wanted = BOUNDS.get(kind)
            assert wanted is None or any(name in part for name in wanted), (
                f'{place} has no {" or ".join(wanted)}'
            )


def test_as_many_pages_as_are_read():
    pages = schema()['properties']['pages']
    assert pages['maxItems'] == MAX_PAGES
    number = schema()['$defs']['page']['properties']['page']
    assert number['maximum'] == MAX_PAGES - 1


@pytest.mark.parametrize('beyond', [0, 1])
def test_depth(tmp_path, beyond):
    path = tmp_path / 'a.json'
    depth = MOST_DEPTH + beyond
    path.write_text('[' * depth + ']' * depth)
    if beyond:
        with pytest.raises(ValueError, match='nested too deeply'):
            read_content(path)
    else:
        read_content(path)


def test_more_values_than_any_album(tmp_path, monkeypatch):
    monkeypatch.setattr(sidecar_check, 'MOST_VALUES', 10)
    path = tmp_path / 'a.json'
    path.write_text(json.dumps([0] * 9))
    assert read_content(path) == [0] * 9
    path.write_text(json.dumps([0] * 10))
    with pytest.raises(ValueError, match='more than 10 values'):
        read_content(path)


def test_what_does_not_fit_into_memory_is_not_parsed(tmp_path, monkeypatch):
    path = tmp_path / 'a.json'
    path.write_text(json.dumps([0] * 1000))
    monkeypatch.setattr(
        'napari_sdcolor.archive.scan.free_memory', lambda: 10**5
    )
    with pytest.raises(PhotoError, match='memory'):
        read_content(path)
