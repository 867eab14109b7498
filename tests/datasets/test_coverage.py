"""How often training photographs show each class."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from napari_sdcolor.classes import CLASSES, class_id
from napari_sdcolor.datasets.coverage import LEAST_PIXELS, class_photos
from napari_sdcolor.errors import DataError


def entry(*ids: int, pixels: int = LEAST_PIXELS) -> SimpleNamespace:
    """A photo that shows some classes in just as many pixels."""
    labels = np.full((40, 40), 255, np.uint8)
    labels.ravel()[: pixels * len(ids)] = np.repeat(ids, pixels)
    return SimpleNamespace(labels=True, load=lambda: (None, labels))


def broken() -> SimpleNamespace:
    def load() -> None:
        raise DataError('broken')

    return SimpleNamespace(labels=True, load=load)


def test_photos_are_counted_class_by_class() -> None:
    sky, snow = class_id('sky'), class_id('snow')
    found = class_photos(
        [
            entry(sky, snow),
            entry(sky),
            entry(snow, pixels=LEAST_PIXELS - 1),
            SimpleNamespace(labels=None),
            broken(),
        ]
    )
    assert set(found) == {each.name for each in CLASSES}
    assert {name for name, photos in found.items() if photos} == {
        'sky',
        'snow',
    }
    assert (found['sky'], found['snow']) == (2, 1)
