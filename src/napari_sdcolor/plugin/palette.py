"""The 60 classes as napari wants them: palette and names."""

from __future__ import annotations

import numpy as np
from napari.utils.colormaps import DirectLabelColormap

from napari_sdcolor.classes import CLASSES


def palette() -> DirectLabelColormap:
    """Colors of the 60 classes; "no class" and foreign ids transparent."""
    colors = {None: np.zeros(4), 0: np.zeros(4)}
    for entry in CLASSES[1:]:
        colors[entry.id] = np.array([*entry.color, 255]) / 255
    return DirectLabelColormap(color_dict=colors)


def names() -> dict[str, list]:
    """Features that make napari show class names under the mouse."""
    return {
        'index': [entry.id for entry in CLASSES],
        'name': [entry.title for entry in CLASSES],
    }
