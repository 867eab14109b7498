"""How much memory this process has needed."""

from __future__ import annotations

import re
import resource
from pathlib import Path


def megabytes(field: str = 'VmHWM') -> int:
    """What the kernel tells of this process; at most so far by default.

    ``getrusage`` would begin with those of the process that started this one.
    """
    status = Path('/proc/self/status')
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    line = re.search(rf'{field}:\s+(\d+) kB', status.read_text())
    return int(line[1]) // 1024
