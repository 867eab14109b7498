"""Sample data contribution: the photographs of ``samples``."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from napari_sdcolor.samples import sample_pixels

LayerData = tuple[NDArray, dict[str, Any], str]


def astronaut() -> list[LayerData]:
    """Eileen Collins, NASA (public domain)."""
    return _layer('astronaut', 'astronaut')


def cat() -> list[LayerData]:
    """Chelsea the cat, Stéfan van der Walt (CC0)."""
    return _layer('cat', 'cat')


def coffee() -> list[LayerData]:
    """A cup of coffee, Rachel Michetti (CC0)."""
    return _layer('coffee', 'coffee')


def rocket() -> list[LayerData]:
    """A rocket on its launch pad, SpaceX (CC0)."""
    return _layer('rocket', 'rocket')


def camera() -> list[LayerData]:
    """A photographer with his camera, Lav Varshney (CC0)."""
    return _layer('camera', 'photographer')


def _layer(sample: str, name: str) -> list[LayerData]:
    return [(sample_pixels(sample), {'name': name}, 'image')]
