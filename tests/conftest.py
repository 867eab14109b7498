"""What all tests share: tiny networks, and nothing of the person's own.

``SDCOLOR_FAULTS=1`` makes the tests thorough: it takes minutes more.
"""

from __future__ import annotations

import csv
import functools
import gc
import hashlib
import io
import itertools
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer.main
import typer.testing
from hypothesis import settings
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner, Result

from napari_sdcolor.archive.one_file import JobSpec
from napari_sdcolor.batch.pipeline import Pipeline
from napari_sdcolor.batch.plan import Plan, make_plan
from napari_sdcolor.batch.run import Summary, run_batch
from napari_sdcolor.batch.worker import Worker
from napari_sdcolor.cli import app
from napari_sdcolor.core import models, pickles
from napari_sdcolor.core.colornet import ColorNetConfig
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.features import PhotoFeatures
from napari_sdcolor.core.gridnet import GridNetConfig
from napari_sdcolor.core.weights import random_part, save_part
from napari_sdcolor.datasets.pack import Pack
from napari_sdcolor.settings import Settings
from napari_sdcolor.training import record

# Each of several processes of tests has napari's settings to itself; napari
# looks for their place when it is imported.
if {'NAPARI_CONFIG', 'PYTEST_XDIST_WORKER'} <= os.environ.keys():
    _settings = Path(os.environ['NAPARI_CONFIG'])
    _settings = _settings.with_name(os.environ['PYTEST_XDIST_WORKER'])
    os.environ['NAPARI_CONFIG'] = str(_settings / 'napari.yaml')

# Built of all annotations anew for each command, it costs more than most.
typer.testing._get_command = functools.cache(typer.main.get_command)

# Tiny networks are slower on many threads than on one, also in processes that
# the tests start.
torch.set_num_threads(1)
os.environ.setdefault('OMP_NUM_THREADS', '1')

THOROUGH = bool(os.environ.get('SDCOLOR_FAULTS'))

# Examples of which one takes a second.
settings.register_profile(
    'heavy', max_examples=100 if THOROUGH else 8, deadline=None
)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave what is marked as thorough to the long run."""
    if THOROUGH:
        return
    later = {item for item in items if item.get_closest_marker('thorough')}
    if later:
        config.hook.pytest_deselected(items=[*later])
        items[:] = [item for item in items if item not in later]


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was imported: it is never garbage."""
    gc.collect()
    gc.freeze()


TINY_WIDTHS = (4, 4, 8, 8, 8)
TINY_COLOR = ColorNetConfig(widths=TINY_WIDTHS, label_channels=2)
TINY_GRID = GridNetConfig(widths=TINY_WIDTHS, columns=2)


@pytest.fixture(scope='session')
def thorough() -> bool:
    """Whether there is time for everything."""
    return THOROUGH


@pytest.fixture(scope='session')
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders for what belongs to a person: another one for each test."""
    root = tmp_path_factory.mktemp('homes')
    return (root / str(number) for number in itertools.count())


@pytest.fixture
def home(homes: Iterator[Path]) -> Path:
    folder = next(homes)
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def models_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of added models: empty, and never the person's own."""
    folder = home / 'models'
    folder.mkdir()
    monkeypatch.setenv('SDCOLOR_MODELS', str(folder))
    return folder


@pytest.fixture(autouse=True)
def pickles_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read strangers' files of torch in this process: it loaded torch.

    ``test_pickles`` reads some in a process of their own.
    """
    monkeypatch.setattr(pickles, '_in_child', pickles._answer)


@pytest.fixture(autouse=True)
def napari_config(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """napari's settings file, never the person's own."""
    path = home / 'settings.yaml'
    monkeypatch.setenv('NAPARI_CONFIG', str(path))
    return path


@pytest.fixture(autouse=True)
def autosave_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Autosaved maps go to a folder of the test's own."""
    folder = tmp_path / 'autosave'
    monkeypatch.setenv('SDCOLOR_AUTOSAVE', str(folder))
    return folder


@pytest.fixture(scope='session')
def tiny_parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Random narrow networks as safetensors files, by kind."""
    folder = tmp_path_factory.mktemp('tiny')
    paths = {}
    for kind, config in (('color', TINY_COLOR), ('segmentation', TINY_GRID)):
        part = random_part(kind, config, seed=1)
        paths[kind] = folder / f'{kind}.safetensors'
        save_part(paths[kind], part.network, part.training)
    return paths


@pytest.fixture(scope='session')
def tiny_added(
    tmp_path_factory: pytest.TempPathFactory, tiny_parts: dict[str, Path]
) -> Path:
    """A folder of models to which these networks were added."""
    folder = tmp_path_factory.mktemp('tiny model')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('SDCOLOR_MODELS', str(folder))
        models.add(list(tiny_parts.values()), 'tiny')
    return folder


@pytest.fixture
def tiny_model(models_folder: Path, tiny_added: Path) -> str:
    """Name of an added model with random narrow networks."""
    shutil.copytree(tiny_added, models_folder, dirs_exist_ok=True)
    return 'tiny'


@pytest.fixture
def tiny_colorizer() -> Colorizer:
    """Random narrow networks on the CPU at working size 64."""
    return Colorizer.random(TINY_COLOR, grid=TINY_GRID, size=64)


@pytest.fixture
def gray_ramp() -> NDArray[np.uint8]:
    """Gray photo (48, 80) uint8 that holds every value of 8 bits."""
    y, x = np.mgrid[:48, :80]
    return ((3 * x + 5 * y + (x * y) // 16) % 256).astype(np.uint8)


@pytest.fixture
def make_photo(
    tmp_path: Path, gray_ramp: NDArray[np.uint8]
) -> Callable[..., Path]:
    """Writes a gray photo under a name and returns its path."""

    def make(name: str = 'castle.png', array: NDArray | None = None) -> Path:
        path = tmp_path / 'photos' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(gray_ramp if array is None else array).save(path)
        return path

    return make


@pytest.fixture
def colorize(tiny_model: str, tmp_path: Path) -> Callable[..., Result]:
    """Runs the command with tiny networks into tmp_path/out."""

    def run(*words: object, size: int = 64) -> Result:
        out = [] if '-o' in words else ['-o', tmp_path / 'out']
        weights = [] if '--weights' in words else ['--weights', tiny_model]
        line = ['colorize', *words, *out, *weights, '--size', size]
        return CliRunner().invoke(app, [str(word) for word in line])

    return run


def contents(folder: Path) -> dict[str, str]:
    """SHA-256 of all results by their place; sidecars without ``run``.

    What a batch keeps for itself, journal, report and lock, is left out.
    """
    found = {}
    for path in sorted(folder.rglob('*')):
        if path.is_dir() or 'sdcolor-' in path.name:
            continue
        data = path.read_bytes()
        if path.name.endswith('.sdcolor.json'):
            sidecar = json.loads(data)
            del sidecar['run']
            data = json.dumps(sidecar, sort_keys=True).encode()
        place = path.relative_to(folder).as_posix()
        found[place] = hashlib.sha256(data).hexdigest()
    return found


def untouched(folder: Path) -> dict[str, tuple[str, int]]:
    """SHA-256 and time of change of every file and folder."""
    return {
        str(path): (
            ''
            if path.is_dir()
            else hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in (folder, *folder.rglob('*'))
    }


@pytest.fixture(name='contents')
def _contents() -> Callable[[Path], dict[str, str]]:
    return contents


@pytest.fixture(name='untouched')
def _untouched() -> Callable[[Path], dict[str, tuple[str, int]]]:
    return untouched


def as_published(network: PhotoFeatures) -> dict[str, torch.Tensor]:
    """Weights of a network under the names and in the shapes of others."""
    found = {}
    for name, tensor in network.state_dict().items():
        theirs = name
        for ours, other in (
            ('blocks.', '_blocks.'),
            ('stem_norm.', '_bn0.'),
            ('stem.', '_conv_stem.'),
            ('.expand_norm.', '._bn0.'),
            ('.depthwise_norm.', '._bn1.'),
            ('.project_norm.', '._bn2.'),
            ('.expand.', '._expand_conv.'),
            ('.depthwise.', '._depthwise_conv.'),
            ('.project.', '._project_conv.'),
        ):
            if ours in f'.{theirs}' and (
                ours.startswith('.') or theirs.startswith(ours)
            ):
                theirs = theirs.replace(ours, other, 1)
        if name == 'stem.weight':
            tensor = torch.cat(
                [tensor * part for part in (0.5, 0.25, 0.25)], 1
            )
        found[theirs] = tensor
    for name in ('_conv_head.weight', '_bn1.weight', '_fc.bias'):
        found[name] = torch.ones(3)
    return found


@pytest.fixture(name='published', scope='session')
def _published() -> Callable[[PhotoFeatures], dict[str, torch.Tensor]]:
    return as_published


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A mounted file system of 128 KiB."""
    folder = tmp_path / 'disk'
    folder.mkdir()
    mount = ['mount', '-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip('there is no mount here')
    if done.returncode:
        pytest.skip('mounting needs privileges')
    yield folder
    subprocess.run(['umount', str(folder)], check=True)


@pytest.fixture
def no_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs draw no curves: at each look these take longer than the steps.

    ``training/test_pictures_of_a_run.py`` draws them, and so do the runs of
    ``cli/test_train.py``.
    """
    monkeypatch.setattr(record, 'curves', lambda rows, task, title: b'')


# --- packs of photographs to train on -----------------------------------


@dataclass
class Shot:
    """One photograph of a pack that a test makes.

    ``photo`` and ``labels`` may also be bytes, to store what is no picture.
    """

    photo: NDArray[np.uint8] | bytes
    labels: NDArray[np.uint8] | bytes | None = None
    split: str = 'train'
    dataset: str = 'made'


MakePack = Callable[[Sequence[Shot]], Pack]


def encoded(content: NDArray | bytes) -> bytes:
    """A picture without loss, whatever its name ends in."""
    if isinstance(content, bytes):
        return content
    buffer = io.BytesIO()
    Image.fromarray(content).save(buffer, 'PNG')
    return buffer.getvalue()


@pytest.fixture
def write_pack(tmp_path: Path) -> Callable[..., Path]:
    """Writes a pack of several shards and returns its folder."""

    def write(shots: Sequence[Shot], shards: int = 2) -> Path:
        folder = tmp_path / 'pack'
        folder.mkdir(exist_ok=True)
        with ExitStack() as stack:
            tars = [
                stack.enter_context(
                    tarfile.open(folder / f'photos-{number}.tar', 'w')
                )
                for number in range(shards)
            ]
            index = folder / 'index.csv'
            file = stack.enter_context(index.open('w', newline=''))
            writer = csv.writer(file)
            writer.writerow(['dataset', 'id', 'split', 'shard'])
            for number, shot in enumerate(shots):
                name = f'{number:03d}'
                writer.writerow(
                    [shot.dataset, name, shot.split, number % shards]
                )
                members = {f'images/{shot.dataset}/{name}.jpg': shot.photo}
                if shot.labels is not None:
                    members[f'labels/{shot.dataset}/{name}.png'] = shot.labels
                for path, content in members.items():
                    data = encoded(content)
                    about = tarfile.TarInfo(path)
                    about.size = len(data)
                    tars[number % shards].addfile(about, io.BytesIO(data))
        return folder

    return write


@pytest.fixture
def make_pack(write_pack: Callable[..., Path]) -> MakePack:
    return lambda shots: Pack(write_pack(shots))


@pytest.fixture
def shots() -> list[Shot]:
    """Six photographs, four with maps, of several sizes."""
    rng = np.random.default_rng(0)
    made = []
    for number, (h, w) in enumerate(
        [(40, 60), (61, 37), (33, 33), (50, 90), (45, 31), (64, 64)]
    ):
        rgb = rng.integers(0, 256, (h, w, 3), np.uint8)
        labels = rng.integers(0, 60, (h, w), np.uint8)
        labels[: h // 4] = 255
        made.append(Shot(rgb, labels if number < 4 else None))
    return made


# --- batches of small photos ----------------------------------------------

NAMES = ('a.png', 'b.png', 'box 1/a.png', 'box 1/deep/c.png')


@pytest.fixture
def make_scans(tmp_path: Path) -> Callable[..., Path]:
    """Writes photos, each of another content, into a folder tree."""

    def make(names: Iterable[str] = NAMES, folder: str = 'scans') -> Path:
        root = tmp_path / folder
        y, x = np.mgrid[:40, :56]
        for name in names:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            seed = hashlib.sha256(str(name).encode('utf-8', 'replace'))
            step = 3 + seed.digest()[0] % 50
            gray = ((step * x + 5 * y + (x * y) // step) % 256).astype('u1')
            with path.open('wb') as stream:
                Image.fromarray(gray).save(stream, 'PNG')
        return root

    return make


@pytest.fixture
def scans(make_scans: Callable[..., Path]) -> Path:
    """Four photos in three folders."""
    return make_scans()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The output folder, not made yet."""
    return tmp_path / 'out'


@pytest.fixture
def spec() -> JobSpec:
    return JobSpec(Settings(size=64))


@pytest.fixture
def worker(spec: JobSpec, tiny_colorizer: Any) -> Worker:
    return Worker(spec, tiny_colorizer)


@pytest.fixture
def run_plan(worker: Worker) -> Callable[..., Summary]:
    """Runs a plan, or one made of a folder, with tiny networks."""

    def run(plan: Plan | Path, out: Path | None = None, **more: Any):
        if not isinstance(plan, Plan):
            plan = make_plan([plan], out)
        work = more.pop('work', None) or Pipeline(worker, more.get('token'))
        weights = more.pop('weights', {'color': '1', 'segmentation': '2'})
        spec = more.pop('spec', worker.spec)
        return run_batch(plan, spec, work, weights, **more)

    return run


@pytest.fixture
def sdcolor(tiny_model: str) -> Callable[..., Result]:
    """Runs a command with tiny networks at working size 64."""

    def run(*words: object, networks: bool = True) -> Result:
        line = [str(word) for word in words]
        if networks:
            line += ['--weights', tiny_model, '--size', '64']
        return CliRunner().invoke(app, line)

    return run
