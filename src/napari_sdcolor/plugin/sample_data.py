"""Photographs that may be redistributed, turned gray.

They come with scikit-image; nothing is downloaded.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage import data

from napari_sdcolor.core import lab

LayerData = tuple[NDArray, dict[str, Any], str]


def gray_version(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Gray photo (H, W) uint8 with the lightness of a color one."""
    gray = lab.lightness_to_gray(lab.rgb_to_lightness(rgb / 255))
    return np.rint(gray * 255).astype(np.uint8)


def _layer(pixels: NDArray, name: str) -> list[LayerData]:
    if pixels.ndim == 3:
        pixels = gray_version(pixels)
    return [(pixels, {'name': name}, 'image')]


def astronaut() -> list[LayerData]:
    """Eileen Collins, NASA (public domain)."""
    return _layer(data.astronaut(), 'astronaut')


def cat() -> list[LayerData]:
    """Chelsea the cat, Stéfan van der Walt (CC0)."""
    return _layer(data.chelsea(), 'cat')


def coffee() -> list[LayerData]:
    """A cup of coffee, Rachel Michetti (CC0)."""
    return _layer(data.coffee(), 'coffee')


def rocket() -> list[LayerData]:
    """A rocket on its launch pad, SpaceX (CC0)."""
    return _layer(data.rocket(), 'rocket')


def camera() -> list[LayerData]:
    """A photographer with his camera, Lav Varshney (CC0)."""
    return _layer(data.camera(), 'photographer')
