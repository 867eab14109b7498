"""``sdcolor demo``: pictures always, a window where there can be one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from typer.testing import CliRunner, Result

from napari_sdcolor.cli import app, demo
from napari_sdcolor.cli.probes import Attempt
from napari_sdcolor.core import lab
from napari_sdcolor.errors import SaveError


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder without display."""
    for name in ('DISPLAY', 'WAYLAND_DISPLAY'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('QT_QPA_PLATFORM', 'offscreen')
    folder = tmp_path / 'here'
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Photos on which napari would have been opened."""
    paths: list[Path] = []
    monkeypatch.setattr(demo, 'open_viewer', paths.append)
    return paths


def run_demo(*words: object) -> Result:
    line = ['demo', '--weights', 'tiny', *words]
    return CliRunner().invoke(app, [str(word) for word in line])


def test_pictures_in_a_fresh_folder(
    tiny_model: str, in_folder: Path, opened: list[Path]
) -> None:
    result = run_demo()
    assert result.exit_code == 0, result.output
    folder = in_folder / 'sdcolor-demo'
    assert str(folder) in result.stderr
    assert 'no display' in result.stderr
    assert opened == []
    assert sorted(os.listdir(folder)) == [
        'astronaut.color.tif',
        'astronaut.labels.png',
        'astronaut.png',
        'astronaut.sdcolor.json',
    ]
    with Image.open(folder / 'astronaut.png') as image:
        assert image.mode == 'L'
        gray = np.array(image)
    rgb = tifffile.imread(folder / 'astronaut.color.tif')
    assert rgb.shape == (*gray.shape, 3)
    error = lab.rgb_to_lightness(rgb / 255) - lab.gray_to_lightness(gray / 255)
    assert np.abs(error).max() <= 0.26


def test_an_existing_folder_is_left_alone(in_folder: Path) -> None:
    for name in ('sdcolor-demo', 'sdcolor-demo-2', 'sdcolor-demo-3'):
        folder = demo.fresh_folder(in_folder)
        assert folder == in_folder / name
        folder.mkdir()


def test_a_photo_of_ones_own(
    tiny_model: str, in_folder: Path, make_photo: Callable[..., Path]
) -> None:
    photo = make_photo()
    before = photo.read_bytes()
    result = run_demo('--photo', photo, '-o', 'mine', '--no-gui', '--json')
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer['folder'] == str(in_folder / 'mine')
    assert answer['window'] is False
    assert sorted(os.listdir(in_folder / 'mine')) == [
        'castle.color.tif',
        'castle.labels.png',
        'castle.sdcolor.json',
    ]
    assert photo.read_bytes() == before


def test_nothing_is_overwritten(
    tiny_model: str, in_folder: Path, make_photo: Callable[..., Path]
) -> None:
    words = ('--photo', make_photo(), '-o', 'mine', '--no-gui')
    assert run_demo(*words).exit_code == 0
    again = run_demo(*words)
    assert again.exit_code == 1
    assert 'never overwritten' in again.stderr


def test_without_weights_no_folder_is_left(in_folder: Path) -> None:
    result = run_demo()
    assert result.exit_code == 2
    assert "'tiny'" in result.stderr
    assert not list(in_folder.iterdir())


@pytest.mark.parametrize('sample', list(demo.Sample))
def test_samples_are_gray(sample: demo.Sample, tmp_path: Path) -> None:
    path = demo.write_sample(sample, tmp_path)
    with Image.open(path) as image:
        assert image.mode == 'L'
        assert min(image.size) >= 300
    with pytest.raises(SaveError, match=path.name):
        demo.write_sample(sample, tmp_path)


def test_a_window_opens_where_it_can(
    tiny_model: str,
    in_folder: Path,
    opened: list[Path],
    make_photo: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(demo, 'why_no_window', lambda: None)
    photo = make_photo()
    result = run_demo('--photo', photo, '--json')
    assert result.exit_code == 0
    assert json.loads(result.stdout)['window'] is True
    assert opened == [photo]


@pytest.mark.parametrize(
    ('display', 'binding', 'attempt', 'why'),
    [
        (False, 'PyQt6', Attempt(0, ''), 'no display'),
        (True, None, Attempt(0, ''), 'napari[all]'),
        (True, 'PyQt6', Attempt(5, 'no context'), 'no context'),
        (True, 'PyQt6', Attempt(-6, 'xcb missing'), 'xcb missing'),
        (True, 'PyQt6', Attempt(0, '4.5'), None),
    ],
)
def test_why_no_window(
    monkeypatch: pytest.MonkeyPatch,
    display: bool,
    binding: str | None,
    attempt: Attempt,
    why: str | None,
) -> None:
    monkeypatch.setattr(demo, 'has_display', lambda: display)
    monkeypatch.setattr(demo, 'qt_binding', lambda: binding)
    monkeypatch.setattr(demo, 'try_opengl', lambda binding: attempt)
    found = demo.why_no_window()
    assert found is None if why is None else why in found


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_the_window_shows_the_photo_as_it_is(
    make_photo: Callable[..., Path], dtype: type
) -> None:
    photo = make_photo('castle.tif')
    gray = np.arange(40 * 50, dtype=np.uint32).reshape(40, 50)
    gray = (gray * np.iinfo(dtype).max // gray.max()).astype(dtype)
    tifffile.imwrite(photo, gray)
    shown = demo.gray_pixels(photo)
    assert shown.dtype == dtype
    np.testing.assert_array_equal(shown, gray)
