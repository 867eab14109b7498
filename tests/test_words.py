"""Counts, times and lists as people say them."""

from __future__ import annotations

import pytest

from napari_sdcolor.words import counted, duration, listed, short_duration


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
