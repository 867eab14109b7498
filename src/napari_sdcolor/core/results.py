"""What the networks give back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.core.paint import Painting
from napari_sdcolor.core.photo import Photo
from napari_sdcolor.settings import Settings


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What is in a photo.

    Parameters
    ----------
    labels
        (h, w) uint8 label map at working size, ids 0..59.
    confidence
        (h, w) float32, probability in [0, 1] of each pixel's class.
    """

    labels: NDArray[np.uint8]
    confidence: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Colorized:
    """A colored photo and everything that it is a function of.

    Parameters
    ----------
    rgb
        (H, W, 3) uint8 or uint16, sRGB, in the photo's stored order. Of a
        photo that is read from its file row by row, a picture that is
        painted row by row while it is saved; ``np.asarray`` makes an
        array of it.
    labels
        (h, w) uint8 label map at working size that steered the color.
    chroma
        (h, w, 2) float32, a and b in Lab units at working size, as the
        network gave them (before saturation and gamut).
    photo, settings
        The other two inputs.
    labels_origin
        'predicted', or where the map came from.
    predicted
        (h, w) uint8 label map as the GridNet gave it; None if it was not
        asked. Where it differs from ``labels``, a person was at work.
    confidence
        Mean probability of a predicted map, None for a given one.
    model
        Facts on what computed it: weights with hashes and training
        statement, device, data type.
    notes
        Sentences for a person about anything unusual.
    """

    rgb: NDArray | Painting
    labels: NDArray[np.uint8]
    chroma: NDArray[np.float32]
    photo: Photo
    settings: Settings
    labels_origin: str = 'predicted'
    predicted: NDArray[np.uint8] | None = None
    confidence: float | None = None
    model: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
