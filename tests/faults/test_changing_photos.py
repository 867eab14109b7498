"""A photo that changes while it is read is refused, never mixed."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from napari_sdcolor.archive import reading, strips
from napari_sdcolor.archive.reading import open_photos, read_photo
from napari_sdcolor.errors import PhotoError
from napari_sdcolor.opening import open_regular

from .specimens import pillow, tiff

pytestmark = pytest.mark.skipif(
    os.name != 'posix', reason='renames open files'
)

BEFORE, AFTER = np.random.default_rng(8).integers(
    0, 256, (2, 40, 500), np.uint8
)
"""Noise, so that files are larger than what is read of them at once."""


def jpeg2000(array: np.ndarray) -> bytes:
    return pillow(array, 'JPEG2000', irreversible=False)


FORMATS: dict[str, Callable[[np.ndarray], bytes]] = {
    'whole.tif': lambda array: tiff(array, rowsperstrip=8),
    'bands.tif': lambda array: tiff(array, rowsperstrip=8),
    'lzw.tif': lambda array: tiff(array, compression='lzw', tile=(32, 32)),
    'photo.png': lambda array: pillow(array, 'PNG'),
    'photo.jpg': lambda array: pillow(array, 'JPEG', quality=95),
    'photo.jp2': jpeg2000,
    'photo.webp': lambda array: pillow(array, 'WEBP', lossless=True),
}


def overwritten(path: Path, other: bytes) -> None:
    with path.open('r+b') as stream:
        stream.write(other)
        stream.truncate()


def half_overwritten(path: Path, other: bytes) -> None:
    """The size stays, and the second half is that of another photo."""
    size = path.stat().st_size
    with path.open('r+b') as stream:
        stream.seek(size // 2)
        stream.write(other[size // 2 : size].ljust(size - size // 2, b'\0'))


def truncated(path: Path, other: bytes) -> None:
    os.truncate(path, path.stat().st_size // 2)


def emptied(path: Path, other: bytes) -> None:
    os.truncate(path, 0)


def grown(path: Path, other: bytes) -> None:
    with path.open('ab') as stream:
        stream.write(other)


def half_overwritten_unseen(path: Path, other: bytes) -> None:
    """Also the time of writing stays, as some programs put it back."""
    half_overwritten(path, other)
    _as_if_nothing_was_written(path)


def _as_if_nothing_was_written(path: Path) -> None:
    before = path.stat().st_ctime_ns
    while path.stat().st_ctime_ns == before:  # some milliseconds at most
        os.utime(path, (10**9, 10**9))


def touched(path: Path, other: bytes) -> None:
    os.utime(path)


def replaced(path: Path, other: bytes) -> None:
    beside = path.with_name('other')
    beside.write_bytes(other)
    os.replace(beside, path)


def removed(path: Path, other: bytes) -> None:
    path.unlink()


CHANGES = (
    *(overwritten, half_overwritten, truncated, emptied, grown),
    *(half_overwritten_unseen, touched, replaced, removed),
)


class Watched(io.FileIO):
    """An open file that somebody changes between two reads of it."""

    def __init__(self, path: Path, number: int, change: Callable[[], None]):
        super().__init__(path, opener=lambda *_: open_descriptor(path))
        self.left = number
        self.change = change

    def readinto(self, buffer: bytearray) -> int | None:
        self._count()
        return super().readinto(buffer)

    def readall(self) -> bytes:
        self._count()
        return super().readall()

    def _count(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.change()


def open_descriptor(path: Path) -> int:
    with open_regular(path) as stream:
        return os.dup(stream.fileno())


@pytest.mark.parametrize('change', CHANGES)
@pytest.mark.parametrize('name', FORMATS)
def test_what_is_hashed_is_what_is_decoded(
    name: str,
    change: Callable[[Path, bytes], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    thorough: bool,
    tried: Callable[..., None],
) -> None:
    if name == 'bands.tif':
        monkeypatch.setattr(strips, 'LARGE', 0)
        monkeypatch.setattr(strips, 'BAND', 8000)
    path = tmp_path / name
    files = [FORMATS[name](array) for array in (BEFORE, AFTER)]
    truth = {}
    for data in files:
        path.write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        truth[digest] = read_photo(path).lightness
    refused, number, step = 0, 1, 1
    while True:
        tried()
        path.write_bytes(files[0])
        os.utime(path, (10**9, 10**9))
        opened: list[Watched] = []

        def watched(
            path: Path,
            number: int = number,
            opened: list[Watched] = opened,
        ) -> io.BufferedReader:
            raw = Watched(path, number, lambda: change(Path(path), files[1]))
            opened.append(raw)
            return io.BufferedReader(raw, 4096)

        monkeypatch.setattr(reading, 'open_regular', watched)
        try:
            photo = read_photo(path)
        except PhotoError as error:
            assert 'changed while it was read' in str(error)
            assert str(path) in str(error)
            refused += 1
        else:
            expected = truth[photo.origin.sha256]
            assert np.array_equal(photo.lightness, expected), number
        monkeypatch.setattr(reading, 'open_regular', open_regular)
        if opened[0].left > 0:
            break  # it was read to its end without the change
        # The first moments one by one, later ones further and further apart.
        number += step
        step = 1 if thorough or number < 4 else 2 * step
    assert number > 3
    keeps = change in (replaced, removed)
    assert keeps == (refused == 0)


def linked(path: Path) -> None:
    path.with_name('other').hardlink_to(path)


@pytest.mark.parametrize(
    'change',
    [
        linked,
        lambda path: path.chmod(0o600),
        lambda path: path.rename(path.with_name('other')),
    ],
)
def test_names_and_permissions_are_no_bytes(
    change: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / 'photo.tif'
    path.write_bytes(FORMATS['whole.tif'](BEFORE))
    before = path.stat().st_ctime_ns
    with open_photos(path) as file:
        lightness = file.read(0).lightness
        while path.stat().st_ctime_ns == before:  # of some milliseconds
            path.chmod(0o644)
        change(path)
        assert np.array_equal(file.read(0).lightness, lightness)
