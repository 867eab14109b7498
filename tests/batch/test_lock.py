"""One batch at a time in an output folder."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys

import pytest

from napari_sdcolor.batch.lock import locked
from napari_sdcolor.errors import ForeignFile, PlanError

HOLD = """
import sys
from pathlib import Path
from napari_sdcolor.batch.lock import locked
with locked(Path(sys.argv[1])):
    print('held', flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, '-c', HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == 'held\n'
    yield process
    process.kill()
    process.communicate()


def test_nothing_is_left(tmp_path):
    for _ in range(2):
        with locked(tmp_path):
            assert os.listdir(tmp_path) == ['.sdcolor-lock']
        assert os.listdir(tmp_path) == []


def test_another_process_is_named(tmp_path, holder):
    with (
        pytest.raises(PlanError, match=f'process {holder.pid} on the machine'),
        locked(tmp_path),
    ):
        pass
    holder.communicate('')
    with locked(tmp_path):
        pass


def test_the_lock_of_another_run_stays(tmp_path):
    path = tmp_path / '.sdcolor-lock'
    with locked(tmp_path):
        path.unlink()
        path.write_text('of somebody else')
    assert path.read_text() == 'of somebody else'
    path.unlink()
    with locked(tmp_path):
        path.unlink()


@pytest.mark.skipif(os.name != 'posix', reason='POSIX signals')
def test_a_killed_run_holds_nobody_up(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert os.listdir(tmp_path) == ['.sdcolor-lock']
    with locked(tmp_path):
        owner = json.loads((tmp_path / '.sdcolor-lock').read_text())
        assert owner == {
            'pid': os.getpid(),
            'host': platform.node(),
            'run': owner['run'],
        }
    with locked(tmp_path):
        later = json.loads((tmp_path / '.sdcolor-lock').read_text())
        assert later['run'] != owner['run']


def test_a_run_on_another_machine_is_not_judged_from_here(tmp_path):
    lock = tmp_path / '.sdcolor-lock'
    lock.write_text('{"pid": 7, "host": "elsewhere"}')
    with (
        pytest.raises(PlanError, match='elsewhere .*delete'),
        locked(tmp_path),
    ):
        pass
    lock.unlink()
    with locked(tmp_path):
        pass


@pytest.mark.parametrize(
    'content',
    [
        '',
        '{',
        '{"pid": [',
        '{"pid": {}}',
        '{"pid": ' + '[' * 100_000,
        '{"pid": 7, "host": NaN}',
        '{"pid": {}, "host": ["elsewhere"]}',
        '{"pid": 7, "host": "%s"}' % ('x' * 5000),
    ],
    ids=lambda content: content[:12],
)
def test_a_damaged_lock_file(tmp_path, content):
    (tmp_path / '.sdcolor-lock').write_text(content)
    with locked(tmp_path):
        pass


@pytest.mark.parametrize(
    'content', ['[]', 'null', '7', '\0' * 5000, 'the only copy of a poem']
)
def test_a_file_that_is_no_lock(tmp_path, content):
    path = tmp_path / '.sdcolor-lock'
    path.write_text(content)
    with pytest.raises(ForeignFile, match='in the way'), locked(tmp_path):
        pass
    assert path.read_text() == content


def test_a_lock_file_that_tells_only_the_machine(tmp_path):
    lock = tmp_path / '.sdcolor-lock'
    lock.write_text('{"pid": [7], "host": "elsewhere"}')
    with (
        pytest.raises(PlanError, match='process unknown on the machine else'),
        locked(tmp_path),
    ):
        pass


def test_the_same_process_twice(tmp_path):
    with (
        locked(tmp_path),
        pytest.raises(PlanError, match='Another batch'),
        locked(tmp_path),
    ):
        pass
