"""Splits made on the spot, and a painter whose colors are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_sdcolor.datasets.entry import Entry

SIDE = 48

PALETTE = np.full((60, 3), 120, np.uint8)
PALETTE[7] = 150, 120, 120
PALETTE[9] = 120, 120, 180
"""Colors of the classes in most pictures; the others are gray."""


@dataclass(frozen=True, eq=False)
class Shot:
    """A photograph of a split, in memory."""

    rgb: NDArray[np.uint8]
    labels: NDArray[np.uint8] | None = None
    name: str = 'a'
    dataset: str = 'made'

    @property
    def full_name(self) -> str:
        return f'{self.dataset}/{self.name}'

    def load(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        return self.rgb, self.labels


MakeShot = Callable[..., Entry]


@pytest.fixture
def shot() -> MakeShot:
    """A photograph with exactly the palette's colors, or others."""

    def make(
        labels: NDArray | None, rgb: NDArray | None = None, **more: str
    ) -> Entry:
        if rgb is None:
            rgb = PALETTE[np.where(labels == 255, 0, labels)]
        return Shot(rgb, labels, **more)

    return make


@pytest.fixture
def halves() -> Callable[..., NDArray[np.uint8]]:
    """A map of two halves, and of a third class above both."""

    def make(left: int, right: int, top: int | None = None) -> NDArray:
        labels = np.full((SIDE, SIDE), left, np.uint8)
        labels[:, SIDE // 2 :] = right
        if top is not None:
            labels[: SIDE // 2] = top
        return labels

    return make


@pytest.fixture
def noisy() -> list[Entry]:
    """Six photographs of noise, four with maps, of several sizes."""
    rng = np.random.default_rng(0)
    made: list[Entry] = []
    for number, (h, w) in enumerate(
        [(40, 60), (61, 37), (33, 33), (50, 90), (45, 31), (64, 64)]
    ):
        rgb = rng.integers(0, 256, (h, w, 3), np.uint8)
        labels = rng.integers(0, 60, (h, w), np.uint8)
        labels[: h // 4] = 255
        given = labels if number < 4 else None
        made.append(Shot(rgb, given, name=f'{number}'))
    return made


class Painter:
    """Colors a photo by its map alone, and believes to see class 9."""

    size = SIDE
    confidence = 0.5

    def __init__(self, palette: NDArray[np.uint8] = PALETTE) -> None:
        self.palette = palette
        self.color_net = palette
        self.maps: list[NDArray] = []
        self.open: set[Session] = set()

    def facts(self) -> dict[str, Any]:
        return {'device': 'easel'}

    def segment(self, photo: Any) -> SimpleNamespace:
        shape = photo.working_shape(self.size)
        return SimpleNamespace(
            labels=np.full(shape, 9, np.uint8),
            confidence=np.full(shape, self.confidence, np.float32),
        )

    def session(self, photo: object, labels: NDArray) -> Session:
        return Session(self, labels)


class Session:
    """What one photo of the painter's looks like."""

    def __init__(self, painter: Painter, labels: NDArray) -> None:
        self.painter = painter
        self.update(labels)
        painter.open.add(self)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self.painter.open.discard(self)

    def update(self, labels: NDArray) -> list[tuple[int, int, int, int]]:
        self.painter.maps.append(labels)
        self.rgb = self.painter.palette[labels]
        self.chroma = self.full()
        return [(0, 0, *labels.shape)]

    def full(self) -> NDArray[np.float32]:
        return self.rgb[..., :2].astype(np.float32)


@pytest.fixture
def painter() -> Iterator[Painter]:
    """Colors by the map alone, and believes to see class 9 everywhere.

    Whoever asks it for a session closes it.
    """
    made = Painter()
    yield made
    assert not made.open


@pytest.fixture
def paint_with() -> Callable[[Sequence], Painter]:
    """A painter with other colors (60, 3)."""
    return Painter
