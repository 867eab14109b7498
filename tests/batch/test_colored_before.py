"""Results that were moved among the photos are not colored again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from napari_sdcolor.batch.run import Summary


@pytest.mark.parametrize('form', ['tiff', 'png', 'jpeg'])
def test_a_result_without_its_sidecar_is_no_photo(
    form: str,
    make_scans: Callable[..., Path],
    tmp_path: Path,
    sdcolor: Callable[..., Result],
    run_plan: Callable[..., Summary],
) -> None:
    scans = make_scans(['a.png'])
    made = tmp_path / 'made'
    words = ['colorize', scans / 'a.png', '-o', made, '--format', form]
    assert sdcolor(*words).exit_code == 0
    (color,) = made.glob('a.color.*')
    moved = color.rename(scans / f'moved{color.suffix}')
    summary = run_plan(scans, tmp_path / 'out')
    ((path, reason),) = summary.failed
    assert path == str(moved)
    assert reason.startswith(f'{moved} was colored by this program')
    assert summary.progress.colored == 1
    again = sdcolor('colorize', moved, '-o', tmp_path / 'again')
    assert again.exit_code == 1
    assert 'was colored by this program' in again.stderr
    assert not (tmp_path / 'again').exists()
