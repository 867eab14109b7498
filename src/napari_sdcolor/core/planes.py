"""Checks and small operations on planes, and how they are gone through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_sdcolor.classes import N_CLASSES
from napari_sdcolor.errors import LabelsError, NetworkError

Box = tuple[int, int, int, int]
"""Half-open (y0, x0, y1, x1)."""

BAND = 2**22
"""Pixels of a plane that are looked at together."""


class Rows(Protocol):
    """What is as good as an array, as long as rows are asked for.

    An array is one; so is a file whose rows are decoded when needed. The
    first index of ``[...]`` is a slice of rows without a step.
    """

    shape: tuple[int, ...]
    dtype: np.dtype

    def __getitem__(self, key: Any) -> NDArray: ...


def bands(shape: tuple[int, ...], pixels: int = BAND) -> Iterator[slice]:
    """Consecutive rows of a plane (H, W, …), few enough to be handy.

    Parameters
    ----------
    shape
        Of the plane.
    pixels
        A band has at most this many, and at least one row.
    """
    height, width = shape[:2]
    rows = max(1, pixels // max(1, width))
    for top in range(0, height, rows):
        yield slice(top, min(height, top + rows))


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


def finite(values: NDArray, kind: str) -> NDArray:
    """Values of a network, if they are numbers.

    Raises
    ------
    NetworkError
        If they hold NaN or infinity.
    """
    if not np.isfinite(values).all():
        raise NetworkError(
            f'The {kind} network gave values that are no numbers. Try dtype '
            'float32 or the CPU; if it stays, the weights are bad.'
        )
    return values


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
