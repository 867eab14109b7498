"""What is measured and what is compared, declared once and imported fast."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Group:
    """What a group of figures needs.

    Parameters
    ----------
    color
        Whether photos are colored; the others look at maps alone.
    means
        Whether class means of the training split are used, or nothing is
        said without them.
    """

    color: bool = True
    means: Literal['unused', 'used', 'needed'] = 'unused'


GROUPS = {
    'fidelity': Group(means='used'),
    'map': Group(),
    'swaps': Group(means='needed'),
    'repair': Group(means='needed'),
    'bleeding': Group(means='used'),
    'segmentation': Group(color=False),
    'calibration': Group(color=False),
    'review': Group(color=False),
}
"""Groups of figures, in the order of the report."""


@dataclass(frozen=True)
class Method:
    """One way of ours to color a photo.

    Parameters
    ----------
    title
        Names its rows in tables.
    color
        Of its marks in plots, as matplotlib names colors.
    short
        Names its columns; empty where it has none.
    labeled
        Whether only photos with a map have it.
    """

    title: str
    color: str
    short: str = ''
    labeled: bool = False


METHODS = {
    'gray': Method('baseline: gray (ab = 0)', '0.6', 'gray'),
    'class-mean': Method(
        'baseline: class mean of the true map', 'C1', 'class mean', True
    ),
    'empty': Method('empty map', 'C7', 'empty map'),
    'shuffled': Method("another photo's map", 'C5', labeled=True),
    'predicted': Method('predicted map', 'C0', 'predicted map'),
    'repaired': Method(
        'predicted map, known pixels put right', 'C3', 'repaired map', True
    ),
    'true': Method('true map', 'C2', 'true map', True),
    'mapless': Method('networks that never saw a map', 'C6'),
}
"""From knowing nothing to knowing the map; those of others have names of
their own and come last."""

BY_CLASS = ('gray', 'class-mean', 'predicted', 'repaired', 'true')
"""Methods whose ΔE2000 is told class by class."""

ORIGINAL = 'Original'
"""The photo's own colors take part in the user study, as in the paper."""

OURS = 'Ours'
OURS_TRUE = 'Ours, true map'
"""Our pictures in the user study, by the predicted and by the true map."""

TAKEN = (*METHODS, ORIGINAL, OURS, OURS_TRUE)
"""Names that no method of others can have."""


def title(method: str) -> str:
    """What a row of a method is called."""
    return METHODS[method].title if method in METHODS else method


def in_order(methods: Iterable[str]) -> list[str]:
    """Our methods in the order of the tables, then the others as given."""
    given = list(methods)
    ours = [method for method in METHODS if method in given]
    return ours + [method for method in given if method not in METHODS]
