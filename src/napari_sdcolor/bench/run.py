"""All phases of the benchmark, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from napari_sdcolor.bench import (
    gigapixel,
    networks,
    photos,
    saving,
    window,
    worker,
)
from napari_sdcolor.bench.timing import Row
from napari_sdcolor.core.progress import told_to
from napari_sdcolor.errors import SdcolorError, said
from napari_sdcolor.memory import free_memory
from napari_sdcolor.words import short_duration

if TYPE_CHECKING:
    from napari_sdcolor.core.engine import Colorizer

SIZES = (352, 512, 1024, 2048)
BYTES_PER_PIXEL = 2500
"""Memory that the reference may take at a size, with all that is beside."""

Say = Callable[[str], None]
Phase = tuple[str, float, Callable[[], list[Row]]]
"""What is done, about how long it takes (a share), and the work."""


@dataclass
class Findings:
    """What a run has found so far.

    Parameters
    ----------
    facts
        What the machine is and what it can.
    rows
        The table.
    left_out
        Sentences on what was not measured, and why.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    stopped: bool = False

    def to_dict(self) -> dict[str, Any]:
        """JSON-serializable."""
        return {
            **self.facts,
            'rows': [row.to_dict() for row in self.rows],
            'left_out': self.left_out,
            'stopped': self.stopped,
        }


@dataclass(frozen=True)
class Wish:
    """What is to be measured.

    Parameters
    ----------
    quick
        Few turns, small sizes, no other processes.
    sizes
        Sides of the square working planes.
    against
        Another implementation: (gray, labels) to ab.
    gigapixel
        Color a photo of one gigapixel, too.
    weights
        Name of the model in the window; None takes random weights.
    """

    quick: bool = False
    sizes: tuple[int, ...] = SIZES
    against: networks.Against | None = None
    gigapixel: bool = False
    weights: str | None = None


def run(colorizer: Colorizer, wish: Wish, say: Say) -> Findings:
    """Measure everything; Ctrl+C ends it with what is there.

    Parameters
    ----------
    colorizer
        The networks.
    wish
        What is measured.
    say
        Hears of the progress.
    """
    findings = Findings()
    plan = list(_phases(colorizer, wish, findings))
    total = sum(share for _, share, _ in plan)
    done, started = 0.0, time.monotonic()
    try:
        for number, (name, share, work) in enumerate(plan, 1):
            spent = time.monotonic() - started
            left = spent / done * (total - done) if done else None
            eta = (
                '' if left is None else f', about {short_duration(left)} left'
            )
            say(f'{number} of {len(plan)}: {name}{eta}')
            with told_to(lambda words: say(f'  {words}')):
                try:
                    findings.rows += work()
                except SdcolorError as error:
                    findings.left_out.append(f'{name}: {error}')
                    say(f'  not measured: {error}')
            done += share
    except KeyboardInterrupt:
        findings.stopped = True
        say('Stopped: this is what there is so far.')
    return findings


def _phases(
    colorizer: Colorizer, wish: Wish, findings: Findings
) -> Iterator[Phase]:
    quick = wish.quick
    yield 'the machine', 1, partial(_machine, colorizer, findings)
    for size in wish.sizes:
        yield (
            f'networks and strokes at {size} × {size}',
            3 + 20 * (size / 1024) ** 2,
            partial(_size, colorizer, size, wish, findings),
        )
    turns = {'budget': 5 if quick else 30, 'most': 3 if quick else 15}
    archive = (
        {'count': 2, 'rounds': 1, 'large': 0}
        if quick
        else {'count': 16, 'rounds': 3, 'large': 4}
    )
    yield (
        'the first color of a photo',
        3,
        partial(photos.measure_first_color, colorizer, **turns),
    )
    yield (
        'an archive of photos',
        3 if quick else 10,
        partial(photos.measure_archive, colorizer, **archive),
    )
    yield (
        'saving a large photo',
        2 if quick else 5,
        partial(
            saving.measure,
            colorizer,
            budget=turns['budget'],
            most=1 if quick else 9,
            least=1 if quick else 3,
        ),
    )
    yield 'data types', 2, partial(_precision, colorizer, wish, findings)
    if not quick:
        yield 'memory', 10, _memory
        yield (
            'strokes in a napari window',
            8,
            partial(window.measure, wish.weights),
        )
    if wish.gigapixel:
        yield 'a photo of one gigapixel', 200, _gigapixel


def _machine(colorizer: Colorizer, findings: Findings) -> list[Row]:
    import os
    import platform

    import torch

    rate = networks.measure_gemm(colorizer)
    findings.facts |= {
        'device': colorizer.device.words,
        'gemm_gmacs': rate,
        'threads': torch.get_num_threads(),
        'cores': os.cpu_count(),
        'machine': platform.machine(),
        'system': platform.system(),
        'torch': torch.__version__,
        'dtype': colorizer.dtype,
        'network': colorizer.color_net.config.to_dict(),
        'load': list(os.getloadavg()) if hasattr(os, 'getloadavg') else None,
    }
    return []


def _size(
    colorizer: Colorizer, size: int, wish: Wish, findings: Findings
) -> list[Row]:
    free = free_memory()
    widths = sum(colorizer.color_net.config.widths) / 992
    needed = size * size * BYTES_PER_PIXEL * widths
    if needed > free:
        raise SdcolorError(
            f'the reference needs about {needed / 1e9:.1f} GB of memory, and '
            f'{free / 1e9:.1f} GB are free.'
        )
    return networks.measure_size(
        colorizer,
        size,
        budget=5 if wish.quick else 60,
        most=3 if wish.quick else 15,
        against=wish.against,
        one_thread=size == min(wish.sizes),
    )


def _precision(
    colorizer: Colorizer, wish: Wish, findings: Findings
) -> list[Row]:
    size = min(wish.sizes)
    errors = {}
    for dtype in ('bfloat16', 'float16'):
        try:
            errors[dtype] = networks.precision(colorizer, dtype, size)
        except (RuntimeError, SdcolorError) as error:
            findings.left_out.append(f'{dtype}: {said(error)}')
    findings.facts['largest_ab_error'] = errors
    return []


def _memory() -> list[Row]:
    tasks: tuple[tuple[str, int | None, tuple], ...] = (
        ('memory: networks loaded', None, ('load',)),
        (
            'memory: photo of 1024 × 768',
            352,
            ('color_array', 768, 1024, 352),
        ),
        (
            'memory: photo of 24 megapixels',
            352,
            ('color_array', 4000, 6000, 352),
        ),
        ('memory: strokes', 352, ('strokes', 352)),
        ('memory: strokes', 1024, ('strokes', 1024)),
        (
            'memory: native detail, in tiles',
            2048,
            ('color_array', 2048, 2048, 'native'),
        ),
    )
    return [
        _apart(name, size, worker.run_apart(*words))
        for name, size, words in tasks
    ]


def _gigapixel() -> list[Row]:
    return [_apart('photo of one gigapixel', 352, gigapixel.measure())]


def _apart(name: str, size: int | None, found: worker.Measured) -> Row:
    return Row(
        name=name,
        size=size,
        median_s=found.seconds,
        p95_s=found.seconds,
        count=1,
        peak_bytes=found.peak_bytes,
    )
