"""Photos and results made on the spot; no networks are needed here."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from napari_sdcolor.archive.reading import read_photo
from napari_sdcolor.cli import app
from napari_sdcolor.core import lab
from napari_sdcolor.core.photo import Origin, Photo, photo_from_array
from napari_sdcolor.core.results import Colorized
from napari_sdcolor.settings import Settings

SHA = '5e' * 32


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


@pytest.fixture
def gray(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 255, (40, 50), np.uint8, endpoint=True)


@pytest.fixture
def read_jp2(tmp_path: Path) -> Callable[..., Photo]:
    """Reads a photo from the bytes of a JPEG 2000 file."""

    def read(data: bytes, **options: bool) -> Photo:
        path = tmp_path / 'photo.jp2'
        path.write_bytes(data)
        return read_photo(path, **options)

    return read


@pytest.fixture
def ramp() -> np.ndarray:
    """(40, 50) uint16, every pixel another value, none of them tidy."""
    return (np.arange(2000).reshape(40, 50) * 32 + 7).astype(np.uint16)


@pytest.fixture
def assert_shows() -> Callable[..., None]:
    """Compare a photo with the gray values that it should show."""

    def check(photo, values, top, tolerance=1e-4) -> None:
        share = np.asarray(values, np.float64) / top
        wanted = lab.gray_to_lightness(share)
        np.testing.assert_allclose(photo.lightness, wanted, atol=tolerance)

    return check


@pytest.fixture
def make_result(rng) -> Callable[..., Colorized]:
    """Build a result of (45, 61) pixels as the engine would hand it over."""

    def build(bits: int = 8, alpha: bool = False, **origin) -> Colorized:
        dtype = np.dtype(f'u{bits // 8}')
        top = np.iinfo(dtype).max
        codes = rng.integers(0, top, (45, 61, 5), dtype=dtype, endpoint=True)
        gray = codes[..., :2] if alpha else codes[..., 0]
        described = {'path': 'box 3/boat.tif', 'sha256': SHA} | origin
        photo = replace(photo_from_array(gray), origin=Origin(**described))
        settings = Settings(size=64, saturation=1.25)
        shape = photo.working_shape(settings.size)
        return Colorized(
            rgb=codes[..., 2:],
            labels=rng.integers(0, 60, shape, dtype=np.uint8),
            chroma=np.zeros((*shape, 2), np.float32),
            photo=photo,
            settings=settings,
            confidence=0.75,
            model={'weights': 'test', 'sha256': '0' * 64},
        )

    return build


@pytest.fixture
def colored(colorize, make_photo, tmp_path):
    """The sidecar of a colored photo."""
    assert colorize(make_photo()).exit_code == 0
    return tmp_path / 'out' / 'castle.sdcolor.json'


@pytest.fixture
def replay(tiny_model):
    """Runs the command; the JSON object and the result."""

    def run(*words):
        line = ['replay', *map(str, words), '--json']
        result = CliRunner().invoke(app, line)
        return json.loads(result.stdout or '{}'), result

    return run
