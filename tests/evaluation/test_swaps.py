"""Regions that get another class, and what is measured of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from napari_sdcolor import Colorizer
from napari_sdcolor.core import lab
from napari_sdcolor.datasets.coverage import ClassMeans
from napari_sdcolor.errors import DataError
from napari_sdcolor.evaluation.edits import (
    Control,
    change_inside_and_outside,
    controllability,
    is_hit,
)
from napari_sdcolor.evaluation.report.tables import as_markdown
from napari_sdcolor.evaluation.run import evaluate
from napari_sdcolor.evaluation.swaps import choose_swaps, partners

SIDE = 48
PALETTE = np.full((60, 3), 120, np.uint8)
PALETTE[7] = 150, 120, 120
PALETTE[9] = 120, 120, 180


def means_of(**colors: tuple[float, float]) -> ClassMeans:
    """Means with plenty of pixels for the classes c0, c1, …."""
    ab, pixels = np.zeros((60, 2)), np.zeros(60, np.int64)
    for name, color in colors.items():
        ab[int(name[1:])] = color
        pixels[int(name[1:])] = 5000
    return ClassMeans(ab, pixels)


def test_controllability_by_hand() -> None:
    region = np.array([[True, True, False]])
    before = np.zeros((1, 3, 2))
    after = np.array([[[6.0, 8.0], [0.0, 0.0], [99.0, 99.0]]])
    # Mean step (3, 4); the classes' step is (6, 8): half of the way.
    assert controllability(
        before, after, region, np.array([6.0, 8.0])
    ) == pytest.approx(0.5)
    # A step to the side counts nothing, one back counts against it.
    sideways, back = np.array([-8.0, 6.0]), np.array([-3.0, -4.0])
    assert controllability(before, after, region, sideways) == 0
    assert controllability(before, after, region, back) == pytest.approx(-1)


def test_a_hit_ends_nearer_the_new_class() -> None:
    region = np.array([[True, True]])
    after = np.array([[[4.0, 0.0], [8.0, 0.0]]])
    old, new = np.zeros(2), np.array([10.0, 0.0])
    # The mean is 6: 4 from the new class and 6 from the old one.
    assert is_hit(after, region, old, new)
    assert not is_hit(after, region, new, old)
    assert not is_hit(after - [1, 0], region, old, new)


def test_the_rim_counts_neither_as_inside_nor_as_outside() -> None:
    region = np.zeros((1, 10), bool)
    region[0, :2] = True
    after = np.zeros((1, 10, 2))
    after[0, :2] = 3, 4
    after[0, 2:5] = 70, 0
    after[0, 5] = 0, 2
    # Five pixels are farther away than 3, one of them changed by 2.
    inside, outside = change_inside_and_outside(
        np.zeros_like(after), after, region
    )
    assert (inside, outside) == (pytest.approx(5), pytest.approx(2 / 5))
    everywhere = np.ones((1, 10), bool)
    assert change_inside_and_outside(after, after, everywhere)[1] is None


def test_partners_are_far_enough_apart_and_were_taught() -> None:
    means = means_of(c0=(50, 0), c1=(0, 0), c2=(0, 8), c3=(0, 7.99), c4=(9, 0))
    means.pixels[4] = 1999
    found = partners(means, np.arange(60))
    assert {number: list(others) for number, others in found.items()} == {
        1: [2],
        2: [1],
    }
    # A class outside the class set takes no part.
    assert partners(means, np.array([1, 3])) == {}


def test_swaps_are_the_same_every_time() -> None:
    means = means_of(c1=(0, 0), c2=(20, 0), c3=(0, 20), c5=(40, 0))
    labels = np.full((60, 60), 255, np.uint8)
    labels[:20, :20], labels[:20, 40:] = 1, 1
    labels[40:, :20], labels[40:, 40:45] = 2, 3
    labels[40, 30] = 1
    classes = np.array([1, 2, 3, 5])
    swaps = choose_swaps(labels, means, classes, 'made/a', count=9)
    # Both regions of class 1 are regions of their own; a pixel is none.
    assert sorted((s.before, int(s.region.sum())) for s in swaps) == [
        (1, 400),
        (1, 400),
        (2, 400),
        (3, 100),
    ]
    for swap in swaps:
        assert swap.after != swap.before
        done = swap.done(labels)
        assert (done[swap.region] == swap.after).all()
        assert (done[~swap.region] == labels[~swap.region]).all()
    again = choose_swaps(labels, means, classes, 'made/a', count=9)
    assert [(s.before, s.after) for s in again] == [
        (s.before, s.after) for s in swaps
    ]
    fewer = choose_swaps(labels, means, classes, 'made/a', count=2)
    assert [s.region.sum() for s in fewer] == [
        s.region.sum() for s in swaps[:2]
    ]
    chosen = {
        tuple(
            (s.before, s.after)
            for s in choose_swaps(labels, means, classes, f'made/{number}')
        )
        for number in range(20)
    }
    assert len(chosen) > 5


@pytest.fixture
def result(shot: Any, halves: Any, painter: Any) -> dict[str, Any]:
    """Three photos of the classes 7 and 9, which paint exactly so."""
    entries = [shot(halves(7, 9), name=f'{n}') for n in range(3)]
    return evaluate(
        painter,
        entries,
        train_entries=entries,
        groups=('swaps', 'repair'),
    )


def test_a_painter_by_the_map_alone_is_wholly_controllable(
    result: dict[str, Any],
) -> None:
    found = result['swaps']
    assert (found['photos'], found['swaps']) == (3, 6)
    assert found['csc'] == pytest.approx(1, abs=1e-3)
    assert found['csc_interval'] == pytest.approx([1, 1], abs=1e-3)
    assert (found['hit_rate'], found['hit_rate_before']) == (1, 0)
    assert found['classes'] == ['car', 'chair']
    assert [
        (pair['from'], pair['to'], pair['swaps'], pair['hits'])
        for pair in found['pairs']
    ] == [('car', 'chair', 3, 3), ('chair', 'car', 3, 3)]
    local = found['locality']
    step = lab.rgb_to_lab(PALETTE[[7, 9]] / 255)[:, 1:]
    assert local['inside'] == pytest.approx(
        np.linalg.norm(step[0] - step[1]), abs=1e-3
    )
    assert local['outside'] == local['ratio'] == local['outside_box'] == 0


def test_a_fault_costs_and_its_repair_gives_all_of_it_back(
    result: dict[str, Any],
) -> None:
    found = result['repair']
    step = lab.rgb_to_lab(PALETTE[[7, 9]] / 255)[:, 1:]
    error = ((step[0] - step[1]) ** 2).mean()

    def db(value: float) -> float:
        return 10 * math.log10(255**2 / max(value, 1e-6))

    whole, region = found['labeled'], found['region']
    assert whole['faults'] == 3
    assert whole['cost'] == pytest.approx(db(0) - db(error / 2), abs=1e-3)
    assert region['cost'] == pytest.approx(db(0) - db(error), abs=1e-3)
    assert whole['repair'] == region['repair'] == 1
    assert whole['harmless'] == 0
    # The half is 24 wide and the hasty brush leaves 3 columns wrong.
    rim = db(error * 3 / 24) - db(error)
    assert region['brush'] == pytest.approx(
        rim / (db(0) - db(error)), abs=1e-4
    )


def test_the_page_shows_them(result: dict[str, Any]) -> None:
    page = as_markdown(result)
    for words in (
        '6 regions on 3 photos',
        '| 1.000 | 1.000 to 1.000 | 100.0% | 0.0% |',
        '| from \\ to | 7 | 9 |',
        '| 7 car |  | 100 |',
        'repair that leaves a rim of 3 pixels wrong',
    ):
        assert words in page
    assert 'PSNR_RGB' not in page
    assert 'Segmentation' not in page


def test_a_network_that_ignores_the_map(
    shot: Any, halves: Any, paint_with: Any
) -> None:
    entries = [shot(halves(7, 9))] * 2
    dull = paint_with(np.full((60, 3), 120, np.uint8))
    result = evaluate(
        dull, entries, train_entries=entries, groups=('swaps', 'repair')
    )
    found = result['swaps']
    assert found['csc'] == found['locality']['inside'] == 0
    assert found['locality']['ratio'] is None
    assert result['repair']['labeled']['repair'] is None
    assert result['repair']['labeled']['harmless'] == 2
    assert 'not computed' in as_markdown(result)


def test_without_training_photos_they_are_refused(
    shot: Any, halves: Any, painter: Any
) -> None:
    entries = [shot(halves(7, 9))]
    with pytest.raises(DataError, match='class means'):
        evaluate(painter, entries, groups=('swaps',))
    assert evaluate(painter, entries)['swaps'] is None


def test_a_group_of_another_name_is_refused(
    shot: Any, halves: Any, painter: Any
) -> None:
    with pytest.raises(ValueError, match='sharpness'):
        evaluate(painter, [shot(halves(7, 9))], groups=('sharpness',))


def test_a_real_network_changes_nothing_outside_its_box(
    shot: Any, tiny_colorizer: Colorizer
) -> None:
    rng = np.random.default_rng(3)
    labels = np.full((64, 320), 9, np.uint8)
    labels[:, :40] = 7
    rgb = PALETTE[labels] + rng.integers(0, 20, (64, 320, 1), np.uint8)
    entries = [shot(labels, rgb)]
    found = evaluate(
        tiny_colorizer, entries, train_entries=entries, groups=('swaps',)
    )['swaps']
    assert found['locality']['outside_box_photos'] == 1
    assert found['locality']['inside'] > 0
    assert found['locality']['outside_box'] == 0


def test_a_limit_keeps_the_class_set(
    shot: Any, halves: Any, painter: Any
) -> None:
    entries = [shot(halves(7, 9), name=f'{n}') for n in range(4)]
    small = evaluate(
        painter, entries, train_entries=entries, limit=1, groups=('swaps',)
    )
    assert small['photos'] == small['swaps']['photos'] == 1
    assert small['class_set'] == ['car', 'chair']


def test_a_region_that_fills_its_photo_has_no_outside() -> None:
    control = Control()
    row = {
        'photo': 'a', 'from': 1, 'to': 2, 'pixels': 9, 'csc': 0.5,
        'hit': True, 'was_hit': False, 'inside': 4.0, 'outside': None,
    }  # fmt: skip
    control.swaps = [row, {**row, 'photo': 'b', 'outside': 1.0}]
    control.photos = [
        {'csc': 0.5, 'inside': 4.0, 'outside': None},
        {'csc': 0.5, 'inside': 4.0, 'outside': 1.0},
    ]
    control.outside_box = [0.0]
    assert control.result()['locality']['outside'] == 1.0
    assert control.result()['locality']['ratio'] == 0.25
    control.photos = control.photos[:1]
    assert control.result()['locality']['ratio'] is None
