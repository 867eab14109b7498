"""The memory of a batch survives whatever tears it."""

from __future__ import annotations

import errno
import json
import os

import pytest

from napari_sdcolor.batch.journal import Journal, read_last_run, read_records
from napari_sdcolor.errors import ForeignFile, PlanError, reason


@pytest.fixture
def path(tmp_path):
    """A journal of one run and two photos, closed."""
    with Journal(tmp_path) as journal:
        assert journal.is_new
        journal.begin({'settings': {'size': 64}})
        journal.add([{'key': 'a', 'status': 'planned'}])
        journal.add([{'key': 'b', 'status': 'planned'}])
        journal.add([{'key': 'a', 'status': 'done', 'n': 1}])
    return tmp_path / 'sdcolor-journal.jsonl'


def test_the_last_line_counts(path):
    with Journal(path.parent) as journal:
        assert not journal.is_new
        assert journal.last_run()['settings'] == {'size': 64}
        assert journal['a'] == {'key': 'a', 'status': 'done', 'n': 1}
        assert [record['key'] for record in journal] == ['a', 'b']
        assert 'c' not in journal
        assert journal.get('c') is None


def test_looking_on_touches_nothing(path, tmp_path):
    """While a batch runs, with lines that are damaged or half written."""
    whole = path.read_bytes()
    content = whole + b'\x00\xff\n[1]\n{"key": "a", "status'
    path.write_bytes(content)
    assert read_records(tmp_path) == {
        'a': {'key': 'a', 'status': 'done', 'n': 1},
        'b': {'key': 'b', 'status': 'planned'},
    }
    assert read_last_run(tmp_path)['settings'] == {'size': 64}
    assert path.read_bytes() == content
    assert read_records(tmp_path / 'none') == {}
    assert read_last_run(tmp_path / 'none') is None


def test_every_possible_tear(path):
    """Cut anywhere: whole lines are kept, the next line starts anew."""
    whole = path.read_bytes()
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        kept = whole[: whole[:size].rfind(b'\n') + 1]
        with Journal(path.parent) as journal:
            assert journal.damaged == 0
            assert path.read_bytes() == kept
            if not journal.is_new:
                journal.add([{'key': 'z', 'status': 'done'}])
                assert journal['z'] == {'key': 'z', 'status': 'done'}
        lines = path.read_text().splitlines()
        assert all(json.loads(line) for line in lines)


def test_a_damaged_line_in_the_middle_is_counted(path):
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = b'\x00\xff' * 20 + b'\n'
    path.write_bytes(b''.join(lines))
    with Journal(path.parent) as journal:
        assert journal.damaged == 1
        assert journal['a']['status'] == 'planned'


@pytest.mark.parametrize(
    'content',
    [
        b'hello\n',
        b'[1]\n',
        b'"x"\n',
        b'my own notes, without a newline',
        b'{"journal": 1, "of": "a person"}',
    ],
)
def test_a_file_that_is_no_journal(tmp_path, content):
    path = tmp_path / 'sdcolor-journal.jsonl'
    path.write_bytes(content)
    with pytest.raises(ForeignFile, match='in the way'):
        Journal(tmp_path)
    assert path.read_bytes() == content


def test_a_newer_journal(tmp_path):
    path = tmp_path / 'sdcolor-journal.jsonl'
    path.write_bytes(b'{"journal": 99}\n')
    with pytest.raises(PlanError, match='newer version'):
        Journal(tmp_path)


def test_odd_names(tmp_path):
    names = ['two\nlines', 'quote"', 'caf\u00e9', os.fsdecode(b'\xff\xfe'), '']
    with Journal(tmp_path) as journal:
        journal.begin({})
        journal.add({'key': name, 'status': 'done'} for name in names)
    with Journal(tmp_path) as journal:
        assert [record['key'] for record in journal] == names


@pytest.mark.parametrize('torn', [0, 1, 7])
def test_a_full_disk(path, monkeypatch, torn):
    """What a full disk has torn is taken back, and can be added later."""
    whole = path.read_bytes()
    write = os.write

    def full(descriptor, content):
        if torn:
            write(descriptor, content[:torn])
        raise OSError(errno.ENOSPC, 'full')

    with Journal(path.parent) as journal:
        monkeypatch.setattr(os, 'write', full)
        with pytest.raises(OSError, match='full') as raised:
            journal.add([{'key': 'b', 'status': 'done'}])
        assert reason(raised.value) == f'{path}: full.'
        monkeypatch.setattr(os, 'write', write)
        assert path.read_bytes() == whole
        assert journal['b']['status'] == 'planned'
        journal.add([{'key': 'b', 'status': 'done'}])
        assert journal['b']['status'] == 'done'


def test_what_is_added_is_on_the_disk_before_the_call_returns(
    tmp_path, monkeypatch
):
    synced = []
    fsync = os.fsync

    def noted(descriptor):
        fsync(descriptor)
        synced.append(os.fstat(descriptor).st_size)

    with Journal(tmp_path) as journal:
        monkeypatch.setattr(os, 'fsync', noted)
        journal.begin({})
        journal.add([{'key': 'a'}])
    assert synced[-1] == (tmp_path / 'sdcolor-journal.jsonl').stat().st_size
    assert len(synced) == 2
