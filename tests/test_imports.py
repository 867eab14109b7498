"""What an import loads, and which room may know which.

napari starts without torch, the command line answers without it, and only the
plugin knows napari and Qt.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import pytest

import napari_sdcolor

BINDINGS = {'qtpy', 'PyQt5', 'PyQt6', 'PySide2', 'PySide6'}
LIGHT = ('cli', 'settings', 'errors', 'classes', 'words', 'files')
HEADLESS = ('core', 'archive', 'batch', 'datasets', 'training', 'evaluation')

SOURCE = Path(napari_sdcolor.__file__).parent
ROOT = SOURCE.parent.parent

REPORT = """
import json, sys
names = sorted({name.split('.')[0] for name in sys.modules})
sys.stdout.write(json.dumps(names) + chr(10))
"""


def loaded_by(*programs: str) -> list[set[str]]:
    """Top-level modules that an interpreter has after each program.

    The programs run one after the other in one fresh interpreter.
    """
    done = subprocess.run(
        [
            sys.executable,
            '-c',
            '\n'.join(f'{program}\n{REPORT}' for program in programs),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=SOURCE.parent,
    )
    assert done.returncode == 0, done.stderr
    return [set(json.loads(line)) for line in done.stdout.splitlines()]


def test_the_package_loads_neither_torch_nor_qt_nor_napari() -> None:
    """Nor does the command line, nor what stands at the bottom."""
    names = [f'napari_sdcolor.{name}' for name in LIGHT]
    programs = [f'import {name}' for name in ('napari_sdcolor', *names)]
    for program, found in zip(programs, loaded_by(*programs), strict=True):
        assert not found & {'torch', 'napari', *BINDINGS}, program


def test_the_manifest_loads_neither_torch_nor_qt() -> None:
    pytest.importorskip('npe2')
    manifest = files('napari_sdcolor') / 'napari.yaml'
    if not manifest.is_file():
        pytest.skip('the plugin ring is not installed')
    (found,) = loaded_by(
        'import napari_sdcolor\n'
        'from npe2 import PluginManifest\n'
        f'PluginManifest.from_file({str(manifest)!r})'
    )
    assert not found & {'torch', *BINDINGS}


def test_the_rooms_below_the_plugin_load_neither_napari_nor_qt() -> None:
    programs = []
    for room in HEADLESS:
        names = [
            '.'.join(path.relative_to(SOURCE).with_suffix('').parts)
            for path in sorted((SOURCE / room).rglob('*.py'))
            if path.stem != '__init__'
        ]
        assert len(names) > 5, room
        programs.append(
            '\n'.join(f'import napari_sdcolor.{name}' for name in names)
        )
    *_, last = rooms = loaded_by(*programs)
    assert 'torch' in last
    for room, found in zip(HEADLESS, rooms, strict=True):
        assert not found & {'napari', *BINDINGS}, room


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


@pytest.mark.skipif(
    find_spec('importlinter') is None
    or not (ROOT / 'pyproject.toml').is_file(),
    reason='needs import-linter and the clone',
)
def test_rooms_know_only_those_below_them() -> None:
    """The contracts in pyproject.toml."""
    done = subprocess.run(
        [
            sys.executable,
            '-c',
            'from importlinter.cli import lint_imports_command as lint; lint()',
            '--no-cache',
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert ' 0 broken' in done.stdout
