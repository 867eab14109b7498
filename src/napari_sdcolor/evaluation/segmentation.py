"""The predicted map against the true one, on gray input."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_sdcolor.classes import CLASSES
from napari_sdcolor.core.planes import resize_labels
from napari_sdcolor.evaluation.cases import Case
from napari_sdcolor.evaluation.metrics import Confusion, mean
from napari_sdcolor.evaluation.split import Split


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
        """None if nothing is known.

        ``pixel_accuracy`` counts all known pixels of the split alike,
        ``pixel_accuracy_per_photo`` is the mean over photos. mIoU is the
        mean over the class set, less classes that the photos do not hold.
        """
        known = confusion.known_pixels()
        if not known.any():
            return None
        iou, classes = confusion.iou(), self._split.classes
        chosen = classes[known[classes] > 0]
        return {
            'pixel_accuracy': confusion.pixel_accuracy(),
            'pixel_accuracy_per_photo': mean(
                line[name] for line in self.per_photo
            ),
            'miou': mean(iou[chosen]),
            'classes': {
                CLASSES[number].name: float(iou[number]) for number in chosen
            },
        }
