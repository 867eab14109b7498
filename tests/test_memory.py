"""The memory that this process may use, not that of the machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from napari_sdcolor import memory
from napari_sdcolor.memory import free_memory

GIB = 2**30


def test_no_more_than_the_machine_has() -> None:
    assert 0 < free_memory() <= 1.05 * psutil.virtual_memory().available


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of control groups that belongs to this test."""
    monkeypatch.setattr(memory, '_CGROUP', tmp_path)
    return tmp_path


def limit(folder: Path, most: object, used: int, inactive: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'memory.max').write_text(f'{most}\n')
    (folder / 'memory.current').write_text(f'{used}\n')
    (folder / 'memory.stat').write_text(f'anon 5\ninactive_file {inactive}\n')


def told(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    original = Path.read_text

    def read_text(self: Path, *args: object) -> str:
        if self == Path('/proc/self/cgroup'):
            return line
        return original(self, *args)

    monkeypatch.setattr(Path, 'read_text', read_text)


@pytest.mark.parametrize(
    ('own', 'above', 'left'),
    [
        ('max', 'max', None),
        (GIB, 'max', GIB - GIB // 4),
        ('max', GIB // 2, GIB // 2 - GIB // 4),
        (GIB, GIB // 2, GIB // 2 - GIB // 4),
        (GIB // 8, 'max', 0),
    ],
)
def test_limits_of_control_groups(
    groups: Path, monkeypatch: pytest.MonkeyPatch, own, above, left
) -> None:
    """The tightest of this group and those above it counts."""
    monkeypatch.setattr(psutil, 'virtual_memory', lambda: Free(8 * GIB))
    told(monkeypatch, '0::/jobs/one\n')
    limit(groups / 'jobs', above, GIB // 4)
    limit(groups / 'jobs' / 'one', own, GIB // 4)
    assert free_memory() == (8 * GIB if left is None else left)


class Free:
    def __init__(self, available: int) -> None:
        self.available = available


def test_cached_pages_are_free(
    groups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, 'virtual_memory', lambda: Free(8 * GIB))
    told(monkeypatch, '0::/\n')
    limit(groups, GIB, GIB, inactive=GIB // 2)
    assert free_memory() == GIB // 2


@pytest.mark.parametrize('line', ['', 'nonsense\n', '0::/gone\n', '7:cpu:/\n'])
def test_odd_control_groups(
    groups: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    told(monkeypatch, line)
    assert free_memory() > 0


@pytest.mark.skipif(sys.platform != 'linux', reason='ulimit -v of Linux')
def test_a_limit_on_the_address_space() -> None:
    program = (
        'import resource\n'
        'from napari_sdcolor.memory import free_memory\n'
        'resource.setrlimit(resource.RLIMIT_AS, (2**30, -1))\n'
        'print(free_memory())\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', program], capture_output=True, check=True
    )
    assert 0 < int(done.stdout) < GIB
