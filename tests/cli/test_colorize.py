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
from napari_sdcolor.settings import DEFAULT_SOURCE_TYPE

OUTPUTS = ('castle.color.tif', 'castle.labels.png', 'castle.sdcolor.json')
SHAPE = (64, 107)
"""Working shape of the ramp (48, 80) at size 64."""


def refused(result: Result, *words: str, code: int = 1) -> bool:
    """Whether it was refused with an exit code and a sentence, not a crash."""
    said = result.stderr.lower()
    return (
        result.exit_code == code
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
        assert image.mode == 'P'
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
        'source_type': DEFAULT_SOURCE_TYPE,
    }
    assert read_sidecar(tmp_path)['settings'] == settings
    assert json.loads(result.stdout)['settings'] == settings
    assert 'tone window 10 to 200' in result.stderr


@pytest.fixture
def album(
    make_photo: Callable[..., Path], gray_ramp: NDArray[np.uint8]
) -> Path:
    """castle.tif of three pages: a photo, upside down, and dark."""
    path = make_photo('castle.tif')
    pages = np.stack((gray_ramp, gray_ramp[::-1], gray_ramp // 2))
    tifffile.imwrite(path, pages, photometric='minisblack')
    return path


def test_a_page_of_a_multi_page_file(
    colorize: Callable[..., Result],
    album: Path,
    gray_ramp: NDArray[np.uint8],
    tmp_path: Path,
) -> None:
    wrong = colorize(album, '--page', 3)
    assert refused(wrong, 'castle.tif', 'pages are 0 to 2', code=2)
    assert not (tmp_path / 'out').exists()
    assert colorize(album, '--page', 2, '--saturation', 0).exit_code == 0
    rgb = tifffile.imread(tmp_path / 'out' / 'castle.color.tif')
    np.testing.assert_array_equal(rgb[..., 0], gray_ramp // 2)
    assert read_sidecar(tmp_path)['command'][-2:] == ['--page', '2']


def test_all_pages_of_a_file(
    colorize: Callable[..., Result], album: Path, tmp_path: Path
) -> None:
    result = colorize(album, '--json')
    assert result.exit_code == 0, result.stderr
    maps = [f'castle.p{page:04d}.labels.png' for page in range(3)]
    names = ['castle.color.tif', *maps, 'castle.sdcolor.json']
    assert sorted(os.listdir(tmp_path / 'out')) == names
    (told,) = json.loads(result.stdout)['photos']
    assert [Path(path).name for path in told['outputs']] == names
    assert len(told['pages']) == 3
    with tifffile.TiffFile(tmp_path / 'out' / 'castle.color.tif') as tif:
        colors = [page.asarray() for page in tif.pages]
    for page in range(3):
        folder = tmp_path / f'page {page}'
        assert colorize(album, '--page', page, '-o', folder).exit_code == 0
        alone = tifffile.imread(folder / 'castle.color.tif')
        np.testing.assert_array_equal(colors[page], alone)
    pages = read_sidecar(tmp_path)['pages']
    assert [page['page'] for page in pages] == [0, 1, 2]
    assert [page['labels']['file'] for page in pages] == maps


def test_maps_of_pages(
    colorize: Callable[..., Result], album: Path, tmp_path: Path
) -> None:
    maps = tmp_path / 'maps'
    maps.mkdir()
    ids = np.full(SHAPE, 36, np.uint8)
    Image.fromarray(ids).save(maps / 'castle.p0001.labels.png')
    result = colorize(album, '--labels', maps)
    assert result.exit_code == 0, result.stderr
    assert 'none for castle.p0000' in result.stderr
    pages = read_sidecar(tmp_path)['pages']
    origins = [page['labels']['origin'] for page in pages]
    assert origins == ['predicted', 'castle.p0001.labels.png', 'predicted']
    assert pages[0]['labels']['edited_share'] == 0
    assert pages[1]['labels']['edited_share'] > 0
    alone = ['--page', 1, '--labels', maps, '-o', tmp_path / 'alone']
    assert colorize(album, *alone).exit_code == 0
    one_map = maps / 'castle.p0001.labels.png'
    result = colorize(album, '--labels', one_map, '-o', tmp_path / 'wrong')
    assert refused(result, 'castle has several pages', 'folder')
    assert not (tmp_path / 'wrong').exists()


def test_a_bad_page_leaves_nothing(
    colorize: Callable[..., Result], album: Path, tmp_path: Path
) -> None:
    with tifffile.TiffWriter(album, append=True) as writer:
        writer.write(np.zeros((9, 9), np.uint8))
    result = colorize(album)
    assert refused(result, 'castle.tif, page 3', 'at least 16')
    assert not (tmp_path / 'out').exists()
    wrong = colorize(album, '--format', 'png')
    assert refused(wrong, '4 pages', '--page', code=2)


def test_the_source_type_is_a_setting(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    tmp_path: Path,
) -> None:
    term = 'trainedAlgorithmicMedia'
    photo = make_photo()
    assert colorize(photo, '--source-type', term).exit_code == 0
    sidecar = read_sidecar(tmp_path)
    uri = sidecar['result']['digital_source_type']
    assert uri == DEFAULT_SOURCE_TYPE.replace('compositeWithT', 't')
    color = tmp_path / 'out' / 'castle.color.tif'
    assert f'>{uri}<'.encode() in color.read_bytes()
    assert sidecar['command'][-2:] == ['--source-type', uri]
    wrong = colorize(photo, '--source-type', 'digitalCapture')
    assert wrong.exit_code == 2
    assert 'source_type must be one of' in wrong.stderr


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
