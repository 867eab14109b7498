"""Times as people say them."""

from __future__ import annotations

import pytest

from napari_sdcolor.training.progress import Progress, duration


@pytest.mark.parametrize(
    ('seconds', 'words'),
    [
        (0, 'less than a minute'),
        (59, 'less than a minute'),
        (61, 'about 1 minute'),
        (35 * 60, 'about 35 minutes'),
        (3600, 'about 1 hour'),
        (2 * 3600 + 61, 'about 2 hours 1 minute'),
        (3 * 86400, 'about 3 days'),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_lines() -> None:
    assert Progress(1, 9, 0.5).words == 'step 1/9  loss 0.5000'
    line = Progress(1, 9, 0.5, 300).words
    assert line == 'step 1/9  loss 0.5000  about 5 minutes left'
    assert Progress(9, 9, 0.5, 0).words == 'step 9/9  loss 0.5000'
    assert Progress(2, 3, unit='map').words == 'map 2/3'
