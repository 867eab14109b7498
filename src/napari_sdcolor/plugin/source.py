"""The photo behind an image layer, plane by plane."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.core.photo import Photo, photo_from_array
from napari_sdcolor.errors import PhotoError

if TYPE_CHECKING:
    from napari.layers import Image

SOURCE_KEY = 'napari-sdcolor source'
"""Where a photo that a sidecar brought back keeps where it came from."""

WINDOW_CHOICES = {
    'auto': 'Automatic',
    'contrast': "Layer's contrast limits",
    'type': 'Whole range of the type',
    'minmax': 'Darkest to brightest',
}
"""Tone windows that the widget offers."""


class PhotoSource:
    """Reads planes of an image layer as photos.

    Parameters
    ----------
    layer
        Two image axes, at most one more in front of them.

    Attributes
    ----------
    data : array
        Pixels of the largest level, those that the layer had when this was
        made.

    Raises
    ------
    PhotoError
        If the layer has more axes than that.
    """

    def __init__(self, layer: Image) -> None:
        if layer.ndim > 3:
            raise PhotoError(
                f'{layer.name} has {layer.ndim} axes. Photos have two, stacks '
                'of photos three: take it apart first (Layers > Data).'
            )
        if layer.ndim < 2:
            raise PhotoError(f'{layer.name} has only one axis: no photo.')
        self.layer = layer
        # Of the largest level. The layer may get other pixels while a
        # worker still needs these.
        self.data: NDArray = _largest(layer)

    @property
    def outdated(self) -> bool:
        """The layer has other pixels by now."""
        return _largest(self.layer) is not self.data

    @property
    def planes(self) -> int:
        """Number of photos: 1, or the length of the stack."""
        return 1 if self.layer.ndim == 2 else int(self.data.shape[0])

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of one plane."""
        height, width = self.data.shape[self.layer.ndim - 2 :][:2]
        return int(height), int(width)

    @property
    def path(self) -> Path | None:
        """The file that the photo was read from."""
        restored = self.layer.metadata.get(SOURCE_KEY)
        if restored is not None:
            return restored.path
        path = self.layer.source.path
        return Path(path) if path else None

    def page(self, plane: int) -> int | None:
        """Number of a plane in the file; None if it holds one photo."""
        restored = self.layer.metadata.get(SOURCE_KEY)
        if restored is not None:
            return restored.pages[plane]
        return plane if self.layer.ndim == 3 or self.planes > 1 else None

    def window(self, choice: str) -> str | tuple[float, float]:
        """What the widget's choice means for this layer.

        'auto' is the range of the type for 8 bits and the layer's contrast
        limits otherwise, so that a 12-bit scan does not come out black.
        """
        if self.data.dtype == bool:
            return 'type'
        if self.data.dtype == np.uint8 and choice == 'auto':
            return 'type'
        if choice in ('auto', 'contrast'):
            if self.layer.rgb:
                return 'auto'
            low, high = self.layer.contrast_limits
            return float(low), float(high)
        return choice

    def pixels(self, plane: int) -> NDArray:
        """(H, W) or (H, W, channels) of one plane."""
        data = self.data if self.layer.ndim == 2 else self.data[plane]
        return np.asarray(data)

    def photo(self, plane: int, window: str | tuple[float, float]) -> Photo:
        """One plane as a photo; may take a while, safe in a worker."""
        return photo_from_array(
            self.pixels(plane),
            window=window,
            rgb=self.layer.rgb,
            name=self.layer.name,
        )


def _largest(layer: Image) -> NDArray:
    """Pixels of a layer's largest level."""
    return layer.data[0] if layer.multiscale else layer.data
