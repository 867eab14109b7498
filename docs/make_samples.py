"""The five sample photographs, their maps and colors, without any help.

    python docs/make_samples.py

Writes the contact sheet of the model card and prints the largest classes of
each map.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from make_ablations import map_picture, sheet

from napari_sdcolor.classes import CLASSES
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.photo import photo_from_array
from napari_sdcolor.samples import SAMPLES, sample_pixels

HERE = Path(__file__).parent
LARGEST = 4
"""So many classes of each map are named."""


def main() -> None:
    colorizer = Colorizer.load(device='cpu')
    rows: list[list] = [[], [], []]
    for name in SAMPLES:
        gray = sample_pixels(name)
        found = colorizer.colorize(photo_from_array(gray, name=name))
        shares = np.bincount(found.labels.ravel(), minlength=len(CLASSES))
        shares = 100 * shares / found.labels.size
        print(
            f'{name:10}',
            ', '.join(
                f'{CLASSES[number].name} {shares[number]:.0f} %'
                for number in np.argsort(-shares)[:LARGEST]
            ),
        )
        rows[0].append(np.repeat(gray[..., None], 3, axis=2))
        rows[1].append(map_picture(found.labels))
        rows[2].append(np.asarray(found.rgb))
    sheet(
        HERE / 'images' / 'samples.jpg',
        [
            ('gray', rows[0]),
            ('the map that the machine proposes', rows[1]),
            ('its colors', rows[2]),
        ],
    )


if __name__ == '__main__':
    main()
