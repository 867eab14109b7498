"""Tables of what edits of the map do: swaps, locality, faults."""

from __future__ import annotations

from typing import Any

from napari_sdcolor.classes import class_id
from napari_sdcolor.evaluation.report.markdown import (
    MISSING,
    interval,
    missing,
    share,
    table,
)


def swap_blocks(found: dict[str, Any] | None) -> list[str]:
    """Controllability with its pair matrix, and locality."""
    blocks = ['## Class swaps: does another class bring its color?']
    if found is None:
        return [*blocks, missing('no region could be given another class')]
    distance = found['least_distance']
    blocks.append(
        f'{found["swaps"]} regions on {found["photos"]} photos were given '
        'another class, always the same ones; the mean colors of both '
        f'classes in the training split are at least {distance:g} Lab units '
        'apart. CSC is 1 where the color moved by the whole difference of '
        'these means and 0 where the swap was ignored; a hit ends nearer '
        'the mean of the new class than that of the old one.'
    )
    blocks.append(
        table(
            ['CSC', '95 % interval', 'hit rate', 'already before the swap'],
            [
                [
                    f'{found["csc"]:.3f}',
                    interval(found['csc_interval'], '.3f'),
                    share(found['hit_rate']),
                    share(found['hit_rate_before']),
                ]
            ],
        )
    )
    blocks += ['### Pair matrix', *_pairs(found)]
    return blocks + ['## Locality', *_locality(found['locality'])]


def _pairs(found: dict[str, Any]) -> list[str]:
    names = sorted(
        {pair[end] for pair in found['pairs'] for end in ('from', 'to')},
        key=class_id,
    )
    cells = {
        (pair['from'], pair['to']): f'{100 * pair["csc"]:.0f}'
        for pair in found['pairs']
    }
    rows = [
        [f'{class_id(name)} {name}']
        + [cells.get((name, other), '') for other in names]
        for name in names
        if any(first == name for first, _ in cells)
    ]
    return [
        (
            'Mean CSC in percent, from the class of the row to that of the '
            'column; empty where no region was swapped so. Classes: '
            f'{", ".join(found["classes"])}.'
        ),
        table(['from \\ to', *(str(class_id(name)) for name in names)], rows),
    ]


def _locality(found: dict[str, Any]) -> list[str]:
    outside, ratio = (
        MISSING if found[name] is None else f'{found[name]:.3f}'
        for name in ('outside', 'ratio')
    )
    return [
        (
            'Mean change of ab by a swap, in Lab units, inside the region '
            f'and farther than {found["rim"]:g} pixels from it. Outside its '
            'receptive box a swap must change nothing; that is looked at '
            f'in full passes on {found["outside_box_photos"]} photos.'
        ),
        table(
            [
                'inside',
                'outside',
                'outside / inside',
                'largest change outside the receptive box',
            ],
            [
                [
                    f'{found["inside"]:.2f}',
                    outside,
                    ratio,
                    f'{found["outside_box"]:.3g}',
                ]
            ],
        ),
    ]


def repair_blocks(found: dict[str, Any] | None) -> list[str]:
    """What faults cost and repairs give back."""
    heading = '## Faults in the map and their repair'
    if found is None:
        return [heading, missing('no region could be given another class')]
    titles = {
        'labeled': 'all pixels',
        'known': 'known pixels only',
        'region': "the fault's region",
    }
    rows = {
        'PSNR_ab of the true map, dB': lambda f: f'{f["psnr_ab"]["true"]:.2f}',
        'PSNR_ab with the fault, dB': lambda f: (
            f'{f["psnr_ab"]["corrupt"]:.2f}'
        ),
        'cost of the fault, dB': lambda f: f'{f["cost"]:.2f}',
        '95 % interval of the cost': lambda f: interval(f['cost_interval']),
        'faults that cost nothing': lambda f: (
            f'{f["harmless"]} of {f["faults"]}'
        ),
        'repair (P_fixed − P_corrupt) / (P_true − P_corrupt)': lambda f: share(
            f['repair']
        ),
        'repair that leaves a rim of 3 pixels wrong': lambda f: share(
            f['brush']
        ),
    }
    return [
        heading,
        (
            'One region per photo gets a wrong class in the true map, and '
            'then its own again, in one session.'
        ),
        table(
            ['', *titles.values()],
            [
                [words, *(cell(found[scope]) for scope in titles)]
                for words, cell in rows.items()
            ],
        ),
    ]
