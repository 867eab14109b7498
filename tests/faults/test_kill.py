"""Killed at any moment, a second run gives what one run would have given."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from . import batch_process
from .batch_process import ended, forked

pytestmark = pytest.mark.skipif(
    not hasattr(os, 'fork'), reason='kills forked processes'
)


@pytest.fixture
def whole(photos, tmp_path, contents) -> dict[str, str]:
    """What one undisturbed run gives."""
    assert batch_process.run(str(photos), str(tmp_path / 'whole'), 1) == 0
    return contents(tmp_path / 'whole')


def duration(photos: Path, out: Path) -> float:
    """Seconds that an undisturbed run takes."""
    began = time.monotonic()
    assert ended(forked(photos, out)) == 0
    return time.monotonic() - began


def no_half_files(found: dict[str, str], whole: dict[str, str]) -> None:
    """Whatever has a name is complete."""
    for place, digest in found.items():
        if not Path(place).name.startswith('.'):
            assert whole[place] == digest


def test_killed_at_random_moments(
    photos, tmp_path, whole, thorough, contents, untouched, tried
):
    before = untouched(photos)
    longest = duration(photos, tmp_path / 'measured')
    seed = int(os.environ.get('SDCOLOR_FAULTS_SEED', '5'))
    chance = random.Random(seed)
    interrupted = 0
    for number in range(60 if thorough else 4):
        out = tmp_path / f'out {number}'
        # Killed once, twice or three times in a row.
        for _ in range(chance.randint(1, 3)):
            child = forked(photos, out)
            time.sleep(chance.uniform(0, longest))
            os.kill(child, signal.SIGKILL)
            tried()
            interrupted += ended(child) == -signal.SIGKILL
            if out.exists():
                no_half_files(contents(out), whole)
        assert ended(forked(photos, out)) == 0, number
        assert contents(out) == whole, number
        assert not list(out.rglob('.*.part'))
        assert not (out / '.sdcolor-lock').exists()
        shutil.rmtree(out)
    assert interrupted > number / 2
    assert untouched(photos) == before


POINTS = ('open', 'link', 'unlink', 'fsync', 'write', 'replace')


def die_at(point: str, number: int) -> None:
    """Have the n-th call of a function kill this process."""
    real = getattr(os, point)
    calls = 0

    def counted(*args, **more):
        nonlocal calls
        calls += 1
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **more)

    setattr(os, point, counted)


@pytest.mark.parametrize('point', POINTS)
def test_killed_at_every_step(
    photos, tmp_path, whole, point, thorough, contents, tried
):
    """The n-th call of each function that changes the disk is the last."""
    number, out = 1, tmp_path / 'out'
    while True:
        if ended(forked(photos, out, partial(die_at, point, number))) == 0:
            break
        tried()
        no_half_files(contents(out), whole)
        assert ended(forked(photos, out)) == 0, number
        assert contents(out) == whole, number
        shutil.rmtree(out)
        number += 1 if thorough else 3 * number + 2
    assert number > 1
    assert contents(out) == whole


def test_two_processes_and_two_threads(
    photos, tmp_path, whole, contents, thorough
):
    """A fresh process, with another number of threads: the same bytes."""
    for threads in (1, 2) if thorough else (2,):
        out = tmp_path / f'threads {threads}'
        command = [
            sys.executable,
            batch_process.__file__,
            str(photos),
            str(out),
            str(threads),
        ]
        subprocess.run(command, check=True, capture_output=True)
        assert contents(out) == whole
