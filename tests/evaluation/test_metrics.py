"""Figures against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_sdcolor.evaluation import metrics


def psnr(truth: NDArray, result: NDArray) -> float:
    return metrics.psnr(metrics.squared_error(truth, result))


def test_psnr_of_a_constant_error() -> None:
    truth = np.full((4, 5, 3), 100, np.uint8)
    # 10·log10(255² / 10²)
    assert psnr(truth, truth + 10) == pytest.approx(28.1308, abs=1e-4)
    assert psnr(truth, truth - 10) == pytest.approx(28.1308, abs=1e-4)


def test_differences_do_not_wrap() -> None:
    black = np.zeros((2, 2, 3), np.uint8)
    assert psnr(black, black + 255) == pytest.approx(0)


def test_psnr_ab_leaves_lightness_out() -> None:
    truth = np.zeros((2, 2, 3))
    result = np.zeros((2, 2, 3))
    result[..., 0] = 70
    result[0, 0, 1] = 8
    # One of eight values is off by 8: mean square 8.
    assert psnr(truth[..., 1:], result[..., 1:]) == pytest.approx(
        10 * math.log10(255**2 / 8)
    )


def test_a_perfect_photo_keeps_the_mean_finite() -> None:
    same = np.ones((2, 2, 3), np.uint8)
    assert psnr(same, same) == pytest.approx(108.13, abs=0.01)


def test_delta_e_equals_published_pairs() -> None:
    """Sharma, Wu and Dalal 2005, pairs 1, 7, 17 and 33."""
    pairs = [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
    ]
    first, second, wanted = (
        np.array(column) for column in zip(*pairs, strict=True)
    )
    np.testing.assert_allclose(
        metrics.delta_e(first, second), wanted, atol=1e-4
    )


def test_colorfulness() -> None:
    gray = np.repeat(np.arange(12, dtype=np.uint8).reshape(3, 4, 1), 3, -1)
    assert metrics.colorfulness(gray) == 0
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 0] = 200
    # No spread; means rg = 200, yb = 100.
    assert metrics.colorfulness(red) == pytest.approx(
        0.3 * math.hypot(200, 100)
    )
    red[0] = 0
    # Half of it: spreads 100 and 50, means 100 and 50.
    assert metrics.colorfulness(red) == pytest.approx(
        1.3 * math.hypot(100, 50)
    )


def test_bootstrap_interval() -> None:
    assert metrics.bootstrap_interval([0.5, 0.5, 0.5]) == [0.5, 0.5]
    values = np.random.default_rng(1).normal(2, 1, 400)
    low, high = metrics.bootstrap_interval(values)
    # About ±1.96 standard errors around the mean.
    assert low == pytest.approx(values.mean() - 1.96 * 0.05, abs=0.02)
    assert high == pytest.approx(values.mean() + 1.96 * 0.05, abs=0.02)
    assert metrics.bootstrap_interval(values) == [low, high]
    wide = metrics.bootstrap_interval(values, level=0.99)
    assert wide[0] < low < high < wide[1]
    with pytest.raises(ValueError, match='no photo'):
        metrics.bootstrap_interval([])


def test_confusion_ignores_what_is_unknown() -> None:
    confusion = metrics.Confusion()
    truth = np.array([[1, 1, 1, 1], [2, 2, 255, 255]], np.uint8)
    found = np.array([[1, 1, 1, 3], [2, 1, 1, 40]], np.uint8)
    assert confusion.add(truth, found) == pytest.approx(4 / 6)
    assert confusion.add(truth[:, :2], truth[:, :2]) == 1
    assert confusion.pixel_accuracy() == pytest.approx(8 / 10)
    iou = confusion.iou()
    # Class 1: 5 hits, 1 missed, 1 too many; class 2: 3 hits, 1 missed.
    assert iou[1] == pytest.approx(5 / 7)
    assert iou[2] == pytest.approx(3 / 4)
    assert iou[3] == 0
    assert np.isnan(iou[40])
    known = confusion.known_pixels()
    assert (known[1], known[2], known.sum()) == (6, 4, 10)


def test_nothing_known_is_not_a_number() -> None:
    confusion = metrics.Confusion()
    unknown = np.full((2, 2), 255, np.uint8)
    assert math.isnan(confusion.add(unknown, np.zeros((2, 2), np.uint8)))
    assert math.isnan(confusion.pixel_accuracy())
