"""Folders of small photos, and batches of them with tiny networks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from napari_sdcolor.archive.batch.pipeline import Pipeline
from napari_sdcolor.archive.batch.plan import Plan, make_plan
from napari_sdcolor.archive.batch.run import Summary, run_batch
from napari_sdcolor.archive.batch.worker import Recipe, Worker
from napari_sdcolor.cli import app
from napari_sdcolor.settings import Settings

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
def recipe() -> Recipe:
    return Recipe(Settings(size=64))


@pytest.fixture
def worker(recipe: Recipe, tiny_colorizer: Any) -> Worker:
    return Worker(recipe, tiny_colorizer)


@pytest.fixture
def run_plan(worker: Worker) -> Callable[..., Summary]:
    """Runs a plan, or one made of a folder, with tiny networks."""

    def run(plan: Plan | Path, out: Path | None = None, **more: Any):
        if not isinstance(plan, Plan):
            plan = make_plan([plan], out)
        work = more.pop('work', None) or Pipeline(worker, more.get('token'))
        weights = more.pop('weights', {'color': '1', 'segmentation': '2'})
        recipe = more.pop('recipe', worker.recipe)
        return run_batch(plan, recipe, work, weights, **more)

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
