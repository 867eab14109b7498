"""Free photographs for the documentation, with maps drawn by hand.

The photographs come with scikit-image.  The outlines are given in tenths of
the width and the height, later ones lie on top.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage import data
from skimage.draw import polygon2mask

from napari_sdcolor.classes import class_id
from napari_sdcolor.core.photo import working_shape

Outline = tuple[tuple[float, float], ...]


def _ellipse(x: float, y: float, rx: float, ry: float) -> Outline:
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    return tuple(
        zip(x + rx * np.cos(turn), y + ry * np.sin(turn), strict=True)
    )


@dataclass(frozen=True)
class Scene:
    """A photograph, what covers it, and the outlines of what lies on it.

    Parameters
    ----------
    name
        Of the function in ``skimage.data``.
    ground
        Class of everything that has no outline.
    outlines
        Class name and outline, from back to front.
    fault
        Class that is mistaken in the pictures of a fault, and for what.
    """

    name: str
    ground: str
    outlines: tuple[tuple[str, Outline], ...]
    fault: tuple[str, str]

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """(H, W, 3), the photograph in its true colors."""
        return getattr(data, self.name)()

    def labels(self, size: int = 352) -> NDArray[np.uint8]:
        """(h, w), the map drawn by hand at a working size."""
        h, w = working_shape(self.rgb.shape[:2], size)
        labels = np.full((h, w), class_id(self.ground), np.uint8)
        for name, outline in self.outlines:
            corners = [(y * h / 10, x * w / 10) for x, y in outline]
            labels[polygon2mask((h, w), corners)] = class_id(name)
        return labels

    def faulty(self, size: int = 352) -> NDArray[np.uint8]:
        """The same map with one class mistaken for another."""
        labels = self.labels(size)
        wrong, taken_for = map(class_id, self.fault)
        return np.where(labels == wrong, taken_for, labels).astype(np.uint8)


SCENES = (
    Scene(
        'astronaut',
        'wall',
        (
            (
                'person',
                (
                    (3.0, 1.3), (3.4, 0.5), (4.4, 0.2), (5.5, 0.7),
                    (5.9, 1.7), (5.5, 2.5), (5.0, 2.9), (5.8, 4.3),
                    (6.9, 5.5), (7.1, 6.9), (5.7, 8.2), (5.4, 10.0),
                    (0.4, 10.0), (0.4, 7.6), (0.9, 5.5), (2.3, 4.2),
                    (2.5, 3.2), (3.6, 2.8), (3.5, 2.3),
                ),
            ),
        ),
        ('person', 'grass'),
    ),
    Scene(
        'chelsea',
        'wall',
        (
            (
                'cat',
                (
                    (0.9, 0.0), (9.0, 0.0), (8.2, 2.2), (8.0, 3.6),
                    (8.1, 5.4), (7.6, 7.0), (6.7, 8.3), (6.4, 9.4),
                    (5.0, 9.8), (0.0, 10.0), (0.0, 1.0),
                ),
            ),
        ),
        ('cat', 'grass'),
    ),
    Scene(
        'coffee',
        'dining table',
        (
            ('cup', _ellipse(4.65, 5.6, 3.35, 4.1)),
            ('food', _ellipse(4.75, 3.7, 1.3, 1.3)),
        ),
        ('dining table', 'water'),
    ),
    Scene(
        'rocket',
        'sky',
        (
            ('ground', ((0.0, 9.4), (10.0, 9.4), (10.0, 10.0), (0.0, 10.0))),
        ),
        ('sky', 'wall'),
    ),
)  # fmt: skip
