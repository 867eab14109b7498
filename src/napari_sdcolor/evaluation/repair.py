"""What a fault in the map costs, and what its repair gives back.

The class of one region of the true map is corrupted and repaired in a
session, as a person at the screen would do it (paper, Figure 6).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from napari_sdcolor.evaluation import metrics
from napari_sdcolor.evaluation.cases import Case, Picture

RIM = 3.0
"""Pixels along the region's edge that a hasty brush leaves wrong."""

STATES = ('true', 'corrupt', 'fixed', 'brushed')
"""Maps of which PSNR_ab is formed; 'brushed' leaves the rim wrong."""


def brushed(
    labels: NDArray[np.uint8], region: NDArray[np.bool_], after: int
) -> NDArray[np.uint8]:
    """The map after a repair of a region that leaves its rim wrong."""
    depth = distance_transform_edt(region)
    wrong = labels.copy()
    wrong[region & (depth <= RIM)] = after
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
            state: self._error(case.truth, picture)
            for state, picture in pictures.items()
        }
        everywhere = np.ones(case.photo.shape, bool)
        scopes = {
            'labeled': everywhere,
            'known': case.known,
            'region': swap.region,
        }
        for scope, pixels in scopes.items():
            self.rows[scope].append(
                [metrics.psnr(errors[state][pixels]) for state in STATES]
            )

    @staticmethod
    def _error(truth: Picture, result: Picture) -> NDArray[np.float64]:
        return metrics.squared_error(truth.ab, result.ab)

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
    mean = float(cost.mean())
    return {
        'faults': len(values),
        'psnr_ab': {
            state: float(column.mean())
            for state, column in zip(STATES, values.T, strict=True)
        },
        'cost': mean,
        'cost_interval': list(metrics.bootstrap_interval(cost)),
        'harmless': int((cost <= 0).sum()),
        'repair': float((fixed - corrupt).mean()) / mean if mean > 0 else None,
        'brush': float((brush - corrupt).mean()) / mean if mean > 0 else None,
    }
