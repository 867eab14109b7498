"""Does the confidence of the predicted map mean what it says?

Of the pixels for which the network gives its class 80 %, 80 in 100 should
be of that class.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.classes import UNKNOWN
from napari_sdcolor.evaluation.cases import Case

BINS = 15
"""Parts of equal width into which confidences from 0 to 1 are sorted."""


class Reliability:
    """Confidence against accuracy, bin by bin.

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

    def add(
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


class Calibration:
    """Reliability over all known pixels, at working size."""

    def __init__(self) -> None:
        self.reliability = Reliability()

    def add(self, case: Case) -> None:
        if case.labels is None:
            return
        truth = case.working_labels
        known = truth != UNKNOWN
        found = case.found
        self.reliability.add(
            found.confidence[known], found.labels[known] == truth[known]
        )

    def result(self) -> dict[str, Any] | None:
        """None if no pixel is known."""
        counted = self.reliability
        pixels = int(counted.pixels.sum())
        if not pixels:
            return None
        return {
            'pixels': pixels,
            'error': counted.error(),
            'confidence': float(counted.confidence.sum() / pixels),
            'accuracy': float(counted.right.sum() / pixels),
            'bins': [
                {
                    'low': number / BINS,
                    'high': (number + 1) / BINS,
                    'pixels': int(count),
                    'confidence': float(confidence / count) if count else None,
                    'accuracy': float(right / count) if count else None,
                }
                for number, (count, confidence, right) in enumerate(
                    zip(
                        counted.pixels,
                        counted.confidence,
                        counted.right,
                        strict=True,
                    )
                )
            ],
        }
