"""What an import loads: napari starts without torch, the core without Qt."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

import napari_sdcolor

BINDINGS = {'qtpy', 'PyQt5', 'PyQt6', 'PySide2', 'PySide6'}

SOURCE = Path(napari_sdcolor.__file__).parent


REPORT = """
import json, sys
names = sorted({name.split('.')[0] for name in sys.modules})
sys.stdout.write(json.dumps(names))
"""


def loaded_by(program: str) -> set[str]:
    """Top-level modules that a fresh interpreter has after a program."""
    done = subprocess.run(
        [
            sys.executable,
            '-c',
            f'{program}\n{REPORT}',
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=SOURCE.parent,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_the_package_loads_neither_torch_nor_qt_nor_napari() -> None:
    found = loaded_by('import napari_sdcolor')
    assert not found & {'torch', 'napari', *BINDINGS}


def test_the_manifest_loads_neither_torch_nor_qt() -> None:
    pytest.importorskip('npe2')
    manifest = files('napari_sdcolor') / 'napari.yaml'
    if not manifest.is_file():
        pytest.skip('the plugin ring is not installed')
    found = loaded_by(
        'import napari_sdcolor\n'
        'from npe2 import PluginManifest\n'
        f'PluginManifest.from_file({str(manifest)!r})'
    )
    assert not found & {'torch', *BINDINGS}


def test_the_core_loads_neither_napari_nor_qt() -> None:
    names = [
        f'napari_sdcolor.{folder}.{path.stem}'
        for folder in ('core', 'training')
        for path in sorted((SOURCE / folder).glob('*.py'))
        if path.stem != '__init__'
    ]
    assert len(names) > 15
    found = loaded_by('\n'.join(f'import {name}' for name in names))
    assert 'torch' in found
    assert not found & {'napari', *BINDINGS}


def test_promised_names_come_when_asked_for() -> None:
    assert set(napari_sdcolor.__all__) >= {'Colorizer', 'read_photo'}
    assert napari_sdcolor.Colorizer.__name__ == 'Colorizer'
    with pytest.raises(AttributeError, match='recolour'):
        _ = napari_sdcolor.recolour


def test_training_needs_no_file_formats_of_the_archive() -> None:
    # A machine with a GPU often has torch, numpy and Pillow, and no more.
    beyond = 'imagecodecs', 'jsonschema', 'rich', 'platformdirs', 'napari'
    loaded_by(
        f'import sys; sys.modules.update(dict.fromkeys({beyond!r}))\n'
        'import napari_sdcolor.training.loop'
    )
