"""Folders of photos and what came out of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def photos(tmp_path: Path, thorough: bool) -> Path:
    """Five photos or nine, and a map, in three folders."""
    root = tmp_path / 'photos'
    y, x = np.mgrid[:40, :56]
    for number in range(9 if thorough else 5):
        path = root / f'box {number % 3}' / f'{number}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        gray = (x * (number + 2) + y * 3) % 256
        Image.fromarray(gray.astype(np.uint8)).save(path)
    labels = np.full((64, 90), 12, np.uint8)
    Image.fromarray(labels).save(root / 'box 1' / '4.labels.png')
    return root
