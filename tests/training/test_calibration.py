"""The temperature is found where it is known, and written beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner, Result

from napari_sdcolor.classes import UNKNOWN
from napari_sdcolor.cli import app
from napari_sdcolor.core.device import choose
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.weights import load_part
from napari_sdcolor.datasets.pack import Pack
from napari_sdcolor.errors import DataError
from napari_sdcolor.training import calibration
from napari_sdcolor.training.calibration import (
    Sample,
    best_temperature,
    sample_logits,
)


def drawn(temperature: float, count: int = 40_000) -> Sample:
    """Pixels whose classes are drawn as often as the confidence says."""
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(count, 60, generator=generator)
    shares = torch.softmax(logits / temperature, 1)
    classes = torch.multinomial(shares, 1, generator=generator)[:, 0]
    return Sample(logits, classes, photos=1)


@pytest.mark.parametrize('temperature', [0.4, 1.0, 2.5])
def test_a_known_temperature_is_found(temperature: float) -> None:
    sample = drawn(temperature)
    found = best_temperature(sample)
    assert found == pytest.approx(temperature, rel=0.03)
    assert sample.loss(found) <= sample.loss(1.0)
    assert sample.loss(found) < min(
        sample.loss(found * 1.2), sample.loss(found / 1.2)
    )


def test_photos_that_do_not_tell_are_refused() -> None:
    """Where every pixel is right, no confidence is too high."""
    sample = drawn(1.0, 200)
    easy = Sample(sample.logits, sample.logits.argmax(1), photos=3)
    with pytest.raises(DataError, match='No temperature from 0.05 to 20'):
        best_temperature(easy)


@pytest.fixture
def colorizer(tiny_parts: dict[str, Path]) -> Colorizer:
    part = load_part(tiny_parts['segmentation'])
    return calibration.segmenter({part.kind: part}, choose('cpu'), 64)


def test_only_known_pixels_are_asked_about(
    shots: list,
    make_pack: Callable[[Sequence], Pack],
    colorizer: Colorizer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entries = make_pack(shots).entries
    monkeypatch.setattr(calibration, 'PIXELS', 50)
    sample = sample_logits(colorizer, entries)
    # Two of the six have no map.
    assert sample.photos == 4
    assert sample.logits.shape == (200, 60)
    assert sample.classes.shape == (200,)
    assert sample.classes.max() < 60 < UNKNOWN
    again = sample_logits(colorizer, entries)
    assert torch.equal(sample.logits, again.logits)
    assert torch.equal(sample.classes, again.classes)
    # They are what the confidence is made of.
    rgb, _ = entries[0].load()
    there = colorizer.segment(rgb).confidence
    shares = torch.softmax(sample.logits[:50], 1).amax(1).numpy()
    nearest = np.abs(shares[:, None] - there.ravel()).min(axis=1)
    assert nearest.max() < 1e-6
    monkeypatch.setattr(calibration, 'PHOTOS', 2)
    few = sample_logits(colorizer, entries)
    assert few.photos == 2
    assert torch.equal(few.logits[:50], sample.logits[:50])
    with pytest.raises(DataError, match='there is none'):
        sample_logits(colorizer, entries[4:])


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def photos(tmp_path: Path, colorizer: Colorizer) -> Path:
    """Two photos with maps, one held out, that are mostly as predicted."""
    folder = tmp_path / 'photos'
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ('a', 'b'):
        rgb = rng.integers(0, 256, (64, 80, 3), np.uint8)
        labels = colorizer.segment(rgb).labels
        wrong = rng.random(labels.shape) < 0.3
        labels[wrong] = rng.integers(0, 60, wrong.sum())
        Image.fromarray(rgb).save(folder / f'{name}.png')
        Image.fromarray(labels).save(folder / f'{name}.labels.png')
    (folder / 'val.txt').write_text('b\n')
    return folder


def test_the_command_writes_the_temperature_and_nothing_else(
    photos: Path, tiny_parts: dict[str, Path], tmp_path: Path
) -> None:
    weights = tiny_parts['segmentation']
    before = weights.read_bytes()
    out = tmp_path / 'new' / 'calibrated.safetensors'
    line = ['train', 'calibrate', weights, '--data', photos, '--size', 64]
    result = run(*line, '-o', out, '--json')
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    old, new = load_part(weights), load_part(out, 'segmentation')
    assert new.digest == old.digest
    assert new.network.config.temperature == answer['temperature'] != 1
    assert answer['loss'] < answer['loss_before']
    assert answer['photos'] == 1
    assert answer['pixels'] == calibration.PIXELS
    statement = {**new.training}
    assert statement.pop('calibration')['split'] == 'val'
    assert statement == old.training
    assert weights.read_bytes() == before
    # What is there is not overwritten; and calibrating again changes nothing.
    assert run(*line, '-o', out).exit_code == 1
    line[2] = out
    again = run(*line, '-o', tmp_path / 'again.safetensors', '--json')
    twice = json.loads(again.stdout)
    assert twice['temperature'] == answer['temperature']
    assert twice['temperature_before'] == answer['temperature']


def test_what_cannot_be_calibrated_is_said(
    photos: Path, tiny_parts: dict[str, Path], tmp_path: Path
) -> None:
    line = ['train', 'calibrate', tiny_parts['segmentation'], '--size', 64]
    out = ['-o', tmp_path / 'none' / 'new.safetensors']
    wrong = run(*line, '--data', photos, '-o', tmp_path / 'new.pth')
    assert wrong.exit_code == 2
    assert 'must end in .safetensors' in wrong.stderr
    wrong = run(*line, '--data', photos, *out, '--split', 'test')
    assert wrong.exit_code == 2
    assert "'test'" in wrong.stderr
    color = ['train', 'calibrate', tiny_parts['color'], '--data', photos]
    wrong = run(*color, *out)
    assert wrong.exit_code == 2
    assert 'segmentation weights are needed' in wrong.stderr
    (photos / 'b.labels.png').unlink()
    wrong = run(*line, '--data', photos, *out)
    assert wrong.exit_code == 1
    assert 'needs photographs with maps' in wrong.stderr
    assert not (tmp_path / 'none').exists()
