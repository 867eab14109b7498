"""Age free photographs, color them, and measure the color noise.

    python docs/make_old_photos.py

Writes the contact sheet of the model card and prints how much the chroma of
neighboring pixels differs, on the clean and on the aged photograph.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from make_ablations import gray_photo, sheet
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scenes import SCENES
from scipy import ndimage

from napari_sdcolor.core import lab
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.photo import photo_from_array

HERE = Path(__file__).parent
SEED = 1


def faded(gray: NDArray, rng: np.random.Generator) -> NDArray:
    """Low contrast, paler toward one side. Gray values in [0, 1]."""
    side = np.linspace(0, 1, gray.shape[1])
    if rng.random() < 0.5:
        side = side[::-1]
    return 0.22 + 0.12 * side + gray * (0.58 - 0.1 * side)


def grained(gray: NDArray, rng: np.random.Generator) -> NDArray:
    """Film grain, about two pixels wide."""
    grain = ndimage.gaussian_filter(rng.normal(0, 1, gray.shape), 0.7)
    return np.clip(gray + 0.06 * grain / grain.std(), 0, 1)


def scratched(gray: NDArray, rng: np.random.Generator) -> NDArray:
    """Bright scratches from top to bottom, and specks of dust."""
    gray = gray.copy()
    height, width = gray.shape
    for _ in range(6):
        drift = np.cumsum(rng.normal(0, 0.15, height))
        column = np.clip(rng.uniform(0, width) + drift, 0, width - 1)
        rows = np.arange(height)[rng.random(height) < 0.85]
        gray[rows, column[rows].astype(int)] = rng.uniform(0.85, 1)
    for _ in range(60):
        y, x = rng.integers(0, height - 3), rng.integers(0, width - 3)
        gray[y : y + rng.integers(1, 4), x : x + rng.integers(1, 4)] = (
            rng.choice([0.05, 0.95])
        )
    return gray


def squeezed(gray: NDArray, quality: int = 40) -> NDArray:
    """Soft, then through JPEG, as many scans on the web are."""
    image = Image.fromarray(np.uint8(np.rint(gray * 255)))
    image = image.filter(ImageFilter.GaussianBlur(0.6))
    buffer = io.BytesIO()
    image.save(buffer, 'JPEG', quality=quality)
    return np.array(Image.open(buffer)) / 255


def aged(gray: NDArray, rng: np.random.Generator) -> NDArray[np.uint8]:
    """An old print of a photograph, scanned: (H, W) codes in 8 bits."""
    old = grained(faded(gray, rng), rng)
    return np.uint8(np.rint(255 * squeezed(scratched(old, rng))))


def color_noise(rgb: NDArray[np.uint8]) -> float:
    """Mean distance in ab of a pixel from its surroundings, Lab units."""
    ab = lab.rgb_to_lab(rgb / np.float32(255))[..., 1:]
    smooth = ndimage.gaussian_filter(ab, (3, 3, 0))
    return float(np.linalg.norm(ab - smooth, axis=-1).mean())


def main() -> None:
    colorizer = Colorizer.load(device='cpu')
    rng = np.random.default_rng(SEED)
    rows: list[list] = [[], [], []]
    for scene in SCENES:
        clean = gray_photo(scene)
        gray = lab.lightness_to_gray(clean.lightness)
        old = aged(gray, rng)
        found = colorizer.colorize(photo_from_array(old, name=scene.name))
        fresh = colorizer.colorize(clean)
        print(
            f'{scene.name:10} color noise: true photograph '
            f'{color_noise(scene.rgb):.2f}, clean {color_noise(fresh.rgb):.2f}'
            f', aged {color_noise(found.rgb):.2f}'
        )
        rows[0].append(np.repeat(old[..., None], 3, axis=2))
        rows[1].append(found.rgb)
        rows[2].append(fresh.rgb)
    sheet(
        HERE / 'images' / 'old_photos.jpg',
        [
            ('aged by a script: faded, grain, scratches, dust, JPEG', rows[0]),
            ('colored with the predicted map', rows[1]),
            ('the clean photograph, colored in the same way', rows[2]),
        ],
    )


if __name__ == '__main__':
    main()
