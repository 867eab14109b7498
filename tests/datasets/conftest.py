"""Small data sets in the layouts in which the real ones are distributed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

Draw = Callable[..., NDArray[np.uint8]]


@pytest.fixture
def photo() -> Draw:
    """Saves a random photo (12, 16) and returns what was saved."""

    def draw(path: Path, seed: int = 0, **how: object) -> NDArray[np.uint8]:
        path.parent.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(seed)
        blocks = rng.integers(0, 256, (3, 4, 3), np.uint8)
        rgb = blocks.repeat(4, 0).repeat(4, 1)
        Image.fromarray(rgb).save(path, **how)
        return rgb

    return draw


@pytest.fixture
def id_png() -> Draw:
    """Saves ids (2, 2), each 6 by 8 pixels, and returns the map (12, 16)."""

    def draw(path: Path, ids: object, kind: str = 'L') -> NDArray[np.uint8]:
        path.parent.mkdir(parents=True, exist_ok=True)
        labels = np.array(ids, np.uint8).repeat(6, 0).repeat(8, 1)
        image = Image.fromarray(labels)
        if kind == 'P':
            image = Image.fromarray(labels, 'L').convert('P')
            image.putdata(labels.ravel().tolist())
        image.save(path)
        return labels

    return draw
