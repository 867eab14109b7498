"""``sdcolor doctor``: findings, remedies, and what it costs to be wrong."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from napari_sdcolor.cli import app, checks, probes
from napari_sdcolor.cli.probes import Attempt
from napari_sdcolor.core import device, model_files
from napari_sdcolor.errors import DeviceError


@pytest.fixture
def bundled(
    tiny_parts: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A folder of bundled weights, with hashes recorded."""
    folder = tmp_path / 'bundled'
    folder.mkdir()
    hashes = {}
    for kind, path in tiny_parts.items():
        name = f'default.{kind}.safetensors'
        shutil.copy(path, folder / name)
        hashes[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / 'sha256.json').write_text(json.dumps(hashes))
    monkeypatch.setattr(model_files, 'bundled_folder', lambda: folder)
    return folder


@pytest.fixture
def healthy(bundled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which every attempt succeeds."""
    for name, answer in {
        'qt_binding': lambda: 'PyQt6',
        'has_display': lambda: True,
        'try_torch_after_qt': lambda binding: Attempt(0, ''),
        'try_opengl': lambda binding: Attempt(0, '4.5, some card'),
    }.items():
        monkeypatch.setattr(probes, name, answer)


def run_doctor() -> tuple[int, dict]:
    result = CliRunner().invoke(app, ['doctor', '--json'])
    return result.exit_code, json.loads(result.stdout)


def finding(answer: dict, name: str) -> dict:
    return next(entry for entry in answer['checks'] if entry['name'] == name)


def test_a_healthy_machine(healthy: None) -> None:
    code, answer = run_doctor()
    assert code == 0
    assert answer['ok'] is True
    assert {'napari-sdcolor', 'python', 'torch', 'numpy', 'tifffile'} <= set(
        answer['versions']
    )
    for kind in ('color', 'segmentation'):
        assert finding(answer, f'weights default, {kind}')['state'] == 'ok'
    assert finding(answer, 'OpenGL')['found'] == '4.5, some card'
    assert finding(answer, 'device')['kind'] == device.choose().kind


def test_for_a_person(healthy: None) -> None:
    result = CliRunner().invoke(app, ['doctor'])
    assert result.exit_code == 0
    assert 'Photos can be colored here.' in result.stdout
    assert device.choose().words in result.stdout


def test_really_tried_in_child_processes(
    bundled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever this machine has, no attempt may take the command down."""
    monkeypatch.delenv('QT_QPA_PLATFORM', raising=False)
    code, answer = run_doctor()
    assert code == 0
    assert {entry['state'] for entry in answer['checks']} <= {'ok', 'warning'}


def test_missing_weights_are_a_problem(healthy: None, bundled: Path) -> None:
    (bundled / 'default.color.safetensors').unlink()
    code, answer = run_doctor()
    assert code == 1
    assert answer['ok'] is False
    assert finding(answer, 'weights default, color')['state'] == 'problem'


def test_damaged_bundled_weights_are_a_problem(
    healthy: None, bundled: Path
) -> None:
    path = bundled / 'default.segmentation.safetensors'
    path.write_bytes(path.read_bytes()[:-10])
    code, answer = run_doctor()
    assert code == 1
    found = finding(answer, 'weights default, segmentation')
    assert 'changed' in found['found']
    assert found['remedy']


def test_damaged_added_weights_are_a_warning(
    healthy: None, tiny_model: str, models_folder: Path
) -> None:
    path = models_folder / 'tiny.color.safetensors'
    path.write_bytes(path.read_bytes()[:-10])
    code, answer = run_doctor()
    assert code == 0
    found = finding(answer, 'weights tiny, color')
    assert found['state'] == 'warning'
    assert 'models remove tiny' in found['remedy']


def test_a_damaged_list_of_hashes_is_a_problem(
    healthy: None, models_folder: Path
) -> None:
    (models_folder / 'sha256.json').write_text('{')
    code, answer = run_doctor()
    assert code == 1
    assert 'sha256.json' in finding(answer, 'weights')['found']


def test_cpu_torch_beside_an_nvidia_card(
    healthy: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        device.import_torch().cuda, 'is_available', lambda: False
    )
    monkeypatch.setattr(
        device.import_torch().backends.mps, 'is_available', lambda: False
    )
    monkeypatch.setattr(device, 'has_nvidia_card', lambda: True)
    code, answer = run_doctor()
    assert code == 0
    found = finding(answer, 'device')
    assert found['state'] == 'warning'
    assert found['remedy'] == device.REMEDY['cpu build']


def test_torch_that_does_not_load(
    healthy: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise DeviceError('PyTorch is not installed.')

    monkeypatch.setattr(device, 'import_torch', fail)
    code, answer = run_doctor()
    assert code == 1
    assert finding(answer, 'device')['state'] == 'problem'
    assert finding(answer, 'weights')['state'] == 'problem'


def test_torch_after_qt_on_windows(
    healthy: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = Attempt(probes.TORCH_FAILED, 'WinError 1114 c10.dll')
    monkeypatch.setattr(probes, 'try_torch_after_qt', lambda binding: failed)
    code, answer = run_doctor()
    assert code == 1
    found = finding(answer, 'torch after Qt')
    assert 'c10.dll' in found['found']
    assert found['remedy'] == device.REMEDY['windows']


@pytest.mark.parametrize(
    ('name', 'answer', 'check'),
    [
        (
            'try_torch_after_qt',
            lambda binding: Attempt(probes.QT_FAILED, 'libEGL.so.1'),
            'torch after Qt',
        ),
        (
            'try_opengl',
            lambda binding: Attempt(probes.NO_OPENGL, 'no context'),
            'OpenGL',
        ),
        ('try_opengl', lambda binding: Attempt(-6, 'xcb'), 'OpenGL'),
        ('try_opengl', lambda binding: Attempt(None, 'no answer'), 'OpenGL'),
        ('has_display', lambda: False, 'OpenGL'),
        ('qt_binding', lambda: None, 'Qt'),
    ],
)
def test_without_a_window_photos_are_still_colored(
    healthy: None,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    answer: Callable,
    check: str,
) -> None:
    monkeypatch.setattr(probes, name, answer)
    code, found = run_doctor()
    assert code == 0
    assert finding(found, check)['state'] == 'warning'
    assert 'command line works' in finding(found, check)['remedy']


def test_missing_packages(
    healthy: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, 'NEEDED', (*checks.NEEDED, 'no-such-thing'))
    code, answer = run_doctor()
    assert code == 1
    remedy = finding(answer, 'packages')['remedy']
    assert remedy.endswith('pip install no-such-thing')


def test_no_binding_is_found_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(probes, 'find_spec', lambda name: None)
    assert probes.qt_binding() is None


def test_the_binding_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(probes, 'find_spec', lambda name: name)
    monkeypatch.delenv('QT_API', raising=False)
    assert probes.qt_binding() == 'PyQt6'
    monkeypatch.setenv('QT_API', 'pyside6')
    assert probes.qt_binding() == 'PySide6'


@pytest.mark.parametrize(
    ('platform', 'environment', 'there'),
    [
        ('linux', {}, False),
        ('linux', {'DISPLAY': ':0'}, True),
        ('linux', {'WAYLAND_DISPLAY': 'wayland-0'}, True),
        ('linux', {'DISPLAY': ':0', 'QT_QPA_PLATFORM': 'offscreen'}, False),
        ('win32', {}, True),
        ('darwin', {}, True),
        ('darwin', {'QT_QPA_PLATFORM': 'minimal:nothing'}, False),
    ],
)
def test_display(
    monkeypatch: pytest.MonkeyPatch,
    platform: str,
    environment: dict[str, str],
    there: bool,
) -> None:
    monkeypatch.setattr(sys, 'platform', platform)
    assert probes.has_display(environment) is there


@pytest.mark.parametrize(
    ('code', 'attempt'),
    [
        ('print("one"); print("two")', Attempt(0, 'two')),
        ('import sys; sys.exit(5)', Attempt(5, '')),
        ('raise SystemExit("gone")', Attempt(1, 'gone')),
    ],
)
def test_children(code: str, attempt: Attempt) -> None:
    assert probes.run_child(code) == attempt


def test_a_child_that_crashes() -> None:
    attempt = probes.run_child('import os; os.abort()')
    assert attempt.code != 0


def test_a_child_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, 'PATIENCE', 0.5)
    attempt = probes.run_child('import time; time.sleep(60)')
    assert attempt.code is None
    assert 'no answer' in attempt.said


@pytest.mark.parametrize(
    'try_it', [probes.try_torch_after_qt, probes.try_opengl]
)
def test_a_binding_that_is_broken(try_it: Callable[[str], Attempt]) -> None:
    attempt = try_it('no_such_binding')
    assert attempt.code == probes.QT_FAILED
    assert 'no_such_binding' in attempt.said
