"""``sdcolor colorize --labels``: maps given, found, missing and wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image
from typer.testing import Result

SHAPE = (64, 107)
"""Working shape of the ramp (48, 80) at size 64."""


def refused(result: Result, *words: str) -> bool:
    """Whether it was refused with exit 1 and a sentence, not a crash."""
    said = result.stderr.lower()
    return (
        result.exit_code == 1
        and isinstance(result.exception, SystemExit)
        and all(word.lower() in said for word in words)
    )


def read_sidecar(tmp_path: Path) -> dict:
    return json.loads(
        (tmp_path / 'out' / 'castle.sdcolor.json').read_text('utf-8')
    )


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    folder = tmp_path / 'maps'
    folder.mkdir()
    return folder


def save_map(path: Path, labels: NDArray) -> Path:
    Image.fromarray(labels.astype(np.uint8)).save(path)
    return path


def saved_map(tmp_path: Path) -> NDArray[np.uint8]:
    with Image.open(tmp_path / 'out' / 'castle.labels.png') as image:
        return np.array(image)


def test_a_given_map_is_kept_bit_for_bit(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    maps: Path,
    tmp_path: Path,
) -> None:
    labels = np.random.default_rng(0).integers(0, 60, SHAPE)
    path = save_map(maps / 'anything.png', labels)
    result = colorize(make_photo(), '--labels', path, '--json')
    assert result.exit_code == 0
    np.testing.assert_array_equal(saved_map(tmp_path), labels)
    assert json.loads(result.stdout)['photos'][0]['labels'] == str(path)
    recorded = read_sidecar(tmp_path)['pages'][0]['labels']
    assert recorded['origin'] == 'anything.png'
    assert recorded['mean_confidence'] is None
    assert 0.9 < recorded['edited_share'] <= 1
    pixels = sum(edit['pixels'] for edit in recorded['edits'])
    assert pixels == round(recorded['edited_share'] * labels.size)


def test_a_folder_of_maps_is_searched_in_order(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    maps: Path,
    tmp_path: Path,
) -> None:
    photo = make_photo()
    save_map(maps / 'castle.png', np.full(SHAPE, 7))
    words = ['--labels', maps]
    assert colorize(photo, *words, '-o', tmp_path / 'one').exit_code == 0
    save_map(maps / 'castle.labels.png', np.full(SHAPE, 8))
    assert colorize(photo, *words, '-o', tmp_path / 'two').exit_code == 0
    for folder, number in (('one', 7), ('two', 8)):
        with Image.open(tmp_path / folder / 'castle.labels.png') as image:
            assert set(np.unique(image)) == {number}


def test_a_map_changes_the_color(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    maps: Path,
    tmp_path: Path,
) -> None:
    photo = make_photo()
    colors = []
    for number in (15, 50):
        path = save_map(maps / f'{number}.png', np.full(SHAPE, number))
        out = tmp_path / f'out-{number}'
        assert colorize(photo, '--labels', path, '-o', out).exit_code == 0
        colors.append(tifffile.imread(out / 'castle.color.tif'))
    assert np.any(colors[0] != colors[1])


def test_other_sizes_and_unknown_pixels_are_said(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    maps: Path,
    tmp_path: Path,
) -> None:
    labels = np.full((48, 80), 3)
    labels[:24] = 255
    path = save_map(maps / 'castle.png', labels)
    result = colorize(make_photo(), '--labels', maps)
    assert result.exit_code == 0
    assert 'resized from 80 × 48 to 107 × 64' in result.stderr
    assert 'no class (0)' in result.stderr
    saved = saved_map(tmp_path)
    assert saved.shape == SHAPE
    assert set(np.unique(saved[:31])) == {0}
    assert set(np.unique(saved[33:])) == {3}
    notes = ' '.join(read_sidecar(tmp_path)['pages'][0]['notes'])
    assert 'resized' in notes
    assert str(path.parent) not in notes


def test_missing_maps_are_predicted_and_it_is_recorded(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    maps: Path,
    tmp_path: Path,
) -> None:
    result = colorize(make_photo(), '--labels', maps)
    assert result.exit_code == 0
    assert 'it is predicted' in result.stderr
    sidecar = read_sidecar(tmp_path)['pages'][0]
    assert sidecar['labels']['origin'] == 'predicted'
    assert 0 < sidecar['labels']['mean_confidence'] <= 1
    assert any('it is predicted' in note for note in sidecar['notes'])


def test_the_photo_is_not_taken_for_its_own_map(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    tmp_path: Path,
) -> None:
    photo = make_photo('castle.png', np.full((48, 80), 5, np.uint8))
    assert colorize(photo, '--labels', photo.parent).exit_code == 0
    assert (
        read_sidecar(tmp_path)['pages'][0]['labels']['origin'] == 'predicted'
    )


@pytest.mark.parametrize(
    ('labels', 'words'),
    [
        (np.full((60, 60), 1, np.uint8), ['aspect']),
        (np.full(SHAPE[::-1], 1, np.uint8), ['turned']),
        (np.full(SHAPE, 60, np.uint8), ['no class', '60']),
        (np.zeros((*SHAPE, 3), np.uint8), ['colors']),
    ],
)
def test_maps_that_do_not_fit_are_refused(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    maps: Path,
    tmp_path: Path,
    labels: NDArray,
    words: list[str],
) -> None:
    path = save_map(maps / 'castle.png', labels)
    result = colorize(make_photo(), '--labels', path)
    assert refused(result, 'castle.png', *words)
    assert not (tmp_path / 'out').exists()


def test_a_damaged_map_is_refused(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    maps: Path,
    tmp_path: Path,
) -> None:
    path = save_map(maps / 'castle.png', np.full(SHAPE, 1))
    path.write_bytes(path.read_bytes()[:-20])
    assert refused(colorize(make_photo(), '--labels', path), 'castle.png')
    assert not (tmp_path / 'out').exists()
