"""How much memory this process may still use."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

_CGROUP = Path('/sys/fs/cgroup')


def free_memory() -> int:
    """Bytes that this process can still be given.

    The least of what the machine has free, what the control group of this
    process has left, and what a limit on its address space leaves
    (``ulimit -v``).
    """
    limits = [
        psutil.virtual_memory().available,
        *_left_in_control_groups(),
        *_left_in_address_space(),
    ]
    return max(0, min(limits))


def _left_in_control_groups() -> list[int]:
    """One number for each group that has a limit: this one and those above."""
    left = []
    for folder, limit, used in _groups():
        most, now = _number(folder / limit), _number(folder / used)
        if most is not None and now is not None:
            # Pages of files that were read are given up when it gets tight.
            left.append(most - now + _inactive_file(folder))
    return left


def _groups() -> list[tuple[Path, str, str]]:
    """Folders of this process's groups, with their two files."""
    try:
        lines = Path('/proc/self/cgroup').read_text().splitlines()
    except (OSError, UnicodeError):
        return []
    found = []
    for line in lines:
        number, _, rest = line.partition(':')
        controllers, _, path = rest.partition(':')
        if number == '0':
            root, files = _CGROUP, ('memory.max', 'memory.current')
        elif 'memory' in controllers.split(','):
            root = _CGROUP / 'memory'
            files = 'memory.limit_in_bytes', 'memory.usage_in_bytes'
        else:
            continue
        own = root / path.lstrip('/')
        # Inside a container the path may be that of the host: the root is
        # its own group then.
        for folder in (own, *own.parents):
            if folder == root or root in folder.parents:
                found.append((folder, *files))
    return found


def _number(path: Path) -> int | None:
    """None where there is no such file, or it says 'max'."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _inactive_file(folder: Path) -> int:
    try:
        lines = (folder / 'memory.stat').read_text().splitlines()
    except (OSError, UnicodeError):
        return 0
    for line in lines:
        name, _, value = line.partition(' ')
        if name in ('inactive_file', 'total_inactive_file'):
            return int(value)
    return 0


def _left_in_address_space() -> list[int]:
    if os.name != 'posix':
        return []
    import resource

    left = []
    usage = psutil.Process().memory_info()
    for name, used in (('RLIMIT_AS', usage.vms), ('RLIMIT_DATA', usage.rss)):
        limit = resource.getrlimit(getattr(resource, name))[0]
        if limit != resource.RLIM_INFINITY:
            left.append(limit - used)
    return left
