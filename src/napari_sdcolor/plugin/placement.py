"""How the map and the color are called, and that they lie over their photo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.core.orientation import upright
from napari_sdcolor.plugin.palette import map_look

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

FAR = 1e12
"""No place, stretch or its inverse goes further."""

_PREFIXES = (
    *('', 'kilo', 'hecto', 'deca', 'deci', 'centi', 'milli', 'micro'),
    *('nano', 'pico', 'femto'),
)

UNITS = frozenset(
    (
        *(f'{prefix}meter' for prefix in _PREFIXES),
        *('pixel', 'css_pixel', 'dimensionless', 'micron', 'angstrom'),
        *('inch', 'foot', 'yard', 'mile', 'mil', 'thou', 'point', 'pica'),
        *('second', 'millisecond', 'minute', 'hour', 'degree', 'radian'),
        *('m', 'km', 'cm', 'mm', 'um', 'nm', 'px', 'in'),
    )
)
"""Units that a photo's place is restored in, as napari writes them."""


def same_place(photo: Layer) -> dict[str, Any]:
    """Fields that put another layer of the same shape over a photo."""
    return {name: getattr(photo, name) for name in FOLLOWED}


def color_fields(photo: Layer) -> dict[str, Any]:
    """Fields of the color layer of a photo."""
    return {'name': f'{photo.name} color', 'rgb': True, **same_place(photo)}


def map_fields(
    photo: Layer, photo_shape: tuple[int, int], map_shape: tuple[int, int]
) -> dict[str, Any]:
    """Fields of the map layer of a photo; shapes as for ``map_place``."""
    return {
        'name': f'{photo.name} semantic map',
        **map_look(),
        **map_place(photo, photo_shape, map_shape),
    }


def placement_facts(photo: Layer) -> dict[str, Any]:
    """Where a flat photo lies in the world, for the record of a run."""
    if photo.ndim != 2:
        return {}
    return {
        'scale': [float(value) for value in photo.scale],
        'translate': [float(value) for value in photo.translate],
        'rotate': np.asarray(photo.rotate, float).tolist(),
        'shear': np.asarray(photo.shear, float).tolist(),
        'affine': np.asarray(photo.affine.affine_matrix, float).tolist(),
        'units': [str(unit) for unit in photo.units],
        'axis_labels': [str(label) for label in photo.axis_labels],
    }


def placed(
    run: Mapping[str, Any], pixels: NDArray, rgb: bool
) -> dict[str, Any]:
    """Layer fields from the record of a run.

    Empty unless all of it makes sense: two axes, finite numbers, a place
    that can be undone, units that are known. napari takes more than that,
    and computes what a unit says.
    """
    told = run.get('placement')
    if pixels.ndim - rgb != 2 or not isinstance(told, Mapping):
        return {}
    fields = {name: told[name] for name in FOLLOWED if name in told}
    understood = all(_UNDERSTOOD[name](fields[name]) for name in fields)
    return fields if understood and _can_be_undone(fields) else {}


def _numbers(*shapes: tuple[int, ...]) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        try:
            array = np.array(value)
        except ValueError:  # rows of several lengths
            return False
        return (
            array.shape in shapes
            and array.dtype.kind in 'uif'
            and bool((abs(array.astype(float)) < FAR).all())
        )

    return check


def _affine(value: object) -> bool:
    return _numbers((3, 3))(value) and list(value[2]) == [0, 0, 1]  # type: ignore[index]


def _units(value: object) -> bool:
    return _words(value) and set(value) <= UNITS  # type: ignore[call-overload]


def _words(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(word, str) for word in value)
    )


_UNDERSTOOD = {
    'scale': _numbers((2,)),
    'translate': _numbers((2,)),
    'rotate': _numbers((), (2, 2)),
    'shear': _numbers((1,), (2, 2)),
    'affine': _affine,
    'units': _units,
    'axis_labels': _words,
}
"""What each of the fields must be like."""


def _can_be_undone(fields: Mapping[str, Any]) -> bool:
    """Whether what is known to be numbers has an inverse."""
    matrices = [np.diag(fields.get('scale', (1, 1)))]
    if np.ndim(fields.get('rotate', 0)) == 2:
        matrices.append(np.array(fields['rotate']))
    if 'shear' in fields:
        matrices.append(shear_matrix(fields['shear'], 2))
    if 'affine' in fields:
        matrices.append(np.array(fields['affine'])[:2, :2])
    # The largest and the smallest stretch; NaN of zeros counts as singular.
    return all(
        np.linalg.svd(matrix, compute_uv=False).min() * FAR > 1
        and np.linalg.cond(matrix) < FAR
        for matrix in map(np.float64, matrices)
    )


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
    return {
        **same_place(photo),
        'scale': np.asarray(photo.scale) * ratio,
        'translate': np.asarray(photo.translate) + _linear(photo) @ shift,
    }


def turned(
    photo: Layer, shape: tuple[int, int], orientation: int
) -> NDArray[np.float64]:
    """The affine that shows a photo upright where it lies.

    Scale, shear, rotation and translation stay as they are, and so does an
    affine of the person's own: the photo is turned below all of them.

    Parameters
    ----------
    photo
        A layer whose last two axes are the image axes, in stored order.
    shape
        (H, W).
    orientation
        EXIF 1..8, see ``core.orientation``.

    Returns
    -------
    NDArray
        (ndim + 1, ndim + 1), for the layer's field ``affine``.
    """
    ndim = photo.ndim
    rows, columns = (
        upright(np.broadcast_to(index, shape), orientation)
        for index in np.ogrid[: shape[0], : shape[1]]
    )
    # Where upright rows and columns lie in stored order: one corner and a
    # step along each axis tell it all.
    stored_of_upright = np.eye(ndim + 1)
    for axis, index in ((ndim - 2, rows), (ndim - 1, columns)):
        corner = int(index[0, 0])
        stored_of_upright[axis, ndim - 2] = int(index[1, 0]) - corner
        stored_of_upright[axis, ndim - 1] = int(index[0, 1]) - corner
        stored_of_upright[axis, ndim] = corner
    place = np.eye(ndim + 1)
    place[:ndim, :ndim] = _linear(photo)
    place[:ndim, ndim] = photo.translate
    turn = place @ np.linalg.inv(stored_of_upright) @ np.linalg.inv(place)
    return np.asarray(photo.affine.affine_matrix, float) @ turn


def _linear(photo: Layer) -> NDArray[np.float64]:
    """Scale, shear and rotation of a layer as one matrix."""
    return (
        np.asarray(photo.rotate)
        @ shear_matrix(photo.shear, photo.ndim)
        @ np.diag(photo.scale)
    )


def shear_matrix(shear: np.ndarray, ndim: int) -> np.ndarray:
    """Matrix of napari's shear, given as upper-triangle values or matrix."""
    shear = np.asarray(shear, dtype=float)
    if shear.ndim == 2:
        return shear
    matrix = np.eye(ndim)
    matrix[np.triu_indices(ndim, 1)] = shear
    return matrix
