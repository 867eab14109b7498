"""Boxes: where an edit acts, layer by layer, and how to cut it up.

A box is half-open, ``(y0, x0, y1, x1)``.  Each kind of 3x3 convolution has
a rule for what a changed interval of its input changes in its output
(``REACH``), and one for what an interval of its output is computed from
(``NEEDS``).  The rules of the strided and of the transposed convolution are
each other's mirror image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.core.colornet import ColorNetConfig
from napari_sdcolor.core.planes import Box, changed_box

Interval = tuple[int, int]
"""Half-open (first, last)."""


def _same(first: int, last: int) -> Interval:
    return first - 1, last + 1


def _halved(first: int, last: int) -> Interval:
    return first // 2, last // 2 + 1


def _doubled(first: int, last: int) -> Interval:
    return 2 * first - 1, 2 * last


Rule = Callable[[int, int], Interval]

REACH: dict[str, Rule] = {
    'conv': _same,
    'strided': _halved,
    'transposed': _doubled,
}
"""What a changed interval of a layer's input changes in its output."""

NEEDS: dict[str, Rule] = {
    'conv': _same,
    'strided': _doubled,
    'transposed': _halved,
}
"""What an interval of a layer's output is computed from."""


def apply(rule: Rule, box: Box) -> Box:
    """A rule on both axes; the result may stick out of the plane."""
    y0, x0, y1, x1 = box
    (top, bottom), (left, right) = rule(y0, y1), rule(x0, x1)
    return top, left, bottom, right


def clip(box: Box, shape: tuple[int, int]) -> Box:
    """The part of a box that lies on a plane (h, w)."""
    y0, x0, y1, x1 = box
    return max(0, y0), max(0, x0), min(shape[0], y1), min(shape[1], x1)


def contains(outer: Box, inner: Box) -> bool:
    """Whether one box lies inside another."""
    return (
        outer[0] <= inner[0]
        and outer[1] <= inner[1]
        and outer[2] >= inner[2]
        and outer[3] >= inner[3]
    )


def slices(box: Box, origin: Box = (0, 0, 0, 0)) -> tuple[slice, slice]:
    """Index of a box in an array whose first pixel lies at ``origin``."""
    top, left = origin[:2]
    return (
        slice(box[0] - top, box[2] - top),
        slice(box[1] - left, box[3] - left),
    )


def tiles(box: Box, side: int) -> Iterator[Box]:
    """Cut a box into pieces of at most ``side`` x ``side``."""
    y0, x0, y1, x1 = box
    for y in range(y0, y1, side):
        for x in range(x0, x1, side):
            yield y, x, min(y1, y + side), min(x1, x + side)


def layer_kinds(config: ColorNetConfig) -> list[str]:
    """Every layer from the label map to the chroma, in order."""
    levels = len(config.widths) - 1
    return (
        ['conv', 'conv']
        + ['strided', 'conv'] * levels
        + ['transposed', 'conv'] * levels
        + ['conv'] * config.final_convs
    )


def margin(config: ColorNetConfig) -> int:
    """By how much the box of an edit grows, in both directions together.

    The exact number depends on where the edit lies; this is the mean over
    all phases, rounded down.
    """
    step = config.multiple
    return 2 * (4 * (step - 1) + config.final_convs + 2) + step - 1


def receptive_box(
    config: ColorNetConfig, box: Box, shape: tuple[int, int]
) -> Box:
    """Where labels changed inside a box can change the chroma, exactly.

    Parameters
    ----------
    config
        The color network's.
    box
        On the padded, upright plane that the network sees.
    shape
        (h, w) of that plane, multiples of ``config.multiple``.
    """
    for kind in layer_kinds(config):
        box = apply(REACH[kind], box)
        if kind == 'strided':
            shape = (shape[0] // 2, shape[1] // 2)
        elif kind == 'transposed':
            shape = (shape[0] * 2, shape[1] * 2)
        box = clip(box, shape)
    return box


def edit_boxes(before: NDArray, after: NDArray, margin: int) -> list[Box]:
    """Few boxes around all differences, so that they are little work.

    A box of h x w pixels counts as (h + margin) * (w + margin): an edit
    costs about the area that it can reach.  So distant edits get boxes of
    their own, and a long slanting stroke is cut into pieces.

    Parameters
    ----------
    before, after
        (h, w) maps.
    margin
        Sum of the reaches to both sides.

    Returns
    -------
    list of Box
        Tight, disjoint boxes; empty if the maps are equal.
    """
    box = changed_box(before, after)
    if box is None:
        return []
    part = slices(box)
    return list(_cut(before[part] != after[part], box[:2], margin))


def _cut(
    mask: NDArray[np.bool_], origin: tuple[int, int], margin: int
) -> Iterator[Box]:
    """Cut a mask without empty rims where that saves most, again and again."""
    h, w = mask.shape
    whole = (h + margin) * (w + margin)
    cost_y, y = _best_cut(mask, margin)
    cost_x, x = _best_cut(mask.T, margin)
    if min(cost_y, cost_x) >= whole:
        yield (*origin, origin[0] + h, origin[1] + w)
        return
    if cost_y <= cost_x:
        halves = ((mask[:y], 0, 0), (mask[y:], y, 0))
    else:
        halves = ((mask[:, :x], 0, 0), (mask[:, x:], 0, x))
    for half, down, right in halves:
        y0, x0, y1, x1 = changed_box(half, np.zeros_like(half))
        corner = origin[0] + down + y0, origin[1] + right + x0
        yield from _cut(half[y0:y1, x0:x1], corner, margin)


def _best_cut(mask: NDArray[np.bool_], margin: int) -> tuple[float, int]:
    """Least cost of two boxes above and below a cut, and where it lies."""
    h, w = mask.shape
    if h < 2:
        return np.inf, 0
    some = mask.any(axis=1)
    first = np.where(some, mask.argmax(axis=1), w)
    last = np.where(some, w - mask[:, ::-1].argmax(axis=1), 0)
    above = _heap(some, first, last, margin)[:-1]
    below = _heap(some[::-1], first[::-1], last[::-1], margin)[-2::-1]
    cost = above + below
    best = int(cost.argmin())
    return float(cost[best]), best + 1


def _heap(
    some: NDArray, first: NDArray, last: NDArray, margin: int
) -> NDArray[np.float64]:
    """Cost of the tight box around the first 1, 2, … rows."""
    height = np.maximum.accumulate(
        np.where(some, np.arange(1, some.size + 1), 0)
    )
    width = np.maximum.accumulate(last) - np.minimum.accumulate(first)
    return (height + margin) * (width + float(margin))
