"""What the networks accept, and small operations on planes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_sdcolor.core.planes import (
    changed_box,
    check_gray,
    check_labels,
    pad,
    resize_labels,
)
from napari_sdcolor.errors import LabelsError


@pytest.mark.parametrize('multiple', [16, 32])
@pytest.mark.parametrize('shape', [(1, 1), (16, 33), (32, 64), (47, 15)])
def test_padding_goes_right_and_down_to_a_multiple(
    shape: tuple[int, int], multiple: int
) -> None:
    plane = np.random.default_rng(0).random(shape)
    padded, before = pad(plane, multiple)
    assert before == shape
    assert not any(side % multiple for side in padded.shape)
    assert all(
        0 <= new - old < multiple
        for new, old in zip(padded.shape, shape, strict=True)
    )
    assert np.array_equal(padded[: shape[0], : shape[1]], plane)
    assert (padded[shape[0] :, : shape[1]] == plane[-1]).all()
    assert (padded[: shape[0], shape[1] :] == plane[:, -1:]).all()
    labels, _ = pad(np.ones(shape, np.uint8), multiple, 'constant')
    assert labels.sum() == plane.size


@pytest.mark.parametrize(
    ('labels', 'words'),
    [
        (np.zeros((4, 5), np.uint8), r'\(4, 5\).*\(5, 4\)'),
        (np.zeros((5, 4, 1), np.uint8), r'\(5, 4, 1\)'),
        (np.zeros((5, 4), np.int64), 'int64'),
        (np.zeros((5, 4)), 'float64'),
        (np.zeros((5, 4), bool), 'bool'),
        (np.full((5, 4), 60, np.uint8), 'the id 60'),
        (np.full((5, 4), 255, np.uint8), 'the id 255'),
    ],
)
def test_wrong_label_maps_are_refused(labels: np.ndarray, words: str) -> None:
    with pytest.raises(LabelsError, match=words) as caught:
        check_labels(labels, (5, 4))
    assert isinstance(caught.value, ValueError)


def test_right_label_maps_pass_unchanged() -> None:
    labels = np.arange(60, dtype=np.uint8).reshape(6, 10)
    assert np.array_equal(check_labels(labels.T, (10, 6)), labels.T)


@pytest.mark.parametrize(
    'gray',
    [
        np.zeros((16, 17), np.float32),
        np.zeros((8, 16), np.float32),
        np.zeros((0, 16), np.float32),
        np.zeros((16, 16), np.uint8),
        np.zeros((16, 16), bool),
        np.zeros((16, 16), complex),
        np.zeros((1, 16, 16), np.float32),
        np.zeros(16, np.float32),
    ],
)
def test_wrong_planes_are_refused(gray: np.ndarray) -> None:
    with pytest.raises(ValueError, match='gray'):
        check_gray(gray, 16)


@given(
    hnp.arrays(np.uint8, (7, 9), elements=st.integers(0, 1)),
    hnp.arrays(np.uint8, (7, 9), elements=st.integers(0, 1)),
)
def test_changed_box_is_the_smallest(
    before: np.ndarray, after: np.ndarray
) -> None:
    box = changed_box(before, after)
    places = np.argwhere(before != after)
    if not len(places):
        assert box is None
        return
    low, high = places.min(0), places.max(0) + 1
    assert box == (*low, *high)
    assert all(type(side) is int for side in box)


@given(
    hnp.arrays(
        np.uint8,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
        elements=st.integers(0, 59),
    ),
    st.tuples(st.integers(1, 30), st.integers(1, 30)),
)
def test_resizing_takes_the_id_under_the_center(
    labels: np.ndarray, shape: tuple[int, int]
) -> None:
    found = resize_labels(labels, shape)
    assert found.shape == shape
    assert found.dtype == np.uint8
    (h, w), (height, width) = labels.shape, shape
    for y in range(height):
        for x in range(width):
            under = labels[
                int((y + 0.5) * h / height), int((x + 0.5) * w / width)
            ]
            assert found[y, x] == under


def test_whole_factors_repeat_and_take_back() -> None:
    labels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    large = resize_labels(labels, (9, 20))
    assert np.array_equal(large, labels.repeat(3, 0).repeat(5, 1))
    assert np.array_equal(resize_labels(large, (3, 4)), labels)
