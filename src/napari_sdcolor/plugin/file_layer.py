"""A layer with the photo of a file, where another one cannot show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

from napari_sdcolor.plugin.placement import same_place, turned
from napari_sdcolor.plugin.provenance import (
    LOOK_KEY,
    SOURCE_KEY,
    Match,
    Opened,
)
from napari_sdcolor.plugin.source import PhotoSource

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_sdcolor.plugin.stored import Stored


def layer_of(photo: Image, stored: Stored) -> Image:
    """A layer with the photo of a file, where another one shows the file."""
    found, pixels = stored.photo, stored.pixels
    origin = found.origin
    rgb = pixels.ndim == 3
    limited = not rgb and pixels.dtype != bool
    opened = Opened(
        path=PhotoSource(photo).path,
        pages=[origin.page],
        limits=found.window if limited else None,
    )
    fields = _place_of(photo, found.shape)
    if limited:
        fields['contrast_limits'] = found.window
    layer = Image(
        np.asarray(pixels),
        rgb=rgb,
        name=opened.path.name,
        metadata={SOURCE_KEY: opened},
        **fields,
    )
    if origin.orientation != 1:
        layer.affine = turned(layer, found.shape, origin.orientation)
    return layer


def _place_of(photo: Layer, shape: tuple[int, int]) -> dict[str, Any]:
    """Where the photo (H, W) of a file lies, as its layer has other axes."""
    if photo.metadata[LOOK_KEY].match is not Match.REARRANGED:
        return {}
    if photo.ndim == 2:
        return same_place(photo)
    # The third axis, of channels, comes first or last.
    first = int(photo.data.shape[1:3] == shape)
    return {
        name: getattr(photo, name)[first : first + 2]
        for name in ('scale', 'translate')
    }
