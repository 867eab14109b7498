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
    """What the GridNet finds, at the photo's own size.

    The photo is shown as it is, and aged with everything at once.
    """

    def __init__(self) -> None:
        self.confusion = Confusion()
        self.aged = Confusion()
        self.per_photo: list[dict[str, Any]] = []
        self._split: Split | None = None

    def add(self, case: Case) -> None:
        if case.labels is None:
            return
        self._split = case.split
        line = {'photo': case.name, 'dataset': case.dataset}
        for name, confusion, map_ in (
            ('pixel_accuracy', self.confusion, case.predicted),
            ('pixel_accuracy_aged', self.aged, case.predicted_aged),
        ):
            found = resize_labels(map_, case.labels.shape)
            accuracy = confusion.add(case.labels, found)
            # Of a photo without a known pixel there is none.
            line[name] = None if np.isnan(accuracy) else accuracy
        self.per_photo.append(line)

    def result(self) -> dict[str, Any] | None:
        if self._split is None:
            return None
        found = self._figures(self.confusion, 'pixel_accuracy')
        if found is not None:
            found['aged'] = self._figures(self.aged, 'pixel_accuracy_aged')
        return found

    def _figures(
        self, confusion: Confusion, name: str
    ) -> dict[str, Any] | None:
        accuracies = [line[name] for line in self.per_photo]
        return segmentation_figures(
            confusion,
            [each for each in accuracies if each is not None],
            self._split.classes,
        )
