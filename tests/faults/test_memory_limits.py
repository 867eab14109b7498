"""Files that ask for far more memory than there is, under a tight limit."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

pytestmark = pytest.mark.skipif(
    sys.platform != 'linux', reason='ulimit -v of Linux'
)

PACKED = {'compression': 'zlib', 'metadata': None}

SPARE = 700
"""Megabytes beside what the program itself takes."""

READ = f"""
import resource, sys
from pathlib import Path
import numpy as np
from napari_sdcolor.archive.labels import read_labels
from napari_sdcolor.archive.reading import open_photos
from napari_sdcolor.core.photo import photo_from_array
from napari_sdcolor.errors import SdcolorError
status = Path('/proc/self/status').read_text()
now = int(status.split('VmSize:')[1].split()[0]) * 1024
limit = now + {SPARE} * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
path = sys.argv[1]
try:
    if path.endswith('.labels.png'):
        photo = photo_from_array(np.zeros((48, 64), np.uint8))
        read_labels(path, photo, 64)
    else:
        with open_photos(path) as file:
            for page in file.pages:
                file.read(page)
except SdcolorError as error:
    print(error)
    sys.exit(3)
"""


def png(width: int, height: int) -> bytes:
    """Rows of zeros, packed: a thousandth of what it unpacks to."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return (
            struct.pack('>I', len(data))
            + kind
            + data
            + struct.pack('>I', check)
        )

    packer = zlib.compressobj(9)
    row = bytes(width + 1)
    data = b''.join(packer.compress(row) for _ in range(height))
    head = struct.pack('>2I5B', width, height, 8, 0, 0, 0, 0)
    return (
        b'\x89PNG\r\n\x1a\n'
        + chunk(b'IHDR', head)
        + chunk(b'IDAT', data + packer.flush())
        + chunk(b'IEND', b'')
    )


def codestream(components: int, tiles: int) -> bytes:
    """The head of a JPEG 2000 picture, and nothing else."""
    side = 2**15
    across = side // tiles
    size = struct.pack(
        '>H8IH', 0, side, side, 0, 0, across, across, 0, 0, components
    )
    parts = b'\x07\x01\x01' * components
    return (
        b'\xff\x4f\xff\x51'
        + struct.pack('>H', 2 + len(size) + len(parts))
        + size
        + parts
        + bytes(200)
        + b'\xff\xd9'
    )


def wide_palette(path: Path) -> None:
    """Codes of a byte, each of which stands for 255 values."""
    stream = io.BytesIO()
    codes = Image.fromarray(np.zeros((2000, 2000), np.uint8))
    codes.save(stream, 'JPEG2000', no_jp2=True)

    def box(kind: bytes, *content: bytes) -> bytes:
        body = b''.join(content)
        return struct.pack('>I4s', 8 + len(body), kind) + body

    columns = range(255)
    told = (
        box(b'ihdr', struct.pack('>IIHBBBB', 2000, 2000, 1, 7, 7, 0, 0)),
        box(b'pclr', struct.pack('>HB', 1, 255), b'\7' * 255, bytes(columns)),
        box(b'cmap', *(struct.pack('>HBB', 0, 1, n) for n in columns)),
    )
    path.write_bytes(
        box(b'jP  ', b'\r\n\x87\n')
        + box(b'jp2h', *told)
        + box(b'jp2c', stream.getvalue())
    )


def deep_strips(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 2**12, (256, 1024))
    array = np.tile(noise.astype(np.uint16), (40, 12))
    tifffile.imwrite(path, array, compression='zlib', rowsperstrip=10240)


def shared_strip(path: Path) -> None:
    """5,000 pages of a megabyte, all of which are the same kilobyte."""
    tifffile.imwrite(path, np.zeros((1000, 1000), np.uint8), **PACKED)
    with tifffile.TiffFile(path) as tif:
        page = tif.pages[0]
        start, end = page.offset, page.offset + 2 + 12 * len(page.tags)
    out = bytearray(path.read_bytes())
    table = bytes(out[start:end])
    for _ in range(4999):
        struct.pack_into('<I', out, end, len(out))
        end = len(out) + len(table)
        out += table + bytes(4)
    path.write_bytes(out)


def sparse(path: Path) -> None:
    with path.open('wb') as stream:
        stream.write(png(64, 48))
        stream.truncate(6 * 2**30)


def sparse_tag(path: Path) -> None:
    """A tag with one value for each sample, which claims 4,000 million."""
    tifffile.imwrite(path, np.zeros((48, 64, 3), np.uint8), metadata=None)
    with tifffile.TiffFile(path) as tif:
        tag = tif.pages[0].tags['BitsPerSample'].offset
    with path.open('r+b') as stream:
        stream.seek(tag + 2)
        stream.write(struct.pack('<HII', 1, 4 * 10**9, 2**20))
        stream.truncate(4 * 10**9 + 2**21)


MADE = {
    'map.labels.png': lambda p: p.write_bytes(png(2**15, 2**15)),
    'large.png': lambda p: p.write_bytes(png(2**14, 2**14)),
    'components.j2k': lambda p: p.write_bytes(codestream(16384, 1)),
    'tiles.j2k': lambda p: p.write_bytes(codestream(3, 2**12)),
    'palette.jp2': wide_palette,
    'sparse.png': sparse,
    'deep.tif': deep_strips,
    'shared.tif': shared_strip,
    'tag.tif': sparse_tag,
}


@pytest.mark.parametrize('name', MADE)
def test_it_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    MADE[name](path)
    done = subprocess.run(
        [sys.executable, '-c', READ, path],
        capture_output=True,
        text=True,
        timeout=120,
        env={
            **os.environ,
            'OPENBLAS_NUM_THREADS': '1',
            'OMP_NUM_THREADS': '1',
        },
    )
    # Whole photos that are read in bands need no more than there is.
    assert done.returncode in ((0, 3) if name == 'deep.tif' else (3,)), (
        done.returncode,
        done.stderr[-2000:],
    )
    if done.returncode == 3:
        assert name in done.stdout
        # That is found out when it was asked for: too late.
        assert 'does not fit into memory' not in done.stdout
    assert 'Traceback' not in done.stderr
