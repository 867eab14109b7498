"""Checks and small operations on planes that the networks see."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_sdcolor.classes import N_CLASSES
from napari_sdcolor.errors import LabelsError

Box = tuple[int, int, int, int]
"""Half-open (y0, x0, y1, x1)."""


def pad(
    plane: NDArray, multiple: int, mode: str = 'edge'
) -> tuple[NDArray, tuple[int, int]]:
    """Pad right and bottom to a multiple; also the shape before."""
    h, w = plane.shape
    widths = ((0, -h % multiple), (0, -w % multiple))
    return np.pad(plane, widths, mode=mode), (h, w)


def check_labels(labels: ArrayLike, shape: tuple[int, int]) -> NDArray:
    """A label map that is fit for the network.

    Raises
    ------
    LabelsError
        If shape, type or ids are wrong.
    """
    labels = np.asarray(labels)
    if labels.shape != tuple(shape):
        raise LabelsError(
            f'The label map has the shape {labels.shape}, but the plane that '
            f'it belongs to has {tuple(shape)}.'
        )
    if labels.dtype != np.uint8:
        raise LabelsError(
            f'The label map holds {labels.dtype} values; it must be uint8.'
        )
    if labels.size and labels.max() >= N_CLASSES:
        raise LabelsError(
            f'The label map holds the id {labels.max()}; ids go from 0 to '
            f'{N_CLASSES - 1}.'
        )
    return np.ascontiguousarray(labels)


def check_gray(gray: ArrayLike, multiple: int) -> NDArray:
    """A plane that is fit for a bare network.

    Raises
    ------
    ValueError
        If it is no floating-point plane or a side is no multiple.
    """
    gray = np.asarray(gray)
    if gray.ndim != 2 or gray.dtype.kind != 'f':
        raise ValueError(
            f'gray must be a floating-point plane (h, w), not {gray.dtype} '
            f'with shape {gray.shape}.'
        )
    if gray.size == 0 or gray.shape[0] % multiple or gray.shape[1] % multiple:
        raise ValueError(
            f'Both sides of gray must be multiples of {multiple}, not '
            f'{gray.shape}.'
        )
    return gray


def changed_box(before: NDArray, after: NDArray) -> Box | None:
    """Smallest half-open box around all differences; None if there is none."""
    different = before != after
    rows = np.flatnonzero(different.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(different.any(axis=0))
    return (
        int(rows[0]),
        int(columns[0]),
        int(rows[-1]) + 1,
        int(columns[-1]) + 1,
    )


def resize_labels(labels: NDArray, shape: tuple[int, int]) -> NDArray:
    """Another size of a label map (h, w): the id under each pixel's center."""
    rows, columns = (
        (2 * np.arange(new) + 1) * old // (2 * new)
        for old, new in zip(labels.shape, shape, strict=True)
    )
    return np.ascontiguousarray(labels[np.ix_(rows, columns)])


def same_aspect(shape: tuple[int, int], wanted: tuple[int, int]) -> bool:
    """Whether one side of a map is what the other asks for.

    Parameters
    ----------
    shape, wanted
        (h, w) of the map and of its photo; one pixel more or less will do.
    """
    height, width = shape
    ratio = wanted[1] / wanted[0]
    return min(abs(height - width / ratio), abs(width - height * ratio)) <= 1
