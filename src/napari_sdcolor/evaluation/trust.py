"""Can the confidence of the predicted map be trusted?

Of the pixels for which the network gives its class 80 %, 80 in 100 should
be of that class. A batch flags photos whose map has a mean confidence below
a threshold; here it is known which maps are wrong, so that every threshold
can be judged.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_sdcolor.classes import UNKNOWN
from napari_sdcolor.core.planes import resize_labels
from napari_sdcolor.evaluation.cases import Case
from napari_sdcolor.evaluation.metrics import share

BINS = 15
"""Parts of equal width into which confidences from 0 to 1 are sorted."""

GOOD_ENOUGH = 0.7
"""Share of the known pixels from which on a map needs no person."""

THRESHOLDS = tuple(number / 100 for number in range(1, 100))
"""Mean confidences below which a photo may be flagged."""


class Calibration:
    """Confidence against accuracy over all known pixels, bin by bin.

    Attributes
    ----------
    pixels, confidence, right : NDArray
        (bins,) number of pixels, sum of their confidences, number of those
        that are right.
    """

    def __init__(self) -> None:
        self.pixels = np.zeros(BINS, np.int64)
        self.confidence = np.zeros(BINS)
        self.right = np.zeros(BINS, np.int64)

    def add(self, case: Case) -> None:
        if case.labels is None:
            return
        truth = case.working_labels
        known = truth != UNKNOWN
        found = case.found
        self.count(
            found.confidence[known], found.labels[known] == truth[known]
        )

    def count(
        self, confidence: NDArray[np.floating], right: NDArray[np.bool_]
    ) -> None:
        """Count pixels.

        Parameters
        ----------
        confidence
            (n,) in [0, 1], of the predicted class.
        right
            (n,), whether it is the true one.
        """
        place = np.minimum((confidence * BINS).astype(np.intp), BINS - 1)
        self.pixels += np.bincount(place, minlength=BINS)
        self.confidence += np.bincount(place, confidence, BINS)
        self.right += np.bincount(place[right], minlength=BINS)

    def error(self) -> float:
        """Expected calibration error: mean |confidence − accuracy|.

        Bins count by their pixels; NaN without pixels.
        """
        total = self.pixels.sum()
        if not total:
            return float('nan')
        return float(np.abs(self.confidence - self.right).sum() / total)

    def result(self) -> dict[str, Any] | None:
        """None if no pixel is known."""
        pixels = int(self.pixels.sum())
        if not pixels:
            return None
        rows = zip(
            self.pixels.tolist(),
            self.confidence.tolist(),
            self.right.tolist(),
            strict=True,
        )
        return {
            'pixels': pixels,
            'error': self.error(),
            'confidence': float(self.confidence.sum() / pixels),
            'accuracy': float(self.right.sum() / pixels),
            'bins': [
                {
                    'low': number / BINS,
                    'high': (number + 1) / BINS,
                    'pixels': count,
                    'confidence': share(confidence, count),
                    'accuracy': share(right, count),
                }
                for number, (count, confidence, right) in enumerate(rows)
            ],
        }


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
                'precision': share(hits, int(flagged.sum())),
                'recall': share(hits, int(needy.sum())),
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
