"""The predicted map against the true one, on gray input."""

from __future__ import annotations

from typing import Any

from napari_sdcolor.core.planes import resize_labels
from napari_sdcolor.evaluation.cases import Case
from napari_sdcolor.evaluation.metrics import Confusion
from napari_sdcolor.evaluation.split import Split
from napari_sdcolor.evaluation.summary import segmentation_figures


class Found:
    """What the GridNet finds, at the photo's own size."""

    def __init__(self) -> None:
        self.confusion = Confusion()
        self.accuracies: list[float] = []
        self._split: Split | None = None

    def add(self, case: Case) -> None:
        if case.labels is None:
            return
        self._split = case.split
        found = resize_labels(case.predicted, case.labels.shape)
        self.accuracies.append(self.confusion.add(case.labels, found))

    def result(self) -> dict[str, Any] | None:
        if self._split is None:
            return None
        return segmentation_figures(
            self.confusion, self.accuracies, self._split.classes
        )
