"""Where an edit acts, and how edits are cut into boxes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_sdcolor.core import boxes, colornet
from napari_sdcolor.core.weights import random_part

PRESETS = {'paper': colornet.PAPER, 'released': colornet.RELEASED}

intervals = st.tuples(st.integers(0, 40), st.integers(1, 20)).map(
    lambda pair: (pair[0], pair[0] + pair[1])
)


def convolve(kind: str, x: torch.Tensor) -> torch.Tensor:
    """A layer whose weights are all 1, on (1, 1, n)."""
    ones = torch.ones(1, 1, 3)
    if kind == 'transposed':
        return torch.nn.functional.conv_transpose1d(
            x, ones, stride=2, padding=1, output_padding=1
        )
    stride = 2 if kind == 'strided' else 1
    return torch.nn.functional.conv1d(x, ones, stride=stride, padding=1)


@pytest.mark.parametrize('kind', boxes.REACH)
@settings(max_examples=50, deadline=None)
@given(interval=intervals)
def test_the_reach_of_a_layer_is_what_its_output_shows(
    kind: str, interval: tuple[int, int]
) -> None:
    x = torch.zeros(1, 1, 80)
    x[..., slice(*interval)] = 1
    changed = torch.nonzero(convolve(kind, x)[0, 0]).ravel()
    first, last = boxes.REACH[kind](*interval)
    assert max(0, first) == int(changed[0])
    assert last == int(changed[-1]) + 1


@pytest.mark.parametrize('kind', boxes.NEEDS)
@settings(max_examples=50, deadline=None)
@given(interval=intervals)
def test_what_a_layer_needs_is_what_its_output_feels(
    kind: str, interval: tuple[int, int]
) -> None:
    felt = []
    for place in range(140):
        x = torch.zeros(1, 1, 140)
        x[..., place] = 1
        if convolve(kind, x)[..., slice(*interval)].any():
            felt.append(place)
    first, last = boxes.NEEDS[kind](*interval)
    assert (max(0, first), last) == (felt[0], felt[-1] + 1)


@pytest.mark.parametrize('preset', PRESETS)
def test_the_receptive_box_is_exact_at_every_phase(preset: str) -> None:
    """For all 16 | 32 phases, at the borders and for edits of any width."""
    levels = len(PRESETS[preset].widths)
    # A steep slope keeps the thin signal at the rim of the box measurable.
    config = replace(PRESETS[preset], widths=(2,) * levels, slope=0.7)
    network = random_part('color', config, seed=3).network.double()
    step = config.multiple
    shape = (step, 14 * step)
    rng = np.random.default_rng(1)
    gray = torch.from_numpy(rng.uniform(-1, 1, (1, 1, *shape)))
    labels = torch.from_numpy(rng.integers(0, 60, (1, *shape)))
    middle = 7 * step
    edits = [(middle + phase, 1) for phase in range(step)]
    edits += [(0, 1), (1, 3), (shape[1] - 1, 1), (middle - 5, 37)]
    with torch.inference_mode():
        features = network.encode_gray(gray)
        before = network.decode(features, network.encode_labels(labels))
        for place, width in edits:
            changed = labels.clone()
            part = (0, 0, slice(place, place + width))
            changed[part] = (labels[part] + 30) % 60
            after = network.decode(features, network.encode_labels(changed))
            moved = (after != before)[0].any(0).any(0)
            touched = torch.nonzero(moved).ravel()
            box = boxes.receptive_box(
                config, (0, place, 1, place + width), shape
            )
            assert box[1] == int(touched[0])
            assert box[3] == int(touched[-1]) + 1


@pytest.mark.parametrize('preset', PRESETS)
def test_the_margin_is_the_mean_growth_over_all_phases(preset: str) -> None:
    config = PRESETS[preset]
    size = 20 * config.multiple
    grown = []
    for phase in range(config.multiple):
        place = size // 2 + phase
        box = (place, place, place + 1, place + 1)
        found = boxes.receptive_box(config, box, (size, size))
        grown.append(found[2] - found[0] - 1)
    assert boxes.margin(config) == int(np.mean(grown))


@st.composite
def scribbles(draw: st.DrawFn) -> tuple[NDArray, NDArray]:
    """Two maps that differ by a few rectangles."""
    h, w = draw(st.integers(1, 60)), draw(st.integers(1, 60))
    before = np.zeros((h, w), np.uint8)
    after = before.copy()
    for _ in range(draw(st.integers(0, 5))):
        y, x = draw(st.integers(0, h - 1)), draw(st.integers(0, w - 1))
        tall, wide = draw(st.integers(1, 20)), draw(st.integers(1, 20))
        after[y : y + tall, x : x + wide] = draw(st.integers(1, 59))
    return before, after


@settings(max_examples=200, deadline=None)
@given(maps=scribbles(), margin=st.integers(0, 40))
def test_boxes_hold_every_difference_and_are_tight(
    maps: tuple[NDArray, NDArray], margin: int
) -> None:
    before, after = maps
    found = boxes.edit_boxes(before, after, margin)
    different = before != after
    free = different.copy()
    covered = np.zeros(before.shape, int)
    for box in found:
        part = different[boxes.slices(box)]
        free[boxes.slices(box)] = False
        covered[boxes.slices(box)] += 1
        for rim in (part[0], part[-1], part[:, 0], part[:, -1]):
            assert rim.any()
    assert not free.any()
    assert covered.max(initial=0) <= 1
    if found:
        (y0, x0), (y1, x1) = (
            np.min([box[:2] for box in found], axis=0),
            np.max([box[2:] for box in found], axis=0),
        )
        whole = (y1 - y0 + margin) * (x1 - x0 + margin)
        assert work(found, margin) <= whole


def work(found: list, margin: int) -> int:
    return sum(
        (y1 - y0 + margin) * (x1 - x0 + margin) for y0, x0, y1, x1 in found
    )


def test_the_same_map_has_no_boxes() -> None:
    labels = np.ones((5, 7), np.uint8)
    assert boxes.edit_boxes(labels, labels.copy(), 10) == []


def test_distant_edits_get_boxes_of_their_own() -> None:
    before = np.zeros((400, 400), np.uint8)
    after = before.copy()
    after[3:6, 4:9] = 1
    after[390:395, 380:381] = 2
    after[200, 7] = 3
    found = boxes.edit_boxes(before, after, 143)
    assert sorted(found) == [
        (3, 4, 6, 9),
        (200, 7, 201, 8),
        (390, 380, 395, 381),
    ]


def test_neighbors_share_a_box() -> None:
    before = np.zeros((400, 400), np.uint8)
    after = before.copy()
    after[100:104, 100:104] = 1
    after[110:114, 112:116] = 1
    assert boxes.edit_boxes(before, after, 143) == [(100, 100, 114, 116)]


def test_a_drag_across_the_photo_is_no_giant_box() -> None:
    before = np.zeros((1000, 1000), np.uint8)
    after = before.copy()
    for place in range(20, 980):
        after[place - 8 : place + 8, place - 8 : place + 8] = 1
    found = boxes.edit_boxes(before, after, 143)
    assert len(found) > 2
    assert work(found, 143) < 0.5 * work([(12, 12, 988, 988)], 143)
    straight = before.copy()
    straight[500:516, 20:980] = 1
    assert boxes.edit_boxes(before, straight, 143) == [(500, 20, 516, 980)]
