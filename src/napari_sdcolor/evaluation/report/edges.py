"""Tables of color across label edges."""

from __future__ import annotations

from typing import Any

from napari_sdcolor.evaluation.report.markdown import (
    MISSING,
    interval,
    missing,
    table,
)


def bleeding_blocks(
    found: dict[str, Any] | None, titles: dict[str, str]
) -> list[str]:
    """LCL, σ_bleed and discrimination of every method."""
    heading = '## Color across label edges'
    if found is None:
        return [heading, missing('no photo has an edge between two regions')]
    return [
        heading,
        (
            f'{found["edges"]} edges of the true maps (each pair of '
            f'neighbors in both directions), {found["truth_usable"]} of them '
            'usable in the truth: the cores of both regions differ by at '
            f'least {found["least_contrast"]:g} Lab units. LCL is the share '
            "of the neighbor's color at depths from 2 to 6 pixels; it is "
            'compared on edges that are usable in both pictures, on photos '
            'whose own colors stay below 0.2. σ_bleed is the width of the '
            'blur that fits the mean profile. Discrimination is the contrast '
            'between neighbors over that of the truth: 1 is right, 0 is one '
            'tone for all.'
        ),
        table(
            [
                '',
                'usable edges',
                'compared edges',
                'photos',
                'LCL',
                'LCL of the truth',
                'ΔLCL',
                '95 % interval',
                'σ_bleed, px',
                'σ_bleed of the truth',
                'discrimination (median)',
                'per photo',
                'pairs',
            ],
            [
                [titles.get(name, name), *_cells(method)]
                for name, method in found['methods'].items()
            ],
        ),
    ]


def _cells(method: dict[str, Any]) -> list[str]:
    bounds = method['delta_lcl_interval']
    return [
        str(method['usable']),
        str(method['edges']),
        str(method['photos']),
        _number(method['lcl'], '.3f'),
        _number(method['lcl_truth'], '.3f'),
        _number(method['delta_lcl'], '+.3f'),
        MISSING if bounds is None else interval(bounds, '+.3f'),
        _number(method['sigma'], '.2f'),
        _number(method['sigma_truth'], '.2f'),
        _number(method['discrimination'], '.2f'),
        _number(method['discrimination_per_photo'], '.2f'),
        str(method['pairs']),
    ]


def _number(value: float | None, form: str) -> str:
    return MISSING if value is None else f'{value:{form}}'
