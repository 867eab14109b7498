"""Folders of photos, and a table of how often each kind was tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TRIED = 'tried'
"""Property of a test: how many attacks it made."""


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter,
) -> None:
    """Tell the attacks of each file; a test without a number made one."""
    tests, tried, seconds = Counter[str](), Counter[str](), Counter[str]()
    for outcome in ('passed', 'failed'):
        for report in terminalreporter.getreports(outcome):
            if report.when != 'call' or 'tests/faults/' not in report.nodeid:
                continue
            name = Path(report.nodeid.partition('::')[0]).name
            tests[name] += 1
            tried[name] += dict(report.user_properties).get(TRIED, 1)
            seconds[name] += round(report.duration)
    terminalreporter.section('attacks')
    terminalreporter.line('| | Tests | Attacks | Seconds |')
    terminalreporter.line('| --- | ---: | ---: | ---: |')
    for name in (*sorted(tests), 'all'):
        figures = [
            kind[name] if name in tests else kind.total()
            for kind in (tests, tried, seconds)
        ]
        cells = ' | '.join(f'{figure:,}' for figure in figures)
        terminalreporter.line(f'| `{name}` | {cells} |')


@pytest.fixture
def tried(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Counts the attacks of a test that makes more than one."""
    total = 0

    def count(attacks: int = 1) -> None:
        nonlocal total
        total += attacks
        request.node.user_properties[:] = [(TRIED, total)]

    return count


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Five photos and a map in three folders."""
    root = tmp_path / 'photos'
    y, x = np.mgrid[:40, :56]
    for number in range(5):
        path = root / f'box {number % 3}' / f'{number}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        gray = (x * (number + 2) + y * 3) % 256
        Image.fromarray(gray.astype(np.uint8)).save(path)
    labels = np.full((64, 90), 12, np.uint8)
    Image.fromarray(labels).save(root / 'box 1' / '4.labels.png')
    return root
