"""Make the picture of a user study for the documentation.

Colors photographs that come with scikit-image by the predicted and by the
empty map, and photographs the page in a headless Chromium::

    python docs/make_study_picture.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from make_report_picture import IMAGES, photograph
from skimage import data

from napari_sdcolor import Colorizer
from napari_sdcolor.core.compose import compose
from napari_sdcolor.core.photo import photo_from_array
from napari_sdcolor.evaluation.study.page import build

SAMPLES = ('chelsea', 'coffee', 'rocket')
METHODS = ['Original', 'Ours', 'Ours, empty map']


def page() -> bytes:
    """A study of the samples in three colors each."""
    colorizer = Colorizer.load()
    rows = []
    for name in SAMPLES:
        rgb = getattr(data, name)()
        photo = photo_from_array(rgb, rgb=True)
        empty = np.zeros(photo.working_shape(colorizer.size), np.uint8)
        pictures = [
            rgb,
            colorizer.colorize(photo).rgb,
            colorizer.colorize(photo, empty).rgb,
        ]
        rows.append(
            {
                'name': name,
                'gray': compose(
                    photo.lightness, np.zeros((*photo.shape, 2)), 8
                ),
                'pictures': dict(zip(METHODS, pictures, strict=True)),
            }
        )
    return build(rows, METHODS)[0]


if __name__ == '__main__':
    target = Path(sys.argv[1] if len(sys.argv) > 1 else IMAGES).resolve()
    with tempfile.TemporaryDirectory() as place:
        study = Path(place) / 'user-study.html'
        study.write_bytes(page())
        photograph(study, target / 'user_study.png')
