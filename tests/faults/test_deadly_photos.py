"""A photo that brings the process down is named, and stops no other one."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_sdcolor.batch.journal import read_records

from . import batch_process
from .batch_process import ended, forked

pytestmark = pytest.mark.skipif(
    not hasattr(os, 'fork'), reason='kills forked processes'
)


def poison(photos: Path) -> Path:
    """Add a photo that kills whoever colors it; it comes first."""
    path = photos / 'box 0' / '0 deadly.png'
    gray = np.full((40, 56), batch_process.DEADLY, np.uint8)
    gray[:20] = 10
    Image.fromarray(gray).save(path)
    return path


def test_the_next_run_colors_the_others_and_names_it(
    photos: Path,
    tmp_path: Path,
    contents,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The helper imports the network that dies.
    monkeypatch.syspath_prepend(Path(__file__).parent.parent)
    assert ended(forked(photos, tmp_path / 'whole')) == 0
    whole = contents(tmp_path / 'whole')
    deadly = poison(photos)
    out = tmp_path / 'out'
    assert ended(forked(photos, out, deadly=True)) == -signal.SIGKILL
    records = read_records(out)
    assert records['box 0/0 deadly']['status'] == 'begun'
    for _ in range(2):  # and so does the one after it
        assert ended(forked(photos, out, deadly=True)) == 1
        assert contents(out).items() >= whole.items()
        record = read_records(out)['box 0/0 deadly']
        assert record['status'] == 'failed'
        assert 'process died in the work on this photo' in record['reason']
        assert 'SIGKILL' in record['reason']
        report = json.loads((out / 'sdcolor-report.json').read_text())
        failed = [p for p in report['photos'] if p['status'] == 'failed']
        assert [p['photo'] for p in failed] == [str(deadly)]
        assert not list(out.rglob('.*.part'))


def test_a_photo_that_was_not_to_blame_is_colored(
    photos: Path, tmp_path: Path, contents
) -> None:
    """Killed from outside: the same bytes as if nothing had been."""
    deadly = poison(photos)
    assert ended(forked(photos, tmp_path / 'whole')) == 0
    out = tmp_path / 'out'
    assert ended(forked(photos, out, deadly=True)) == -signal.SIGKILL
    assert ended(forked(photos, out)) == 0
    assert contents(out) == contents(tmp_path / 'whole')
    assert read_records(out)['box 0/0 deadly']['source'] == str(deadly)
