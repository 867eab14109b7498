"""The 60 classes: id, name, group and color.

The order is the networks' and is binding: label maps and weights depend on
it.  Id 0 is "no class": everything that is none of the other 59.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass


@dataclass(frozen=True)
class SemanticClass:
    """One class of the label map.

    Parameters
    ----------
    id
        Value in the label map, 0..59.
    name
        Name in the networks' class list, binding.
    title
        Name shown to people.
    group
        Heading under which the class is listed.
    color
        Swatch color (r, g, b), each in 0..255, distinct for every class.
    """

    id: int
    name: str
    title: str
    group: str
    color: tuple[int, int, int]


_NAMES = [
    'background',
    'aeroplane',
    'bicycle',
    'bird',
    'boat',
    'bottle',
    'bus',
    'car',
    'cat',
    'chair',
    'cow',
    'diningtable',
    'dog',
    'horse',
    'motorbike',
    'person',
    'pottedplant',
    'sheep',
    'sofa',
    'train',
    'tvmonitor',
    'bag',
    'bed',
    'bench',
    'book',
    'building',
    'cabinet',
    'ceiling',
    'clothes',
    'computer',
    'cup',
    'door',
    'fence',
    'floor',
    'flower',
    'food',
    'grass',
    'ground',
    'keyboard',
    'light',
    'mountain',
    'mouse',
    'curtain',
    'platform',
    'sign',
    'plate',
    'road',
    'rock',
    'shelves',
    'sidewalk',
    'sky',
    'snow',
    'bedcloth',
    'track',
    'tree',
    'truck',
    'wall',
    'water',
    'window',
    'wood',
]

_TITLES = {
    'background': 'No class',
    'aeroplane': 'airplane',
    'diningtable': 'dining table',
    'motorbike': 'motorcycle',
    'pottedplant': 'potted plant',
    'tvmonitor': 'TV or monitor',
    'bedcloth': 'bedclothes',
}

# Hue range of the swatches of a group, so that kin look alike.
_GROUPS = {
    'None': ((0.0, 0.0), 'background'),
    'People and animals': (
        (0.95, 1.06),
        'person dog cat horse cow sheep bird clothes',
    ),
    'Nature': (
        (0.20, 0.44),
        'grass tree flower pottedplant ground mountain rock wood snow',
    ),
    'Sky and water': ((0.52, 0.62), 'sky water'),
    'Buildings and streets': (
        (0.62, 0.74),
        (
            'building window door fence road sidewalk sign platform track '
            'bench light'
        ),
    ),
    'Vehicles': (
        (0.76, 0.90),
        'car bus truck train motorbike bicycle boat aeroplane',
    ),
    'Rooms and furniture': (
        (0.07, 0.17),
        (
            'wall floor ceiling cabinet shelves chair sofa diningtable bed '
            'bedcloth curtain'
        ),
    ),
    'Things': (
        (0.45, 0.52),
        'bag book bottle cup plate food computer keyboard mouse tvmonitor',
    ),
}


def _swatch(hues: tuple[float, float], place: int, count: int) -> tuple:
    """Spread a group's swatches over its hues, alternating in brightness."""
    hue = hues[0] + (hues[1] - hues[0]) * (place + 0.5) / count
    saturation = (0.85, 0.5, 0.7)[place % 3]
    value = (0.95, 0.8, 0.6)[(place // 2) % 3]
    rgb = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return tuple(round(255 * channel) for channel in rgb)


def _build() -> tuple[SemanticClass, ...]:
    classes = {}
    for group, (hues, names) in _GROUPS.items():
        members = names.split()
        for place, name in enumerate(members):
            color = (
                (128, 128, 128)
                if name == 'background'
                else _swatch(hues, place, len(members))
            )
            number = _NAMES.index(name)
            classes[number] = SemanticClass(
                number, name, _TITLES.get(name, name), group, color
            )
    return tuple(classes[number] for number in range(len(_NAMES)))


CLASSES: tuple[SemanticClass, ...] = _build()
"""All classes in the order of their ids."""

N_CLASSES = len(CLASSES)
"""60: ids are 0..59."""

UNKNOWN = 255
"""Marks pixels of training maps whose class nobody knows; never an id."""

GROUPS: tuple[str, ...] = tuple(_GROUPS)
"""Group headings in the order in which they are listed."""


def class_id(name: str) -> int:
    """Id of a class by its binding or shown name, case ignored.

    Raises
    ------
    ValueError
        If no class has that name.
    """
    wanted = name.strip().lower()
    for entry in CLASSES:
        if wanted in (entry.name, entry.title.lower()):
            return entry.id
    raise ValueError(f'There is no class named {name!r}.')
