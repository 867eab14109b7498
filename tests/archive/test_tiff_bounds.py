"""What tags claim to hold is judged before it is read."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_sdcolor.archive.scan import Scan
from napari_sdcolor.archive.tiff_bounds import LARGEST_VALUE, LONGEST_LIST
from napari_sdcolor.archive.tiff_file import TiffPhotos
from napari_sdcolor.errors import PhotoError

GRAY = np.arange(30 * 40, dtype=np.uint8).reshape(30, 40)
MOST = 2**25
"""Bytes that one reading may ask for."""

BYTE, ASCII, SHORT, LONG, FLOAT, UNDEFINED, LONG8 = 1, 2, 3, 4, 11, 7, 16


class Holes(io.BytesIO):
    """A file of which only the beginning is there: zeros follow."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self.size = size
        self.reads = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == io.SEEK_END:
            offset, whence = offset + self.size, io.SEEK_SET
        return super().seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        left = max(0, self.size - self.tell())
        size = left if size is None or size < 0 else min(size, left)
        assert size <= MOST, f'{size} bytes were asked for'
        place = self.tell()
        self.reads += 1
        data = super().read(size).ljust(size, b'\0')
        self.seek(place + size)
        return data

    def readinto(self, buffer) -> int:  # noqa: ANN001
        data = self.read(memoryview(buffer).nbytes)
        memoryview(buffer).cast('B')[: len(data)] = data
        return len(data)


def claiming(
    code: int, kind: int, count: int, place: int = 2**20, big: bool = False
) -> bytes:
    """A file with one page, a tag of which claims a number of values."""
    pixels = GRAY.tobytes()
    start = 16 if big else 8
    tags = {
        256: (LONG, 1, GRAY.shape[1]),
        257: (LONG, 1, GRAY.shape[0]),
        258: (LONG, 1, 8),
        259: (LONG, 1, 1),
        262: (LONG, 1, 1),
        273: (LONG, 1, start),
        277: (LONG, 1, 1),
        279: (LONG, 1, len(pixels)),
        code: (kind, count, place),
    }
    one, entry, number = ('Q', 'HHQQ', 'Q') if big else ('I', 'HHII', 'H')
    head = struct.pack('<2sHHHQ', b'II', 43, 8, 0, start + len(pixels))
    if not big:
        head = struct.pack('<2sHI', b'II', 42, start + len(pixels))
    table = struct.pack(f'<{number}', len(tags))
    for tag, values in sorted(tags.items()):
        table += struct.pack(f'<{entry}', tag, *values)
    return head + pixels + table + struct.pack(f'<{one}', 0)


def scan(data: bytes, size: int) -> Scan:
    return TiffPhotos(Holes(data, size), size).scan(0)


HUGE = {'TIFF': (4 * 10**9, False), 'BigTIFF': (10**13, True)}


@pytest.mark.parametrize('form', HUGE)
@pytest.mark.parametrize(
    ('code', 'kind'),
    [
        (270, ASCII),
        (282, LONG),
        (330, LONG),
        (340, BYTE),
        (341, FLOAT),
        (34675, UNDEFINED),
        (42113, ASCII),
    ],
)
def test_what_one_can_do_without_is_left_out(
    form: str, code: int, kind: int
) -> None:
    size, big = HUGE[form]
    count = size // 10
    found = scan(claiming(code, kind, count, big=big), size)
    assert np.array_equal(found.pixels, GRAY)
    (note,) = found.notes
    assert note.startswith(f'The tag {tifffile.TIFF.TAGS[code]} claims ')
    assert note.endswith(' bytes and was left out.')


@pytest.mark.parametrize('code', [50839, 65426, 37724])
def test_nobody_misses_what_nobody_reads(code: int) -> None:
    found = scan(claiming(code, UNDEFINED, 10**9), 4 * 10**9)
    assert np.array_equal(found.pixels, GRAY)
    assert not found.notes


@pytest.mark.parametrize('form', HUGE)
@pytest.mark.parametrize(
    ('code', 'kind'),
    [
        (258, BYTE),
        (273, LONG),
        (279, SHORT),
        (320, SHORT),
        (324, LONG),
        (338, BYTE),
        (339, SHORT),
        (347, UNDEFINED),
        (514, LONG),
    ],
)
def test_what_the_pixels_hang_on_is_refused(
    form: str, code: int, kind: int
) -> None:
    size, big = HUGE[form]
    count = size // 10
    words = f'its tag {tifffile.TIFF.TAGS[code]} claims {count} values'
    with pytest.raises(PhotoError, match=words):
        scan(claiming(code, kind, count, big=big), size)


def test_a_file_without_room_for_a_new_table() -> None:
    with pytest.raises(PhotoError, match='claim more bytes than'):
        scan(claiming(34675, UNDEFINED, 10**9), 2**32 - 2)


def test_of_one_number_only_the_first_is_read() -> None:
    data = bytearray(claiming(274, SHORT, 10**9, place=2**20))
    data[len(data) : 2**20 + 2] = bytes(2**20 - len(data)) + b'\x08\0'
    found = scan(bytes(data), 4 * 10**9)
    assert found.orientation == 8
    assert not found.notes


def test_tables_of_strips_are_held_against_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    count = 2**28
    data = claiming(273, LONG8, count, big=True)
    # As many rows, so that there may be as many strips.
    data = data.replace(
        struct.pack('<HHQQ', 257, LONG, 1, 30),
        struct.pack('<HHQQ', 257, LONG, 1, count),
    ).replace(
        struct.pack('<HHQQ', 277, LONG, 1, 1),
        struct.pack('<HHQQ', 278, LONG, 1, 1),
    )
    monkeypatch.setattr(
        'napari_sdcolor.archive.scan.free_memory', lambda: 2**33
    )
    with pytest.raises(PhotoError, match='GiB of memory'):
        scan(data, 10**13)


def test_metamorph_does_not_keep_anybody_busy(tmp_path: Path) -> None:
    """Each value of the one tag is read for each of the other."""
    path = tmp_path / 'stack.tif'
    tifffile.imwrite(
        path,
        GRAY,
        metadata=None,
        extratags=[
            (33628, 4, 600, [16, 8] * 300, True),
            (33629, 5, 600, [1, 1] * 600, True),
        ],
    )
    data = path.read_bytes()
    stream = Holes(data, len(data))
    found = TiffPhotos(stream, len(data)).scan(0)
    assert np.array_equal(found.pixels, GRAY)
    assert stream.reads < 100


@pytest.mark.parametrize(
    ('code', 'kind', 'count'),
    [(34675, UNDEFINED, LARGEST_VALUE), (340, BYTE, LONGEST_LIST)],
)
def test_large_ones_are_read(code: int, kind: int, count: int) -> None:
    found = scan(claiming(code, kind, count), 10**9)
    assert not found.notes
    assert len(found.icc or b'') == (count if code == 34675 else 0)
