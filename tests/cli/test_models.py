"""``sdcolor models``: list, path, add, verify, remove."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from napari_sdcolor.cli import app


def models(*words: object) -> Result:
    return CliRunner().invoke(app, ['models', *(str(word) for word in words)])


def listed() -> dict[tuple[str, str], dict[str, str]]:
    found = json.loads(models('list', '--json').stdout)['models']
    return {(entry['model'], entry['kind']): entry for entry in found}


def test_path_is_where_models_are_added(models_folder: Path) -> None:
    result = models('path')
    assert result.exit_code == 0
    assert result.stdout == f'{models_folder}\n'


def test_add_list_verify_remove(
    tiny_parts: dict[str, Path], models_folder: Path
) -> None:
    added = models('add', *tiny_parts.values(), '--name', 'old-town')
    assert added.exit_code == 0, added.output
    assert '--weights old-town' in added.stdout
    for kind in ('color', 'segmentation'):
        path = models_folder / f'old-town.{kind}.safetensors'
        entry = listed()['old-town', kind]
        assert entry['path'] == str(path)
        assert (
            entry['file_sha256']
            == hashlib.sha256(path.read_bytes()).hexdigest()
        )
        assert str(path) in models('list').stdout
        assert str(path) in models('path', 'old-town').stdout
    verified = models('verify', 'old-town', '--json')
    assert verified.exit_code == 0
    states = json.loads(verified.stdout)['models']
    assert [entry['verified'] for entry in states] == ['ok', 'ok']
    assert models('remove', 'old-town').exit_code == 0
    assert not list(models_folder.glob('*.safetensors'))
    assert ('old-town', 'color') not in listed()


@pytest.mark.parametrize('damage', ['changed', 'truncated', 'by hand'])
def test_verify_finds_damage(
    tiny_model: str, models_folder: Path, damage: str
) -> None:
    path = models_folder / f'{tiny_model}.color.safetensors'
    data = bytearray(path.read_bytes())
    if damage == 'by hand':
        (models_folder / 'sha256.json').unlink()
    elif damage == 'truncated':
        path.write_bytes(data[:-100])
    else:
        data[-1] ^= 1
        path.write_bytes(data)
    result = models('verify', tiny_model)
    assert result.exit_code == 1
    assert path.name in result.stdout


def test_add_refuses_what_is_no_model(
    tiny_parts: dict[str, Path], models_folder: Path, tmp_path: Path
) -> None:
    text = tmp_path / 'notes.safetensors'
    text.write_text('no weights')
    checkpoint = tmp_path / 'color_weights.pth.tar'
    checkpoint.write_bytes(b'no weights either')
    color = tiny_parts['color']
    for files, name, code in (
        ([text], 'mine', 1),
        ([checkpoint], 'mine', 1),
        ([tmp_path / 'gone.safetensors'], 'mine', 2),
        ([tmp_path / 'gone.pth.tar'], 'mine', 2),
        ([color, color], 'mine', 2),
        ([color], 'my model', 2),
        ([color], '../mine', 2),
    ):
        result = models('add', *files, '--name', name, '--json')
        assert result.exit_code == code, files
        assert json.loads(result.stdout)['error'] in ' '.join(
            result.stderr.splitlines()
        )
        assert not list(models_folder.iterdir())


def test_a_name_is_taken_only_once(
    tiny_model: str, tiny_parts: dict[str, Path]
) -> None:
    result = models('add', tiny_parts['color'], '--name', tiny_model)
    assert result.exit_code == 2
    assert 'exists already' in result.stderr


@pytest.mark.parametrize('command', ['path', 'verify', 'remove'])
def test_unknown_names_are_refused(tiny_model: str, command: str) -> None:
    result = models(command, 'nobody')
    assert result.exit_code == 2
    assert "'nobody'" in result.stderr


def test_a_damaged_list_of_hashes_is_named(
    tiny_model: str, models_folder: Path
) -> None:
    (models_folder / 'sha256.json').write_text('{')
    result = models('list')
    assert result.exit_code == 1
    assert 'sha256.json is damaged' in result.stderr
    assert tiny_model in result.stdout
    assert (tiny_model, 'color') in listed()


def test_what_cannot_be_read_is_listed(
    tiny_model: str, models_folder: Path
) -> None:
    (models_folder / 'odd.color.safetensors').mkdir()
    result = models('list')
    assert result.exit_code == 0
    assert 'unreadable' in result.stdout
    assert 'it is a folder' in result.stdout
    assert listed()['odd', 'color']['file_sha256'] == ''
    whole = listed()[tiny_model, 'color']
    assert whole['trouble'] == ''
    assert f'{whole["file_sha256"][:12]}…' in result.stdout
    assert len(whole['file_sha256']) == len(whole['tensors_sha256']) == 64
