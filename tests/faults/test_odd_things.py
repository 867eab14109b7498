"""Pipes, devices and other things in the place of files that are read."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from napari_sdcolor.cli import app

pytestmark = pytest.mark.skipif(os.name != 'posix', reason='things of POSIX')

PATIENCE = 40
"""Seconds after which the test is hung."""


def pipe(path: Path) -> None:
    os.mkfifo(path)


def bound_socket(path: Path) -> None:
    before = Path.cwd()
    os.chdir(path.parent)  # names of sockets are short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(before)


def zeros(path: Path) -> None:
    path.symlink_to('/dev/zero')


def folder(path: Path) -> None:
    path.mkdir()


def dangling(path: Path) -> None:
    path.symlink_to(path.parent / 'nowhere')


def loop(path: Path) -> None:
    path.symlink_to(path)


def memory(path: Path) -> None:
    path.symlink_to('/proc/self/mem')


def sparse(path: Path) -> None:
    with path.open('wb') as stream:
        stream.truncate(2 * 2**30)


THINGS = [pipe, bound_socket, zeros, folder, dangling, loop, memory, sparse]


@pytest.fixture(autouse=True)
def _nothing_hangs() -> Iterator[None]:
    def hung(number: int, frame: object) -> None:
        pytest.fail(f'hung for {PATIENCE} s', pytrace=True)

    before = signal.signal(signal.SIGALRM, hung)
    signal.alarm(PATIENCE)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / 'in' / 'boat.png'
    path.parent.mkdir()
    gray = np.arange(40 * 56, dtype=np.uint16).reshape(40, 56) % 251
    Image.fromarray(gray.astype(np.uint8)).save(path)
    return path


def refused(*words: object, code: tuple[int, ...] = (1, 2)) -> str:
    """Run a command that cannot do what is asked; what it says."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    if done.exit_code:
        assert isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code in code, done.output
    assert 'Traceback' not in done.output
    return done.stderr


FAST = ('--weights', 'tiny', '--size', 64)


@pytest.mark.parametrize('thing', THINGS)
def test_a_photo(tmp_path: Path, tiny_model: str, thing) -> None:
    path = tmp_path / 'odd.png'
    thing(path)
    out = tmp_path / 'out'
    said = refused('colorize', path, '-o', out, *FAST)
    assert 'odd.png' in said
    assert not out.exists()


@pytest.mark.parametrize('thing', THINGS)
def test_a_map(photo: Path, tmp_path: Path, tiny_model: str, thing) -> None:
    path = tmp_path / 'maps' / 'boat.labels.png'
    path.parent.mkdir()
    thing(path)
    # A name that is no file is no map: then one is predicted.
    code = (0, 1, 2)
    for labels in (path, path.parent):
        out = tmp_path / f'out {labels.name}'
        refused(
            'colorize', photo, '-o', out, '--labels', labels, *FAST, code=code
        )


@pytest.mark.parametrize('thing', THINGS)
def test_an_earlier_result(
    photo: Path, tmp_path: Path, tiny_model: str, thing
) -> None:
    out = tmp_path / 'out'
    line = ('batch', photo.parent, '-o', out, *FAST)
    assert CliRunner().invoke(app, [str(w) for w in line]).exit_code == 0
    color = out / 'boat.color.tif'
    color.unlink()
    thing(color)
    said = refused(*line)
    assert 'boat' in said
    assert os.path.lexists(color)


@pytest.mark.parametrize('thing', THINGS)
def test_a_list(tmp_path: Path, tiny_model: str, thing) -> None:
    path = tmp_path / 'list.txt'
    thing(path)
    out = tmp_path / 'out'
    # What the kernel makes up is an empty list.
    code = (0, 1, 2) if thing is memory else (1, 2)
    said = refused('batch', '--from-file', path, '-o', out, *FAST, code=code)
    assert 'list.txt' in said or thing is memory


@pytest.mark.parametrize('thing', THINGS)
@pytest.mark.parametrize('name', ['tiny.color.safetensors', 'sha256.json'])
def test_the_models_folder(
    photo: Path,
    tmp_path: Path,
    models_folder: Path,
    tiny_model: str,
    thing: Callable[[Path], None],
    name: str,
) -> None:
    path = models_folder / name
    path.unlink()
    thing(path)
    done = CliRunner().invoke(app, ['models', 'list'])
    assert isinstance(done.exception, SystemExit) or done.exit_code == 0
    line = ('colorize', photo, '-o', tmp_path / 'out', *FAST)
    refused(*line, code=(0, 1, 2))


@pytest.mark.parametrize('thing', THINGS)
def test_weights_that_are_named(photo: Path, tmp_path: Path, thing) -> None:
    path = tmp_path / 'odd.safetensors'
    thing(path)
    line = ('colorize', photo, '-o', tmp_path / 'out', '--size', 64)
    assert 'odd.safetensors' in refused(*line, '--weights', path)


@pytest.mark.parametrize('thing', THINGS)
def test_a_checkpoint(tmp_path: Path, thing) -> None:
    run = tmp_path / 'run'
    run.mkdir()
    thing(run / 'checkpoint.pt')
    target = tmp_path / 'a.safetensors'
    said = refused('train', 'export', run, '-o', target)
    assert 'checkpoint.pt' in said
    assert not target.exists()


@pytest.mark.parametrize('thing', THINGS)
@pytest.mark.parametrize('name', ['index.csv', 'train-000.tar'])
def test_a_training_pack(
    tmp_path: Path, tiny_model: str, thing, name: str
) -> None:
    pack = tmp_path / 'pack'
    pack.mkdir()
    (pack / 'index.csv').write_text('dataset,id,split\nx,a,val\n')
    path = pack / name
    path.unlink(missing_ok=True)
    thing(path)
    line = ('evaluate', '--data', pack, '--split', 'val', '-o')
    refused(*line, tmp_path / 'out', '--weights', 'tiny', '--size', 64)
