"""The predicted map against the true one, on gray input."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_sdcolor.core.planes import resize_labels
from napari_sdcolor.evaluation.cases import Case
from napari_sdcolor.evaluation.metrics import Confusion
from napari_sdcolor.evaluation.split import Split
from napari_sdcolor.evaluation.summary import segmentation_figures


class Found:
    """What the GridNet finds, at the photo's own size."""

    def __init__(self) -> None:
        self.confusion = Confusion()
        self.per_photo: list[dict[str, Any]] = []
        self._split: Split | None = None

    def add(self, case: Case) -> None:
        if case.labels is None:
            return
        self._split = case.split
        found = resize_labels(case.predicted, case.labels.shape)
        accuracy = self.confusion.add(case.labels, found)
        self.per_photo.append(
            {
                'photo': case.name,
                'dataset': case.dataset,
                # Of a photo without a known pixel there is none.
                'pixel_accuracy': None if np.isnan(accuracy) else accuracy,
            }
        )

    def result(self) -> dict[str, Any] | None:
        if self._split is None:
            return None
        accuracies = [line['pixel_accuracy'] for line in self.per_photo]
        return segmentation_figures(
            self.confusion,
            [each for each in accuracies if each is not None],
            self._split.classes,
        )
