"""What edits of the map do: other classes, faults and their repair.

Does another class bring its color, there and nowhere else? And what does a
fault in the map cost, what does its repair give back? For that the class of
one region of the true map is corrupted and repaired in a session, as a
person at the screen would do it (paper, Figure 6).
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from napari_sdcolor.classes import CLASSES
from napari_sdcolor.evaluation import metrics
from napari_sdcolor.evaluation.cases import Case
from napari_sdcolor.evaluation.metrics import mean, share
from napari_sdcolor.evaluation.swaps import (
    LEAST_DISTANCE,
    Swap,
    partners,
)

RIM = 3.0
"""Pixels around a region that count neither as inside nor as outside."""

BOX_CHECKS = 24
"""So many photos are colored in full twice to look outside the box."""

HASTY = 3.0
"""Pixels along the region's edge that a hasty brush leaves wrong."""

STATES = ('true', 'corrupt', 'fixed', 'brushed')
"""Maps of which PSNR_ab is formed; 'brushed' leaves the rim wrong."""


def controllability(
    before: NDArray, after: NDArray, region: NDArray[np.bool_], step: NDArray
) -> float:
    """CSC of one swap: how far its color went along the classes' step.

    Parameters
    ----------
    before, after
        (H, W, 2), ab with the true and with the swapped map.
    region
        (H, W) bool.
    step
        (2,), mean ab of the new class less that of the old one.

    Returns
    -------
    float
        0 if the swap was ignored, 1 if the color moved by the whole step.
    """
    moved = (after[region] - before[region]).mean(axis=0, dtype=np.float64)
    return float(moved @ step / (step @ step))


def is_hit(
    after: NDArray, region: NDArray[np.bool_], old: NDArray, new: NDArray
) -> bool:
    """Whether a region's mean ab is nearer to the new class's mean."""
    mean = after[region].mean(axis=0, dtype=np.float64)
    return bool(np.linalg.norm(mean - new) < np.linalg.norm(mean - old))


def change_inside_and_outside(
    before: NDArray, after: NDArray, region: NDArray[np.bool_]
) -> tuple[float, float | None]:
    """Mean change of ab in a region, and farther than ``RIM`` from it.

    The second is None if no pixel is that far away.
    """
    change = np.linalg.norm(after - before, axis=-1)
    far = distance_transform_edt(~region) > RIM
    outside = float(change[far].mean()) if far.any() else None
    return float(change[region].mean()), outside


class Control:
    """Class-swap controllability and locality.

    Per photo the mean over its swaps, then the mean over photos; the hit
    rate is the share of all swaps.
    """

    def __init__(self) -> None:
        self.photos: list[dict[str, float | None]] = []
        self.swaps: list[dict[str, Any]] = []
        self.outside_box: list[float] = []
        self._classes: list[int] = []

    def add(self, case: Case) -> None:
        means = case.split.means
        if means is None:
            return
        if not self._classes:
            self._classes = list(partners(means, case.split.classes))
        rows = [
            self._measured(case, number, swap)
            for number, swap in enumerate(case.swaps)
        ]
        if not rows:
            return
        self.swaps += rows
        self.photos.append(
            {
                'csc': mean(row['csc'] for row in rows),
                'inside': mean(row['inside'] for row in rows),
                'outside': mean(row['outside'] for row in rows),
            }
        )
        if len(self.outside_box) < BOX_CHECKS:
            self.outside_box.append(case.change_outside_box(case.swaps[0]))

    @staticmethod
    def _measured(case: Case, number: int, swap: Swap) -> dict[str, Any]:
        before, after = case.picture('true').ab, case.swapped(number).ab
        old, new = (case.split.means.ab[c] for c in (swap.before, swap.after))
        inside, outside = change_inside_and_outside(before, after, swap.region)
        return {
            'photo': case.name,
            'from': swap.before,
            'to': swap.after,
            'pixels': int(swap.region.sum()),
            'csc': controllability(before, after, swap.region, new - old),
            'hit': is_hit(after, swap.region, old, new),
            'was_hit': is_hit(before, swap.region, old, new),
            'inside': inside,
            'outside': outside,
        }

    def result(self) -> dict[str, Any] | None:
        """None without swaps."""
        if not self.swaps:
            return None
        csc = [photo['csc'] for photo in self.photos]
        inside = mean(photo['inside'] for photo in self.photos)
        outside = mean(photo['outside'] for photo in self.photos)
        return {
            'photos': len(self.photos),
            'swaps': len(self.swaps),
            'least_distance': LEAST_DISTANCE,
            'classes': [CLASSES[number].name for number in self._classes],
            'csc': mean(csc),
            'csc_interval': metrics.bootstrap_interval(csc),
            'csc_over_swaps': mean(s['csc'] for s in self.swaps),
            'hit_rate': mean(s['hit'] for s in self.swaps),
            'hit_rate_before': mean(s['was_hit'] for s in self.swaps),
            'pairs': self._pairs(),
            'locality': {
                'rim': RIM,
                'inside': inside,
                'outside': outside,
                'ratio': None if outside is None else share(outside, inside),
                'outside_box': max(self.outside_box),
                'outside_box_photos': len(self.outside_box),
            },
            'per_swap': [
                {
                    **swap,
                    'from': CLASSES[swap['from']].name,
                    'to': CLASSES[swap['to']].name,
                }
                for swap in self.swaps
            ],
        }

    def _pairs(self) -> list[dict[str, Any]]:
        """The pair matrix, one entry for every pair that was swapped."""
        pairs = defaultdict(list)
        for swap in self.swaps:
            pairs[swap['from'], swap['to']].append(swap)
        return [
            {
                'from': CLASSES[before].name,
                'to': CLASSES[after].name,
                'swaps': len(swaps),
                'csc': mean(swap['csc'] for swap in swaps),
                'hits': sum(swap['hit'] for swap in swaps),
            }
            for (before, after), swaps in sorted(pairs.items())
        ]


def brushed(
    labels: NDArray[np.uint8], region: NDArray[np.bool_], after: int
) -> NDArray[np.uint8]:
    """The map after a repair of a region that leaves its rim wrong."""
    depth = distance_transform_edt(region)
    wrong = labels.copy()
    wrong[region & (depth <= HASTY)] = after
    return wrong


class Repair:
    """One fault per photo, over three sets of its pixels."""

    def __init__(self) -> None:
        self.rows: dict[str, list[list[float]]] = {
            scope: [] for scope in ('labeled', 'known', 'region')
        }

    def add(self, case: Case) -> None:
        if not case.swaps:
            return
        swap = case.swaps[0]
        pictures = {
            'true': case.picture('true'),
            'corrupt': case.swapped(0),
            'brushed': case.colored(
                brushed(case.labels, swap.region, swap.after)
            ),
            # Last: the same session is back at the true map.
            'fixed': case.colored(case.labels),
        }
        errors = {
            state: metrics.squared_error(case.truth.ab, picture.ab)
            for state, picture in pictures.items()
        }
        scopes = {**case.scopes, 'region': swap.region}
        for scope, rows in self.rows.items():
            pixels = scopes[scope]
            rows.append(
                [metrics.psnr(errors[state][pixels]) for state in STATES]
            )

    def result(self) -> dict[str, Any] | None:
        """None without a photo that has a fault."""
        if not self.rows['labeled']:
            return None
        return {scope: summary(rows) for scope, rows in self.rows.items()}


def summary(rows: list[list[float]]) -> dict[str, Any]:
    """Figures of PSNR_ab (faults, states) in the order of ``STATES``.

    ``repair`` is (P_fixed − P_corrupt) / (P_true − P_corrupt), a ratio of
    means over photos so that faults without a cost do not divide by
    nothing; ``brush`` is the same for the hasty repair. Both are None if
    the faults cost nothing.
    """
    values = np.array(rows)
    true, corrupt, fixed, brush = values.T
    cost = true - corrupt
    lost = float(cost.mean())

    def back(repaired: NDArray) -> float | None:
        gained = float((repaired - corrupt).mean())
        return gained / lost if lost > 0 else None

    return {
        'faults': len(values),
        'psnr_ab': {
            state: float(column.mean())
            for state, column in zip(STATES, values.T, strict=True)
        },
        'cost': lost,
        'cost_interval': metrics.bootstrap_interval(cost),
        'harmless': int((cost <= 0).sum()),
        'repair': back(fixed),
        'brush': back(brush),
    }
