"""Thousands of damaged and hostile files: nothing breaks, nothing is lost.

By default a sample is tried; ``SDCOLOR_FAULTS=1`` tries all of them::

    SDCOLOR_FAULTS=1 pytest tests/faults/test_mutated_files.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

COUNT = 2400 if os.environ.get('SDCOLOR_FAULTS') else 150
CHUNK = 300
BOMBS = 18
PATIENCE = 60
"""Seconds of processor time for one file."""

MOST = 1200
"""Megabytes of the whole process, of which torch alone takes some 300."""


def work_through(
    folder: Path, kind: str, start: int, stop: int
) -> list[dict[str, Any]]:
    """What came of each file; the child has to live to its end."""
    script = Path(__file__).with_name('work_through.py')
    words = [sys.executable, script, folder, kind, start, stop, PATIENCE]
    child = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60 + PATIENCE * (stop - start),
    )
    lines = [json.loads(line) for line in child.stdout.splitlines()]
    assert child.returncode == 0, (lines[-1:], child.stderr[-2000:])
    names, told = lines[::2], lines[1::2]
    return [{**a, **b} for a, b in zip(names, told, strict=True)]


def assert_unharmed(outcomes: list[dict[str, Any]]) -> None:
    troubled = [told for told in outcomes if told['trouble']]
    assert troubled == []
    assert max(told['megabytes'] for told in outcomes) < MOST
    for told in outcomes:
        assert bool(told['pages']) != bool(told['refused'])
        if told['refused']:
            # One sentence that names the file and ends.
            assert told['file'] in told['refused']
            assert told['refused'].endswith('.')


@pytest.mark.parametrize('start', range(0, COUNT, CHUNK))
def test_mutated_files(
    tmp_path: Path, start: int, tried: Callable[..., None]
) -> None:
    stop = min(start + CHUNK, COUNT)
    tried(stop - start)
    outcomes = work_through(tmp_path, 'mutated', start, stop)
    assert len(outcomes) == stop - start
    assert_unharmed(outcomes)
    # Damage that is never noticed, or always, would prove nothing.
    refused = sum(bool(told['refused']) for told in outcomes)
    assert 0.3 < refused / len(outcomes) < 0.97


def test_bombs(tmp_path: Path, tried: Callable[..., None]) -> None:
    tried(BOMBS)
    outcomes = work_through(tmp_path, 'bombs', 0, BOMBS + 1)
    assert len(outcomes) == BOMBS
    assert_unharmed(outcomes)
    # What lies beside the picture is left out, and strips of no rows are
    # one strip, as for other readers.
    harmless = {
        'png text.png',
        'png profile.png',
        'tiff deflate.tif',
        'tiff strips.tif',
    }
    read = {told['file'] for told in outcomes if told['pages']}
    assert read <= harmless
