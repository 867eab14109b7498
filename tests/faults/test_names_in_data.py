"""Names from tables and models lead out of no folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from napari_sdcolor.cli import app
from napari_sdcolor.errors import SdcolorError
from napari_sdcolor.names import safe_name

NAMES = [
    '../out',
    '../../out',
    '/tmp/out',
    '..',
    '.',
    'a/b',
    'a\\b',
    'C:out',
    '~root',
    'a\0b',
    'a\nb',
    'CON',
    'nul.png',
    'x' * 300,
]


def listing(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob('*')}


@pytest.mark.parametrize('name', NAMES)
def test_no_such_name_is_safe(name: str) -> None:
    with pytest.raises(ValueError, match='.'):
        safe_name(name)


@pytest.mark.parametrize('name', NAMES)
def test_a_model_of_that_name(
    tmp_path: Path, models_folder: Path, tiny_model: str, name: str
) -> None:
    weights = models_folder / 'tiny.color.safetensors'
    before = listing(tmp_path) | listing(models_folder)
    done = CliRunner().invoke(
        app, ['models', 'add', str(weights), '--name', name]
    )
    assert done.exit_code == 2
    assert listing(tmp_path) | listing(models_folder) == before


@pytest.mark.parametrize('name', [n for n in NAMES if n.isprintable()])
def test_a_row_of_a_pack(tmp_path: Path, tiny_model: str, name: str) -> None:
    """Where maps are predicted, they are written under the names of photos."""
    pack = tmp_path / 'pack'
    pack.mkdir()
    gray = Image.fromarray(np.full((48, 48), 90, np.uint8))
    gray.convert('RGB').save(tmp_path / 'a.jpg')
    rows = f'dataset,id,split\n"{name}",a,train\nx,"{name}",train\n'
    (pack / 'index.csv').write_text(rows)
    before = listing(tmp_path)
    run = tmp_path / 'run'
    line = ['train', 'color', '--data', pack, '--out', run, '--steps', 1]
    done = CliRunner().invoke(
        app, [str(word) for word in [*line, '--maps-from', 'tiny']]
    )
    assert done.exception is None or isinstance(
        done.exception, SystemExit | SdcolorError
    )
    new = listing(tmp_path) - before
    assert all(Path(path).is_relative_to(run) for path in new), new
