"""Edges of maps, and color across them, worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_sdcolor.core import lab
from napari_sdcolor.evaluation import bleeding, edges
from napari_sdcolor.evaluation.report.tables import as_markdown
from napari_sdcolor.evaluation.run import evaluate


def two(width: int = 80, height: int = 40) -> NDArray[np.uint8]:
    """Class 1 on the left, class 2 on the right."""
    labels = np.ones((height, width), np.uint8)
    labels[:, width // 2 :] = 2
    return labels


def blurred(labels: NDArray, sigma: float) -> NDArray[np.float64]:
    """ab of a step of 20 in a and -10 in b, blurred by a Gaussian."""
    place = np.arange(labels.shape[1]) - labels.shape[1] / 2 + 0.5
    share = np.array(
        [0.5 * math.erfc(-x / (math.sqrt(2) * sigma)) for x in place]
    )
    row = np.array([3.0, 4.0]) + share[:, None] * np.array([20.0, -10.0])
    return np.broadcast_to(row, (*labels.shape, 2))


def test_two_neighbors_have_an_edge_in_either_direction() -> None:
    found = edges.find_edges(two())
    assert [edge.regions for edge in found] == [(1, 2), (2, 1)]
    left, right = found
    y, x = np.unravel_index(left.pixels, (40, 80))
    # Columns 28 to 39 are at depths 12 to 1; deeper ones are the core.
    assert (left.depth == 40 - x).all()
    assert set(x) == set(range(28, 40))
    assert left.core.size == right.other_core.size == 28 * 40
    y, x = np.unravel_index(right.pixels, (40, 80))
    assert (right.depth == x - 39).all()


def test_bleeding_by_hand() -> None:
    """Class 1 has the color 0, class 2 the color 20, and three columns mix."""
    labels = two()
    ab = np.zeros((40, 80, 2))
    ab[:, 40:, 0] = 20
    ab[:, 39] = 10, 7  # depth 1; what is off the line counts nothing
    ab[:, 38] = 5, 0  # depth 2
    ab[:, 36] = -10, 0  # depth 4: away from the neighbor, not clipped
    edge = edges.find_edges(labels)[0]
    np.testing.assert_allclose(edges.contrast(ab, edge), [20, 0])
    alpha = edges.bleeding(ab, edge)
    found = edges.profile(alpha, edge)
    np.testing.assert_allclose(found[:5], [0.5, 0.25, 0, -0.5, 0])
    assert not found[5:].any()
    # Depths 2 to 6: (0.25 + 0 - 0.5 + 0 + 0) / 5.
    assert edges.leakage(alpha, edge) == pytest.approx(-0.05)


@pytest.mark.parametrize('sigma', [0.3, 1.0, 2.5, 4.0])
def test_sigma_of_a_known_blur(sigma: float) -> None:
    labels = two(160)
    for edge in edges.find_edges(labels):
        alpha = edges.bleeding(blurred(labels, sigma), edge)
        values = edges.profile(alpha, edge)
        depth = edges.DEPTHS
        np.testing.assert_allclose(
            values,
            [
                0.5 * math.erfc((d - 0.5) / (math.sqrt(2) * sigma))
                for d in depth
            ],
            atol=1e-6,
        )
        assert edges.fit_sigma(values) == pytest.approx(sigma, abs=1e-3)


def test_depths_that_are_missing_do_not_matter_for_the_fit() -> None:
    values = edges.blurred_edge(edges.DEPTHS, 2.0)
    values[[0, 5, 11]] = np.nan
    assert edges.fit_sigma(values) == pytest.approx(2, abs=1e-3)


def test_what_is_no_edge() -> None:
    labels = two()
    labels[:, 38:42] = 255
    assert edges.find_edges(labels) == []  # nobody knows what is between
    narrow = two(48)
    narrow[:, :12] = 3
    # Class 1 is left with 12 columns, which have no core.
    assert edges.find_edges(narrow) == []
    assert edges.find_edges(np.full((40, 40), 7, np.uint8)) == []
    corner = np.full((80, 80), 255, np.uint8)
    corner[:40, :40], corner[40:, 40:] = 1, 2
    assert edges.find_edges(corner) == []


def test_pixels_belong_to_the_nearest_neighbor() -> None:
    """Class 1 on top of both 2 and 3: each gets its own half."""
    labels = np.ones((80, 80), np.uint8)
    labels[40:, :40], labels[40:, 40:] = 2, 3
    found = {edge.regions: edge for edge in edges.find_edges(labels)}
    assert set(found) == {(1, 2), (2, 1), (1, 3), (3, 1), (2, 3), (3, 2)}
    for other, columns in ((2, range(40)), (3, range(40, 80))):
        x = found[1, other].pixels % 80
        assert set(x) == set(columns)


LEFT, RIGHT = (150, 120, 120), (120, 120, 180)


def photo(
    left: tuple = LEFT, right: tuple = RIGHT, leak: int = 0
) -> NDArray[np.uint8]:
    """Two flat halves; the left one's last columns may have leaked."""
    rgb = np.empty((40, 80, 3), np.uint8)
    rgb[:, :40], rgb[:, 40:] = left, right
    rgb[:, 40 - leak : 40] = right
    return rgb


class _Finished:
    """Stands for any method: bleeding looks at its pictures only."""

    def __init__(self, labels: NDArray, truth: NDArray, ours: NDArray) -> None:
        self.labels = labels
        self.truth = self._picture(truth)
        self.ours = self._picture(ours)
        self.methods, self.finished = ['ours'], {'ours': None}

    @staticmethod
    def _picture(rgb: NDArray) -> Any:
        from napari_sdcolor.evaluation.cases import Picture

        return Picture(rgb)

    def picture(self, method: str) -> Any:
        return self.ours


def measured(*photos: tuple[NDArray, NDArray]) -> dict[str, Any]:
    group = bleeding.Bleeding()
    for truth, ours in photos:
        group.add(_Finished(two(), truth, ours))
    return group.result()


def test_bleeding_is_paired_with_the_truth() -> None:
    found = measured((photo(), photo(leak=3)))
    ours = found['methods']['ours']
    assert (found['edges'], found['truth_usable']) == (2, 2)
    assert (ours['usable'], ours['edges'], ours['photos']) == (2, 2, 1)
    # In one direction depths 2 and 3 of 2 to 6 leaked, in the other none.
    assert ours['lcl'] == pytest.approx((2 / 5 + 0) / 2, abs=1e-6)
    assert ours['lcl_truth'] == pytest.approx(0, abs=1e-6)
    assert ours['delta_lcl'] == pytest.approx(0.2, abs=1e-6)
    np.testing.assert_allclose(ours['profile'], [0.5] * 3 + [0] * 9, atol=1e-6)
    assert ours['sigma'] > 2 > 0.2 > ours['sigma_truth']
    assert ours['discrimination'] == pytest.approx(1)


def test_photos_that_are_blurred_themselves_do_not_count() -> None:
    found = measured((photo(leak=6), photo()))
    assert found['sharp_photos'] == 0
    ours = found['methods']['ours']
    assert (ours['usable'], ours['photos'], ours['delta_lcl']) == (2, 0, None)
    assert ours['discrimination'] == pytest.approx(1)


def test_too_little_contrast_is_no_usable_edge() -> None:
    faint = photo(right=(148, 121, 121))
    dull = measured((photo(), faint))['methods']['ours']
    assert (dull['usable'], dull['photos']) == (0, 0)
    step = lab.rgb_to_lab(np.array([LEFT, RIGHT, (148, 121, 121)]) / 255)
    small, large = (
        np.linalg.norm(step[number, 1:] - step[0, 1:]) for number in (2, 1)
    )
    assert dull['discrimination'] == pytest.approx(small / large, abs=1e-3)
    # The other way round the truth has no contrast to be compared with.
    assert measured((faint, photo()))['methods']['ours']['pairs'] == 0


def test_discrimination_is_the_median_over_pairs() -> None:
    gray = (127, 127, 127)
    pairs = [
        (photo(), photo()),
        (photo(), photo(gray, gray)),
        (photo(), photo(LEFT, gray)),
    ]
    ours = measured(*pairs)['methods']['ours']
    step = lab.rgb_to_lab(np.array([LEFT, RIGHT, gray]) / 255)[:, 1:]
    middle = np.linalg.norm(step[0] - step[2]) / np.linalg.norm(
        step[0] - step[1]
    )
    assert ours['pairs'] == 3
    assert ours['discrimination'] == pytest.approx(middle, abs=1e-3)
    assert ours['discrimination_per_photo'] == pytest.approx(
        (1 + 0 + middle) / 3, abs=1e-3
    )


def test_photos_without_edges(shot: Any, painter: Any) -> None:
    labels = np.full((48, 48), 7, np.uint8)
    result = evaluate(painter, [shot(labels)], groups=('bleeding',))
    assert result['bleeding'] is None
    assert 'no photo has an edge' in as_markdown(result)


def test_our_own_methods_are_looked_at(
    shot: Any, halves: Any, painter: Any
) -> None:
    result = evaluate(painter, [shot(halves(7, 9))], groups=('bleeding',))
    found = result['bleeding']
    assert found['truth_usable'] == 2
    assert found['methods']['true']['delta_lcl'] == pytest.approx(0, abs=1e-6)
    assert found['methods']['true']['discrimination'] == pytest.approx(1)
    # The painter believes to see one class everywhere.
    assert found['methods']['predicted']['discrimination'] == 0
    page = as_markdown(result)
    assert '| true map | 2 | 2 | 1 | 0.000 | 0.000 |' in page
