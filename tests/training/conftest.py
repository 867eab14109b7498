"""Small training packs made on the spot; no photograph lies in the tests."""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from napari_sdcolor.training.data import Pack


@dataclass
class Shot:
    """One photograph of a pack that a test makes.

    ``photo`` and ``labels`` may also be bytes, to store what is no picture.
    """

    photo: NDArray[np.uint8] | bytes
    labels: NDArray[np.uint8] | bytes | None = None
    split: str = 'train'
    dataset: str = 'made'


MakePack = Callable[[Sequence[Shot]], Pack]


def encoded(content: NDArray | bytes) -> bytes:
    """A picture without loss, whatever its name ends in."""
    if isinstance(content, bytes):
        return content
    buffer = io.BytesIO()
    Image.fromarray(content).save(buffer, 'PNG')
    return buffer.getvalue()


@pytest.fixture
def write_pack(tmp_path: Path) -> Callable[..., Path]:
    """Writes a pack of several shards and returns its folder."""

    def write(shots: Sequence[Shot], shards: int = 2) -> Path:
        folder = tmp_path / 'pack'
        folder.mkdir(exist_ok=True)
        with ExitStack() as stack:
            tars = [
                stack.enter_context(
                    tarfile.open(folder / f'photos-{number}.tar', 'w')
                )
                for number in range(shards)
            ]
            index = folder / 'index.csv'
            file = stack.enter_context(index.open('w', newline=''))
            writer = csv.writer(file)
            writer.writerow(['dataset', 'id', 'split', 'shard'])
            for number, shot in enumerate(shots):
                name = f'{number:03d}'
                writer.writerow(
                    [shot.dataset, name, shot.split, number % shards]
                )
                members = {f'images/{shot.dataset}/{name}.jpg': shot.photo}
                if shot.labels is not None:
                    members[f'labels/{shot.dataset}/{name}.png'] = shot.labels
                for path, content in members.items():
                    data = encoded(content)
                    about = tarfile.TarInfo(path)
                    about.size = len(data)
                    tars[number % shards].addfile(about, io.BytesIO(data))
        return folder

    return write


@pytest.fixture
def make_pack(write_pack: Callable[..., Path]) -> MakePack:
    return lambda shots: Pack(write_pack(shots))


@pytest.fixture
def shots() -> list[Shot]:
    """Six photographs, four with maps, of several sizes."""
    rng = np.random.default_rng(0)
    made = []
    for number, (h, w) in enumerate(
        [(40, 60), (61, 37), (33, 33), (50, 90), (45, 31), (64, 64)]
    ):
        rgb = rng.integers(0, 256, (h, w, 3), np.uint8)
        labels = rng.integers(0, 60, (h, w), np.uint8)
        labels[: h // 4] = 255
        made.append(Shot(rgb, labels if number < 4 else None))
    return made
