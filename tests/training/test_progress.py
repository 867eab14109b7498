"""How far a run has come, in words."""

from __future__ import annotations

from napari_sdcolor.training.progress import Progress


def test_lines() -> None:
    assert Progress(1, 9, 0.5).words == 'step 1/9  loss 0.5000'
    line = Progress(1, 9, 0.5, 300).words
    assert line == 'step 1/9  loss 0.5000  about 5 minutes left'
    assert Progress(9, 9, 0.5, 0).words == 'step 9/9  loss 0.5000'
    assert Progress(2, 3, unit='map').words == 'map 2/3'
