"""What a sidecar tells of a photo's place is restored only if it makes sense."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_sdcolor.plugin.placement import (
    FOLLOWED,
    placed,
    placement_facts,
    same_place,
)

PIXELS = np.zeros((20, 30), np.uint8)

REAL: dict[str, dict[str, Any]] = {
    'as it is': {},
    'scaled': {'scale': (0.25, 3.0)},
    'mirrored': {'scale': (1.0, -2.0)},
    'in meters': {'scale': (1e-9, 1e-9), 'units': ('m', 'm')},
    'translated': {'translate': (-7.5, 1e7)},
    'rotated': {'rotate': 33.0},
    'sheared': {'shear': [0.4]},
    'sheared downwards': {'shear': [[1.0, 0.0], [0.3, 1.0]]},
    'affine': {'affine': [[1.1, 0.2, 5.0], [-0.3, 0.8, -2.0], [0, 0, 1]]},
    'in micrometers': {'units': ('um', 'mm'), 'axis_labels': ('y', 'x')},
}

FOOLISH: dict[str, dict[str, Any]] = {
    'a unit to compute': {'units': ['9**9**9**9', 'pixel']},
    'an unknown unit': {'units': ['pixel', 'smoot']},
    'one unit': {'units': ['pixel']},
    'a unit that is no list': {'units': 'pixel'},
    'a number as a unit': {'units': [1, 'pixel']},
    'a list as a unit': {'units': [['pixel'], 'pixel']},
    'three axes': {'scale': [1, 1, 1]},
    'many axes': {'scale': [1] * 20000},
    'no axes': {'scale': []},
    'no size': {'scale': [0, 1]},
    'next to no size': {'scale': [1e-300, 1]},
    'a huge size': {'scale': [1e300, 1]},
    'text': {'scale': ['1', '2']},
    'truth': {'scale': [True, True]},
    'null': {'scale': None},
    'no numbers': {'translate': [float('nan'), 0]},
    'nowhere': {'translate': [float('inf'), 0]},
    'a huge whole number': {'translate': [10**400, 0]},
    'ragged rows': {'rotate': [[1, 0], [0]]},
    'flat': {'rotate': [[0, 0], [0, 0]]},
    'a shear that is none': {'shear': [[0, 0], [0, 0]]},
    'many shears': {'shear': [1, 2, 3]},
    'a singular affine': {'affine': [[1, 1, 0], [1, 1, 0], [0, 0, 1]]},
    'a projection': {'affine': [[1, 0, 0], [0, 1, 0], [0, 1, 1]]},
    'a larger affine': {'affine': np.eye(4).tolist()},
    'odd labels': {'axis_labels': [1, {}]},
    'one label': {'axis_labels': ['y']},
    'a label that is no list': {'axis_labels': 'yx'},
}


@pytest.mark.parametrize('name', REAL)
def test_what_was_recorded_comes_back(name):
    layer = Image(PIXELS, **REAL[name])
    found = placed({'placement': placement_facts(layer)}, PIXELS, False)
    assert set(found) == set(FOLLOWED)
    again = Image(PIXELS, **found)
    for point in ((0, 0), (19, 29)):
        wanted = layer.data_to_world(point)
        np.testing.assert_allclose(again.data_to_world(point), wanted)
    assert same_place(again)['units'] == same_place(layer)['units']


@pytest.mark.parametrize('name', FOOLISH)
def test_what_makes_no_sense_is_left_out(name):
    fields = FOOLISH[name]
    assert placed({'placement': fields}, PIXELS, False) == {}
    sound = placement_facts(Image(PIXELS, scale=(2, 3)))
    assert placed({'placement': sound | fields}, PIXELS, False) == {}


@pytest.mark.parametrize('told', [None, [], 'here', 3, {}, {'where': 1}])
def test_what_tells_of_no_place(told):
    assert placed({'placement': told}, PIXELS, False) == {}
    assert placed({}, PIXELS, False) == {}


def test_what_is_restored_can_be_shown():
    """Even at the far end of what is taken."""
    fields = {
        'scale': [1e-11, 1e-11],
        'translate': [9e11, -9e11],
        'affine': [[1e6, 0, 9e11], [0, 1e6, 0], [0, 0, 1]],
    }
    found = placed({'placement': fields}, PIXELS, False)
    assert found == fields
    viewer = ViewerModel()
    viewer.add_image(PIXELS)
    layer = viewer.add_image(PIXELS, **found)
    viewer.reset_view()
    assert np.isfinite(layer.extent.world).all()
