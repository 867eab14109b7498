"""Strokes inside a real napari window, where there is one.

The window opens in a process of its own: without a display Qt ends the
process that it is in.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

from napari_sdcolor.bench.timing import Row
from napari_sdcolor.errors import SdcolorError
from napari_sdcolor.settings import Settings

SIDES = (1024, 4096)
"""Sides of the square photos in pixels."""

BUNDLED = Settings.weights
"""Weights that are shown beside, as they are what people use."""


def measure(weights: str | None) -> list[Row]:
    """Stroke to color, and time on the thread of the window per move.

    Parameters
    ----------
    weights
        Name of a model; None takes full-width networks with random weights.

    Raises
    ------
    SdcolorError
        If napari, Qt or a display are not there.
    """
    if find_spec('napari') is None or find_spec('qtpy') is None:
        raise SdcolorError('napari and Qt are not installed.')
    named = ('DISPLAY', 'WAYLAND_DISPLAY')
    if sys.platform == 'linux' and not any(map(os.environ.get, named)):
        raise SdcolorError(
            'There is no display. "xvfb-run -a sdcolor bench" makes one.'
        )
    rows = []
    for name in dict.fromkeys((weights, BUNDLED)):
        for side in SIDES:
            rows += rows_of(_apart(side, name), name or 'random weights')
    return rows


def _apart(side: int, weights: str | None) -> dict[str, Any]:
    words = [sys.executable, '-m', __name__, str(side), weights or '']
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        last = ' '.join(done.stderr.strip().splitlines()[-1:])
        raise SdcolorError(f'The window could not be measured: {last}')
    return json.loads(done.stdout.splitlines()[-1])


def rows_of(found: dict[str, Any], weights: str) -> list[Row]:
    """Rows of what ``bench.strokes`` found at one size."""
    photo = f'{weights}, photo of {found["side"]}²'
    named = {
        'from move to color': ('color_p50', 'color_p95'),
        'its bare incremental pass': ('bare_p50', None),
        'own slots per move': ('slots_p50', 'slots_p95'),
        "napari's refresh per move": ('refresh_p50', None),
        "napari's drawing": ('draw_p50', None),
    }
    return [
        Row(
            name=f'napari, {photo}: {words}',
            size=found['working_size'],
            stroke=found['brush'],
            median_s=found[median],
            p95_s=None if p95 is None else found[p95],
            count=found['moves'],
        )
        for words, (median, p95) in named.items()
    ]


def main() -> None:
    """Open the window and tell what was found as JSON."""
    from napari_sdcolor.bench import strokes
    from napari_sdcolor.core.engine import Colorizer

    side, weights = sys.argv[1:]
    colorizer = (
        Colorizer.load(weights) if weights else Colorizer.random('paper')
    )
    found = strokes.measure(colorizer, side=int(side))
    os.write(1, ('\n' + json.dumps(found.to_dict()) + '\n').encode())


if __name__ == '__main__':
    main()
