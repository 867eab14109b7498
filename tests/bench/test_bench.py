"""The benchmark on tiny networks: what it reports, never how fast it is."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
import torch
from numpy.typing import NDArray
from typer.testing import CliRunner

from napari_sdcolor.bench import gigapixel, networks, run, saving, worker
from napari_sdcolor.bench.report import as_markdown, save_plot
from napari_sdcolor.bench.run import Findings, Wish
from napari_sdcolor.bench.timing import row_of, take_turns
from napari_sdcolor.cli import app
from napari_sdcolor.cli import bench as bench_command
from napari_sdcolor.core.colornet import ColorNetConfig
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.features import WIDTHS
from napari_sdcolor.core.gridnet import GridNetConfig
from napari_sdcolor.core.multiplications import multiplications
from napari_sdcolor.errors import SaveError, SdcolorError

KEYS = {'name', 'size', 'stroke', 'median_s', 'p95_s', 'ratio'}


@pytest.fixture(autouse=True, scope='module')
def _small_matrices() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks, 'GEMM_SIDE', 64)
        patch.setattr(saving, 'SHAPE', (300, 400))
        yield


@pytest.fixture(scope='module')
def findings(_small_matrices: None) -> Findings:
    widths = (4, 4, 8, 8, 8)
    colorizer = Colorizer.random(
        ColorNetConfig(widths=widths),
        grid=GridNetConfig(widths=widths),
        size=64,
    )
    wish = Wish(quick=True, sizes=(64, 96))
    return run.run(colorizer, wish, lambda words: None)


def bench(*words: object) -> object:
    line = ['bench', '--quick', '--at', '64', *map(str, words)]
    return CliRunner().invoke(app, line)


@pytest.fixture
def no_photos(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what the tests of ``findings`` look at."""
    for name in ('measure_first_color', 'measure_archive'):
        monkeypatch.setattr(run.photos, name, lambda *some, **more: [])


def test_every_phase_has_its_rows(findings: Findings) -> None:
    names = {row.name for row in findings.rows}
    assert {'first color after load', 'archive: per photo'} <= names
    stages = {name for name in names if name.startswith('archive: stage')}
    assert len(stages) == 3
    parts = [row for row in findings.rows if row.share is not None]
    assert [row.name for row in parts] == [
        f'{saving.NAME}: {part}' for part in saving.PARTS
    ]
    (whole,) = [row for row in findings.rows if row.name == saving.NAME]
    for row in parts:
        assert row.share == pytest.approx(row.median_s / whole.median_s)


def test_one_json_object_with_the_promised_keys(
    tiny_model: str, no_photos: None
) -> None:
    result = bench('--json', '--weights', tiny_model, '--device', 'cpu')
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert {'device', 'gemm_gmacs', 'rows'} <= set(found)
    assert found['gemm_gmacs'] > 0
    for row in found['rows']:
        assert set(row) >= KEYS
        assert 0 < row['median_s'] <= row['p95_s'] + 1e-12
    names = {row['name'] for row in found['rows']}
    assert {
        networks.REFERENCE,
        'full pass',
        'gray cached',
        'segmentation',
    } <= names
    strokes = [r['stroke'] for r in found['rows'] if r['name'] == 'stroke']
    assert strokes == [4, 16, 64]
    assert set(found['largest_ab_error']) == {'bfloat16', 'float16'}


def test_ratios_are_those_of_the_medians(findings: Findings) -> None:
    references = {
        row.size: row.median_s
        for row in findings.rows
        if row.name == networks.REFERENCE
    }
    assert set(references) == {64, 96}
    for row in findings.rows:
        if row.against == networks.REFERENCE:
            expected = references[row.size] / row.median_s
            assert row.ratio == pytest.approx(expected)
    for size, reference in references.items():
        both = [
            row.median_s
            for row in findings.rows
            if row.size == size and row.name.startswith('reference, ')
        ]
        assert len(both) == 2
        assert reference == min(both)


def test_the_table_names_every_row(findings: Findings) -> None:
    findings = replace(findings, left_out=['strokes: no window'])
    table = as_markdown(findings)
    lines = [line for line in table.splitlines() if line.startswith('|')]
    assert len(lines) == len(findings.rows) + 2
    assert len({line.count('|') for line in lines}) == 1
    assert 'Not measured: strokes: no window' in table
    assert 'GMAC/s' in table


@pytest.mark.parametrize('suffix', ['png', 'svg'])
def test_the_plot_is_drawn(
    suffix: str, findings: Findings, tmp_path: Path
) -> None:
    path = tmp_path / f'bench.{suffix}'
    save_plot(findings, path)
    assert path.stat().st_size > 1000


def test_a_full_disk_leaves_no_plot(
    findings: Findings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, 'no space left')

    path = tmp_path / 'bench.png'
    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(SaveError, match=r'bench\.png .*the disk is full'):
        save_plot(findings, path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_plot_stays(
    findings: Findings, tmp_path: Path
) -> None:
    """Before all is measured, and if it appears meanwhile."""
    path = tmp_path / 'master.png'
    path.write_bytes(b'the only scan')
    result = bench('--plot', path)
    assert result.exit_code == 1
    assert 'never overwritten' in result.stderr
    with pytest.raises(SaveError, match='never overwritten'):
        save_plot(findings, path)
    assert path.read_bytes() == b'the only scan'


def test_odd_plot_files_are_refused_in_a_sentence(
    tmp_path: Path, tiny_model: str
) -> None:
    result = bench('--plot', tmp_path / 'a.doc')
    assert result.exit_code == 2
    assert 'one of .pdf, .png, .svg' in result.stderr


MODULE = """
import numpy as np
calls = []
def theirs(gray, labels):
    calls.append((gray.shape, gray.dtype.name, labels.dtype.name))
    return np.zeros((*gray.shape, 2))
"""


def test_another_implementation_is_timed_in_the_same_run(
    tmp_path: Path,
    tiny_model: str,
    no_photos: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / 'others_colors.py').write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    result = bench(
        '--json', '--weights', tiny_model, '--against', 'others_colors:theirs'
    )
    assert result.exit_code == 0, result.stderr
    rows = json.loads(result.stdout)['rows']
    (row,) = [row for row in rows if row['name'] == 'against']
    assert row['ratio'] > 0
    calls = sys.modules['others_colors'].calls
    assert set(calls) == {((64, 64), 'float32', 'uint8')}
    assert len(calls) == row['count'] + 1


@pytest.mark.parametrize(
    'words', ['nothing', 'nowhere:f', 'json:nothing', 'json:__doc__', ':']
)
def test_what_cannot_be_called_is_refused(words: str) -> None:
    result = bench('--against', words)
    assert result.exit_code == 2
    assert 'Traceback' not in result.stderr


def test_ctrl_c_shows_what_is_there(
    tiny_colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*some: object, **more: object) -> list:
        raise KeyboardInterrupt

    monkeypatch.setattr(run.photos, 'measure_first_color', interrupted)
    said: list[str] = []
    found = run.run(tiny_colorizer, Wish(True, (64,)), said.append)
    assert found.stopped
    assert {row.size for row in found.rows} == {64}
    assert 'Stopped before the end' in as_markdown(found)
    assert said[-1].startswith('Stopped')
    json.dumps(found.to_dict(), allow_nan=False)


def test_ctrl_c_is_told_by_the_exit_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = Findings(stopped=True)
    idle = SimpleNamespace(device=SimpleNamespace(notes=()))
    monkeypatch.setattr(run, 'run', lambda *_: found)
    monkeypatch.setattr(bench_command, '_colorizer', lambda *_: idle)
    result = bench('--json')
    assert result.exit_code == 130
    assert json.loads(result.stdout)['stopped']


def test_what_fails_is_said_and_the_rest_goes_on(
    tiny_colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*some: object, **more: object) -> list:
        raise SdcolorError('There is no disk.')

    monkeypatch.setattr(run.photos, 'measure_archive', refuse)
    found = run.run(tiny_colorizer, Wish(True, (64,)), lambda words: None)
    assert found.left_out == ['an archive of photos: There is no disk.']
    assert 'largest_ab_error' in found.facts


def test_too_little_memory_for_the_reference_is_said(
    tiny_colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        'psutil.virtual_memory', lambda: SimpleNamespace(available=1000)
    )
    with pytest.raises(SdcolorError, match='GB of memory'):
        run._size(tiny_colorizer, 64, Wish(True), Findings())


def test_progress_tells_how_long_it_takes(
    tiny_colorizer: Colorizer, no_photos: None
) -> None:
    said: list[str] = []
    run.run(tiny_colorizer, Wish(True, (64,)), said.append)
    assert said[0].startswith('1 of ')
    assert any(' left' in words for words in said)


def test_strokes_are_edits_that_the_session_follows(
    tiny_colorizer: Colorizer,
) -> None:
    times, macs = networks._strokes(tiny_colorizer, 128, 4, 1, None)
    assert len(times) >= 4
    assert macs > 0
    assert tiny_colorizer.size == 64


def test_turns_are_taken_and_the_first_does_not_count() -> None:
    order: list[str] = []
    times = take_turns(
        {'a': lambda: order.append('a'), 'b': lambda: order.append('b')},
        budget=60,
        most=3,
    )
    assert order == ['a', 'b'] * 4
    assert {name: len(found) for name, found in times.items()} == {
        'a': 3,
        'b': 3,
    }


def test_a_row_holds_median_and_spread() -> None:
    row = row_of('x', [float(n) for n in range(1, 102)])
    assert row.median_s == 51
    assert row.p95_s == pytest.approx(96)
    assert row.count == 101


def test_macs_are_those_that_the_networks_are_known_for() -> None:
    from napari_sdcolor.core import colornet, gridnet

    with torch.device('meta'):
        color, grid = colornet.ColorNet(), gridnet.GridNet()
        plane = torch.empty(1, 1, 352, 352)
        ids = torch.empty((1, 352, 352), dtype=torch.uint8)
    with torch.inference_mode():
        colors = multiplications(lambda: color(plane, ids))
        maps = multiplications(lambda: grid(plane))
    assert colors / 1e9 == pytest.approx(48.2, abs=0.05)
    assert maps / 1e9 == pytest.approx(29.9, abs=0.05)


def test_networks_that_read_photo_features_are_measured() -> None:
    colorizer = Colorizer.random(
        ColorNetConfig(widths=(2,) * 5, features=WIDTHS),
        grid=GridNetConfig(widths=(4,) * 5, features=WIDTHS),
    )
    rows = networks.measure_size(colorizer, 64, budget=1, most=2)
    macs = {row.name: row.macs for row in rows}
    # The full pass looks at the photo for its features as well.
    assert macs['full pass'] > macs['gray cached'] > 0
    assert macs['segmentation'] > 0


@pytest.fixture
def tiny_apart(
    tiny_colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Other processes are this one, with tiny networks."""

    def here(task: str, *arguments: object) -> worker.Measured:
        worker.TASKS[task](*json.loads(json.dumps(arguments)))
        return worker.Measured(1.0, worker.peak_bytes())

    def colorizer(size: int | str) -> Colorizer:
        tiny_colorizer.size = size
        return tiny_colorizer

    monkeypatch.setattr(worker, '_colorizer', colorizer)
    monkeypatch.setattr(gigapixel, 'run_apart', here)
    yield


def test_the_large_photo_is_made_colored_and_removed(
    tiny_apart: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    monkeypatch.setattr('napari_sdcolor.archive.strips.LARGE', 0)
    seen: list[tuple[int, ...]] = []
    plain = worker.TASKS['color_file']

    def spy(photo: str, folder: str, size: int) -> None:
        plain(photo, folder, size)
        result = tifffile.imread(Path(folder) / 'gigapixel.color.tif')
        seen.append((*result.shape, result.dtype.itemsize))

    monkeypatch.setitem(worker.TASKS, 'color_file', spy)
    found = gigapixel.measure(1024, size=64)
    assert seen == [(1024, 1024, 3, 2)]
    assert found.peak_bytes > 0
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_found_out_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    monkeypatch.setattr(
        gigapixel.shutil,
        'disk_usage',
        lambda folder: SimpleNamespace(free=10),
    )
    with pytest.raises(SdcolorError, match='TMPDIR'):
        gigapixel.measure(1024)


def test_the_large_photo_has_shapes_and_grain(tmp_path: Path) -> None:
    gigapixel.make_photo(tmp_path / 'a.tif', 1024)
    with tifffile.TiffFile(tmp_path / 'a.tif') as tif:
        assert tif.pages[0].is_tiled
        array: NDArray = tif.asarray()
    assert array.dtype == np.uint16
    assert np.ptp(array) > 20000


def test_a_process_that_fails_is_named() -> None:
    with pytest.raises(SdcolorError, match='color_file failed'):
        worker.run_apart('color_file', 'nowhere.tif', 'out', 'odd')
