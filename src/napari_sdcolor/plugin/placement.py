"""Where the map and the color lie: exactly over their photo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Layer

FOLLOWED = (
    'scale',
    'translate',
    'rotate',
    'shear',
    'affine',
    'units',
    'axis_labels',
)
"""Layer fields that the color and the map take over from the photo."""


def same_place(photo: Layer) -> dict[str, Any]:
    """Fields that put another layer of the same shape over a photo."""
    return {name: getattr(photo, name) for name in FOLLOWED}


def map_place(
    photo: Layer, photo_shape: tuple[int, int], map_shape: tuple[int, int]
) -> dict[str, Any]:
    """Fields that put a working-size map over a photo.

    The map's pixels are H/h x W/w photo pixels large. napari's data
    coordinate 0 is the center of the first pixel, hence the shift by half
    the difference of the pixel sizes; it is applied in the photo's own
    rotated, sheared and scaled frame.

    Parameters
    ----------
    photo
        A layer whose last two axes are the image axes.
    photo_shape, map_shape
        (H, W) and (h, w).
    """
    ratio = np.ones(photo.ndim)
    ratio[-2:] = np.divide(photo_shape, map_shape)
    shift = (ratio - 1) / 2
    linear = (
        np.asarray(photo.rotate)
        @ shear_matrix(photo.shear, photo.ndim)
        @ np.diag(photo.scale)
    )
    return {
        **same_place(photo),
        'scale': np.asarray(photo.scale) * ratio,
        'translate': np.asarray(photo.translate) + linear @ shift,
    }


def shear_matrix(shear: np.ndarray, ndim: int) -> np.ndarray:
    """Matrix of napari's shear, given as upper-triangle values or matrix."""
    shear = np.asarray(shear, dtype=float)
    if shear.ndim == 2:
        return shear
    matrix = np.eye(ndim)
    matrix[np.triu_indices(ndim, 1)] = shear
    return matrix
