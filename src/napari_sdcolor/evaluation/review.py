"""How well the confidence tells which photos need a person.

A batch flags photos whose map has a mean confidence below a threshold. Here
it is known which maps are wrong, so that every threshold can be judged.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from napari_sdcolor.core.planes import resize_labels
from napari_sdcolor.evaluation.cases import Case

GOOD_ENOUGH = 0.7
"""Share of the known pixels from which on a map needs no person."""

THRESHOLDS = tuple(number / 100 for number in range(1, 100))
"""Mean confidences below which a photo may be flagged."""


class Review:
    """Precision and recall of the flag "needs a person"."""

    def __init__(self) -> None:
        self.per_photo: list[dict[str, Any]] = []
        self._accuracies: list[float] = []
        self._confidences: list[float] = []

    def add(self, case: Case) -> None:
        # As a batch forms it, over all pixels.
        confidence = float(case.found.confidence.mean())
        self.per_photo.append(
            {
                'photo': case.name,
                'dataset': case.dataset,
                'confidence': confidence,
            }
        )
        if not case.known.any():
            return
        found = resize_labels(case.predicted, case.labels.shape)
        right = (found == case.labels)[case.known]
        self._accuracies.append(float(right.mean()))
        self._confidences.append(confidence)

    def result(self) -> dict[str, Any] | None:
        """None if no pixel of any photo is known."""
        if not self._accuracies:
            return None
        return flag_figures(self._confidences, self._accuracies)


def flag_figures(
    confidences: ArrayLike, accuracies: ArrayLike
) -> dict[str, Any]:
    """The flag at every threshold, and the threshold to take.

    Parameters
    ----------
    confidences
        (n,) mean confidence of each photo's map.
    accuracies
        (n,) share of each photo's known pixels whose class is right.

    Returns
    -------
    dict
        ``photos``, how many of them ``needy`` (below ``good_enough``), the
        ``suggested`` threshold, which is the lowest of those with the best
        F1 (None where no photo needs a person), and ``thresholds``, rows
        with the share of photos ``flagged``, ``precision`` (None where none
        is flagged), ``recall`` (None where none needs a person) and ``f1``.
    """
    confidences = np.asarray(confidences)
    needy = np.asarray(accuracies) < GOOD_ENOUGH
    rows = []
    for threshold in THRESHOLDS:
        flagged = confidences < threshold
        hits = int((flagged & needy).sum())
        rows.append(
            {
                'threshold': threshold,
                'flagged': float(flagged.mean()),
                'precision': _share(hits, int(flagged.sum())),
                'recall': _share(hits, int(needy.sum())),
                'f1': 2 * hits / max(1, int(flagged.sum() + needy.sum())),
            }
        )
    best = max(rows, key=itemgetter('f1'))
    return {
        'photos': len(needy),
        'needy': int(needy.sum()),
        'good_enough': GOOD_ENOUGH,
        'suggested': best['threshold'] if best['f1'] > 0 else None,
        'thresholds': rows,
    }


def suggested_row(found: dict[str, Any]) -> dict[str, Any] | None:
    """The row of the suggested threshold of ``flag_figures``."""
    return next(
        (
            row
            for row in found['thresholds']
            if row['threshold'] == found['suggested']
        ),
        None,
    )


def _share(part: int, of: int) -> float | None:
    return part / of if of else None
