"""Narrower color networks that begin where wide ones have arrived."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner, Result

from napari_sdcolor.cli import app
from napari_sdcolor.core import models
from napari_sdcolor.core.colornet import ColorNet, ColorNetConfig
from napari_sdcolor.core.weights import load_part
from napari_sdcolor.errors import UnfitWeights
from napari_sdcolor.training.narrowing import narrow

pytestmark = pytest.mark.usefixtures('no_curves')

WIDE = ColorNetConfig(widths=(6, 8, 12), label_channels=3)
CONFIGS = {
    'embedded': WIDE,
    'ordinal': replace(WIDE, label_channels=0),
    'released': replace(WIDE, preset='released', label_channels=0),
    'not normalized': replace(WIDE, instance_norm=False),
}


def network(config: ColorNetConfig) -> ColorNet:
    torch.manual_seed(1)
    found = ColorNet(config).eval()
    for each in found.parameters():
        each.requires_grad_(False)
    # Colors that are no accident of rounding.
    found.final_conv.weight.mul_(10)
    return found


@pytest.fixture(scope='module')
def crops() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    gray = torch.rand(6, 1, 24, 24, generator=generator) * 2 - 1
    labels = torch.randint(0, 60, (6, 6, 6), generator=generator)
    labels = labels.repeat_interleave(4, 1).repeat_interleave(4, 2)
    return gray, labels.to(torch.uint8)


@pytest.mark.parametrize('name', CONFIGS)
def test_the_same_widths_are_the_same_network(name, crops) -> None:
    wide = network(CONFIGS[name])
    found = narrow(wide, wide.config.widths, *crops)
    assert found.config == wide.config
    torch.testing.assert_close(found(*crops), wide(*crops))


@pytest.mark.parametrize('name', CONFIGS)
def test_channels_that_say_nothing_are_what_goes(name, crops) -> None:
    wide = network(CONFIGS[name])
    generator = torch.Generator().manual_seed(3)

    def silence(weight: torch.Tensor, count: int = 2) -> list[int]:
        gone = torch.randperm(len(weight), generator=generator)[:count]
        weight[gone] = 0
        return gone.tolist()

    outer = []
    for number, level in enumerate(wide.encoder):
        inner = silence(level.conv1.weight)
        if number == 0 and wide.config.label_channels:
            wide.label_conv.weight[inner] = 0
        outer.append(silence(level.conv2.weight))
    for number, level in enumerate(wide.decoder):
        at = len(wide.decoder) - 1 - number
        width = wide.config.widths[at]
        # Nothing is added to the channels that the skip leaves empty.
        silent = [i + stream for stream in (0, width) for i in outer[at]]
        level.conv1.weight[:, silent] = 0
        silence(level.conv2.weight, 4)
    if wide.config.preset == 'paper':
        silence(wide.last_conv.weight, 4)
    found = narrow(wide, (4, 6, 10), *crops)
    assert found.config == replace(wide.config, widths=(4, 6, 10))
    torch.testing.assert_close(
        found(*crops), wide(*crops), rtol=1e-3, atol=1e-4
    )


def test_the_fit_beats_what_was_kept_alone(crops) -> None:
    wide = network(WIDE)
    lines: list[str] = []
    narrow(wide, (4, 6, 9), *crops, report=lines.append)
    # Two for each level but the first convolution, and two at the end.
    assert len(lines) == 2 * 3 - 1 + 2 * 2 + 2
    for line in lines:
        before, after = (
            float(word.split()[-1]) for word in line.split(':')[1].split(', ')
        )
        assert after <= before


def test_the_wide_network_stays_as_it_is(crops) -> None:
    wide = network(WIDE)
    before = wide(*crops)
    narrow(wide, (4, 6, 9), *crops)
    torch.testing.assert_close(wide(*crops), before, rtol=0, atol=0)


def test_the_same_seed_gives_the_same_network(crops) -> None:
    wide = network(WIDE)
    first, second, other = (
        narrow(wide, (4, 6, 9), *crops, seed=seed).state_dict()
        for seed in (5, 5, 6)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize('widths', [(6, 8), (6, 9, 12), (7, 8, 12)])
def test_widths_that_do_not_fit_are_refused(widths, crops) -> None:
    with pytest.raises(UnfitWeights, match='6, 8, 12'):
        narrow(network(WIDE), widths, *crops)


def test_networks_on_features_are_refused(crops) -> None:
    wide = ColorNet(replace(WIDE, features=(2, 3, 4)))
    with pytest.raises(UnfitWeights, match='without photo features'):
        narrow(wide, (4, 6, 9), *crops)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / 'photos'
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ('a', 'b', 'c'):
        colors = rng.integers(0, 256, (9, 11, 3), np.uint8)
        photo = Image.fromarray(colors).resize((220, 180))
        photo.save(folder / f'{name}.png')
        labels = np.full((180, 220), rng.integers(60), np.uint8)
        Image.fromarray(labels).save(folder / f'{name}.labels.png')
    (folder / 'val.txt').write_text('c\n')
    return folder


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_command_writes_weights_that_train_further_on_features(
    photos: Path,
    tiny_parts: dict[str, Path],
    tmp_path: Path,
) -> None:
    wide = load_part(tiny_parts['color'])
    widths = [max(1, width - 1) for width in wide.network.config.widths]
    out = tmp_path / 'new' / 'narrow.safetensors'
    line = ['train', 'narrow', tiny_parts['color'], '--data', photos]
    line += ['--widths', ','.join(map(str, widths)), '--crops', 3]
    result = run(*line, '-o', out, '--json')
    assert result.exit_code == 0, result.output
    found = load_part(out, 'color')
    assert json.loads(result.stdout)['tensors_sha256'] == found.digest
    assert list(found.network.config.widths) == widths
    assert found.training['narrowed_from'] == wide.digest
    # What is there stays.
    assert run(*line, '-o', out).exit_code == 1
    line = ['train', 'color', '--data', photos, '--init', out]
    line += ['--out', tmp_path / 'run', '--steps', 1, '--crop', 64]
    line += ['--batch', 2, '--set', 'features=efficientnet-lite2']
    line += ['--set', 'sure=1', '--set', 'own_maps=0', '--rate', 1e-9]
    result = run(*line)
    assert result.exit_code == 0, result.output
    target = tmp_path / 'further.safetensors'
    assert (
        run('train', 'export', tmp_path / 'run', '-o', target).exit_code == 0
    )
    further = load_part(target, 'color')
    assert further.features == models.load('default')['features'].digest
    # At first nothing of the features is read, and the rest is unchanged.
    tensors = further.network.state_dict()
    for name, tensor in found.network.state_dict().items():
        torch.testing.assert_close(
            tensors.pop(name), tensor, atol=1e-3, rtol=0
        )
    assert tensors
    assert all(tensor.abs().max() < 1e-6 for tensor in tensors.values())


@pytest.mark.parametrize(
    ('words', 'says'),
    [
        ([], '--widths'),
        (['--widths', '1,2'], 'name as many widths'),
        (['--widths', '1,x'], 'no list of at least'),
    ],
)
def test_what_cannot_be_narrowed_is_said(
    words: list[str],
    says: str,
    photos: Path,
    tiny_parts: dict[str, Path],
    tmp_path: Path,
) -> None:
    out = tmp_path / 'narrow.safetensors'
    line = ['train', 'narrow', tiny_parts['color'], '--data', photos]
    result = run(*line, '-o', out, *words)
    assert result.exit_code != 0
    assert says in ' '.join(result.output.split())
    assert not out.exists()
