"""Folders of photos and what came out of them.

``SDCOLOR_FAULTS=1`` makes these tests thorough: it takes minutes.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

THOROUGH = bool(os.environ.get('SDCOLOR_FAULTS'))


@pytest.fixture
def thorough() -> bool:
    """Whether there is time for everything."""
    return THOROUGH


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Nine photos and a map in three folders."""
    root = tmp_path / 'photos'
    y, x = np.mgrid[:40, :56]
    for number in range(9):
        path = root / f'box {number % 3}' / f'{number}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        gray = (x * (number + 2) + y * 3) % 256
        Image.fromarray(gray.astype(np.uint8)).save(path)
    labels = np.full((64, 90), 12, np.uint8)
    Image.fromarray(labels).save(root / 'box 1' / '4.labels.png')
    return root


def contents(folder: Path) -> dict[str, str]:
    """SHA-256 of all results by their place; sidecars without ``run``."""
    found = {}
    for path in sorted(folder.rglob('*')):
        if path.is_dir() or 'sdcolor-' in path.name:
            continue
        data = path.read_bytes()
        if path.name.endswith('.sdcolor.json'):
            sidecar = json.loads(data)
            del sidecar['run']
            data = json.dumps(sidecar, sort_keys=True).encode()
        place = path.relative_to(folder).as_posix()
        found[place] = hashlib.sha256(data).hexdigest()
    return found


def untouched(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of change of every file."""
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob('*')
        if path.is_file()
    }
