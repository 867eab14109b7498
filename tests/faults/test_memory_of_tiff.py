"""What is estimated for a TIFF file is what it takes, or more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

pytestmark = pytest.mark.skipif(
    sys.platform != 'linux', reason='the kernel tells the peak'
)

SIDE = 1500
NOISE = np.tile(np.random.default_rng(0).integers(3, 200, (500, 500)), (3, 3))
GRAY = NOISE.astype(np.uint8)
DEEP = (NOISE * 211).astype(np.uint16)
LONG = (NOISE * 2_000_003).astype(np.uint32)
REAL = (NOISE / 255).astype(np.float32)
RGB = np.dstack([GRAY, GRAY[::-1], GRAY[:, ::-1]])

TILES = {'tile': (256, 256)}
STRIP = {'rowsperstrip': SIDE}
COLORS = {'photometric': 'rgb'}
PALETTE = {
    'photometric': 'palette',
    'colormap': np.arange(768, dtype=np.uint16).reshape(3, 256) * 85,
}
ALPHA = {'extrasamples': ['unassalpha'], 'planarconfig': 'contig'}
DIVIDED = {'extrasamples': ['assocalpha'], 'planarconfig': 'contig'}

FEW: dict[str, tuple[NDArray, dict[str, Any]]] = {
    'alpha to divide': (np.dstack([RGB, GRAY]), {**COLORS, **DIVIDED}),
    '32 bit': (LONG, {}),
}
MORE: dict[str, tuple[NDArray, dict[str, Any]]] = {
    **{
        f'{name}, {kind}': (DEEP, {'compression': name, **cut})
        for name in ('lzw', 'lzma', 'zstd', 'packbits', 'zlib')
        for kind, cut in (('tiles', TILES), ('one strip', STRIP))
    },
    'float': (REAL, {}),
    'half': (REAL.astype(np.float16), {}),
    'double, one strip': (
        REAL.astype(float),
        {**STRIP, 'compression': 'zlib'},
    ),
    'float, LZW': (REAL, {**TILES, 'compression': 'lzw'}),
    '1 bit': (GRAY > 99, {}),
    '1 bit, PackBits': (GRAY > 99, {'compression': 'packbits'}),
    '4 bit': (GRAY >> 4, {'bitspersample': 4}),
    'palette': (GRAY, PALETTE),
    'palette, LZW': (GRAY, {**PALETTE, **TILES, 'compression': 'lzw'}),
    'JPEG, gray': (GRAY, {**STRIP, 'compression': 'jpeg'}),
    'JPEG': (RGB, {**TILES, 'photometric': 'ycbcr', 'compression': 'jpeg'}),
    'WebP': (RGB, {**COLORS, **STRIP, 'compression': 'webp'}),
    'color': (RGB, COLORS),
    'planar': (
        np.moveaxis(RGB, -1, 0),
        {**COLORS, **TILES, 'planarconfig': 'separate', 'compression': 'zlib'},
    ),
    'float, color': (np.dstack([REAL, REAL[::-1], REAL]), COLORS),
    'alpha': (np.dstack([REAL, REAL]), ALPHA),
    'alpha to divide, gray': (np.dstack([DEEP, DEEP]), DIVIDED),
}

READ = """
import json, sys
from pathlib import Path
from memory_use import megabytes
from napari_sdcolor.archive import tiff_checks
from napari_sdcolor.archive.reading import open_photos
told = []
tiff_checks.refuse_beyond_memory = told.append
small, *paths = sys.argv[1:]
for path in (small, *paths):
    before = megabytes('VmRSS')
    Path('/proc/self/clear_refs').write_text('5')  # the peak begins anew
    with open_photos(path) as file:
        file.read(0)
    peak = megabytes()
    if path != small:
        print(json.dumps([path, told[-1] / 2**20, peak - before]))
"""


def test_estimates_are_no_lower(tmp_path: Path, thorough: bool) -> None:
    paths = [tmp_path / 'small.tif']
    tifffile.imwrite(paths[0], RGB[:99, :99], compression='lzw', **COLORS)
    cases = {**FEW, **MORE} if thorough else FEW
    for name, (array, options) in cases.items():
        paths.append(tmp_path / f'{name}.tif')
        options = {'photometric': 'minisblack', 'metadata': None, **options}
        tifffile.imwrite(paths[-1], array, **options)
    done = subprocess.run(
        [sys.executable, '-c', READ, *paths],
        capture_output=True,
        text=True,
        timeout=240,
        env={
            **os.environ,
            'OMP_NUM_THREADS': '1',
            'PYTHONPATH': os.pathsep.join(
                [str(Path(__file__).parent), *sys.path]
            ),
        },
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == len(cases)
    for path, told, used in lines:
        # Parts of what went before may be held: some megabytes either way.
        assert used <= told + 4, (path, told, used)
    assert max(used for *_, used in lines) > 20
