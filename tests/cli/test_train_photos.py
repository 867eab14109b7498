"""``sdcolor train color`` on a person's own photos, from first to last word."""

from __future__ import annotations

import csv
import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner, Result

from napari_sdcolor.cli import app
from napari_sdcolor.cli import train as train_command
from napari_sdcolor.cli.console import Talk
from napari_sdcolor.cli.training_display import showing
from napari_sdcolor.training.progress import Lines, Progress

pytestmark = pytest.mark.usefixtures('no_curves')


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """An archive: six color photos, a gray one and a torn one; no maps."""
    folder = tmp_path / 'my photos'
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(6):
        rgb = np.full((48, 64, 3), (90, 140, 220), np.uint8)
        rgb[24:] = (70, 150, 60)
        rgb += rng.integers(0, 30, rgb.shape, np.uint8)
        Image.fromarray(rgb).save(folder / f'{number}.jpg')
    Image.fromarray(rgb[..., 0]).save(folder / 'gray.jpg')
    (folder / 'torn.jpg').write_bytes(b'\xff\xd8\xff torn')
    return folder


@pytest.fixture
def train(
    photos: Path, tmp_path: Path, tiny_model: str
) -> Callable[..., Result]:
    """A few small steps into tmp_path/run."""

    def train(*words: object, task: str = 'color') -> Result:
        line = ['train', task, '--data', photos, '--out', tmp_path / 'run']
        line += ['--device', 'cpu', '--crop', 32, '--batch', 2]
        line += [] if '--maps' in words else ['--maps-from', tiny_model]
        return run(*line, *words)

    return train


def test_fine_tuning_on_photos_alone(
    train: Callable[..., Result], tiny_model: str, tmp_path: Path
) -> None:
    """One command; then its last words, and they work as they stand."""
    done = train('--init', tiny_model, '--steps', 9, '--check-every', 4)
    assert done.exit_code == 0, done.output
    said = done.stderr
    assert 'a folder of photographs: 8 photographs' in said
    assert 'have no map' in said
    folder = tmp_path / 'run'
    with (folder / 'skipped.csv').open(newline='') as file:
        names = {row['name'] for row in csv.DictReader(file)}
    assert names == {'gray.jpg', 'torn.jpg'}
    assert '2 files were left out' in said
    maps = list((folder / 'maps').rglob('*.labels.png'))
    assert len(maps) == 7
    assert (folder / 'loss.png').is_file()
    with (folder / 'log.csv').open(newline='') as file:
        assert [row['step'] for row in csv.DictReader(file)] == [
            '0',
            '4',
            '8',
            '9',
        ]
    notes = json.loads((folder / 'run.json').read_text())
    assert notes['init'] == tiny_model
    last = said.splitlines()[-3:]
    assert [line.split()[1] for line in last] == [
        'train',
        'models',
        'colorize',
    ]
    weights = tmp_path / 'run.safetensors'
    assert run('train', 'export', folder, '-o', weights).exit_code == 0
    assert run('models', 'add', weights, '--name', 'run').exit_code == 0


def test_maps_are_predicted_once(
    train: Callable[..., Result], tmp_path: Path
) -> None:
    words = ('--widths', '4,4', '--set', 'features=')
    assert train(*words, '--steps', 1).exit_code == 0
    maps = {
        path: path.stat().st_mtime_ns
        for path in (tmp_path / 'run' / 'maps').rglob('*.png')
    }
    assert train('--steps', 2).exit_code == 0
    assert maps == {path: path.stat().st_mtime_ns for path in maps}


def test_the_empty_map_can_be_asked_for(
    train: Callable[..., Result], tmp_path: Path
) -> None:
    done = train(
        '--maps',
        'empty',
        '--widths',
        '4,4',
        '--set',
        'features=',
        '--steps',
        1,
    )
    assert done.exit_code == 0, done.output
    assert not (tmp_path / 'run' / 'maps').exists()


def test_a_map_is_learned_from_photos_without_one_only_if_asked_for(
    train: Callable[..., Result], tmp_path: Path
) -> None:
    words = ('--widths', '4,4', '--set', 'features=', '--steps', 1)
    refused = train(*words, task='segmentation')
    assert refused.exit_code == 2
    assert not (tmp_path / 'run').exists()
    assert 'no photograph with a map' in refused.stderr
    done = train(
        *words,
        '--maps',
        'predicted',
        '--maps-from',
        'tiny',
        task='segmentation',
    )
    assert done.exit_code == 0, done.output
    for path in (tmp_path / 'run' / 'maps').rglob('*.png'):
        labels = np.array(Image.open(path))
        # Random networks are never sure.
        assert (labels == 255).any()


def test_a_run_keeps_its_recipe_when_it_goes_on(
    train: Callable[..., Result], photos: Path, tmp_path: Path
) -> None:
    words = [
        '--maps',
        'empty',
        '--widths',
        '4,4',
        '--set',
        'features=',
        '--no-instance-norm',
    ]
    words += ['--set', 'aging=0.75', '--set', 'zoom=0.9,1.1', '--steps', 2]
    words += ['--rate', '3e-4', '--seed', 5, '--preset', 'paper']
    words += ['--set', 'size=36']
    first = train(*words, '--json')
    assert first.exit_code == 0, first.output
    recipe = json.loads(first.stdout)['recipe']
    assert recipe['aging'] == 0.75
    assert recipe['zoom'] == [0.9, 1.1]
    assert recipe['instance_norm'] is False
    assert recipe['squash'] is True
    assert (recipe['rate'], recipe['seed']) == (3e-4, 5)
    more = run(
        'train',
        'color',
        '--data',
        photos,
        '--out',
        tmp_path / 'run',
        '--maps',
        'empty',
        '--steps',
        3,
        '--device',
        'cpu',
        '--json',
    )
    assert more.exit_code == 0, more.output
    assert json.loads(more.stdout)['recipe'] == {**recipe, 'steps': 3}
    assert 'resumed at step 2' in more.stderr
    done = train('--maps', 'empty', '--no-instance-norm')
    assert done.exit_code == 0
    assert 'has all its 3 steps already' in done.stderr
    other = train('--maps', 'empty', '--set', 'label_channels=4')
    assert other.exit_code == 2
    assert 'label_channels' in other.stderr


@pytest.mark.parametrize(
    ('words', 'sentence'),
    [
        (['--set', 'agin=0.5'], 'Did you mean aging?'),
        (['--set', 'aging=2'], 'aging must be from 0 to 1'),
        (['--rate', 0], 'rate must be more than 0'),
        (['--preset', 'best'], 'best'),
    ],
)
def test_wrong_usage(
    train: Callable[..., Result],
    words: list[object],
    sentence: str,
    tmp_path: Path,
) -> None:
    refused = train(*words)
    assert refused.exit_code == 2
    assert sentence in refused.stderr
    assert not (tmp_path / 'run').exists()


def test_several_folders_are_one_set_of_photos(
    train: Callable[..., Result], photos: Path, tmp_path: Path
) -> None:
    other = tmp_path / 'other'
    (other / 'photos').mkdir(parents=True)
    (other / 'labels').mkdir()
    rng = np.random.default_rng(1)
    for name in 'abc':
        rgb = rng.integers(0, 256, (40, 40, 3), np.uint8)
        Image.fromarray(rgb).save(other / 'photos' / f'{name}.png')
        Image.fromarray(np.full((40, 40), 50, np.uint8)).save(
            other / 'labels' / f'{name}.png'
        )
    done = train(
        '--data', other, '--widths', '4,4', '--set', 'features=', '--steps', 1
    )
    assert done.exit_code == 0, done.output
    assert 'a folder of photographs with maps: 3' in done.stderr
    # Some photos have maps, so that the others go without.
    assert not (tmp_path / 'run' / 'maps').exists()
    notes = json.loads((tmp_path / 'run' / 'run.json').read_text())
    assert notes['data'] == 'my photos, other'
    fine = run(
        *('train', 'color', '--data', other, '--data', photos),
        *('--out', tmp_path / 'fine', '--init', 'tiny', '--steps', 1),
        *('--crop', 32, '--batch', 2, '--maps-from', 'tiny'),
    )
    assert fine.exit_code == 0, fine.output
    assert '8 photographs have no map' in fine.stderr


def test_weights_of_the_authors_cannot_be_taken_further(
    train: Callable[..., Result], tiny_parts: dict[str, Path], tmp_path: Path
) -> None:
    from napari_sdcolor.core.weights import load_part, save_part

    part = load_part(tiny_parts['color'])
    path = tmp_path / 'authors.safetensors'
    save_part(path, part.network, {}, encoding='opencv')
    refused = train('--init', path)
    assert refused.exit_code == 2
    assert "weights of the authors' program" in refused.stderr


def test_ctrl_c_says_how_to_go_on(
    train: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def pressing(talk: Talk, task: str) -> Iterator[Callable]:
        def press(progress: Progress) -> None:
            if progress.loss is not None and progress.step == 2:
                os.kill(os.getpid(), signal.SIGINT)

        yield press

    monkeypatch.setattr(train_command, 'showing', pressing)
    words = (
        '--maps',
        'empty',
        '--widths',
        '4,4',
        '--set',
        'features=',
        '--steps',
        4,
    )
    stopped = train(*words)
    assert stopped.exit_code == 1
    assert 'Stopped at step 2 of 4; everything up to there' in stopped.stdout
    command = stopped.stderr.splitlines()[-1]
    assert command.startswith('Go on with: sdcolor train color --data')
    assert "my photos'" in command
    monkeypatch.undo()
    done = train(*words)
    assert 'resumed at step 2' in done.stderr


def test_checkpoints_of_earlier_versions_are_exported(
    train: Callable[..., Result], tmp_path: Path
) -> None:
    done = train(
        '--maps',
        'empty',
        '--widths',
        '4,4',
        '--set',
        'features=',
        '--steps',
        1,
    )
    assert done.exit_code == 0
    path = tmp_path / 'run' / 'checkpoint.pt'
    state = torch.load(path, weights_only=True)
    recipe = json.loads(state['recipe'])
    for name in ('instance_norm', 'squash', 'draw', 'betas', 'precision'):
        del recipe[name]
    old = {
        name: state[name]
        for name in ('step', 'network', 'averaged', 'optimizer')
    }
    torch.save({'recipe': json.dumps(recipe), **old}, path)
    (tmp_path / 'run' / 'run.json').unlink()
    target = tmp_path / 'old.safetensors'
    exported = run('train', 'export', tmp_path / 'run', '-o', target)
    assert exported.exit_code == 0, exported.output
    more = train('--maps', 'empty', '--steps', 2)
    assert more.exit_code == 0, more.output


def test_lines_come_often_enough_and_not_too_often() -> None:
    said: list[str] = []
    now = [0.0]
    lines = Lines(said.append, lambda: now[0])
    for step in range(1, 121):
        now[0] += 1.0 if step < 100 else 0.1
        lines(Progress(step, 120, 0.5, 60.0))
    steps = [int(line.split()[1].split('/')[0]) for line in said]
    assert steps == [30, 50, 80, 100, 120]


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('FORCE_COLOR', '1')
    monkeypatch.setenv('COLUMNS', '120')
    talk = Talk('train')
    assert talk.console.is_terminal
    with talk.console.capture() as capture, showing(talk, 'color') as show:
        show(Progress(30, 60, 0.25, 120))
        talk.say('Left out: one photo')
    text = capture.get()
    assert 'Training (color)' in text
    assert '50%' in text
    assert 'about 2 minutes left' in text
    assert 'Left out: one photo' in text
