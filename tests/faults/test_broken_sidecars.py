"""Whatever a sidecar holds or is: a sentence that names it, or it works."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from napari_sdcolor.archive.companions import find_companions
from napari_sdcolor.archive.reading import read_photo
from napari_sdcolor.archive.saving import save_result
from napari_sdcolor.archive.sidecar import read_sidecar
from napari_sdcolor.batch.earlier import earlier_files
from napari_sdcolor.batch.task import Task
from napari_sdcolor.cli import app
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.errors import SdcolorError
from napari_sdcolor.settings import Settings

from .broken_sidecars import BROKEN, THINGS, broken

pytestmark = pytest.mark.skipif(
    os.name != 'posix', reason='needs pipes, links and an alarm'
)

SECONDS = 30
RESULTS = ('color.tif', 'labels.png')
INTERNALS = re.compile(
    r'Traceback|object at 0x|BytesIO|unpack|operand|NoneType|codec|'
    r'set_int_max|maximum recursion|schemas'
)


class TooLong(BaseException):
    """Not caught by what catches errors of files."""


@pytest.fixture(autouse=True)
def deadline() -> Iterator[None]:
    """Ends what waits for ever."""

    def ring(number: int, frame: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope='module')
def saved(tmp_path_factory, tiny_added) -> Path:
    """A folder with a photo and its result."""
    folder = tmp_path_factory.mktemp('saved')
    pixels = np.arange(48 * 80, dtype=np.uint16).reshape(48, 80)
    tifffile.imwrite(folder / 'castle.tif', pixels * 16)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('SDCOLOR_MODELS', str(tiny_added))
        colorizer = Colorizer.load('tiny', device='cpu', size=64)
    settings = Settings(size=64, weights='tiny', device='cpu')
    photo = read_photo(folder / 'castle.tif')
    result = colorizer.colorize(
        photo, np.zeros(photo.working_shape(64), np.uint8), settings=settings
    )
    save_result(replace(result, labels_origin='by hand'), folder, 'castle')
    return folder


@pytest.fixture
def sidecar(saved, tmp_path) -> Path:
    """That of a copy of the folder."""
    shutil.copytree(saved, tmp_path / 'box')
    return tmp_path / 'box' / 'castle.sdcolor.json'


@pytest.fixture
def replay(tiny_model) -> Callable[[Path], None]:
    """The command; what it says goes through ``SdcolorError``."""

    def run(path: Path) -> None:
        result = CliRunner().invoke(app, ['replay', str(path), '--json'])
        if result.exception is not None:
            assert isinstance(result.exception, SystemExit)
        answer = json.loads(result.stdout or '{}')
        assert result.exit_code in (0, 1, 2)
        if 'error' in answer:
            raise SdcolorError(answer['error'])
        assert answer or result.exit_code == 2
        for words in answer.get('differences', ()):
            assert not INTERNALS.search(words)

    return run


def read(path: Path) -> None:
    """As every reader begins."""
    find_companions(path, read_sidecar(path))


def resume(path: Path) -> None:
    """As a batch does that finds its own files."""
    task = Task('castle', str(path.with_name('castle.tif')), str(path.parent))
    told = json.loads((path.parent / 'sound').read_bytes())
    facts = told['source']['sha256'], told['settings'], told['model']
    names = 'castle.color.tif', 'castle.labels.png', path.name
    places = [path.with_name(name) for name in names]
    try:
        earlier_files(task, places, *facts)
    except SdcolorError as error:
        assert str(path.parent) in str(error)


def show(path: Path) -> None:
    """As napari opens it."""
    readers = pytest.importorskip('napari_sdcolor.plugin.readers')
    reader = readers.get_reader(str(path))
    assert all(len(layer) == 3 for layer in reader(str(path)))


def survives(route: Callable[[Path], None], path: Path) -> None:
    try:
        route(path)
    except SdcolorError as error:
        words = str(error)
        # The sidecar, or the file beside it that is at fault.
        assert str(path.with_name('castle')) in words
        assert words.endswith('.')
        assert not INTERNALS.search(words), words
        assert len(words) < 1500


def write(path: Path, name: str) -> None:
    path.with_name('sound').write_bytes(path.read_bytes())
    path.write_bytes(broken(name, json.loads(path.read_bytes())))


@pytest.mark.parametrize('name', BROKEN)
def test_everybody_survives(sidecar, replay, name):
    write(sidecar, name)
    for route in (read, resume, show, replay):
        survives(route, sidecar)


@pytest.mark.parametrize('name', THINGS)
@pytest.mark.parametrize(
    'file', ['sdcolor.json', 'color.tif', 'labels.png', 'tif']
)
def test_what_is_no_file(sidecar, replay, name, file):
    """In place of the sidecar and of each file that it tells of."""
    sidecar.with_name('sound').write_bytes(sidecar.read_bytes())
    path = sidecar.with_name(f'castle.{file}')
    path.unlink()
    THINGS[name](path)
    for route in (read, resume, show, replay):
        survives(route, sidecar)


def test_holes_without_end(sidecar, replay):
    """Half a terabyte would be hashed for minutes, were it hashed."""
    place = sidecar.with_name('castle elsewhere.tif')
    told = json.loads(sidecar.read_bytes())
    told['run']['source_path'] = str(place)
    sidecar.write_bytes(json.dumps(told).encode())
    sidecar.with_name('sound').write_bytes(sidecar.read_bytes())
    sidecar.with_name('castle.tif').unlink()
    kinds = [sidecar.with_name(f'castle.{kind}') for kind in RESULTS]
    for path in (place, *kinds):
        path.unlink(missing_ok=True)
        with path.open('wb') as stream:
            stream.truncate(2**39)  # takes no room on the disk
    found = find_companions(sidecar, read_sidecar(sidecar))
    assert [words.split(' was ')[0] for words in found.changes] == [
        f'The photo {place} is not the one that',
        'The colored file castle.color.tif',
        'The label map castle.labels.png',
    ]
    for route in (show, replay):
        survives(route, sidecar)
