"""The figures of an evaluation as a page that people read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari_sdcolor.evaluation.report.edges import bleeding_blocks
from napari_sdcolor.evaluation.report.effects import (
    repair_blocks,
    swap_blocks,
)
from napari_sdcolor.evaluation.report.markdown import (
    MISSING,
    counted,
    interval,
    missing,
    share,
    table,
)
from napari_sdcolor.evaluation.report.rows import row_blocks

METHODS = {
    'gray': 'baseline: gray (ab = 0)',
    'class-mean': 'baseline: class mean of the true map',
    'empty': 'empty map',
    'shuffled': "another photo's map",
    'predicted': 'predicted map',
    'true': 'true map',
    'mapless': 'networks that never saw a map',
}
"""Rows of every fidelity table, from knowing nothing to knowing the map."""

SCOPES = {
    'all': 'All photos, all pixels',
    'labeled': 'Labeled photos, all pixels',
    'known': 'Labeled photos, known pixels only',
}

COLUMNS = {
    'psnr_rgb': 'PSNR_RGB',
    'psnr_ab': 'PSNR_ab',
    'delta_e': 'ΔE2000',
    'delta_e_p95': 'ΔE2000 p95',
    'colorfulness': 'CF',
    'delta_cf': 'ΔCF',
    'delta_cf_per_photo': 'ΔCF per photo',
}


def as_markdown(result: dict[str, Any]) -> str:
    """Tables of what ``evaluate`` returned, group by group."""
    blocks = [
        (
            f'{counted(result["photos"])}, {result["labeled_photos"]} of them '
            'with a label map. Every figure is formed per photo over its '
            "pixels at the photo's own size, then averaged over photos; "
            f'working size {result["size"]}, default settings, one set of '
            'weights. Unknown pixels enter the map as "no class". PSNR in '
            'dB; ΔE2000, CF and ΔCF in their own units.'
        )
    ]
    for name, about in result['results'].items():
        blocks.append(_scored(name, about, result['photos']))
    asked = result['groups']
    if 'fidelity' in asked:
        scopes = SCOPES if result['labeled_photos'] else ('all',)
        for scope in scopes:
            blocks += _fidelity(scope, result['scopes'][scope])
            if scope == 'all':
                blocks += _over_gray(result['over_gray'])
    if not result['labeled_photos']:
        left_out = [name for name in asked if name != 'fidelity']
        if left_out:
            blocks.append(_without_maps(left_out))
        asked = [name for name in asked if name == 'fidelity']
    if 'map' in asked:
        blocks += ['## Does the map drive the color?', _map(result['map'])]
    if 'swaps' in asked:
        blocks += swap_blocks(result['swaps'])
    if 'repair' in asked:
        blocks += repair_blocks(result['repair'])
    if 'bleeding' in asked:
        blocks += bleeding_blocks(result['bleeding'], METHODS)
    if 'segmentation' in asked:
        blocks += ['## Segmentation on gray input', *_segmentation(result)]
    blocks += row_blocks(result)
    return '\n\n'.join(blocks) + '\n'


def _scored(name: str, about: dict[str, Any], photos: int) -> str:
    """Which pictures of another method were scored."""
    words = (
        f'{name}: finished pictures of {about["pictures"]} of {photos} photos.'
    )
    if about['missing']:
        words += f' Missing: {", ".join(about["missing"])}.'
    return ' '.join([words, *about['refused']])


def _fidelity(scope: str, found: dict[str, Any]) -> list[str]:
    count = found['photos']
    heading = f'## {SCOPES[scope]} ({counted(count)})'
    if not count:
        return [heading, missing('there is no such photo')]
    methods = found['methods']
    rows = []
    for method in [
        *METHODS,
        *(each for each in methods if each not in METHODS),
    ]:
        words, figures = METHODS.get(method, method), methods.get(method)
        if figures is not None:
            if figures['photos'] < count:
                words += f' ({figures["photos"]} photos only)'
            rows.append([words, *(f'{figures[name]:.2f}' for name in COLUMNS)])
        elif scope != 'all' and method != 'mapless':
            rows.append([words, MISSING, *[''] * (len(COLUMNS) - 1)])
    truth = methods['gray']['truth_colorfulness']
    return [
        heading,
        table(['', *COLUMNS.values()], rows),
        f'CF of the photos themselves: {truth:.2f}.',
    ]


def _over_gray(found: dict[str, Any]) -> list[str]:
    named = [*METHODS, *(each for each in found if each not in METHODS)]
    rows = [
        [
            METHODS.get(method, method),
            f'{found[method]["psnr_ab"]:+.2f}',
            interval(found[method]['psnr_ab_interval']),
            f'{found[method]["delta_e"]:+.2f}',
            share(found[method]['nearer']),
            share(found[method]['color']),
        ]
        for method in named
        if method in found
    ]
    head = ['', 'PSNR_ab, dB', '95 % interval', 'ΔE2000', 'nearer', 'color']
    return [
        '## Against a gray picture',
        (
            'What each method gains over no color at all, photo by photo: '
            'more PSNR_ab and less ΔE2000 is nearer to the photo. "Nearer" '
            'is the share of photos for which that holds, "color" the '
            "colorfulness beside the photos' own."
        ),
        table(head, rows),
    ]


def _without_maps(groups: Sequence[str]) -> str:
    return (
        'No photo has a label map, so that nothing is said of what a map '
        f'does ({", ".join(groups)}).'
    )


def _map(scopes: dict[str, Any]) -> str:
    labels = {
        'gain': 'map gain G = PSNR_ab(true) − PSNR_ab(empty), dB',
        'interval': '95 % bootstrap interval of G over photos',
        'valid': 'G counts: PSNR_ab(empty) ≥ PSNR_ab(gray) − 0.05',
        'recovery': 'recovery ρ by the predicted map',
        'sensitivity': 'sensitivity S, Lab units',
    }
    columns = [_map_column(scopes[scope]) for scope in ('labeled', 'known')]
    if any('mapless' in column for column in columns):
        labels['mapless'] = 'gain over networks that never saw a map, dB'
    rows = [
        [words, *(column.get(name, MISSING) for column in columns)]
        for name, words in labels.items()
    ]
    return table(['', 'all pixels', 'known pixels only'], rows)


def _map_column(figures: dict[str, Any] | None) -> dict[str, str]:
    if figures is None:
        return {}
    low, high = figures['gain_interval']
    recovery = figures['recovery']
    cells = {
        'gain': f'{figures["gain"]:+.3f}',
        'interval': f'{low:+.3f} to {high:+.3f}',
        'valid': 'yes' if figures['valid'] else 'NO',
        'recovery': (
            'undefined, G is not positive'
            if recovery is None
            else f'{recovery:.2f}'
        ),
        'sensitivity': f'{figures["sensitivity"]:.2f}',
    }
    if figures['gain_over_mapless'] is not None:
        cells['mapless'] = f'{figures["gain_over_mapless"]:+.3f}'
    return cells


def _segmentation(result: dict[str, Any]) -> list[str]:
    found = result['segmentation']
    if found is None:
        return [missing('no pixel is known')]
    miou = MISSING if found['miou'] is None else f'{found["miou"]:.1%}'
    return [
        (
            "The predicted map, brought to the photo's own size by nearest "
            'neighbor, on known pixels. Classes with too few known pixels '
            'in the split are left out of mIoU.'
        ),
        table(
            ['pixel accuracy', 'pixel accuracy per photo', 'mIoU', 'classes'],
            [
                [
                    f'{found["pixel_accuracy"]:.1%}',
                    f'{found["pixel_accuracy_per_photo"]:.1%}',
                    miou,
                    str(len(found['classes'])),
                ]
            ],
        ),
    ]
