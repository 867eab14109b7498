"""A photo with a hole is refused or marked; else it is the whole picture.

Bytes that were changed and still decode cannot be told from a picture where
a format has no checksum: here are files that end early, also where somebody
put an end behind them, files out of which a block was taken, zeros where a
format has checksums or where so many of them cannot be a picture, and parts that
are said to be where another one is.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path, PurePath

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from napari_sdcolor.archive.reading import open_photos
from napari_sdcolor.errors import PhotoError

from .specimens import intact

SPECIMENS = intact()
ENDS = {
    '.jpg': b'\xff\xd9',
    '.jp2': b'\xff\xd9',
    '.j2k': b'\xff\xd9',
    '.png': b'\0\0\0\0IEND\xae\x42\x60\x82',
}
"""With which files of a format end."""

CHECKED = {name for name in SPECIMENS if name.endswith('.png')}
"""All that is in them stands under a checksum."""

UNCHECKED = {'gray.jpg', 'progressive.jpg', 'deep.jpg', 'lossless.jpg'}
"""Bytes that are gone may be those of a text, or move all others a little."""

TILED = {n for n in SPECIMENS if PurePath(n).suffix in ('.jp2', '.j2k')}
"""Of which each tile tells its length."""

Generator = np.random.Generator


def cut(data: bytes, end: bytes, rng: Generator) -> bytes:
    return data[: rng.integers(1, len(data))]


def cut_and_ended(data: bytes, end: bytes, rng: Generator) -> bytes:
    return data[: rng.integers(1, len(data) - len(end))] + end


def block_gone(data: bytes, end: bytes, rng: Generator) -> bytes:
    start = rng.integers(len(data))
    return data[:start] + data[start + rng.integers(1, 400) :]


def tile_cut(data: bytes, end: bytes, rng: Generator) -> bytes:
    """With a last tile that tells how short it is now."""
    start = data.rindex(b'\xff\x90\0\x0a')
    length = int(rng.integers(14, len(data) - len(end) - start))
    told = data[start : start + 6] + length.to_bytes(4) + data[start + 10 :]
    return data[:start] + told[:length] + end


def zeros(data: bytes, end: bytes, rng: Generator) -> bytes:
    start = rng.integers(len(data))
    length = min(int(rng.integers(1, 400)), len(data) - start)
    return data[:start] + bytes(length) + data[start + length :]


def doubled(data: bytes, end: bytes, rng: Generator) -> bytes:
    """A strip or tile is said to be where the one before it is."""
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        page = tif.pages[0]
        codes = (324, 325) if page.is_tiled else (273, 279)
        tags = [page.tags[code] for code in codes]
    number, out = int(rng.integers(1, tags[0].count)), bytearray(data)
    for tag in tags:
        size = tag.valuebytecount // tag.count
        place = tag.valueoffset + number * size
        out[place : place + size] = out[place - size : place]
    return bytes(out)


def scan_gone(data: bytes, end: bytes, rng: Generator) -> bytes:
    starts = [found.start() for found in re.finditer(rb'\xff\xda', data)]
    start = rng.choice(starts)
    # Tables between two scans belong to the next one.
    stop = re.compile(rb'\xff[^\0]').search(data, start + 2)
    assert stop
    return data[:start] + data[stop.start() :]


KINDS: dict[Callable[[bytes, bytes, Generator], bytes], set[str]] = {
    cut: set(SPECIMENS),
    cut_and_ended: {n for n in SPECIMENS if PurePath(n).suffix in ENDS},
    block_gone: set(SPECIMENS) - UNCHECKED,
    tile_cut: TILED,
    zeros: CHECKED,
    doubled: {
        'plain.tif',
        'lzw.tif',
        'zstd.tif',
        'lzma.tif',
        'tiled jpeg.tif',
        'jpeg 2000.tif',
    },
    scan_gone: {'progressive.jpg'},
}
"""Each with the specimens in which it has to be noticed."""


def planes(path: Path) -> list[NDArray[np.float32]]:
    with open_photos(path) as file:
        return [file.read(page).lightness for page in file.pages]


def same(some: list[NDArray], others: list[NDArray]) -> bool:
    return len(some) == len(others) and all(map(np.array_equal, some, others))


@pytest.mark.parametrize(
    ('kind', 'name'),
    [(kind, name) for kind, names in KINDS.items() for name in sorted(names)],
)
def test_what_is_read_is_whole(
    kind: Callable[[bytes, bytes, Generator], bytes],
    name: str,
    tmp_path: Path,
    thorough: bool,
    tried: Callable[..., None],
) -> None:
    rng = np.random.default_rng(16)
    data, end = SPECIMENS[name], ENDS.get(PurePath(name).suffix, b'')
    path = tmp_path / name
    path.write_bytes(data)
    whole = planes(path)
    came, holes = Counter[str](), []
    for number in range(60 if thorough else 6):
        tried()
        damaged = kind(data, end, rng)
        path.write_bytes(damaged)
        try:
            found = planes(path)
        except PhotoError as error:
            assert str(path) in str(error)
            came['refused'] += 1
            continue
        if same(found, whole):
            came['whole'] += 1
        else:
            came['with a hole'] += 1
            holes.append((number, len(damaged)))
    assert not holes, (dict(came), holes[:9])
    assert came['refused'], dict(came)
