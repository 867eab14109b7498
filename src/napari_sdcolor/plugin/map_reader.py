"""Reader contribution: a saved map opens as labels, not as a picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sdcolor.plugin.palette import names, palette

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LABELS_SUFFIX = '.labels.png'

LayerData = tuple['NDArray[np.uint16]', dict[str, Any], str]


def get_reader(
    path: str | list[str],
) -> Callable[[str | list[str]], list[LayerData]] | None:
    """What reads a path, if it is the map of a photo."""
    if isinstance(path, str) and path.endswith(LABELS_SUFFIX):
        return read
    return None


def read(path: str | list[str]) -> list[LayerData]:
    """The ids of a map, in the colors and with the names of the classes.

    Parameters
    ----------
    path
        ``NAME.labels.png``.

    Returns
    -------
    list of tuple
        One labels layer (h, w).

    Raises
    ------
    LabelsError
        If the file cannot be read.
    """
    from napari_sdcolor.archive.labels import read_ids

    shown = {
        'name': Path(str(path)).name.removesuffix('.png'),
        'colormap': palette(),
        'features': names(),
    }
    return [(read_ids(str(path)), shown, 'labels')]
