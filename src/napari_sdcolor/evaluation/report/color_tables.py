"""Tables of the colors: how near they come, and what the map does to them."""

from __future__ import annotations

from typing import Any

from napari_sdcolor.classes import class_id
from napari_sdcolor.evaluation.markdown import (
    MISSING,
    Columns,
    missing,
    table,
)
from napari_sdcolor.evaluation.names import METHODS, in_order, title
from napari_sdcolor.words import counted

SCOPES = {
    'all': 'All photos, all pixels',
    'labeled': 'Labeled photos, all pixels',
    'known': 'Labeled photos, known pixels only',
    'unlabeled': 'Photos without a map, all pixels',
}

WITH_TRUE_MAP = ('labeled', 'known')
"""Scopes in which every method may have figures."""

FIDELITY: Columns = (
    ('', 'title', 's'),
    ('PSNR_RGB', 'psnr_rgb', '.2f'),
    ('PSNR_ab', 'psnr_ab', '.2f'),
    ('ΔE2000', 'delta_e', '.2f'),
    ('ΔE2000 p95', 'delta_e_p95', '.2f'),
    ('CF', 'colorfulness', '.2f'),
    ('ΔCF', 'delta_cf', '.2f'),
    ('ΔCF per photo', 'delta_cf_per_photo', '.2f'),
)

OVER_GRAY: Columns = (
    ('', 'title', 's'),
    ('PSNR_ab, dB', 'psnr_ab', '+.2f'),
    ('95 % interval', 'psnr_ab_interval', '+.2f'),
    ('ΔE2000', 'delta_e', '+.2f'),
    ('nearer', 'nearer', '.1%'),
    ('color', 'color', '.1%'),
)

MAP: Columns = (
    ('', 'title', 's'),
    ('map gain G = PSNR_ab(true) − PSNR_ab(empty), dB', 'gain', '+.3f'),
    ('95 % bootstrap interval of G over photos', 'gain_interval', '+.3f'),
    ('G counts: PSNR_ab(empty) ≥ PSNR_ab(gray) − 0.05', 'valid', 's'),
    ('recovery ρ by the predicted map', 'recovery', '.2f'),
    (
        'repaired gain = PSNR_ab(repaired) − PSNR_ab(predicted), dB',
        'repaired_gain',
        '+.3f',
    ),
    (
        '95 % bootstrap interval of it over photos',
        'repaired_gain_interval',
        '+.3f',
    ),
    ('sensitivity S, Lab units', 'sensitivity', '.2f'),
)

MAPLESS = (
    'gain over networks that never saw a map, dB',
    'gain_over_mapless',
    '+.3f',
)
"""Where there are such networks."""

SWAPS: Columns = (
    ('CSC', 'csc', '.3f'),
    ('95 % interval', 'csc_interval', '.3f'),
    ('hit rate', 'hit_rate', '.1%'),
    ('already before the swap', 'hit_rate_before', '.1%'),
)

LOCALITY: Columns = (
    ('inside', 'inside', '.2f'),
    ('outside', 'outside', '.3f'),
    ('outside / inside', 'ratio', '.3f'),
    ('largest change outside the receptive box', 'outside_box', '.3g'),
)

REPAIR: Columns = (
    ('', 'title', 's'),
    ('PSNR_ab of the true map, dB', 'true', '.2f'),
    ('PSNR_ab with the fault, dB', 'corrupt', '.2f'),
    ('cost of the fault, dB', 'cost', '.2f'),
    ('95 % interval of the cost', 'cost_interval', '+.2f'),
    ('faults that cost nothing', 'harmless', 's'),
    ('repair (P_fixed − P_corrupt) / (P_true − P_corrupt)', 'repair', '.1%'),
    ('repair that leaves a rim of 3 pixels wrong', 'brush', '.1%'),
)

BLEEDING: Columns = (
    ('', 'title', 's'),
    ('usable edges', 'usable', 'd'),
    ('compared edges', 'edges', 'd'),
    ('photos', 'photos', 'd'),
    ('LCL', 'lcl', '.3f'),
    ('LCL of the truth', 'lcl_truth', '.3f'),
    ('ΔLCL', 'delta_lcl', '+.3f'),
    ('95 % interval', 'delta_lcl_interval', '+.3f'),
    ('σ_bleed, px', 'sigma', '.2f'),
    ('σ_bleed of the truth', 'sigma_truth', '.2f'),
    ('discrimination (median)', 'discrimination', '.2f'),
    ('per photo', 'discrimination_per_photo', '.2f'),
    ('pairs', 'pairs', 'd'),
)


def fidelity_blocks(result: dict[str, Any]) -> list[str]:
    """Fidelity over each set of pixels, and against gray."""
    heading = 'Against a gray picture'
    scopes = result['scopes']
    blocks = _fidelity('all', scopes['all'])
    blocks += _over_gray(f'## {heading}', result['over_gray'])
    if not result['labeled_photos']:
        return blocks
    mixed = result['labeled_photos'] < result['photos']
    blocks += _fidelity('labeled', scopes['labeled'])
    if mixed:
        blocks += _over_gray(
            f'### {heading}: labeled photos', result['over_gray_labeled']
        )
    blocks += _fidelity('known', scopes['known'])
    if mixed:
        blocks += _fidelity('unlabeled', scopes['unlabeled'])
        blocks += _over_gray(
            f'### {heading}: photos without a map',
            result['over_gray_unlabeled'],
        )
    return blocks


def _fidelity(scope: str, found: dict[str, Any]) -> list[str]:
    count, methods = found['photos'], found['methods']
    heading = f'## {SCOPES[scope]} ({counted(count, "photo")})'
    if not count:
        return [heading, missing('there is no such photo')]
    rows = []
    for method in in_order({**METHODS, **methods}):
        words = title(method)
        if method in methods:
            photos = methods[method]['photos']
            if photos < count:
                words += f' ({photos} photos only)'
            rows.append({'title': words, **methods[method]})
        elif scope in WITH_TRUE_MAP and method != 'mapless':
            rows.append({'title': words, 'psnr_rgb': MISSING})
    truth = methods['gray']['truth_colorfulness']
    return [
        heading,
        table(FIDELITY, rows, empty=''),
        f'CF of the photos themselves: {truth:.2f}.',
    ]


def _over_gray(heading: str, found: dict[str, Any]) -> list[str]:
    rows = [
        {'title': title(method), **found[method]} for method in in_order(found)
    ]
    return [
        heading,
        (
            'What each method gains over no color at all, photo by photo: '
            'more PSNR_ab and less ΔE2000 is nearer to the photo. "Nearer" '
            'is the share of photos for which that holds, "color" the '
            "colorfulness beside the photos' own."
        ),
        table(OVER_GRAY, rows),
    ]


def map_blocks(scopes: dict[str, Any]) -> list[str]:
    """Map gain, recovery and sensitivity."""
    titles = {'labeled': 'all pixels', 'known': 'known pixels only'}
    columns, rows = [*MAP], []
    for scope, words in titles.items():
        row = {'title': words, **(scopes[scope] or {})}
        if scopes[scope] is not None:
            row['valid'] = 'yes' if row['valid'] else 'NO'
            if row['recovery'] is None:
                row['recovery'] = 'undefined, G is not positive'
        rows.append(row)
    if any(row.get('gain_over_mapless') is not None for row in rows):
        columns.append(MAPLESS)
    return [
        '## Does the map drive the color?',
        table(columns, rows, turned=True),
    ]


def swap_blocks(found: dict[str, Any] | None) -> list[str]:
    """Controllability with its pair matrix, and locality."""
    heading = '## Class swaps: does another class bring its color?'
    if found is None:
        return [heading, missing('no region could be given another class')]
    distance, locality = found['least_distance'], found['locality']
    return [
        heading,
        (
            f'{found["swaps"]} regions on {found["photos"]} photos were given '
            'another class, always the same ones; the mean colors of both '
            f'classes in the training split are at least {distance:g} Lab '
            'units apart. CSC is 1 where the color moved by the whole '
            'difference of these means and 0 where the swap was ignored; a '
            'hit ends nearer the mean of the new class than that of the old '
            'one.'
        ),
        table(SWAPS, [found]),
        '### Pair matrix',
        (
            'Mean CSC in percent, from the class of the row to that of the '
            'column; empty where no region was swapped so. Classes: '
            f'{", ".join(found["classes"])}.'
        ),
        _pair_matrix(found['pairs']),
        '## Locality',
        (
            'Mean change of ab by a swap, in Lab units, inside the region '
            f'and farther than {locality["rim"]:g} pixels from it. Outside '
            'its receptive box a swap must change nothing; that is looked at '
            f'in full passes on {locality["outside_box_photos"]} photos.'
        ),
        table(LOCALITY, [locality]),
    ]


def _pair_matrix(pairs: list[dict[str, Any]]) -> str:
    names = sorted(
        {pair[end] for pair in pairs for end in ('from', 'to')}, key=class_id
    )
    columns = [('from \\ to', 'title', 's')]
    columns += [(str(class_id(name)), name, '.0f') for name in names]
    rows = []
    for name in names:
        row = {p['to']: 100 * p['csc'] for p in pairs if p['from'] == name}
        if row:
            rows.append({'title': f'{class_id(name)} {name}', **row})
    return table(columns, rows, empty='')


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
    rows = []
    for scope, words in titles.items():
        row = {'title': words, **found[scope], **found[scope]['psnr_ab']}
        row['harmless'] = f'{row["harmless"]} of {row["faults"]}'
        rows.append(row)
    return [
        heading,
        (
            'One region per photo gets a wrong class in the true map, and '
            'then its own again, in one session.'
        ),
        table(REPAIR, rows, turned=True),
    ]


def bleeding_blocks(found: dict[str, Any] | None) -> list[str]:
    """LCL, σ_bleed and discrimination of every method."""
    heading = '## Color across label edges'
    if found is None:
        return [heading, missing('no photo has an edge between two regions')]
    rows = [
        {'title': title(name), **figures}
        for name, figures in found['methods'].items()
    ]
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
        table(BLEEDING, rows),
    ]
