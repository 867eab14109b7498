"""Maps for photographs that have none: predicted once, kept with the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.archive.labels import LABELS_SUFFIX, write_labels_png
from napari_sdcolor.errors import PhotoError
from napari_sdcolor.training.data import (
    BadEntry,
    Entry,
    LabelFile,
    Place,
    Skipped,
)
from napari_sdcolor.training.files import replace_file

LIMIT = 704
"""Short side in pixels at which photos are looked at, twice the default
working size."""


class Segmenter(Protocol):
    """What finds out what is in a photo, such as a ``Colorizer``."""

    def segment(self, photo: NDArray[np.uint8]) -> object:
        """The result has ``labels`` (h, w) uint8."""


def with_predicted_maps(
    entries: Sequence[Entry],
    folder: Path,
    segmenter: Segmenter,
    report: Callable[[int, int], None] = lambda done, of: None,
) -> tuple[list[Entry], list[Skipped]]:
    """Give a predicted map to every photo that has none.

    Parameters
    ----------
    entries
        Those with maps are handed through.
    folder
        Receives the maps as PNG files; what lies there is not made again.
    segmenter
        Predicts.
    report
        Called with the number of photos done and in all.

    Returns
    -------
    entries
        In the same order, without those that cannot be read.
    skipped
        Those.

    Raises
    ------
    OSError
        If a map cannot be written.
    """
    found, skipped = [], []
    for number, entry in enumerate(entries, 1):
        if entry.labels is not None:
            found.append(entry)
            continue
        path = folder / entry.dataset / f'{entry.name}{LABELS_SUFFIX}'
        try:
            if not path.is_file():
                _predict(entry, path, segmenter)
        except BadEntry as error:
            skipped.append(error.skipped)
        else:
            labels = LabelFile(Place(path), upright=True)
            found.append(replace(entry, labels=labels))
        report(number, len(entries))
    return found, skipped


def _predict(entry: Entry, path: Path, segmenter: Segmenter) -> None:
    rgb, _ = entry.load(LIMIT)
    try:
        labels = segmenter.segment(np.ascontiguousarray(rgb)).labels
    except PhotoError as error:
        reason = str(error).rstrip('.')
        raise BadEntry(entry.dataset, entry.name, reason) from error
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, write_labels_png(labels))
