"""From figures of single photos to figures of a whole split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.classes import CLASSES
from napari_sdcolor.evaluation.metrics import Confusion, bootstrap_interval

if TYPE_CHECKING:
    from napari_sdcolor.evaluation.fidelity import Fidelity
    from napari_sdcolor.evaluation.segmentation import Found
    from napari_sdcolor.evaluation.split import Split

TOLERANCE = 0.05
"""dB by which the empty map may be worse than gray before the map gain
says nothing: a network that is broken without a map is no gain."""

Figures = dict[str, float]
"""What was measured of one picture (``fidelity.figures``)."""


def summarize(photos: Sequence[Figures]) -> Figures:
    """Means over photos of one method's figures.

    ``delta_cf`` is the difference of the mean colorfulness from the mean of
    the truth, ``delta_cf_per_photo`` the mean difference photo by photo.
    """
    names = ('psnr_rgb', 'psnr_ab', 'delta_e', 'delta_e_p95', 'colorfulness')
    result = {name: float(_column(photos, name).mean()) for name in names}
    difference = _column(photos, 'colorfulness') - _column(
        photos, 'truth_colorfulness'
    )
    result['truth_colorfulness'] = float(
        _column(photos, 'truth_colorfulness').mean()
    )
    result['delta_cf'] = float(abs(difference.mean()))
    result['delta_cf_per_photo'] = float(np.abs(difference).mean())
    result['photos'] = len(photos)
    return result


def over_gray(photos: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What the color of each method is worth against no color at all.

    Parameters
    ----------
    photos
        Lines of ``Fidelity.per_photo``.

    Returns
    -------
    dict
        For every method but gray, over the photos that have it: ``photos``,
        ``psnr_ab`` gained over gray in dB with its ``psnr_ab_interval``,
        ``delta_e`` gained (negative is nearer to the truth), ``nearer``,
        the share of photos whose PSNR_ab is above that of gray, and
        ``color``, mean colorfulness over that of the photos (None where
        these have no color).
    """
    methods = dict.fromkeys(
        method for photo in photos for method in photo['psnr_ab']
    )
    result = {}
    for method in methods:
        having = [photo for photo in photos if method in photo['psnr_ab']]
        if method == 'gray' or not having:
            continue
        gained = {
            name: np.array(
                [each[name][method] - each[name]['gray'] for each in having]
            )
            for name in ('psnr_ab', 'delta_e')
        }
        own = np.mean([each['truth_colorfulness'] for each in having])
        shown = np.mean([each['colorfulness'][method] for each in having])
        result[method] = {
            'photos': len(having),
            'psnr_ab': float(gained['psnr_ab'].mean()),
            'psnr_ab_interval': list(bootstrap_interval(gained['psnr_ab'])),
            'delta_e': float(gained['delta_e'].mean()),
            'nearer': float((gained['psnr_ab'] > 0).mean()),
            'color': float(shown / own) if own > 0 else None,
        }
    return result


def map_figures(
    methods: dict[str, list[Figures]], distances: Sequence[float]
) -> dict[str, Any] | None:
    """Whether the map drives the color.

    Parameters
    ----------
    methods
        Figures of the same photos with the maps 'true', 'repaired',
        'predicted', 'empty' and, if there is one, 'shuffled', and of 'gray';
        also 'mapless' where such networks are compared with.
    distances
        Mean distance in ab between true and empty map, one per photo.

    Returns
    -------
    dict or None
        ``gain`` G in dB with its interval, whether it is ``valid``,
        ``recovery`` (None where the map gains nothing), ``sensitivity`` in
        Lab units, ``repaired_gain`` in dB of the repaired map over the
        predicted one with its interval, ``gain_over_mapless`` over networks
        that never saw a map, and mean PSNR_ab of every map; None without
        photos.
    """
    if not distances:
        return None
    values = {
        method: _column(photos, 'psnr_ab')
        for method, photos in methods.items()
    }
    means = {method: float(each.mean()) for method, each in values.items()}
    gain = means['true'] - means['empty']
    recovered = means['predicted'] - means['empty']
    return {
        'photos': len(distances),
        'psnr_ab': means,
        'gain': gain,
        'gain_interval': list(
            bootstrap_interval(values['true'] - values['empty'])
        ),
        'valid': means['empty'] >= means['gray'] - TOLERANCE,
        'recovery': recovered / gain if gain > 0 else None,
        'repaired_gain': means['repaired'] - means['predicted'],
        'repaired_gain_interval': list(
            bootstrap_interval(values['repaired'] - values['predicted'])
        ),
        'sensitivity': float(np.mean(distances)),
        'gain_over_mapless': (
            means['true'] - means['mapless'] if 'mapless' in means else None
        ),
    }


def segmentation_figures(
    confusion: Confusion,
    accuracies: Sequence[float],
    classes: NDArray[np.intp],
) -> dict[str, Any] | None:
    """The predicted map against the true one; None if nothing is known.

    ``pixel_accuracy`` counts all known pixels of the split alike,
    ``pixel_accuracy_per_photo`` is the mean over photos. mIoU is the mean
    over the class set, less classes that the photos do not hold.
    """
    known = confusion.known_pixels()
    if not known.any():
        return None
    iou = confusion.iou()
    chosen = classes[known[classes] > 0]
    return {
        'pixel_accuracy': confusion.pixel_accuracy(),
        'pixel_accuracy_per_photo': float(np.mean(accuracies)),
        'miou': float(iou[chosen].mean()) if chosen.size else None,
        'classes': {
            CLASSES[number].name: float(iou[number]) for number in chosen
        },
    }


def class_rows(
    split: Split, fidelity: Fidelity | None, found: Found | None
) -> list[dict[str, Any]]:
    """What is known of each class of the class set."""
    rows = []
    for number in split.classes:
        row: dict[str, Any] = {
            'id': int(number),
            'name': CLASSES[number].name,
            'pixels': int(split.pixels[number]),
        }
        if split.means is not None:
            row['training_pixels'] = int(split.means.pixels[number])
        if found is not None:
            row |= found.confusion.of(number)
        if fidelity is not None:
            row['delta_e'] = fidelity.class_colors.of(number)
        rows.append(row)
    return rows


def dataset_rows(photos: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means over the photos of each data set, over those that have them."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for photo in photos:
        groups.setdefault(photo['dataset'], []).append(photo)
    rows = []
    for dataset, members in sorted(groups.items()):
        row: dict[str, Any] = {'dataset': dataset, 'photos': len(members)}
        for figure in ('psnr_ab', 'delta_e', 'colorfulness'):
            values: dict[str, list[float]] = {}
            for member in members:
                for method, value in member.get(figure, {}).items():
                    values.setdefault(method, []).append(value)
            row[figure] = {
                method: float(np.mean(each)) for method, each in values.items()
            }
        for figure in ('truth_colorfulness', 'pixel_accuracy'):
            known = [
                member[figure]
                for member in members
                if member.get(figure) is not None
            ]
            row[figure] = float(np.mean(known)) if known else None
        rows.append(row)
    return rows


def _column(photos: Sequence[Figures], name: str) -> NDArray[np.float64]:
    return np.array([figures[name] for figures in photos])
