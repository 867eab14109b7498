"""Tables of how far the confidence of a map can be trusted."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from napari_sdcolor.evaluation.report.markdown import (
    MISSING,
    missing,
    share,
    table,
)
from napari_sdcolor.evaluation.review import suggested_row

STEP = 5
"""Every so manieth threshold has a row."""


def calibration_blocks(found: dict[str, Any] | None) -> list[str]:
    """Expected calibration error, and confidence against accuracy."""
    heading = '## Does the confidence mean what it says?'
    if found is None:
        return [heading, missing('no pixel is known')]
    rows = [
        [
            f'{row["low"]:.0%} to {row["high"]:.0%}',
            share(row['pixels'] / found['pixels']),
            share(row['confidence']),
            share(row['accuracy']),
        ]
        for row in found['bins']
        if row['pixels']
    ]
    return [
        heading,
        (
            'Known pixels at working size, sorted by the confidence in the '
            'predicted class. Calibrated, as many are right as the '
            'confidence says; the expected calibration error is the mean '
            'difference.'
        ),
        table(
            ['expected calibration error', 'mean confidence', 'accuracy'],
            [
                [
                    f'{found["error"]:.2%}',
                    share(found['confidence']),
                    share(found['accuracy']),
                ]
            ],
        ),
        table(['confidence', 'pixels', 'mean confidence', 'accuracy'], rows),
    ]


def review_blocks(found: dict[str, Any] | None) -> list[str]:
    """Precision and recall of the flag "needs a person"."""
    heading = '## Which photos need a person?'
    if found is None:
        return [heading, missing('no pixel is known')]
    best = suggested_row(found)
    shown = found['thresholds'][STEP - 1 :: STEP]
    if best is not None and best not in shown:
        shown = sorted([*shown, best], key=itemgetter('threshold'))
    rows = [
        [
            f'**{row["threshold"]:.2f}**'
            if row is best
            else f'{row["threshold"]:.2f}',
            share(row['flagged']),
            share(row['precision']),
            share(row['recall']),
            f'{row["f1"]:.2f}',
        ]
        for row in shown
    ]
    suggested = MISSING if best is None else f'{best["threshold"]:.2f}'
    return [
        heading,
        (
            f'{found["needy"]} of {found["photos"]} photos need a person: '
            f'fewer than {found["good_enough"]:.0%} of their known pixels '
            'have the right class. A batch flags photos whose map has a '
            'lower mean confidence than the threshold; the suggested one, '
            f'the lowest with the best F1, is {suggested}.'
        ),
        table(
            ['threshold', 'flagged', 'precision', 'recall', 'F1'],
            rows,
        ),
    ]
