"""Does color bleed across label edges, and do neighbors differ?

Measured along the edges of the true map, against the same edges of the
truth: what a photograph itself blurs is not the method's fault.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.evaluation import edges
from napari_sdcolor.evaluation.cases import Case
from napari_sdcolor.evaluation.metrics import (
    bootstrap_interval,
    finite_mean,
    mean,
)

SHARP = 0.2
"""Photos count whose own colors have a smaller LCL."""

OURS = ('class-mean', 'predicted', 'repaired', 'true')
"""Methods of ours that are looked at, besides those of others."""

COMPARED = (
    'lcl',
    'lcl_truth',
    'delta_lcl',
    'delta_lcl_interval',
    'sigma',
    'sigma_truth',
    'profile',
    'profile_truth',
)
"""Figures over the edges that are usable in both pictures."""


@dataclass
class _Edge:
    """One edge in one picture; None where its contrast is too small."""

    contrast: float
    leakage: float | None = None
    profile: NDArray | None = None


@dataclass
class _Method:
    """What one method showed so far.

    Parameters
    ----------
    usable, edges
        Edges that its pictures show, and those that are compared.
    truth, result
        Mean leakage of each compared photo, in the photo and as colored.
    truth_profiles, result_profiles
        Their mean profiles.
    ratios
        For each photo the contrast of its pairs over that of the truth.
    """

    usable: int = 0
    edges: int = 0
    truth: list[float] = field(default_factory=list)
    result: list[float] = field(default_factory=list)
    truth_profiles: list[NDArray] = field(default_factory=list)
    result_profiles: list[NDArray] = field(default_factory=list)
    ratios: list[list[float]] = field(default_factory=list)


class Bleeding:
    """LCL, σ_bleed and discrimination of every method."""

    def __init__(self) -> None:
        self.candidates = 0
        self.truth_usable = 0
        self.sharp_photos = 0
        self.methods: dict[str, _Method] = {}

    def add(self, case: Case) -> None:
        if case.labels is None:
            return
        found = edges.find_edges(case.labels)
        self.candidates += len(found)
        if not found:
            return
        truth = [_measured(case.truth.ab, edge) for edge in found]
        leaks = [one.leakage for one in truth if one.leakage is not None]
        self.truth_usable += len(leaks)
        sharp = bool(leaks) and float(np.mean(leaks)) < SHARP
        self.sharp_photos += sharp
        for method in case.methods:
            if method in OURS or method in case.finished:
                ab = case.picture(method).ab
                result = [_measured(ab, edge) for edge in found]
                self._count(method, found, truth, result, sharp)

    def _count(
        self,
        name: str,
        found: list[edges.Edge],
        truth: list[_Edge],
        result: list[_Edge],
        sharp: bool,
    ) -> None:
        method = self.methods.setdefault(name, _Method())
        method.usable += sum(one.leakage is not None for one in result)
        # Either direction of a pair says the same.
        ratios = {
            frozenset(edge.regions): mine.contrast / own.contrast
            for edge, own, mine in zip(found, truth, result, strict=True)
            if own.leakage is not None
        }
        if ratios:
            method.ratios.append(list(ratios.values()))
        both = [
            (own, mine)
            for own, mine in zip(truth, result, strict=True)
            if own.leakage is not None and mine.leakage is not None
        ]
        if not sharp or not both:
            return
        method.edges += len(both)
        method.truth.append(mean(own.leakage for own, _ in both))
        method.result.append(mean(mine.leakage for _, mine in both))
        method.truth_profiles.append(
            finite_mean([own.profile for own, _ in both])
        )
        method.result_profiles.append(
            finite_mean([mine.profile for _, mine in both])
        )

    def result(self) -> dict[str, Any] | None:
        """None if no photo has an edge."""
        if not self.candidates:
            return None
        return {
            'edges': self.candidates,
            'truth_usable': self.truth_usable,
            'sharp_photos': self.sharp_photos,
            'least_contrast': edges.LEAST_CONTRAST,
            'depths': edges.DEPTHS.tolist(),
            'methods': {
                name: _figures(method) for name, method in self.methods.items()
            },
        }


def _measured(ab: NDArray, edge: edges.Edge) -> _Edge:
    contrast = float(np.linalg.norm(edges.contrast(ab, edge)))
    if contrast < edges.LEAST_CONTRAST:
        return _Edge(contrast)
    alpha = edges.bleeding(ab, edge)
    return _Edge(
        contrast, edges.leakage(alpha, edge), edges.profile(alpha, edge)
    )


def _figures(method: _Method) -> dict[str, Any]:
    """Of one method; means over photos, None where nothing was usable.

    σ_bleed is that of the mean profile: a fit to single photos would be
    moved by every shadow and stripe beside an edge.
    """
    figures: dict[str, Any] = {
        'usable': method.usable,
        'edges': method.edges,
        'photos': len(method.truth),
        **_discrimination(method.ratios),
        **dict.fromkeys(COMPARED),
    }
    if not method.truth:
        return figures
    difference = np.array(method.result) - np.array(method.truth)
    mine = finite_mean(method.result_profiles)
    own = finite_mean(method.truth_profiles)
    return figures | {
        'lcl': mean(method.result),
        'lcl_truth': mean(method.truth),
        'delta_lcl': float(difference.mean()),
        'delta_lcl_interval': bootstrap_interval(difference),
        'sigma': edges.fit_sigma(mine),
        'sigma_truth': edges.fit_sigma(own),
        'profile': _listed(mine),
        'profile_truth': _listed(own),
    }


def _discrimination(ratios: list[list[float]]) -> dict[str, Any]:
    """Median over all pairs, and mean over photos of each one's median."""
    if not ratios:
        return {
            'pairs': 0,
            'discrimination': None,
            'discrimination_per_photo': None,
        }
    pairs = np.concatenate(ratios)
    return {
        'pairs': int(pairs.size),
        'discrimination': float(np.median(pairs)),
        'discrimination_per_photo': mean(np.median(photo) for photo in ratios),
    }


def _listed(profile: NDArray) -> list[float | None]:
    """NaN, which JSON does not know, as None."""
    return [None if np.isnan(value) else float(value) for value in profile]
