"""Files of version 0.1.0 are understood: results, batches, packs, weights.

What the window remembers is in ``tests/plugin/test_v0_1_0.py``.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from napari_sdcolor.archive.reading import read_photo
from napari_sdcolor.archive.sidecar import read_sidecar
from napari_sdcolor.batch.outcome import DONE
from napari_sdcolor.batch.plan import make_plan
from napari_sdcolor.batch.status import read_statuses
from napari_sdcolor.batch.thumbnails import read_thumbnail
from napari_sdcolor.cli import app
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.datasets.pack import Pack

MADE = Path(__file__).parent / 'v0_1_0'
FORMATS = ('format_2', 'format_3')
RESULTS = [
    (folder, path.name.removesuffix('.sdcolor.json'))
    for folder in FORMATS
    for path in sorted((MADE / folder / 'results').glob('*.sdcolor.json'))
    if path.name != 'layer.sdcolor.json'
]


@pytest.fixture(params=FORMATS)
def made(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """All that a person has who worked with 0.1.0, to go on with."""
    return have(request.param, tmp_path, monkeypatch)


def have(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / 'made'
    shutil.copytree(MADE / name, folder)
    monkeypatch.setenv('SDCOLOR_MODELS', str(folder / 'added'))
    return folder


def sdcolor(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def answer(*words: object) -> dict:
    done = sdcolor(*words, '--json')
    assert done.stdout, done.output
    return json.loads(done.stdout)


def test_nothing_is_missing() -> None:
    assert len(RESULTS) == 5


@pytest.mark.parametrize(('folder', 'name'), RESULTS)
def test_results_come_out_again(
    folder: str,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same bytes; on another machine at most one count beside them."""
    made = have(folder, tmp_path, monkeypatch)
    told = answer('replay', made / 'results' / f'{name}.sdcolor.json')
    if not told['identical']:
        assert told['circumstances'], told
        assert told['largest_delta_e'] <= 1, told


def test_a_result_of_a_layer_says_that_its_photo_is_needed(
    made: Path,
) -> None:
    done = sdcolor('replay', made / 'results' / 'layer.sdcolor.json')
    assert done.exit_code != 0
    assert 'layer' in done.stderr


def test_sidecars_are_read_as_the_format_of_today(made: Path) -> None:
    paths = sorted(made.rglob('*.sdcolor.json'))
    assert len(paths) > 6
    for path in paths:
        assert read_sidecar(path)['format'] == 3


BATCH = ('--weights', 'tiny', '--size', 64, '--device', 'cpu')


def test_a_batch_goes_on_and_colors_nothing_anew(
    made: Path, contents: Callable[[Path], dict[str, str]]
) -> None:
    out = made / 'batch'
    before = contents(out)
    told = answer('batch', made / 'scans', '-o', out, *BATCH)
    assert told['exit_code'] == 0
    assert (told['colored'], told['known']) == (0, 3)
    assert contents(out) == before
    shutil.copy(made / 'scans' / 'castle.png', made / 'scans' / 'new.png')
    told = answer('batch', made / 'scans', '-o', out, *BATCH)
    assert (told['colored'], told['known']) == (1, 3)
    after = contents(out)
    assert before.items() <= after.items()
    rows = list(csv.DictReader((out / 'sdcolor-report.csv').open()))
    assert len(rows) == 4
    assert {row['status'] for row in rows} == {'done'}


def test_the_table_of_a_batch_is_read(made: Path) -> None:
    photos = read_statuses(make_plan([made / 'scans'], made / 'batch'))
    assert [photo.key for photo in photos] == ['album', 'castle', 'box/deep']
    assert {photo.status for photo in photos} == {DONE}
    for photo in photos:
        picture = read_thumbnail(made / 'batch', photo.thumbnail_place)
        assert Image.open(io.BytesIO(picture)).width > 100


def test_weights_are_found_and_color(made: Path) -> None:
    assert sdcolor('models', 'verify').exit_code == 0
    colorizer = Colorizer.load('tiny', device='cpu', size=64)
    gray = np.arange(64 * 80, dtype=np.uint8).reshape(64, 80)
    assert colorizer.colorize(read_photo(gray)).rgb.shape == (64, 80, 3)


def test_a_pack_opens(made: Path) -> None:
    pack = Pack(made / 'pack')
    assert [len(pack.split(name)) for name in ('train', 'val')] == [2, 2]
    rgb, labels = pack.entries[0].load()
    assert rgb.shape == (32, 40, 3)
    assert set(np.unique(labels)) == {24, 50}


def test_a_run_of_training_goes_on(made: Path) -> None:
    told = answer(
        *('train', 'color', '--data', made / 'pack', '--out', made / 'run'),
        *('--steps', 3, '--device', 'cpu'),
    )
    assert told['exit_code'] == 0
    assert told['steps'] == 3
    weights = made / 'own.safetensors'
    done = sdcolor('train', 'export', made / 'run', '-o', weights)
    assert done.exit_code == 0, done.output
