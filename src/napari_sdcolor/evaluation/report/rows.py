"""Tables with a row for each class and for each data set."""

from __future__ import annotations

from typing import Any

from napari_sdcolor.evaluation.report.markdown import table

SHORT = {
    'gray': 'gray',
    'class-mean': 'class mean',
    'empty': 'empty map',
    'predicted': 'predicted map',
    'repaired': 'repaired map',
    'true': 'true map',
}
"""Methods that have a column of their own."""


def row_blocks(result: dict[str, Any]) -> list[str]:
    """Both tables, as far as the figures for them were asked for."""
    blocks = []
    asked = set(result['groups'])
    if {'fidelity', 'segmentation'} & asked and result['classes']:
        blocks += _classes(result['classes'])
    if {'fidelity', 'segmentation'} & asked and result['datasets']:
        blocks += _datasets(result['datasets'])
    return blocks


def _classes(classes: list[dict[str, Any]]) -> list[str]:
    head = ['class', 'known pixels', 'training pixels', 'IoU', 'recall']
    head += ['precision', *(f'ΔE {SHORT[name]}' for name in _COLORED)]
    rows = [
        [
            f'{row["id"]} {row["name"]}',
            f'{row["pixels"]:,}',
            f'{row["training_pixels"]:,}' if 'training_pixels' in row else '',
            *(
                _number(row.get(name), '.1%')
                for name in ('iou', 'recall', 'precision')
            ),
            *(
                _number(row.get('delta_e', {}).get(name), '.2f')
                for name in _COLORED
            ),
        ]
        for row in classes
    ]
    return [
        '## Classes',
        (
            f'The {len(classes)} classes with at least 2,000 known pixels in '
            'the split; ΔE2000 is the mean over their known pixels.'
        ),
        table(head, rows),
    ]


_COLORED = ('gray', 'class-mean', 'predicted', 'repaired', 'true')


def _datasets(datasets: list[dict[str, Any]]) -> list[str]:
    methods = [
        method
        for method in SHORT
        if any(method in row['psnr_ab'] for row in datasets)
    ]
    others = sorted(
        {name for row in datasets for name in row['psnr_ab']}
        - {*SHORT, 'shuffled', 'mapless'}
    )
    head = ['data set', 'photos']
    head += [SHORT.get(method, method) for method in [*methods, *others]]
    head += ['CF predicted map', 'CF photos', 'pixel accuracy']
    rows = [
        [
            row['dataset'],
            str(row['photos']),
            *(
                _number(row['psnr_ab'].get(method), '.2f')
                for method in [*methods, *others]
            ),
            _number(row['colorfulness'].get('predicted'), '.1f'),
            _number(row['truth_colorfulness'], '.1f'),
            _number(row['pixel_accuracy'], '.1%'),
        ]
        for row in datasets
    ]
    return [
        '## Data sets',
        'Mean PSNR_ab in dB of every method, and colorfulness.',
        table(head, rows),
    ]


def _number(value: float | None, form: str) -> str:
    return '' if value is None else f'{value:{form}}'
