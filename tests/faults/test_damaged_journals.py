"""A journal that was damaged is used as far as it can be true."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_sdcolor.batch.journal import JOURNAL, read_last_run, read_records
from napari_sdcolor.errors import SdcolorError

from . import batch_process

DEEP = b'[' * 50_000


def flipped(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 20)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] + data[start + chance.randint(1, 400) :]


def shuffled(data: bytes, chance: random.Random) -> bytes:
    first, *lines = data.splitlines(keepends=True)
    chance.shuffle(lines)
    return first + b''.join(lines + lines[:3])


def nested(data: bytes, chance: random.Random) -> bytes:
    first, *lines = data.splitlines(keepends=True)
    lines.insert(chance.randrange(len(lines)), DEEP + b'\n')
    return first + b''.join(lines)


def exaggerated(data: bytes, chance: random.Random) -> bytes:
    number = chance.choice([b'-1', b'9' * 40, b'1e999', b'NaN', b'[]'])
    place = data.rindex(b'"thumbnail": [') + len(b'"thumbnail": [')
    return data[:place] + number + data[data.index(b',', place) :]


KINDS = [flipped, cut, shuffled, nested, exaggerated]


@pytest.mark.parametrize('damage', KINDS)
def test_a_rerun_uses_what_is_left(
    photos: Path,
    tmp_path: Path,
    thorough: bool,
    contents,
    untouched,
    tried: Callable[..., None],
    damage: Callable[[bytes, random.Random], bytes],
) -> None:
    whole = tmp_path / 'whole'
    assert batch_process.run(str(photos), str(whole), 1) == 0
    before, wanted = untouched(photos), contents(whole)
    chance = random.Random(5)
    for number in range(20 if thorough else 2):
        tried()
        out = tmp_path / f'out {number}'
        shutil.copytree(whole, out)
        journal = out / JOURNAL
        journal.write_bytes(damage(journal.read_bytes(), chance))
        read_records(out), read_last_run(out)
        try:
            batch_process.run(str(photos), str(out), 1)
        except SdcolorError as error:
            assert str(out) in str(error)
        found = contents(out)
        # Nothing is lost, and nothing becomes another file.
        assert {name: found.get(name) for name in wanted} == wanted
        shutil.rmtree(out)
    assert untouched(photos) == before
