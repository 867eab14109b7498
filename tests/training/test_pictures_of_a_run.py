"""The loss plot and the preview sheets."""

from __future__ import annotations

import builtins
import io

import numpy as np
import pytest
from PIL import Image

from napari_sdcolor.classes import CLASSES
from napari_sdcolor.datasets.sheets import paint_labels, sheet
from napari_sdcolor.training.record import SCORES, curves


def rows(count: int, every: int = 2) -> list[dict[str, str]]:
    return [
        {
            'step': str(50 * (number + 1)),
            'loss': f'{1 / (number + 1):.4f}',
            'val_loss': '0.3' if number % every == 0 else '',
            'val_score': '21' if number % every == 0 else '',
        }
        for number in range(count)
    ]


@pytest.mark.parametrize('task', SCORES)
@pytest.mark.parametrize('count', [0, 1, 30])
def test_curves(task: str, count: int) -> None:
    data = curves(rows(count), task, 'My run')
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == 'PNG'
        assert image.size == (900, 650)
        colors = image.convert('RGB').getcolors(2**24)
    assert len(colors) > 10


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = builtins.__import__

    def missing(name: str, *words: object) -> object:
        if name.startswith('matplotlib'):
            raise ImportError(name)
        return genuine(name, *words)

    monkeypatch.setattr(builtins, '__import__', missing)
    with pytest.raises(ImportError):
        curves(rows(3), 'color', 'My run')


def test_maps_are_painted_in_the_colors_of_the_classes() -> None:
    found = paint_labels(np.array([[50, 36, 255]], np.uint8))
    assert tuple(found[0, 0]) == CLASSES[50].color
    assert tuple(found[0, 1]) == CLASSES[36].color
    assert len(np.unique(found[0], axis=0)) == 3


def test_sheets_hold_every_picture() -> None:
    red = np.full((40, 60, 3), (250, 0, 0), np.uint8)
    gray = np.full((40, 60), 90, np.uint8)
    small = red[:20, :30] // 2
    data = sheet(('gray', 'ours'), [(gray, red), (gray[:20, :30], small)])
    image = np.array(Image.open(io.BytesIO(data)))
    assert (image == (250, 0, 0)).all(-1).sum() == 2400
    assert (image == (125, 0, 0)).all(-1).sum() == 600
    assert (image == 90).all(-1).sum() == 3000
