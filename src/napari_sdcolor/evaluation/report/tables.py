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
    interval,
    missing,
    share,
    table,
)
from napari_sdcolor.evaluation.report.rows import row_blocks
from napari_sdcolor.evaluation.report.trust import (
    calibration_blocks,
    review_blocks,
)
from napari_sdcolor.words import counted

METHODS = {
    'gray': 'baseline: gray (ab = 0)',
    'class-mean': 'baseline: class mean of the true map',
    'empty': 'empty map',
    'shuffled': "another photo's map",
    'predicted': 'predicted map',
    'repaired': 'predicted map, known pixels put right',
    'true': 'true map',
    'mapless': 'networks that never saw a map',
}
"""Rows of every fidelity table, from knowing nothing to knowing the map."""

SCOPES = {
    'all': 'All photos, all pixels',
    'labeled': 'Labeled photos, all pixels',
    'known': 'Labeled photos, known pixels only',
    'unlabeled': 'Photos without a map, all pixels',
}

WITH_TRUE_MAP = ('labeled', 'known')
"""Scopes in which every method may have figures."""

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
            f'{counted(result["photos"], "photo")}, {result["labeled_photos"]} of them '
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
        blocks += _scopes(result)
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
    if 'calibration' in asked:
        blocks += calibration_blocks(result['calibration'])
    if 'review' in asked:
        blocks += review_blocks(result['review'])
    blocks += row_blocks(result)
    if 'multiplications' in result:
        blocks += _multiplications(result['multiplications'])
    return '\n\n'.join(blocks) + '\n'


def _scored(name: str, about: dict[str, Any], photos: int) -> str:
    """Which pictures of another method were scored."""
    words = (
        f'{name}: finished pictures of {about["pictures"]} of {photos} photos.'
    )
    if about['missing']:
        words += f' Missing: {", ".join(about["missing"])}.'
    return ' '.join([words, *about['refused']])


def _scopes(result: dict[str, Any]) -> list[str]:
    """Fidelity over each set of pixels, and against gray."""
    heading = 'Against a gray picture'
    blocks = _fidelity('all', result['scopes']['all'])
    blocks += _over_gray(f'## {heading}', result['over_gray'])
    if not result['labeled_photos']:
        return blocks
    mixed = result['labeled_photos'] < result['photos']
    blocks += _fidelity('labeled', result['scopes']['labeled'])
    if mixed:
        blocks += _over_gray(
            f'### {heading}: labeled photos', result['over_gray_labeled']
        )
    blocks += _fidelity('known', result['scopes']['known'])
    if mixed:
        blocks += _fidelity('unlabeled', result['scopes']['unlabeled'])
        blocks += _over_gray(
            f'### {heading}: photos without a map',
            result['over_gray_unlabeled'],
        )
    return blocks


def _multiplications(found: dict[str, int]) -> list[str]:
    words = {
        'segmentation': 'segmentation',
        'color': 'color',
        'all': 'all networks',
    }
    return [
        '## Multiplications',
        (
            'Of one photo of 352 × 352 pixels, each with its addition, in '
            'billions. What both networks need counts with the segmentation.'
        ),
        table(
            [words[name] for name in found],
            [[f'{count / 1e9:.2f}' for count in found.values()]],
        ),
    ]


def _fidelity(scope: str, found: dict[str, Any]) -> list[str]:
    count = found['photos']
    heading = f'## {SCOPES[scope]} ({counted(count, "photo")})'
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
        elif scope in WITH_TRUE_MAP and method != 'mapless':
            rows.append([words, MISSING, *[''] * (len(COLUMNS) - 1)])
    truth = methods['gray']['truth_colorfulness']
    return [
        heading,
        table(['', *COLUMNS.values()], rows),
        f'CF of the photos themselves: {truth:.2f}.',
    ]


def _over_gray(heading: str, found: dict[str, Any]) -> list[str]:
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
        heading,
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
        'repaired': (
            'repaired gain = PSNR_ab(repaired) − PSNR_ab(predicted), dB'
        ),
        'repaired_interval': '95 % bootstrap interval of it over photos',
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
    recovery = figures['recovery']
    cells = {
        'gain': f'{figures["gain"]:+.3f}',
        'interval': interval(figures['gain_interval'], '+.3f'),
        'valid': 'yes' if figures['valid'] else 'NO',
        'recovery': (
            'undefined, G is not positive'
            if recovery is None
            else f'{recovery:.2f}'
        ),
        'repaired': f'{figures["repaired_gain"]:+.3f}',
        'repaired_interval': interval(
            figures['repaired_gain_interval'], '+.3f'
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
    head = ['', 'pixel accuracy', 'pixel accuracy per photo', 'mIoU']
    shown = {'photos as they are': found, 'aged photos': found['aged']}
    return [
        (
            "The predicted map, brought to the photo's own size by nearest "
            'neighbor, on known pixels. Classes with too few known pixels '
            'in the split are left out of mIoU. Aged photos are the same '
            'ones on red-blind film, faded, blurred, with grain, scratches '
            'and JPEG, all at once.'
        ),
        table(
            [*head, 'classes'],
            [
                [
                    words,
                    share(figures['pixel_accuracy']),
                    share(figures['pixel_accuracy_per_photo']),
                    share(figures['miou']),
                    str(len(figures['classes'])),
                ]
                for words, figures in shown.items()
            ],
        ),
    ]
