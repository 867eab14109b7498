"""Maps for photographs that have none: predicted once, kept with the run."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from napari_sdcolor.archive.formats import LABELS_SUFFIX
from napari_sdcolor.classes import UNKNOWN
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.datasets.entry import (
    BadEntry,
    Entry,
    LabelFile,
    Place,
    Skipped,
)
from napari_sdcolor.errors import PhotoError
from napari_sdcolor.files import write_new
from napari_sdcolor.names import safe_name, safe_path

LIMIT = 704
"""Short side in pixels at which photos are looked at, twice the default
working size."""


def with_predicted_maps(
    entries: Sequence[Entry],
    folder: Path,
    colorizer: Colorizer,
    report: Callable[[int, int], None] = lambda done, of: None,
    *,
    sure: float = 0.0,
) -> tuple[list[Entry], list[Skipped]]:
    """Give a predicted map to every photo that has none.

    Parameters
    ----------
    entries
        Those with maps are handed through.
    folder
        Receives the maps as PNG files; what lies there is not made again.
    colorizer
        Predicts.
    report
        Called with the number of photos done and in all.
    sure
        Pixels below this confidence become unknown; a network must not
        learn from its own guesses.

    Returns
    -------
    entries
        In the same order, without those that cannot be read.
    skipped
        Those.

    Raises
    ------
    SaveError
        If a map cannot be written.
    """
    found, skipped = [], []
    for number, entry in enumerate(entries, 1):
        if entry.labels is not None:
            found.append(entry)
            continue
        path = folder / _name(entry)
        try:
            if not path.is_file():
                _predict(entry, path, colorizer, sure)
        except BadEntry as error:
            skipped.append(error.skipped)
        else:
            labels = LabelFile(Place(path), upright=True)
            found.append(replace(entry, labels=labels))
        report(number, len(entries))
    return found, skipped


def _name(entry: Entry) -> str:
    """Where the map of a photo lies, below the folder of all maps."""
    try:
        place = f'{safe_name(entry.dataset)}/{safe_path(entry.name)}'
    except ValueError:
        # A photo may be called what no file of ours should be.
        name = entry.full_name.encode(errors='surrogateescape')
        place = hashlib.sha256(name).hexdigest()
    return f'{place}{LABELS_SUFFIX}'


def _predict(
    entry: Entry, path: Path, colorizer: Colorizer, sure: float
) -> None:
    rgb, _ = entry.load(LIMIT)
    try:
        found = colorizer.segment(np.ascontiguousarray(rgb))
    except PhotoError as error:
        reason = str(error).rstrip('.')
        raise BadEntry(entry.dataset, entry.name, reason) from error
    labels = found.labels
    if sure:
        labels = np.where(found.confidence < sure, UNKNOWN, labels)
    stream = io.BytesIO()
    Image.fromarray(labels.astype(np.uint8)).save(stream, 'PNG')
    write_new(path, stream.getvalue())
