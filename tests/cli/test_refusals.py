"""``sdcolor colorize``: bad input gives a sentence, exit 1 or 2, no files."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from napari_sdcolor.cli import app
from napari_sdcolor.core.weights import load_part, save_part

OUTPUTS = ('castle.color.tif', 'castle.labels.png', 'castle.sdcolor.json')


def refused(result: Result, *words: str, code: int = 1) -> bool:
    """Whether it was refused with an exit code and a sentence, not a crash."""
    said = result.stderr.lower()
    return (
        result.exit_code == code
        and isinstance(result.exception, SystemExit)
        and all(word.lower() in said for word in words)
    )


def test_two_inputs_of_one_name_are_refused_before_work(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    tmp_path: Path,
) -> None:
    one, two = make_photo('castle.png'), make_photo('castle.tif')
    result = colorize(one, two, '--json')
    assert result.exit_code == 2
    for name in ('castle.png', 'castle.tif'):
        assert name in json.loads(result.stdout)['error']
        assert name in result.stderr
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('existing', OUTPUTS)
def test_existing_outputs_are_refused(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    tmp_path: Path,
    existing: str,
) -> None:
    out = tmp_path / 'out'
    out.mkdir()
    (out / existing).write_text('mine')
    result = colorize(make_photo())
    assert refused(result, existing, 'never overwritten')
    assert os.listdir(out) == [existing]
    assert (out / existing).read_text() == 'mine'


def _write_tiff(array: NDArray, **tags: object) -> Callable[[Path], None]:
    return lambda path: tifffile.imwrite(path, array, **tags)


def _write_truncated(path: Path) -> None:
    tifffile.imwrite(path, np.zeros((200, 200), np.uint8))
    path.write_bytes(path.read_bytes()[:20000])


BAD_PHOTOS: dict[str, tuple[Callable[[Path], object], str]] = {
    'missing': (lambda path: None, 'No such file'),
    'empty file': (lambda path: path.write_bytes(b''), 'empty'),
    'text': (lambda path: path.write_text('hello'), 'no TIFF'),
    'truncated': (_write_truncated, 'is damaged: its only strip'),
    'too small': (_write_tiff(np.zeros((15, 99), np.uint8)), 'at least 16'),
    'complex': (_write_tiff(np.zeros((32, 32), np.complex64)), 'complex'),
    'all NaN': (_write_tiff(np.full((32, 32), np.nan, np.float32)), 'NaN'),
    'stack': (
        _write_tiff(
            np.zeros((4, 2, 32, 32), np.uint8), photometric='minisblack'
        ),
        '2 axes beside',
    ),
}


@pytest.mark.parametrize('kind', BAD_PHOTOS)
def test_bad_photos_are_refused_and_do_not_stop_the_others(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    tmp_path: Path,
    kind: str,
) -> None:
    write, word = BAD_PHOTOS[kind]
    bad = tmp_path / 'bad.tif'
    write(bad)
    result = colorize(bad, make_photo(), '--json')
    assert refused(result, 'bad.tif', word)
    assert sorted(os.listdir(tmp_path / 'out')) == sorted(OUTPUTS)
    answer = json.loads(result.stdout)
    assert word.lower() in answer['failed'][0]['reason'].lower()
    assert [entry['name'] for entry in answer['photos']] == ['castle']


def test_unknown_weights_are_refused(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    tmp_path: Path,
) -> None:
    result = colorize(make_photo(), '--weights', 'mine', '--json')
    assert refused(result, "'mine'", 'tiny', 'models add', code=2)
    assert "'mine'" in json.loads(result.stdout)['error']
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('damage', ['truncated', 'changed', 'foreign', 'gone'])
def test_bad_weights_are_refused(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    models_folder: Path,
    tmp_path: Path,
    damage: str,
) -> None:
    path = models_folder / 'tiny.color.safetensors'
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    if damage == 'truncated':
        path.write_bytes(data[:-100])
    elif damage == 'changed':
        path.write_bytes(data)
    elif damage == 'foreign':
        path.write_text('no weights')
    words = ['--weights', path]
    if damage == 'gone':
        words = ['--weights', tmp_path / 'gone.safetensors']
    result = colorize(make_photo(), *words)
    assert refused(result, Path(words[1]).name, code=1 + (damage == 'gone'))
    assert not (tmp_path / 'out').exists()


def test_weights_of_the_wrong_kind_are_refused(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    models_folder: Path,
    tmp_path: Path,
) -> None:
    color = models_folder / 'tiny.color.safetensors'
    color.write_bytes(
        (models_folder / 'tiny.segmentation.safetensors').read_bytes()
    )
    result = colorize(make_photo())
    said = ('segmentation weights', 'color weights are needed')
    assert refused(result, *said, code=2)
    assert not (tmp_path / 'out').exists()


def test_a_network_that_overflows_never_gives_a_picture(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    models_folder: Path,
    tmp_path: Path,
) -> None:
    path = models_folder / 'tiny.color.safetensors'
    network = load_part(path).network
    for parameter in network.parameters():
        parameter.fill_(1e6)
    path.unlink()
    save_part(path, network, {}, half=False)
    assert refused(colorize(make_photo()), 'no numbers')
    assert not (tmp_path / 'out').exists()


def test_a_full_disk_leaves_nothing_behind(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photo = make_photo()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, 'fsync', full)
    assert refused(colorize(photo), 'castle.', 'disk is full')
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(
    'error', [MemoryError(), OSError(5, 'Input/output error', 'castle.png')]
)
def test_trouble_while_coloring_is_a_sentence(
    colorize: Callable[..., Result],
    make_photo: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    def fail(*args: object, **more: object) -> None:
        raise error

    monkeypatch.setattr('napari_sdcolor.core.engine.Colorizer.colorize', fail)
    result = colorize(make_photo())
    assert refused(result, 'castle.png: ')
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('command', ['colorize', 'batch'])
@pytest.mark.parametrize('dtype', ['float16', 'bfloat16'])
def test_half_precision_is_refused_on_the_cpu(
    make_photo, tiny_model, tmp_path, command, dtype
):
    photo, out = make_photo(), tmp_path / 'out'
    words = [command, photo, '-o', out, '--weights', tiny_model]
    words += ['--device', 'cpu', '--dtype', dtype]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 2, result.output
    assert f'{dtype} is for NVIDIA GPUs' in result.stderr
    assert 'leave out --dtype' in result.stderr
    assert not out.exists()
