"""Damaged lines of a journal: told, not used, and never fatal."""

from __future__ import annotations

import io
import json

import pytest

from napari_sdcolor.batch import records
from napari_sdcolor.batch.journal import (
    NAMED,
    Journal,
    read_last_run,
    read_records,
)
from napari_sdcolor.batch.outcome import Outcome
from napari_sdcolor.batch.records import parse_record, read_lines
from napari_sdcolor.errors import PlanError

HASH = '0123456789abcdef' * 4
GOOD = {
    'key': 'box 1/a',
    'source': '/scans/box 1/a.tif',
    'status': 'done',
    'source_sha256': HASH,
    'outputs': {'a.color.tif': HASH},
    'maps': [[None, None], [3, HASH]],
    'own': {'size': 64},
    'confidence': 0.5,
    'understood': 'gray',
    'notes': ['note'],
    'seconds': {'read': 0.1},
    'thumbnail': [0, 3000],
    'superseded': 'sdcolor-superseded/box 1/a/1',
    'replaced': {'a.color.tif': HASH},
}
BAD = [
    ('key', 7),
    ('key', None),
    ('key', ['a']),
    ('key', '../a'),
    ('key', 'a/../../b'),
    ('key', '/etc/a'),
    ('key', 'a\0b'),
    ('key', 'a\ud800'),
    ('source', 7),
    ('source', 'a\0b'),
    ('status', 'gone'),
    ('status', ['done']),
    ('status', None),
    ('reason', {}),
    ('source_sha256', 7),
    ('source_sha256', HASH[1:]),
    ('source_sha256', HASH.replace('f', 'g')),
    ('outputs', [HASH]),
    ('outputs', {'a.color.tif': 'short'}),
    ('outputs', {'../a.color.tif': HASH}),
    ('outputs', {'/etc/passwd': HASH}),
    ('outputs', {'..': HASH}),
    ('outputs', {'': HASH}),
    ('maps', {}),
    ('maps', [None]),
    ('maps', [[None]]),
    ('maps', [[-1, None]]),
    ('maps', [[True, None]]),
    ('maps', [[2**64, None]]),
    ('maps', [[0.5, None]]),
    ('maps', [[None, 'short']]),
    ('own', []),
    ('confidence', 'high'),
    ('confidence', 1.5),
    ('confidence', -1),
    ('confidence', True),
    ('understood', None),
    ('notes', 'note'),
    ('notes', [7]),
    ('seconds', [1]),
    ('seconds', {'read': 'long'}),
    ('thumbnail', 7),
    ('thumbnail', [0]),
    ('thumbnail', [-1, 5]),
    ('thumbnail', [0, -5]),
    ('thumbnail', [2**64, 5]),
    ('thumbnail', [0, 2**40]),
    ('thumbnail', [0.5, 5]),
    ('superseded', '../../x'),
    ('replaced', {'a': 7}),
]
DAMAGED = [
    b'\x00\xff',
    b'',
    b'null',
    b'7',
    b'[1]',
    b'{}',
    b'{"key": "a"}',
    b'{"status": "done"}',
    b'[' * 100_000,
    b'{"key":' * 50_000,
    b'{"key": "a", "status": "done", "confidence": NaN}',
    b'{"key": "a", "status": "done", "confidence": 1e999}',
    b'{"key": "a", "status": "done", "confidence": ' + b'9' * 5000 + b'}',
    b'{"journal": "1"}',
    b'{"journal": 1.5}',
    b'{"journal": -1}',
    b'{"journal": true}',
    b'{"journal": 1, "settings": []}',
    b'{"journal": 1, "weights": "default"}',
]


def line_of(record: object) -> bytes:
    return json.dumps(record).encode()


def test_what_this_version_writes_is_believed() -> None:
    assert parse_record(line_of(GOOD)) == GOOD
    outcome = Outcome.from_record(GOOD)
    told = outcome.record()
    assert told == {name: GOOD[name] for name in told}
    assert len(told) == len(GOOD) - 2


def test_records_of_few_words_have_the_rest_by_default() -> None:
    record = parse_record(b'{"key": "a", "status": "done"}')
    outcome = Outcome.from_record(record)
    assert (outcome.source, outcome.maps, outcome.notes) == ('a', (), ())


@pytest.mark.parametrize(('name', 'value'), BAD, ids=repr)
def test_what_cannot_be_true(name: str, value: object) -> None:
    assert parse_record(line_of(GOOD | {name: value})) is None


@pytest.mark.parametrize('line', DAMAGED, ids=lambda line: repr(line[:30]))
def test_damaged_lines_are_told_and_the_rest_is_used(tmp_path, line) -> None:
    with Journal(tmp_path) as journal:
        journal.begin({'settings': {'size': 64}})
        journal.add([GOOD, GOOD | {'key': 'b'}])
    path = tmp_path / 'sdcolor-journal.jsonl'
    lines = path.read_bytes().splitlines()
    whole = b'\n'.join([*lines[:2], line, *lines[2:], line]) + b'\n'
    path.write_bytes(whole)
    with Journal(tmp_path) as journal:
        assert [record['key'] for record in journal] == ['box 1/a', 'b']
        assert journal.damaged == 2
        assert journal.damaged_lines == [3, 5]
        assert '2 lines of the journal' in journal.damage
        assert 'damaged and not used: lines 3, 5.' in journal.damage
    assert set(read_records(tmp_path)) == {'box 1/a', 'b'}
    assert read_last_run(tmp_path)['settings'] == {'size': 64}
    assert path.read_bytes() == whole


def test_a_journal_without_damage_says_nothing(tmp_path) -> None:
    with Journal(tmp_path) as journal:
        assert journal.damage == ''


def test_only_some_damaged_lines_are_named(tmp_path) -> None:
    with Journal(tmp_path) as journal:
        journal.begin({})
    path = tmp_path / 'sdcolor-journal.jsonl'
    with path.open('ab') as stream:
        stream.write(b'x\n' * (NAMED + 5))
    with Journal(tmp_path) as journal:
        assert journal.damaged == NAMED + 5
        assert journal.damage.count(',') == NAMED
        assert '21, …' in journal.damage


def test_a_damaged_first_line_is_one_of_many(tmp_path) -> None:
    """What it told is told again by every later run."""
    with Journal(tmp_path) as journal:
        for _ in range(2):
            journal.begin({'settings': {'size': 64}})
            journal.add([GOOD])
    path = tmp_path / 'sdcolor-journal.jsonl'
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b''.join([b'\0\0\n', *lines[1:]]))
    with Journal(tmp_path) as journal:
        assert journal.damaged_lines == [1]
        assert journal.last_run()['settings'] == {'size': 64}
    path.write_bytes(b''.join([b'\0\0\n', lines[1]]))
    with pytest.raises(PlanError, match='damaged: no line of it tells'):
        Journal(tmp_path)


def test_lines_without_end(monkeypatch, tmp_path) -> None:
    """Lines are never read as a whole if they are too long."""
    monkeypatch.setattr(records, 'MOST', 50)
    monkeypatch.setattr(records, '_PIECE', 10)
    good = b'{"key": "a", "status": "planned"}\n'
    for long in (b'x' * 51, b'x' * 71, b'x' * 90, b'x' * 1000):
        found = list(read_lines(io.BytesIO(good + long + b'\n' + good)))
        assert [line.content for line in found] == [good, b'', good]
        assert [line.whole for line in found] == [True] * 3
        assert [line.number for line in found] == [1, 2, 3]
        place = len(good) + len(long) + 1
        assert found[2].place == place
        assert found[1].length == len(long) + 1
        *_, torn = read_lines(io.BytesIO(good + long))
        assert not torn.whole
        assert torn.length == len(long)
