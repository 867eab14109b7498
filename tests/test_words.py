"""Counts, times and lists as people say them."""

from __future__ import annotations

import pytest

from napari_sdcolor.words import (
    cell,
    counted,
    duration,
    listed,
    short_duration,
    shown,
)


def test_counts() -> None:
    assert [counted(n, 'photo') for n in range(3)] == [
        '0 photos',
        '1 photo',
        '2 photos',
    ]
    assert counted(1, 'process', 'processes') == '1 process'
    assert counted(3, 'process', 'processes') == '3 processes'
    assert counted(12000, 'file') == '12000 files'
    assert counted(12000, 'file', commas=True) == '12,000 files'


def test_lists() -> None:
    assert listed([], 2) == ''
    assert listed(['a', 'b'], 2) == 'a, b'
    assert listed(['a', 'b', 'c'], 2) == 'a, b, …'
    assert listed([61, 62, 70], 1) == '61, …'


@pytest.mark.parametrize(
    ('seconds', 'words'),
    [
        (0, 'less than a minute'),
        (59, 'less than a minute'),
        (61, 'about 1 minute'),
        (35 * 60, 'about 35 minutes'),
        (3600, 'about 1 hour'),
        (2 * 3600 + 61, 'about 2 hours 1 minute'),
        (3 * 86400, 'about 3 days'),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ('seconds', 'words'),
    [
        (0.2, '0 s'),
        (89, '89 s'),
        (90, '2 min'),
        (89 * 60, '89 min'),
        (3 * 3600 + 20 * 60, '3 h 20 min'),
        (52 * 3600, '2 d 4 h'),
    ],
)
def test_short_durations(seconds: float, words: str) -> None:
    assert short_duration(seconds) == words


@pytest.mark.parametrize(
    ('words', 'seen'),
    [
        ('castle.tif', 'castle.tif'),
        ('Schlo\u00df \u57ce\u3000\u0e01 \U0001f3f0', None),
        ('\x1b[2J', r'\x1b[2J'),
        ('\x9b2J\x85', r'\x9b2J\x85'),
        ('a\nb\rc\td', r'a\nb\rc\td'),
        ('\u202eabc\u202c', r'\u202eabc\u202c'),
        ('\u2066\u2069\u200e\u200f\u061c', r'\u2066\u2069\u200e\u200f\u061c'),
        ('\u200b\u200d\u2060\ufeff\xad', r'\u200b\u200d\u2060\ufeff\xad'),
        ('\u2028\u2029', r'\u2028\u2029'),
        ('\ue000\U000e0041\u0378', r'\ue000\U000e0041\u0378'),
        ('\u3164\u115f\u2800', r'\u3164\u115f\u2800'),
        ('caf\udce9 \ud800', r'caf\xe9 \ud800'),
    ],
)
def test_every_character_is_shown(words: str, seen: str | None) -> None:
    assert shown(words) == (words if seen is None else seen)
    assert shown(shown(words)) == shown(words)


@pytest.mark.parametrize(
    'words',
    ['=1', '+1', '-1', '@a', '\t=1', '\r=1', ' =1', ' "=1"', "'=1", '\uff1d1'],
)
def test_a_spreadsheet_calculates_nothing(words: str) -> None:
    assert cell(words) == f"'{shown(words)}"


def test_nothing_acts_in_a_cell() -> None:
    words = 'a\x1b[2J\u202eb'
    assert cell(words) == shown(words) != words
    assert cell(f'={words}') == f"'={shown(words)}"


@pytest.mark.parametrize('words', ['', 'a', 'a=1', '1-2', '"a"', ' a', '/-1'])
def test_cells_that_are_text_anyway(words: str) -> None:
    assert cell(words) == words
