"""The figures of an evaluation as a page that people read."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from napari_sdcolor.evaluation.markdown import (
    Columns,
    cell,
    missing,
    table,
)
from napari_sdcolor.evaluation.names import BY_CLASS, METHODS, in_order
from napari_sdcolor.evaluation.report.color_tables import (
    bleeding_blocks,
    fidelity_blocks,
    map_blocks,
    repair_blocks,
    swap_blocks,
)
from napari_sdcolor.evaluation.trust import suggested_row
from napari_sdcolor.words import counted

STEP = 5
"""Every so manieth threshold has a row."""

SEGMENTATION: Columns = (
    ('', 'title', 's'),
    ('pixel accuracy', 'pixel_accuracy', '.1%'),
    ('pixel accuracy per photo', 'pixel_accuracy_per_photo', '.1%'),
    ('mIoU', 'miou', '.1%'),
    ('classes', 'count', 'd'),
)

CALIBRATION: Columns = (
    ('expected calibration error', 'error', '.2%'),
    ('mean confidence', 'confidence', '.1%'),
    ('accuracy', 'accuracy', '.1%'),
)

BINS: Columns = (
    ('confidence', 'title', 's'),
    ('pixels', 'share', '.1%'),
    ('mean confidence', 'confidence', '.1%'),
    ('accuracy', 'accuracy', '.1%'),
)

REVIEW: Columns = (
    ('threshold', 'title', 's'),
    ('flagged', 'flagged', '.1%'),
    ('precision', 'precision', '.1%'),
    ('recall', 'recall', '.1%'),
    ('F1', 'f1', '.2f'),
)

CLASSES: Columns = (
    ('class', 'title', 's'),
    ('known pixels', 'pixels', ','),
    ('training pixels', 'training_pixels', ','),
    ('IoU', 'iou', '.1%'),
    ('recall', 'recall', '.1%'),
    ('precision', 'precision', '.1%'),
    *((f'ΔE {METHODS[name].short}', name, '.2f') for name in BY_CLASS),
)


def as_markdown(result: dict[str, Any]) -> str:
    """Tables of what ``evaluate`` returned, group by group."""
    blocks = [
        (
            f'{counted(result["photos"], "photo")}, '
            f'{result["labeled_photos"]} of them with a label map. Every '
            "figure is formed per photo over its pixels at the photo's own "
            'size, then averaged over photos; '
            f'working size {result["size"]}, default settings, one set of '
            'weights. Unknown pixels enter the map as "no class". PSNR in '
            'dB; ΔE2000, CF and ΔCF in their own units.'
        )
    ]
    for name, about in result['results'].items():
        blocks.append(_scored(name, about, result['photos']))
    asked = result['groups']
    if 'fidelity' in asked:
        blocks += fidelity_blocks(result)
    of_maps = {
        'map': map_blocks,
        'swaps': swap_blocks,
        'repair': repair_blocks,
        'bleeding': bleeding_blocks,
        'segmentation': _segmentation,
        'calibration': _calibration,
        'review': _review,
    }
    groups = [name for name in of_maps if name in asked]
    if result['labeled_photos']:
        for name in groups:
            blocks += of_maps[name](result[name])
    elif groups:
        blocks.append(_without_maps(groups))
    if {'fidelity', 'segmentation'} & set(asked):
        blocks += _classes(result['classes'])
        blocks += _datasets(result['datasets'])
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


def _without_maps(groups: Sequence[str]) -> str:
    return (
        'No photo has a label map, so that nothing is said of what a map '
        f'does ({", ".join(groups)}).'
    )


def _segmentation(found: dict[str, Any] | None) -> list[str]:
    heading = '## Segmentation on gray input'
    if found is None:
        return [heading, missing('no pixel is known')]
    shown = {'photos as they are': found, 'aged photos': found['aged']}
    rows = [
        {'title': words, 'count': len(figures['classes']), **figures}
        for words, figures in shown.items()
    ]
    return [
        heading,
        (
            "The predicted map, brought to the photo's own size by nearest "
            'neighbor, on known pixels. Classes with too few known pixels '
            'in the split are left out of mIoU. Aged photos are the same '
            'ones on red-blind film, faded, blurred, with grain, scratches '
            'and JPEG, all at once.'
        ),
        table(SEGMENTATION, rows),
    ]


def _calibration(found: dict[str, Any] | None) -> list[str]:
    """Expected calibration error, and confidence against accuracy."""
    heading = '## Does the confidence mean what it says?'
    if found is None:
        return [heading, missing('no pixel is known')]
    rows = [
        {
            'title': f'{row["low"]:.0%} to {row["high"]:.0%}',
            'share': row['pixels'] / found['pixels'],
            **row,
        }
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
        table(CALIBRATION, [found]),
        table(BINS, rows),
    ]


def _review(found: dict[str, Any] | None) -> list[str]:
    """Precision and recall of the flag "needs a person"."""
    heading = '## Which photos need a person?'
    if found is None:
        return [heading, missing('no pixel is known')]
    best = suggested_row(found)
    shown = found['thresholds'][STEP - 1 :: STEP]
    if best is not None and best not in shown:
        shown = sorted([*shown, best], key=itemgetter('threshold'))
    rows = []
    for row in shown:
        words = f'{row["threshold"]:.2f}'
        rows.append({'title': f'**{words}**' if row is best else words, **row})
    return [
        heading,
        (
            f'{found["needy"]} of {found["photos"]} photos need a person: '
            f'fewer than {found["good_enough"]:.0%} of their known pixels '
            'have the right class. A batch flags photos whose map has a '
            'lower mean confidence than the threshold; the suggested one, '
            f'the lowest with the best F1, is {cell(found["suggested"], ".2f")}.'
        ),
        table(REVIEW, rows),
    ]


def _classes(classes: list[dict[str, Any]]) -> list[str]:
    if not classes:
        return []
    rows = [
        {
            'title': f'{row["id"]} {row["name"]}',
            **row,
            **row.get('delta_e', {}),
        }
        for row in classes
    ]
    return [
        '## Classes',
        (
            f'The {len(classes)} classes with at least 2,000 known pixels in '
            'the split; ΔE2000 is the mean over their known pixels.'
        ),
        table(CLASSES, rows, empty=''),
    ]


def _datasets(datasets: list[dict[str, Any]]) -> list[str]:
    if not datasets:
        return []
    found = {name for row in datasets for name in row['psnr_ab']}
    columns = [('data set', 'dataset', 's'), ('photos', 'photos', 'd')]
    for method in in_order(sorted(found)):
        heading = METHODS[method].short if method in METHODS else method
        if heading:
            columns.append((heading, f'psnr_ab of {method}', '.2f'))
    columns += [
        ('CF predicted map', 'colorfulness', '.1f'),
        ('CF photos', 'truth_colorfulness', '.1f'),
        ('pixel accuracy', 'pixel_accuracy', '.1%'),
    ]
    rows = [
        {
            **row,
            **{f'psnr_ab of {m}': psnr for m, psnr in row['psnr_ab'].items()},
            'colorfulness': row['colorfulness'].get('predicted'),
        }
        for row in datasets
    ]
    return [
        '## Data sets',
        'Mean PSNR_ab in dB of every method, and colorfulness.',
        table(columns, rows, empty=''),
    ]


def _multiplications(found: dict[str, int]) -> list[str]:
    words = {
        'segmentation': 'segmentation',
        'color': 'color',
        'all': 'all networks',
    }
    columns = [(words[name], name, '.2f') for name in found]
    billions = {name: count / 1e9 for name, count in found.items()}
    return [
        '## Multiplications',
        (
            'Of one photo of 352 × 352 pixels, each with its addition, in '
            'billions. What both networks need counts with the segmentation.'
        ),
        table(columns, [billions]),
    ]
