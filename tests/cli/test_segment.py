"""``sdcolor segment``: maps without color."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from napari_sdcolor.classes import CLASSES
from napari_sdcolor.cli import app
from napari_sdcolor.cli.segment import shares
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.results import Segmentation


@pytest.fixture
def segment(tiny_model: str, tmp_path: Path) -> Callable[..., Result]:
    def run(*words: object) -> Result:
        line = ['segment', *words, '-o', tmp_path / 'out']
        line += ['--weights', tiny_model, '--size', 64]
        return CliRunner().invoke(app, [str(word) for word in line])

    return run


def test_writes_the_map_that_the_networks_give(
    segment: Callable[..., Result],
    make_photo: Callable[..., Path],
    tmp_path: Path,
) -> None:
    photo = make_photo()
    result = segment(photo, '--json')
    assert result.exit_code == 0, result.output
    assert [path.name for path in (tmp_path / 'out').iterdir()] == [
        'castle.labels.png'
    ]
    with Image.open(tmp_path / 'out' / 'castle.labels.png') as image:
        assert image.mode == 'P'
        found = np.array(image)
    with Image.open(photo) as image:
        expected = Colorizer.load('tiny', device='cpu', size=64).segment(
            np.array(image)
        )
    np.testing.assert_array_equal(found, expected.labels)
    answer = json.loads(result.stdout)['photos'][0]
    mean = float(expected.confidence.mean())
    assert answer['confidence'] == pytest.approx(mean)
    ids = {entry['id'] for entry in answer['classes']}
    assert ids == set(np.unique(found))


def test_a_12_bit_scan_is_seen_as_one(
    segment: Callable[..., Result],
    make_photo: Callable[..., Path],
    gray_ramp: np.ndarray,
    tmp_path: Path,
) -> None:
    scan = make_photo('scan.png', gray_ramp.astype(np.uint16) * 16)
    result = segment(scan, '--json')
    (facts,) = json.loads(result.stdout)['photos']
    assert (facts['tones']['low'], facts['tones']['high']) == (0, 4095)
    assert facts['tones']['rule'] == 'power of two'
    assert 'as of a photo of 12 bits' in facts['understood']
    segment(make_photo())
    one, other = (
        np.array(Image.open(tmp_path / 'out' / f'{name}.labels.png'))
        for name in ('scan', 'castle')
    )
    assert (one == other).mean() > 0.95


def test_says_classes_shares_and_confidence(
    segment: Callable[..., Result], make_photo: Callable[..., Path]
) -> None:
    result = segment(make_photo())
    assert result.exit_code == 0
    first = json.loads(segment(make_photo('other.png'), '--json').stdout)[
        'photos'
    ][0]
    largest = first['classes'][0]
    row = next(
        line for line in result.stdout.splitlines() if largest['name'] in line
    )
    assert f'{largest["share"]:.1%}' in row
    assert f'Mean confidence: {first["confidence"]:.0%}' in result.stdout


def test_the_map_can_be_handed_back_to_colorize(
    segment: Callable[..., Result],
    make_photo: Callable[..., Path],
    tmp_path: Path,
) -> None:
    photo = make_photo()
    assert segment(photo).exit_code == 0
    words = ['colorize', str(photo), '--weights', 'tiny', '--size', '64']
    runner = CliRunner()
    for folder, more in (('a', []), ('b', ['--labels', tmp_path / 'out'])):
        line = [*words, '-o', tmp_path / folder, *more]
        assert runner.invoke(app, [str(w) for w in line]).exit_code == 0
    name = 'castle.color.tif'
    predicted, given = (tmp_path / folder / name for folder in 'ab')
    assert predicted.read_bytes() == given.read_bytes()


def test_never_overwrites_and_goes_on(
    segment: Callable[..., Result],
    make_photo: Callable[..., Path],
    tmp_path: Path,
) -> None:
    out = tmp_path / 'out'
    out.mkdir()
    (out / 'castle.labels.png').write_text('mine')
    bad = tmp_path / 'bad.tif'
    bad.write_bytes(b'II*\0')
    result = segment(make_photo(), bad, make_photo('church.png'), '--json')
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert [Path(entry['photo']).name for entry in answer['failed']] == [
        'castle.png',
        'bad.tif',
    ]
    assert 'never overwritten' in answer['failed'][0]['reason']
    assert (out / 'castle.labels.png').read_text() == 'mine'
    assert sorted(path.name for path in out.iterdir()) == [
        'castle.labels.png',
        'church.labels.png',
    ]


def test_two_inputs_of_one_name(
    segment: Callable[..., Result],
    make_photo: Callable[..., Path],
    tmp_path: Path,
) -> None:
    result = segment(make_photo('castle.png'), make_photo('castle.tif'))
    assert result.exit_code == 2
    assert not (tmp_path / 'out').exists()


def test_shares_are_sorted_and_sum_to_one() -> None:
    labels = np.zeros((10, 10), np.uint8)
    labels[:3] = 50
    labels[9] = 36
    confidence = np.full((10, 10), 0.5, np.float32)
    confidence[:3] = 0.75
    found = shares(Segmentation(labels, confidence))
    assert [entry['id'] for entry in found] == [0, 50, 36]
    assert [entry['name'] for entry in found] == [
        CLASSES[number].title for number in (0, 50, 36)
    ]
    assert [entry['share'] for entry in found] == [0.6, 0.3, 0.1]
    assert [entry['confidence'] for entry in found] == [0.5, 0.75, 0.5]
