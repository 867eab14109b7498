"""``--allow-damaged``: refused without it, colored, told and replayed with."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from napari_sdcolor.cli import app

Command = Callable[..., Result]


@pytest.fixture
def run(tiny_model: str, tmp_path: Path) -> Command:
    def invoke(command: str, *words: object) -> Result:
        line = [command, *words]
        if command != 'replay':
            line += ['-o', tmp_path / 'out', '--weights', tiny_model]
            line += ['--size', 64]
        return CliRunner().invoke(app, [str(word) for word in line])

    return invoke


@pytest.fixture
def half(tmp_path: Path) -> Path:
    """A JPEG file of which the lower half is missing, end mark and all."""
    stream = io.BytesIO()
    noise = np.random.default_rng(5).integers(0, 255, (64, 80), np.uint8)
    Image.fromarray(noise).save(stream, 'JPEG')
    data = stream.getvalue()
    path = tmp_path / 'scans' / 'half.jpg'
    path.parent.mkdir()
    path.write_bytes(data[: len(data) * 2 // 3] + b'\xff\xd9')
    return path


@pytest.mark.parametrize('command', ['colorize', 'segment'])
def test_refused_then_allowed(
    run: Command, half: Path, command: str, tmp_path: Path
) -> None:
    refused = run(command, half)
    assert refused.exit_code == 1
    words = ' '.join(refused.stderr.split())
    assert 'half.jpg is damaged: ' in words
    assert '--allow-damaged' in words
    assert not list((tmp_path / 'out').glob('*'))
    done = run(command, half, '--allow-damaged', '--json')
    assert done.exit_code == 0, done.output
    (photo,) = json.loads(done.stdout)['photos']
    assert photo['damage']
    assert any(note.startswith('Damaged: ') for note in photo['notes'])


def test_the_sidecar_tells_and_replay_follows(
    run: Command, half: Path, tmp_path: Path
) -> None:
    assert run('colorize', half, '--allow-damaged').exit_code == 0
    sidecar = tmp_path / 'out' / 'half.sdcolor.json'
    told = json.loads(sidecar.read_text())
    assert told['pages'][0]['photo']['damage']
    assert '--allow-damaged' in told['command']
    again = run('replay', sidecar)
    assert again.exit_code == 0, again.output
    assert 'Identical' in again.stdout


def test_an_intact_photo_has_no_damage_in_its_sidecar(
    run: Command, make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    assert run('colorize', make_photo(), '--allow-damaged').exit_code == 0
    told = json.loads((tmp_path / 'out' / 'castle.sdcolor.json').read_text())
    assert 'damage' not in told['pages'][0]['photo']
    assert '--allow-damaged' not in told['command']


def test_a_batch_tries_again_what_failed_for_damage(
    run: Command, half: Path, tmp_path: Path
) -> None:
    assert run('batch', half.parent).exit_code == 1
    done = run('batch', half.parent, '--allow-damaged', '--json')
    assert done.exit_code == 0
    (told,) = json.loads(done.stdout)['damaged']
    assert told['photo'] == str(half)
    out = tmp_path / 'out'
    report = json.loads((out / 'sdcolor-report.json').read_text())
    (photo,) = report['photos']
    assert (photo['status'], bool(photo['damage'])) == ('done', True)
    assert report['made_with']['allow_damaged'] is True
    with open(out / 'sdcolor-report.csv', newline='') as stream:
        (row,) = csv.DictReader(stream)
    assert row['damage'] == photo['damage'][0]
    # What is done stays done, with the option and without.
    assert run('batch', half.parent).exit_code == 0
