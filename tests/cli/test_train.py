"""``sdcolor train`` on a pack of a few photos."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner, Result

from napari_sdcolor.classes import N_CLASSES
from napari_sdcolor.cli import app
from napari_sdcolor.core import models
from napari_sdcolor.core.colornet import ColorNetConfig
from napari_sdcolor.core.gridnet import GridNetConfig
from napari_sdcolor.core.weights import load_part, random_part, save_part

TASKS = ('segmentation', 'color')


def encoded(array: np.ndarray, form: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, form)
    return stream.getvalue()


@pytest.fixture(scope='module')
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training pack: four photos of halves, blue above and green below."""
    folder = tmp_path_factory.mktemp('pack') / 'postcards'
    folder.mkdir()
    rng = np.random.default_rng(0)
    with (
        tarfile.open(folder / 'photos-0.tar', 'w') as tar,
        (folder / 'index.csv').open('w', newline='') as file,
    ):
        rows = csv.writer(file)
        rows.writerow(['dataset', 'id', 'split'])
        for number in range(4):
            rgb = np.full((48, 64, 3), (90, 140, 220), np.uint8)
            rgb[24:] = (70, 150, 60)
            rgb += rng.integers(0, 30, rgb.shape, np.uint8)
            labels = np.full((48, 64), 50, np.uint8)
            labels[24:] = 36
            labels[:, :4] = 255
            for name, data in (
                (f'images/cards/{number}.jpg', encoded(rgb, 'JPEG')),
                (f'labels/cards/{number}.png', encoded(labels, 'PNG')),
            ):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
            split = 'val' if number % 2 else 'train'
            rows.writerow(['cards', number, split])
    return folder


@pytest.fixture
def train(pack: Path, tmp_path: Path) -> Callable[..., Result]:
    """Two small steps of a narrow network into tmp_path/TASK."""

    def run(task: str, *words: object, widths: str | None = '4,4') -> Result:
        line = ['train', task, '--data', pack, '--out', tmp_path / task]
        line += ['--crop', 32, '--batch', 2, '--device', 'cpu']
        if widths:
            line += ['--widths', widths, '--set', 'features=']
        line += words if '--steps' in words else [*words, '--steps', 2]
        return CliRunner().invoke(app, [str(word) for word in line])

    return run


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize('task', TASKS)
def test_train_and_export(
    train: Callable[..., Result], tmp_path: Path, task: str
) -> None:
    trained = train(task, '--json')
    assert trained.exit_code == 0, trained.output
    answer = json.loads(trained.stdout)
    assert answer['steps'] == 2
    target = tmp_path / 'weights' / f'{task}.safetensors'
    words = ['train', 'export', tmp_path / task, '-o', target]
    exported = run(*words, '--json')
    assert exported.exit_code == 0, exported.output
    part = load_part(target, task)
    assert part.digest == json.loads(exported.stdout)['tensors_sha256']
    assert part.training['recipe']['widths'] == [4, 4]
    assert part.training['steps'] == 2
    assert part.training['data'] == 'postcards'
    shown = part.training['class_photos']
    assert len(shown) == N_CLASSES
    assert max(shown.values()) > 0
    assert 'non-commercial' in part.training['statement']
    state = torch.load(answer['checkpoint'], weights_only=True)
    for name, tensor in part.network.state_dict().items():
        if tensor.dtype.is_floating_point:
            averaged = state['averaged'][name].half().float()
            torch.testing.assert_close(tensor, averaged, rtol=0, atol=0)
    if task == 'segmentation':
        recipe = json.loads(state['recipe'])
        assert part.network.config.size == recipe['size']
    again = run(*words)
    assert again.exit_code == 1
    assert 'never overwritten' in again.stderr
    vivid = tmp_path / 'vivid.safetensors'
    scaled = run(*words[:-1], vivid, '--chroma', 1.5)
    if task == 'segmentation':
        assert scaled.exit_code == 2
        assert not vivid.exists()
        return
    assert scaled.exit_code == 0
    last = load_part(vivid).network.final_conv.weight
    torch.testing.assert_close(
        last, part.network.final_conv.weight * 1.5, rtol=2e-3, atol=1e-6
    )
    assert load_part(vivid).training['chroma'] == 1.5
    mean = tmp_path / 'mean.safetensors'
    done = run(*words[:-1], mean, '--mean-with', vivid)
    assert done.exit_code == 0, done.output
    between = load_part(mean)
    torch.testing.assert_close(
        between.network.final_conv.weight,
        part.network.final_conv.weight * 1.25,
        rtol=2e-3,
        atol=1e-6,
    )
    assert between.training['mean_with'] == {
        'name': 'vivid.safetensors',
        'tensors_sha256': load_part(vivid).digest,
    }


def test_trained_weights_color_a_photo(
    train: Callable[..., Result],
    make_photo: Callable[..., Path],
    tmp_path: Path,
) -> None:
    """From photographs to a colored photo, with nothing but commands."""
    files = []
    for task in TASKS:
        assert train(task).exit_code == 0
        files.append(tmp_path / f'{task}.safetensors')
        done = run('train', 'export', tmp_path / task, '-o', files[-1])
        assert done.exit_code == 0
    assert run('models', 'add', *files, '--name', 'own').exit_code == 0
    words = ['-o', tmp_path / 'out', '--weights', 'own', '--size', 64]
    assert run('colorize', make_photo(), *words).exit_code == 0
    sidecar = json.loads(
        (tmp_path / 'out' / 'castle.sdcolor.json').read_text('utf-8')
    )
    assert sidecar['model']['color']['training']['data'] == 'postcards'


def test_a_run_goes_on(train: Callable[..., Result]) -> None:
    assert train('color').exit_code == 0
    more = train('color', '--steps', 3, '--json')
    assert more.exit_code == 0
    assert 'resumed at step 2' in more.stderr
    assert json.loads(more.stdout)['steps'] == 3


def test_a_run_of_another_network_is_not_touched(
    train: Callable[..., Result], tmp_path: Path
) -> None:
    assert train('color').exit_code == 0
    before = (tmp_path / 'color' / 'checkpoint.pt').read_bytes()
    other = train('color', widths='4,8')
    assert other.exit_code == 2
    assert 'widths' in other.stderr
    assert (tmp_path / 'color' / 'checkpoint.pt').read_bytes() == before


@pytest.mark.parametrize('task', TASKS)
def test_start_from_a_model(
    train: Callable[..., Result], tmp_path: Path, task: str
) -> None:
    """Its widths are taken over; one step moves the weights a little."""
    kind = {'color': ColorNetConfig, 'segmentation': GridNetConfig}[task]
    part = random_part(task, kind(widths=(4, 4, 8, 8, 8)), seed=1)
    save_part(tmp_path / 'own.safetensors', part.network, part.training)
    models.add([tmp_path / 'own.safetensors'], 'own')
    words = ('--init', 'own', '--steps', 1, '--json')
    result = train(task, *words, widths=None)
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer['recipe']['widths'] == [4, 4, 8, 8, 8]
    state = torch.load(answer['checkpoint'], weights_only=True)['network']
    source = load_part(models.find('own', task)).network.state_dict()
    for name, tensor in source.items():
        if name.endswith('.weight') and tensor.dim() == 4:
            assert (state[name] - tensor).abs().max() < 0.01


def test_weights_that_do_not_fit_are_refused(
    train: Callable[..., Result], tiny_model: str, tmp_path: Path
) -> None:
    result = train('color', '--init', tiny_model, widths='4,4,8,8,4')
    assert result.exit_code == 2
    assert 'do not fit' in result.stderr
    assert not (tmp_path / 'color').exists()


@pytest.mark.parametrize('widths', ['4', '4,x', '4,0', '', '4,,4'])
def test_odd_widths_are_wrong_usage(
    train: Callable[..., Result], widths: str, tmp_path: Path
) -> None:
    result = train('color', '--widths', widths, widths=None)
    assert result.exit_code == 2
    assert not (tmp_path / 'color').exists()


@pytest.mark.parametrize('crop', [16, 40])
def test_crops_that_do_not_fit_are_wrong_usage(
    train: Callable[..., Result], tmp_path: Path, crop: int
) -> None:
    result = train('color', '--crop', crop, widths='4,4,4,4,4')
    assert result.exit_code == 2
    assert 'multiple of 16, at least 32' in result.stderr
    assert not (tmp_path / 'color').exists()


def test_a_folder_without_photographs(
    train: Callable[..., Result], tmp_path: Path
) -> None:
    empty = tmp_path / 'empty'
    empty.mkdir()
    words = ['--out', tmp_path / 'run', '--set', 'features=']
    result = run('train', 'color', '--data', empty, *words)
    assert result.exit_code == 2
    assert str(empty) in result.stderr
    assert not (tmp_path / 'run').exists()


def spoil(checkpoint: Path, fault: dict[str, object]) -> None:
    """Change a checkpoint or its recipe; None takes an entry out."""
    state = torch.load(checkpoint, weights_only=True)
    recipe = json.loads(state['recipe'])
    for name, value in fault.items():
        place = recipe if name in recipe else state
        if value is None:
            del place[name]
        else:
            place[name] = value
    torch.save(state | {'recipe': json.dumps(recipe)}, checkpoint)


def test_export_refusals(train: Callable[..., Result], tmp_path: Path) -> None:
    target = tmp_path / 'color.safetensors'
    nothing = run('train', 'export', tmp_path, '-o', target)
    assert nothing.exit_code == 2
    assert 'holds no checkpoint.pt' in nothing.stderr
    assert train('color').exit_code == 0
    odd = run('train', 'export', tmp_path / 'color', '-o', tmp_path / 'a.pt')
    assert odd.exit_code == 2
    assert 'must end in .safetensors' in odd.stderr
    for other, sentence in (
        (
            random_part('color', ColorNetConfig(widths=(2, 2)), 0),
            'another network',
        ),
        (
            random_part('segmentation', GridNetConfig(widths=(2, 2)), 0),
            'are needed',
        ),
    ):
        path = tmp_path / 'other.safetensors'
        path.unlink(missing_ok=True)
        save_part(path, other.network, {})
        line = ('train', 'export', tmp_path / 'color', '-o', target)
        refused = run(*line, '--mean-with', path)
        assert refused.exit_code == 2
        assert sentence in refused.stderr
    checkpoint = tmp_path / 'color' / 'checkpoint.pt'
    whole = checkpoint.read_bytes()
    for fault in (
        {'averaged': None},
        {'averaged': {}},
        {'averaged': [1]},
        {'step': None},
        {'step': 'x'},
        {'widths': -1},
        {'seed': 'x'},
        {'task': 'sorting'},
    ):
        checkpoint.write_bytes(whole)
        spoil(checkpoint, fault)
        for line in (
            ('train', 'export', tmp_path / 'color', '-o', target),
            None,
        ):
            refused = run(*line) if line else train('color', '--steps', 4)
            assert refused.exit_code in (1, 2), (fault, refused.output)
            assert isinstance(refused.exception, SystemExit), fault
            assert str(checkpoint.parent) in refused.stderr, fault
            assert not target.exists()
    checkpoint.write_bytes(whole[:-500])
    damaged = run('train', 'export', tmp_path / 'color', '-o', target)
    assert damaged.exit_code == 1
    assert 'damaged' in damaged.stderr
    assert not target.exists()


def test_the_kind_of_data_is_said_and_can_be_forced(
    train: Callable[..., Result], pack: Path
) -> None:
    done = train('color')
    assert f'{pack} is a training pack: 4 photographs' in done.stderr
    forced = train('color', '--source', 'coco-stuff')
    assert forced.exit_code == 2
    assert 'does not hold COCO-Stuff' in forced.stderr
    assert train('color', '--source', 'imagenet').exit_code == 2


def test_every_kind_of_data_can_be_asked_for() -> None:
    from napari_sdcolor.cli.training_options import SourceKind
    from napari_sdcolor.datasets.open import KINDS

    assert [kind.value for kind in SourceKind] == list(KINDS)
