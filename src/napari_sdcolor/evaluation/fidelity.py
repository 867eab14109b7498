"""How near the colors come to the photo's own, and what the map does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.classes import N_CLASSES
from napari_sdcolor.evaluation import metrics
from napari_sdcolor.evaluation.cases import Case, Picture
from napari_sdcolor.evaluation.names import BY_CLASS, METHODS

SCOPES = ('all', 'labeled', 'known', 'unlabeled')
"""All photos; labeled photos; their known pixels; photos without a map."""

TOLERANCE = 0.05
"""dB by which the empty map may be worse than gray before the map gain
says nothing: a network that is broken without a map is no gain."""

Figures = dict[str, float]
"""What was measured of one picture (``figures``)."""


class Fidelity:
    """Figures of every method over all scopes."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, list[Figures]]] = {
            scope: {} for scope in SCOPES
        }
        self.per_photo: list[dict[str, Any]] = []
        self.class_colors = ClassColors()

    def add(self, case: Case) -> None:
        line: dict[str, Any] = {'photo': case.name, 'dataset': case.dataset}
        for method in case.methods:
            found = figures(case.truth, case.picture(method), case.scopes)
            for name in ('psnr_ab', 'delta_e', 'colorfulness'):
                line.setdefault(name, {})[method] = found['all'][name]
            for scope, values in found.items():
                partial = method in METHODS and METHODS[method].labeled
                if scope != 'all' or not partial:
                    self.rows[scope].setdefault(method, []).append(values)
            if method in BY_CLASS:
                self.class_colors.add(case, method)
        line['truth_colorfulness'] = found['all']['truth_colorfulness']
        self.per_photo.append(line)

    def result(self) -> dict[str, Any]:
        return {
            scope: {
                'photos': len(rows.get('gray', ())),
                'methods': {
                    method: summarize(photos)
                    for method, photos in rows.items()
                },
            }
            for scope, rows in self.rows.items()
        }


def figures(
    truth: Picture, result: Picture, scopes: dict[str, Any]
) -> dict[str, Figures]:
    """Figures of one picture over each set of pixels (H, W) bool."""
    rgb = metrics.squared_error(truth.rgb, result.rgb)
    ab = metrics.squared_error(truth.ab, result.ab)
    delta = metrics.delta_e(truth.lab, result.lab)
    return {
        name: {
            'psnr_rgb': metrics.psnr(rgb[scope]),
            'psnr_ab': metrics.psnr(ab[scope]),
            'delta_e': float(delta[scope].mean()),
            'delta_e_p95': float(np.percentile(delta[scope], 95)),
            'colorfulness': metrics.colorfulness(result.rgb[scope]),
            'truth_colorfulness': metrics.colorfulness(truth.rgb[scope]),
        }
        for name, scope in scopes.items()
    }


def summarize(photos: Sequence[Figures]) -> Figures:
    """Means over photos of one method's figures.

    ``delta_cf`` is the difference of the mean colorfulness from the mean of
    the truth, ``delta_cf_per_photo`` the mean difference photo by photo.
    """
    columns = {
        name: np.array([figures[name] for figures in photos])
        for name in photos[0]
    }
    difference = columns['colorfulness'] - columns['truth_colorfulness']
    return {
        **{name: float(column.mean()) for name, column in columns.items()},
        'delta_cf': float(abs(difference.mean())),
        'delta_cf_per_photo': float(np.abs(difference).mean()),
        'photos': len(photos),
    }


def against_gray(
    photos: Sequence[dict[str, Any]] | None,
) -> dict[str, dict[str, Any] | None]:
    """What color is worth against gray: all photos, with and without map."""
    names = ('over_gray', 'over_gray_labeled', 'over_gray_unlabeled')
    if photos is None:
        return dict.fromkeys(names)
    labeled = [photo for photo in photos if 'true' in photo['psnr_ab']]
    others = [photo for photo in photos if 'true' not in photo['psnr_ab']]
    parts = (photos, labeled, others)
    return {
        name: over_gray(part) for name, part in zip(names, parts, strict=True)
    }


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
        own = metrics.mean(each['truth_colorfulness'] for each in having)
        shown = metrics.mean(each['colorfulness'][method] for each in having)
        result[method] = {
            'photos': len(having),
            'psnr_ab': float(gained['psnr_ab'].mean()),
            'psnr_ab_interval': metrics.bootstrap_interval(gained['psnr_ab']),
            'delta_e': float(gained['delta_e'].mean()),
            'nearer': float((gained['psnr_ab'] > 0).mean()),
            'color': metrics.share(shown, own),
        }
    return result


class ClassColors:
    """Mean ΔE2000 of every class, over its known pixels of the split."""

    def __init__(self) -> None:
        self.sums: dict[str, NDArray[np.float64]] = defaultdict(_nothing)
        self.pixels: dict[str, NDArray[np.float64]] = defaultdict(_nothing)

    def add(self, case: Case, method: str) -> None:
        if case.labels is None:
            return
        ids = case.labels[case.known]
        delta = metrics.delta_e(
            case.truth.lab[case.known], case.picture(method).lab[case.known]
        )
        self.sums[method] += np.bincount(ids, delta, N_CLASSES)
        self.pixels[method] += np.bincount(ids, minlength=N_CLASSES)

    def of(self, number: int) -> dict[str, float]:
        """Of one class; methods that never colored it are left out."""
        return {
            method: float(self.sums[method][number] / pixels[number])
            for method, pixels in self.pixels.items()
            if pixels[number]
        }


def _nothing() -> NDArray[np.float64]:
    return np.zeros(N_CLASSES)


class MapEffect:
    """Map gain, recovery and sensitivity on labeled photos."""

    def __init__(self) -> None:
        self.psnr: dict[str, dict[str, list[float]]] = {
            'labeled': {},
            'known': {},
        }
        self.distances: dict[str, list[float]] = {'labeled': [], 'known': []}

    def add(self, case: Case) -> None:
        if case.labels is None:
            return
        scopes = {
            scope: pixels
            for scope, pixels in case.scopes.items()
            if scope in self.distances
        }
        for method in case.methods:
            if method == 'class-mean' or method in case.finished:
                continue
            picture = case.picture(method)
            error = metrics.squared_error(case.truth.ab, picture.ab)
            for scope, pixels in scopes.items():
                self.psnr[scope].setdefault(method, []).append(
                    metrics.psnr(error[pixels])
                )
        moved = case.picture('true').ab - case.picture('empty').ab
        distance = np.linalg.norm(moved, axis=-1)
        for scope, pixels in scopes.items():
            self.distances[scope].append(float(distance[pixels].mean()))

    def result(self) -> dict[str, Any]:
        return {
            scope: map_figures(self.psnr[scope], distances)
            for scope, distances in self.distances.items()
        }


def map_figures(
    methods: dict[str, list[float]], distances: Sequence[float]
) -> dict[str, Any] | None:
    """Whether the map drives the color.

    Parameters
    ----------
    methods
        PSNR_ab of the same photos with the maps 'true', 'repaired',
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
    values = {method: np.array(each) for method, each in methods.items()}
    means = {method: float(each.mean()) for method, each in values.items()}
    gain = means['true'] - means['empty']
    recovered = means['predicted'] - means['empty']
    return {
        'photos': len(distances),
        'psnr_ab': means,
        'gain': gain,
        'gain_interval': metrics.bootstrap_interval(
            values['true'] - values['empty']
        ),
        'valid': means['empty'] >= means['gray'] - TOLERANCE,
        'recovery': recovered / gain if gain > 0 else None,
        'repaired_gain': means['repaired'] - means['predicted'],
        'repaired_gain_interval': metrics.bootstrap_interval(
            values['repaired'] - values['predicted']
        ),
        'sensitivity': float(np.mean(distances)),
        'gain_over_mapless': (
            means['true'] - means['mapless'] if 'mapless' in means else None
        ),
    }
