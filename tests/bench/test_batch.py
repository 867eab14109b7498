"""The figures are there and belong together; none is judged here."""

from __future__ import annotations

import pytest

from napari_sdcolor.bench.batch import measure
from napari_sdcolor.errors import SdcolorError


def test_measure(scans, worker):
    sources = sorted(scans.glob('*.png'))
    timing = measure(worker.colorizer, sources, worker.spec, rounds=2)
    assert timing.networks > 0
    assert timing.batch > 0
    assert timing.share == timing.networks / timing.batch
    assert set(timing.stages) == {'read', 'color', 'save'}
    assert all(spent > 0 for spent in timing.stages.values())
    assert timing.side_by_side == 1


def test_a_photo_that_cannot_be_colored(scans, worker, monkeypatch):
    (scans / 'a.png').write_bytes(b'')
    with pytest.raises(SdcolorError, match=r'a\.png'):
        measure(worker.colorizer, [scans / 'a.png'], worker.spec)
