"""Opening the photo that a sidecar names: a file, or a sample."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from napari_sdcolor.archive.reading import PhotoFile, open_photos
from napari_sdcolor.samples import SampleFile, open_sample


def sample_of(content: Mapping[str, Any]) -> str:
    """Name of the sample that a sidecar names as its source, or ''."""
    return content['source'].get('sample', '')


def came_from_a_layer(content: Mapping[str, Any]) -> bool:
    """Whether the pixels were those of a layer, which no file holds."""
    return not content['source']['sha256'] and not sample_of(content)


def open_recorded(
    content: Mapping[str, Any], path: Path | None, page: int | None = None
) -> AbstractContextManager[PhotoFile | SampleFile]:
    """Open the photo of a result.

    Parameters
    ----------
    content
        The sidecar, as ``sidecar.read_sidecar`` gives it.
    path
        The photo's file; None takes the sample.
    page
        As for ``reading.open_photos``.

    Raises
    ------
    PhotoError
        As ``reading.open_photos``, and if there is no such sample.
    """
    if path is None:
        return open_sample(sample_of(content))
    return open_photos(path, page)
