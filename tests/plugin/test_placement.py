"""The map and the color lie exactly over their photo, wherever that is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_sdcolor.core.photo import working_shape
from napari_sdcolor.core.results import Segmentation
from napari_sdcolor.plugin.painter import Painted
from napari_sdcolor.plugin.placement import (
    FOLLOWED,
    map_place,
    same_place,
    shear_matrix,
)
from napari_sdcolor.plugin.trio import Trio

pytestmark = pytest.mark.filterwarnings(
    # napari shows a sheared stack only in part; where it lies is right.
    'ignore:Non-orthogonal slicing'
)

SHAPES = [(90, 120), (97, 61), (33, 200), (64, 64), (301, 17)]
"""Odd sides, both orientations, a photo as large as its map."""

AFFINE = [[1.1, 0.2, 5.0], [-0.3, 0.8, -2.0], [0.0, 0.0, 1.0]]

PLACES: dict[str, dict[str, Any]] = {
    'as it is': {},
    'scaled': {'scale': (0.25, 3.0)},
    'mirrored': {'scale': (1.0, -2.0)},
    'translated': {'translate': (-7.5, 1e4)},
    'rotated': {'rotate': 33.0},
    'sheared': {'shear': [0.4]},
    'sheared downwards': {'shear': [[1.0, 0.0], [0.3, 1.0]]},
    'affine': {'affine': AFFINE},
    'with units': {'units': ('um', 'um'), 'scale': (0.5, 0.5)},
    'all of it': {
        'scale': (0.7, 1.9),
        'translate': (11.0, -4.0),
        'rotate': -72.0,
        'shear': [-0.6],
        'affine': AFFINE,
    },
}

CUBE_TURN = np.array([[0.0, -1.0, 0.0], [0.6, 0.0, -0.8], [0.8, 0.0, 0.6]])

STACK_PLACES: dict[str, dict[str, Any]] = {
    'as it is': {},
    'scaled': {'scale': (10.0, 0.25, 3.0)},
    'translated': {'translate': (4.0, -7.5, 1e4)},
    'rotated': {'rotate': (20.0, -35.0, 70.0)},
    'turned': {'rotate': CUBE_TURN},
    'sheared': {'shear': [0.1, -0.2, 0.3]},
    'all of it': {
        'scale': (5.0, 0.7, 1.9),
        'translate': (1.0, 11.0, -4.0),
        'rotate': (15.0, 25.0, 35.0),
        'shear': [-0.2, 0.1, 0.4],
        'affine': np.block(
            [
                [np.eye(1), np.zeros((1, 3))],
                [np.zeros((3, 1)), np.array(AFFINE)],
            ]
        ),
    },
}


def pixel_corners(layer: Image | Labels) -> np.ndarray:
    """World positions of the outer corners of every end plane.

    The first pixel reaches from -0.5 to 0.5 in data coordinates.
    """
    shape = layer.data.shape[: layer.ndim]
    ends = [(0.0, float(side - 1)) for side in shape[:-2]]
    ends += [(-0.5, side - 0.5) for side in shape[-2:]]
    grid = np.stack(np.meshgrid(*ends, indexing='ij'), -1)
    points = grid.reshape(-1, layer.ndim)
    return np.array([layer.data_to_world(point) for point in points])


def map_over(photo: Image, size: int = 64) -> Labels:
    """A map of a working size, placed over a photo."""
    photo_shape = photo.data.shape[-2:]
    shape = working_shape(photo_shape, size)
    data = np.zeros((*photo.data.shape[:-2], *shape), np.uint8)
    return Labels(data, **map_place(photo, photo_shape, shape))


def assert_same_world(one: np.ndarray, two: np.ndarray) -> None:
    np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize('shape', SHAPES, ids=str)
@pytest.mark.parametrize('place', PLACES)
def test_corners_of_a_photo_and_its_map_agree(place, shape):
    photo = Image(np.zeros(shape, np.uint8), **PLACES[place])
    labels = map_over(photo)
    assert_same_world(pixel_corners(labels), pixel_corners(photo))


@pytest.mark.parametrize('shape', SHAPES[:3], ids=str)
@pytest.mark.parametrize('place', STACK_PLACES)
def test_corners_of_a_stack_and_its_map_agree(place, shape):
    photo = Image(np.zeros((3, *shape), np.uint8), **STACK_PLACES[place])
    labels = map_over(photo)
    assert_same_world(pixel_corners(labels), pixel_corners(photo))


@pytest.mark.parametrize('shape', SHAPES, ids=str)
@pytest.mark.parametrize('place', ['as it is', 'scaled', 'translated'])
def test_extents_agree_up_to_half_a_pixel_of_each(place, shape):
    """napari's extent ends at the centers of the outer pixels."""
    photo = Image(np.zeros(shape, np.uint8), **PLACES[place])
    labels = map_over(photo)
    outer = [
        layer.extent.world + np.outer([-0.5, 0.5], layer.extent.step)
        for layer in (photo, labels)
    ]
    assert_same_world(*outer)


@pytest.mark.parametrize('place', PLACES)
def test_the_color_has_the_extent_of_the_photo(place):
    photo = Image(np.zeros((31, 47), np.uint8), **PLACES[place])
    color = Image(np.zeros((31, 47, 3), np.uint8), **same_place(photo))
    assert color.rgb
    assert_same_world(color.extent.world, photo.extent.world)
    assert_same_world(color.extent.step, photo.extent.step)
    assert color.units == photo.units
    assert color.axis_labels == photo.axis_labels


def test_every_map_pixel_covers_its_own_part_of_the_photo():
    """Not the corners alone: a whole ratio maps centers to centers."""
    photo = Image(np.zeros((96, 128), np.uint8), **PLACES['all of it'])
    labels = Labels(
        np.zeros((32, 64), np.uint8), **map_place(photo, (96, 128), (32, 64))
    )
    # Three photo rows and two columns per map pixel.
    world = labels.data_to_world((5, 9))
    np.testing.assert_allclose(photo.world_to_data(world), (16, 18.5))


def test_shear_comes_as_values_or_as_matrix():
    values = [0.1, -0.2, 0.3]
    matrix = shear_matrix(np.array(values), 3)
    np.testing.assert_array_equal(
        matrix, [[1, 0.1, -0.2], [0, 1, 0.3], [0, 0, 1]]
    )
    np.testing.assert_array_equal(shear_matrix(matrix, 3), matrix)


# --- a trio follows its photo ---------------------------------------------


def trio_of(photo_layer: Image, viewer: ViewerModel, size: int = 64) -> Trio:
    """Color and map over a photo, as a run would put them there."""
    trio = Trio(viewer, photo_layer)
    photo = trio.source.photo(0, 'type')
    shape = trio.map_shape(size)
    found = Segmentation(
        np.full(shape, 3, np.uint8), np.ones(shape, np.float32)
    )
    rgb = np.zeros((*trio.source.shape, 3), np.uint8)
    whole = ((0, 0, *trio.source.shape), rgb)
    trio.accept(
        Painted(0, trio.inputs(found.labels), [whole], photo, found), size=size
    )
    return trio


MOVES: dict[str, Any] = {
    'scale': (0.5, 2.0),
    'translate': (3.0, -8.0),
    'rotate': 40.0,
    'shear': [0.25],
    'affine': [[0.9, 0.0, -3.0], [0.4, 1.2, 6.0], [0.0, 0.0, 1.0]],
    'units': ('mm', 'mm'),
    'axis_labels': ('down', 'right'),
}


def test_a_move_is_known_for_every_followed_field():
    assert set(MOVES) == set(FOLLOWED)


@pytest.mark.parametrize('field', MOVES)
@pytest.mark.parametrize('place', ['as it is', 'all of it'])
def test_the_trio_follows_a_change_of_the_photo(viewer, field, place):
    photo = viewer.add_image(np.zeros((45, 71), np.uint8), **PLACES[place])
    trio = trio_of(photo, viewer)
    before = getattr(photo, field)
    setattr(photo, field, MOVES[field])
    assert np.any(np.asarray(getattr(photo, field)) != np.asarray(before))

    assert_same_world(pixel_corners(trio.map), pixel_corners(photo))
    assert_same_world(pixel_corners(trio.color), pixel_corners(photo))
    for layer in (trio.color, trio.map):
        assert layer.units == photo.units
        assert layer.axis_labels == photo.axis_labels


def test_a_stack_is_followed_too(viewer):
    photo = viewer.add_image(np.zeros((4, 45, 71), np.uint8))
    trio = trio_of(photo, viewer)
    photo.rotate = STACK_PLACES['all of it']['rotate']
    photo.scale = (7.0, 0.5, 2.0)
    photo.translate = (1.0, 2.0, 3.0)
    assert trio.map.data.shape == (4, 64, 101)
    assert_same_world(pixel_corners(trio.map), pixel_corners(photo))
    assert_same_world(pixel_corners(trio.color), pixel_corners(photo))


def test_after_the_end_nobody_follows(viewer):
    photo = viewer.add_image(np.zeros((45, 71), np.uint8))
    trio = trio_of(photo, viewer)
    trio.unbind()
    before = pixel_corners(trio.map)
    photo.translate = (100.0, 100.0)
    np.testing.assert_array_equal(pixel_corners(trio.map), before)


def test_the_same_world_point_names_the_same_place_in_all_three(viewer):
    photo = viewer.add_image(
        np.zeros((90, 120), np.uint8), **PLACES['all of it']
    )
    trio = trio_of(photo, viewer)
    # Above the center of a map pixel; a hand never hits a border exactly.
    world = trio.map.data_to_world((12, 34))
    ratio = 90 / 64, 120 / 85
    expected = [(12.5 * ratio[0]) - 0.5, (34.5 * ratio[1]) - 0.5]
    np.testing.assert_allclose(photo.world_to_data(world), expected)
    np.testing.assert_allclose(trio.color.world_to_data(world), expected)
