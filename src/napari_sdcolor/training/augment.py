"""What is done to a crop before a network sees it: aging, faulty maps."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from napari_sdcolor.classes import UNKNOWN
from napari_sdcolor.core import lab
from napari_sdcolor.training.recipe import Recipe

PREDICTED = 254
"""In a crop's map: whatever the segmentation predicts, sure or not."""

EVERYTHING = 2.0
"""Amount of aging at which nothing is left to chance, see ``age``."""

RED, BLUE = (0.0, 0.1), (0.1, 0.6)
"""Share of red and of blue light that red-blind film answers to.

Eyes have 0.21 and 0.07. Plates before 1905 or so saw hardly anything but
blue, orthochromatic film blue and green.
"""


def film(
    rgb: NDArray[np.uint8], rng: np.random.Generator
) -> NDArray[np.float32]:
    """A color photo as red-blind film has it: lips dark, skies white.

    Parameters
    ----------
    rgb
        (h, w, 3), sRGB.
    rng
        Draws the film, from ``RED`` and ``BLUE``.

    Returns
    -------
    NDArray
        (h, w), L*/100 in [0, 1] of the gray print; a gray photo keeps its
        own lightness.
    """
    red, blue = rng.uniform(*RED), rng.uniform(*BLUE)
    return printed(rgb, (red, 1 - red - blue, blue))


def printed(
    rgb: NDArray[np.uint8], shares: Sequence[float]
) -> NDArray[np.float32]:
    """Gray print of a color photo.

    Parameters
    ----------
    rgb
        (h, w, 3), sRGB.
    shares
        Of red, green and blue light in what the film answers to; those of
        ``lab.LUMINANCE`` are the eye's.

    Returns
    -------
    NDArray
        (h, w), L*/100 in [0, 1].
    """
    # Three tables of 256 values instead of a power for every pixel.
    light = lab.srgb_to_linear(np.arange(256, dtype=np.float32) / 255)
    exposure = sum(
        (light * np.float32(share))[rgb[..., channel]]
        for channel, share in enumerate(shares)
    )
    return (lab.luminance_to_lightness(exposure) / 100).clip(0, 1)


def oldest(
    rgb: NDArray[np.uint8], rng: np.random.Generator
) -> NDArray[np.float32]:
    """A color photo (h, w, 3) as (h, w) in [0, 1] with all that age does.

    Red-blind film, fading, blur, grain, scratches and JPEG at once: what an
    evaluation shows.
    """
    return age(film(rgb, rng), rng, EVERYTHING)


def age(
    gray: NDArray[np.float32], rng: np.random.Generator, amount: float
) -> NDArray[np.float32]:
    """Make a gray crop look like an old print or scan, at times.

    Fading, blur, grain, scratches and JPEG, each with a probability of
    ``amount`` or half of it.
    """
    if rng.random() < amount:
        gray = np.clip(gray, 0, 1) ** np.float32(np.exp(rng.normal(0, 0.25)))
        low, high = rng.uniform(0, 0.3), rng.uniform(0.65, 1)
        gray = (low + gray * (high - low)).astype(np.float32)
    if rng.random() < amount / 2:
        gray = ndimage.gaussian_filter(gray, rng.uniform(0.4, 1.2))
    if rng.random() < amount:
        # Grain of up to some two pixels in width, as scans have it.
        grain = rng.normal(0, 1, gray.shape).astype(np.float32)
        grain = ndimage.gaussian_filter(grain, rng.uniform(0, 0.9))
        strength = rng.uniform(0.004, 0.08) / max(float(grain.std()), 1e-6)
        gray = np.clip(gray + grain * np.float32(strength), 0, 1)
    if rng.random() < amount / 2:
        gray = gray.copy()
        for column in rng.integers(0, gray.shape[1], rng.integers(1, 4)):
            gray[rng.random(len(gray)) < 0.9, column] = rng.uniform(0, 1)
    if rng.random() < amount / 2:
        buffer = io.BytesIO()
        Image.fromarray(np.uint8(np.clip(gray, 0, 1) * 255 + 0.5)).save(
            buffer, 'JPEG', quality=int(rng.integers(30, 90))
        )
        gray = np.array(Image.open(buffer)).astype(np.float32) / 255
    return np.ascontiguousarray(gray, dtype=np.float32)


def _known(labels: NDArray[np.uint8], recipe: Recipe) -> NDArray[np.uint8]:
    if recipe.fills:
        return labels.copy()
    return np.where(labels == UNKNOWN, 0, labels).astype(np.uint8)


def corrupt(
    labels: NDArray[np.uint8], rng: np.random.Generator, recipe: Recipe
) -> NDArray[np.uint8]:
    """What the color network sees of the map: 255 as 0, parts missing.

    A segmentation that fills in what is unknown still finds it as 255.
    """
    labels = _known(labels, recipe)
    if recipe.fills and rng.random() < recipe.own_maps:
        return np.full_like(labels, PREDICTED)
    draw = rng.random()
    if draw < recipe.empty_map:
        return np.zeros_like(labels)
    if draw < recipe.empty_map + recipe.partial_map:
        present = np.unique(labels)
        gone = present[rng.random(len(present)) < 0.5]
        labels = np.where(np.isin(labels, gone), 0, labels).astype(np.uint8)
    if rng.random() < recipe.coarse_map:
        factor = int(rng.integers(2, 9))
        small = labels[factor // 2 :: factor, factor // 2 :: factor]
        labels = np.array(
            Image.fromarray(small).resize(
                labels.shape[::-1], Image.Resampling.NEAREST
            )
        )
    return labels


def swap_region(
    ab: NDArray[np.float32],
    labels: NDArray[np.uint8],
    means: dict[int, NDArray[np.float32]],
    rng: np.random.Generator,
    recipe: Recipe,
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Relabel one region, and color it as its new class would be.

    Parameters
    ----------
    ab
        (h, w, 2) in Lab units.
    labels
        (h, w), 255 for unknown, which becomes 0 as in ``corrupt``.
    means
        Mean ab of the classes to choose from.

    Returns
    -------
    tuple
        Chroma and map with one connected region moved to another random
        class; unchanged where no class is known. It is the region of a
        random pixel: specks, of which maps are full, are seldom drawn.
    """
    labels = _known(labels, recipe)
    known = np.argwhere(np.isin(labels, list(means)))
    if not len(known):
        return ab, labels
    spot = tuple(known[rng.integers(len(known))])
    old = int(labels[spot])
    choices = [number for number in means if number != old]
    if not choices:
        return ab, labels
    new = choices[rng.integers(len(choices))]
    regions, _ = ndimage.label(labels == old)
    chosen = regions == regions[spot]
    ab, labels = ab.copy(), labels.copy()
    ab[chosen] += means[new] - means[old]
    labels[chosen] = new
    return ab, labels
