"""How near the colors come to the photo's own, and what the map does."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.classes import N_CLASSES
from napari_sdcolor.evaluation import metrics
from napari_sdcolor.evaluation.cases import WITH_MAP, Case, Picture
from napari_sdcolor.evaluation.summary import (
    Figures,
    map_figures,
    summarize,
)

SCOPES = ('all', 'labeled', 'known', 'unlabeled')
"""All photos; labeled photos; their known pixels; photos without a map."""


class Fidelity:
    """Figures of every method over all scopes."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, list[Figures]]] = {
            scope: {} for scope in SCOPES
        }
        self.per_photo: list[dict[str, Any]] = []
        self.class_colors = ClassColors()

    def add(self, case: Case) -> None:
        scopes = {'all': np.ones(case.photo.shape, bool)}
        if case.labels is not None:
            scopes['labeled'] = scopes['all']
            if case.known.any():
                scopes['known'] = case.known
        else:
            scopes['unlabeled'] = scopes['all']
        line: dict[str, Any] = {'photo': case.name, 'dataset': case.dataset}
        for method in case.methods:
            found = figures(case.truth, case.picture(method), scopes)
            for name in ('psnr_ab', 'delta_e', 'colorfulness'):
                line.setdefault(name, {})[method] = found['all'][name]
            for scope, values in found.items():
                if scope != 'all' or method not in WITH_MAP:
                    self.rows[scope].setdefault(method, []).append(values)
            if method in ClassColors.METHODS:
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


class ClassColors:
    """Mean ΔE2000 of every class, over its known pixels of the split."""

    METHODS = ('gray', 'class-mean', 'predicted', 'repaired', 'true')

    def __init__(self) -> None:
        self.sums: dict[str, NDArray[np.float64]] = {}
        self.pixels: dict[str, NDArray[np.float64]] = {}

    def add(self, case: Case, method: str) -> None:
        if case.labels is None:
            return
        ids = case.labels[case.known]
        delta = metrics.delta_e(
            case.truth.lab[case.known], case.picture(method).lab[case.known]
        )
        nothing = np.zeros(N_CLASSES)
        self.sums[method] = self.sums.get(method, nothing) + np.bincount(
            ids, delta, N_CLASSES
        )
        self.pixels[method] = self.pixels.get(method, nothing) + np.bincount(
            ids, minlength=N_CLASSES
        )

    def of(self, number: int) -> dict[str, float]:
        """Of one class; methods that never colored it are left out."""
        return {
            method: float(self.sums[method][number] / pixels[number])
            for method, pixels in self.pixels.items()
            if pixels[number]
        }


class MapEffect:
    """Map gain, recovery and sensitivity on labeled photos."""

    METHODS = (
        'gray',
        'empty',
        'shuffled',
        'predicted',
        'repaired',
        'true',
        'mapless',
    )

    def __init__(self) -> None:
        self.psnr: dict[str, dict[str, list[Figures]]] = {
            'labeled': {},
            'known': {},
        }
        self.distances: dict[str, list[float]] = {'labeled': [], 'known': []}

    def add(self, case: Case) -> None:
        if case.labels is None:
            return
        scopes = {'labeled': np.ones(case.photo.shape, bool)}
        if case.known.any():
            scopes['known'] = case.known
        for method in self.METHODS:
            if method in case.methods:
                picture = case.picture(method)
                error = metrics.squared_error(case.truth.ab, picture.ab)
                for scope, pixels in scopes.items():
                    self.psnr[scope].setdefault(method, []).append(
                        {'psnr_ab': metrics.psnr(error[pixels])}
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
