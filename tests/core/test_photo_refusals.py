"""What is no photo, and what is no tone window."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_sdcolor.core.photo import photo_from_array
from napari_sdcolor.errors import PhotoError
from napari_sdcolor.settings import SettingsError

SHAPE = (20, 33)


@pytest.mark.parametrize(
    ('array', 'rgb', 'words'),
    [
        (np.zeros((3, 20, 30), np.uint8), None, 'plane of a stack'),
        (np.zeros((5, 20, 30, 3), np.uint8), None, 'plane of a stack'),
        (np.zeros((20, 30, 5), np.uint8), None, 'plane of a stack'),
        (np.zeros((20, 30, 3), np.uint8), False, 'plane of a stack'),
        (np.zeros((20, 30), np.uint8), True, 'plane of a stack'),
        (np.zeros(400, np.uint8), None, r'shape \(400,\)'),
        (np.uint8(3), None, r'shape \(\)'),
        (np.zeros((20, 30), complex), None, 'complex128'),
        (np.full((20, 30), 'x'), None, '<U1'),
        (np.zeros((20, 30), object), None, 'object'),
        (np.zeros((20, 30), 'M8[s]'), None, 'datetime64'),
        (np.zeros((0, 30), np.uint8), None, 'empty'),
        (np.zeros((20, 0, 3), np.uint8), None, 'empty'),
        (np.zeros((15, 30), np.uint8), None, '30 × 15'),
        (np.zeros((300, 15, 3), np.uint8), None, 'at least 16'),
        (np.full((20, 30), np.nan), None, 'NaN'),
        (np.full((20, 30), np.inf, np.float32), None, 'no number'),
        (np.full((20, 30, 3), np.nan), None, 'NaN'),
    ],
)
def test_refusals_name_the_reason(
    array: NDArray, rgb: bool | None, words: str
) -> None:
    with pytest.raises(PhotoError, match=words) as caught:
        photo_from_array(array, rgb=rgb, name='tower.tif')
    assert 'tower.tif' in str(caught.value)


def test_sixteen_pixels_are_enough() -> None:
    assert photo_from_array(np.zeros((16, 16))).shape == (16, 16)


@pytest.mark.parametrize(
    'window',
    [
        (5, 5),
        (7, 2),
        (0, np.nan),
        (-np.inf, np.inf),
        '5,5',
        '7,2',
        '-inf,inf',
        'nan,1',
        'bright',
        '1,2,3',
        '',
    ],
)
def test_windows_that_are_none_are_refused(window: object) -> None:
    with pytest.raises(SettingsError, match='tone window'):
        photo_from_array(np.zeros(SHAPE, np.uint8), window=window)
