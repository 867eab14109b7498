"""``sdcolor colorize``: what is written and what is said."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image
from typer.testing import Result

from napari_sdcolor.core import lab

OUTPUTS = ('castle.color.tif', 'castle.labels.png', 'castle.sdcolor.json')
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


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
    }


def read_sidecar(tmp_path: Path) -> dict:
    return json.loads(
        (tmp_path / 'out' / 'castle.sdcolor.json').read_text('utf-8')
    )


def test_three_files_at_full_size(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    tmp_path: Path,
) -> None:
    photo = make_photo()
    before = hashes(photo.parent)
    result = colorize(photo)
    assert result.exit_code == 0, result.output
    assert sorted(os.listdir(tmp_path / 'out')) == sorted(OUTPUTS)
    assert hashes(photo.parent) == before
    rgb = tifffile.imread(tmp_path / 'out' / 'castle.color.tif')
    assert rgb.shape == (48, 80, 3)
    assert np.ptp(rgb.astype(int), axis=-1).max() > 10
    with Image.open(tmp_path / 'out' / 'castle.labels.png') as image:
        assert image.mode == 'L'
        assert image.size == SHAPE[::-1]


@pytest.mark.parametrize(
    ('dtype', 'limit'), [(np.uint8, 0.26), (np.uint16, 0.001)]
)
def test_lightness_of_the_saved_file(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    gray_ramp: NDArray[np.uint8],
    tmp_path: Path,
    dtype: type,
    limit: float,
) -> None:
    top = np.iinfo(dtype).max
    gray = (gray_ramp.astype(dtype) * (top // 255)).astype(dtype)
    gray[:24] += (gray[:24] < top).astype(dtype)
    photo = make_photo('castle.tif', np.zeros((16, 16), np.uint8))
    tifffile.imwrite(photo, gray)
    assert colorize(photo).exit_code == 0
    rgb = tifffile.imread(tmp_path / 'out' / 'castle.color.tif')
    assert rgb.dtype == dtype
    found = lab.rgb_to_lightness(rgb / float(top))
    assert np.abs(found - lab.gray_to_lightness(gray / top)).max() <= limit


def test_no_saturation_gives_the_photo_back(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    gray_ramp: NDArray[np.uint8],
    tmp_path: Path,
) -> None:
    assert colorize(make_photo(), '--saturation', 0).exit_code == 0
    rgb = tifffile.imread(tmp_path / 'out' / 'castle.color.tif')
    np.testing.assert_array_equal(rgb, np.dstack([gray_ramp] * 3))


def test_the_same_call_gives_the_same_bytes(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    tmp_path: Path,
) -> None:
    photo = make_photo()
    one, two = tmp_path / 'one', tmp_path / 'deep' / 'two'
    assert colorize(photo, '-o', one).exit_code == 0
    assert colorize(photo, '-o', two).exit_code == 0
    for name in OUTPUTS[:2]:
        assert (one / name).read_bytes() == (two / name).read_bytes()
    sidecars = [
        json.loads((folder / OUTPUTS[2]).read_text('utf-8'))
        for folder in (one, two)
    ]
    for sidecar in sidecars:
        assert sidecar.pop('run')['finished']
    assert sidecars[0] == sidecars[1]


@pytest.mark.parametrize(
    ('form', 'suffix'), [('tiff', '.tif'), ('png', '.png'), ('jpeg', '.jpg')]
)
def test_formats(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    tmp_path: Path,
    form: str,
    suffix: str,
) -> None:
    assert colorize(make_photo(), '--format', form).exit_code == 0
    color = tmp_path / 'out' / f'castle.color{suffix}'
    assert color.is_file()
    with Image.open(color) as image:
        assert image.format == form.upper()


def test_settings_are_recorded(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    tmp_path: Path,
) -> None:
    words = ['--saturation', 0.5, '--window', '10,200', '--device', 'cpu']
    result = colorize(make_photo(), *words, '--json')
    assert result.exit_code == 0
    settings = {
        'size': 64,
        'saturation': 0.5,
        'window': '10,200',
        'device': 'cpu',
        'weights': 'tiny',
    }
    assert read_sidecar(tmp_path)['settings'] == settings
    assert json.loads(result.stdout)['settings'] == settings
    assert 'tone window 10 to 200' in result.stderr


def test_a_page_of_a_multi_page_file(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    gray_ramp: NDArray[np.uint8],
    tmp_path: Path,
) -> None:
    photo = make_photo('castle.tif')
    pages = np.stack((gray_ramp, gray_ramp[::-1], gray_ramp // 2))
    tifffile.imwrite(photo, pages, photometric='minisblack')
    assert refused(colorize(photo), 'castle.tif', 'page')
    assert refused(colorize(photo, '--page', 3), 'castle.tif', 'page')
    assert colorize(photo, '--page', 2, '--saturation', 0).exit_code == 0
    rgb = tifffile.imread(tmp_path / 'out' / 'castle.color.tif')
    np.testing.assert_array_equal(rgb[..., 0], gray_ramp // 2)
    assert read_sidecar(tmp_path)['command'][-2:] == ['--page', '2']


def test_what_was_understood_is_said(
    colorize: Callable[..., Result], make_photo: Callable[..., Path]
) -> None:
    color = np.zeros((40, 50, 3), np.uint8)
    color[..., 1] = 90
    result = colorize(make_photo('castle.png', color))
    assert result.exit_code == 0
    assert '50 × 40 pixels' in result.stderr
    assert 'only its lightness is used' in result.stderr
    assert 'Device: ' in result.stderr
