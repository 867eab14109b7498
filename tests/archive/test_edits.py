"""What a person changed in a map, told from the two maps alone."""

from __future__ import annotations

import numpy as np

from napari_sdcolor.archive.edits import edit_log, edited_share


def test_an_unknown_prediction_tells_nothing():
    labels = np.zeros((6, 8), np.uint8)
    assert edited_share(None, labels) is None
    assert edit_log(None, labels) is None
    assert edit_log(labels[:5], labels) is None


def test_an_unchanged_map():
    labels = np.arange(48, dtype=np.uint8).reshape(6, 8)
    assert edited_share(labels, labels) == 0
    assert edit_log(labels, labels.copy()) == []


def test_changes_the_largest_first():
    predicted = np.zeros((6, 8), np.uint8)
    predicted[:, 4:] = 7
    labels = predicted.copy()
    labels[1:3, 1] = 5
    labels[2:6, 5:8] = 3
    labels[0, 0] = 5
    assert edited_share(predicted, labels) == 15 / 48
    assert edit_log(predicted, labels) == [
        {'from': 7, 'to': 3, 'pixels': 12, 'box': [2, 5, 6, 8]},
        {'from': 0, 'to': 5, 'pixels': 3, 'box': [0, 0, 3, 2]},
    ]
