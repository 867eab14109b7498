"""The 60 classes as napari wants them: palette, names, and how they look."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap

from napari_sdcolor.classes import CLASSES

OUTLINE_WIDTH = 2
"""Of the outlines of a map, in its own pixels."""

OPACITIES = {'outlines': 1.0, 'filled': 0.5}
"""Of a map, for each way in which it can be drawn."""


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


def map_look() -> dict[str, Any]:
    """Fields of a map layer that nobody has turned into outlines yet."""
    return {
        'colormap': palette(),
        'features': names(),
        'opacity': OPACITIES['filled'],
    }


def outline(layer: Labels) -> None:
    """Draw a map as outlines, which leave the colors as they are."""
    layer.contour = OUTLINE_WIDTH
    layer.opacity = OPACITIES['outlines']
