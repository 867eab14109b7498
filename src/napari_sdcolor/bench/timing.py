"""Taking times so that their ratios can be trusted.

What is compared is run in turns, so that whatever else the machine does
falls on all of it alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from napari_sdcolor.core import cancel

Case = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Parameters
    ----------
    name
        What was timed.
    size
        Side in pixels of the square working plane; None where it does not
        apply.
    stroke
        Side in pixels of the painted square, for edits.
    median_s, p95_s
        Median and 95th percentile of the times in seconds.
    ratio
        Median of what is compared with, divided by this median: how many
        times faster this is. None where nothing is.
    against
        What it is compared with.
    count
        How many times it was run.
    peak_bytes
        Largest memory of a process that did only this.
    macs
        Multiplications with additions that it takes.
    share
        Of the median of the line that it is a part of.
    """

    name: str
    size: int | None = None
    stroke: int | None = None
    median_s: float | None = None
    p95_s: float | None = None
    ratio: float | None = None
    against: str | None = None
    count: int = 0
    peak_bytes: int | None = None
    macs: int | None = None
    share: float | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def take_turns(
    cases: Mapping[str, Case],
    *,
    budget: float,
    most: int,
    least: int = 3,
    synchronize: Callable[[], None] | None = None,
) -> dict[str, list[float]]:
    """Run every case in turns; the times of each in seconds.

    Parameters
    ----------
    cases
        By name. Each is run once before, untimed.
    budget
        Seconds after which no further turn begins.
    most, least
        Limits on the number of turns.
    synchronize
        Waits until the device is done.
    """
    wait = synchronize or _nothing
    for case in cases.values():
        cancel.check()
        case()
    wait()
    times: dict[str, list[float]] = {name: [] for name in cases}
    started = time.perf_counter()
    for turn in range(most):
        if turn >= least and time.perf_counter() - started > budget:
            break
        for name, case in cases.items():
            cancel.check()
            begin = time.perf_counter()
            case()
            wait()
            times[name].append(time.perf_counter() - begin)
    return times


def _nothing() -> None:
    """The CPU is done when the call returns."""


def row_of(name: str, times: list[float], **more: Any) -> Row:
    """A row of times in seconds."""
    return Row(
        name=name,
        median_s=float(np.median(times)),
        p95_s=float(np.percentile(times, 95)),
        count=len(times),
        **more,
    )
