"""Damage to files: by accident, and by somebody who knows their format.

Everything is drawn from a seeded generator, so that a file that breaks
something can be made again.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator

import numpy as np
import tifffile
from specimens import GRAY, intact, pillow, tiff

Generator = np.random.Generator

HARD_NUMBERS = (0, 1, 2, 7, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1)


def truncated(data: bytes, rng: Generator) -> bytes:
    return data[: rng.integers(0, len(data))]


def bits_flipped(data: bytes, rng: Generator) -> bytes:
    damaged = bytearray(data)
    for _ in range(rng.integers(1, 9)):
        damaged[rng.integers(len(data))] ^= 1 << rng.integers(8)
    return bytes(damaged)


def headers_flipped(data: bytes, rng: Generator) -> bytes:
    """Headers and tables of tags lie at either end of a file."""
    damaged = bytearray(data)
    span = min(len(data), 400)
    for place in rng.integers(0, span, 3):
        damaged[place if rng.random() < 0.5 else -1 - place] = rng.integers(
            256
        )
    return bytes(damaged)


def block_overwritten(data: bytes, rng: Generator) -> bytes:
    start = rng.integers(len(data))
    length = rng.integers(1, 200)
    filling = [
        bytes(length),
        b'\xff' * length,
        rng.bytes(length),
    ][rng.integers(3)]
    return data[:start] + filling + data[start + length :]


def block_moved(data: bytes, rng: Generator) -> bytes:
    a, b, c = sorted(int(place) for place in rng.integers(0, len(data), 3))
    return [
        data[:a] + data[b:],
        data[:b] + data[a:],
        data[:a] + data[b:c] + data[a:b] + data[c:],
    ][rng.integers(3)]


def _tables(data: bytes) -> list[tuple[int, int, int, str]]:
    """Place, entries, size of an entry and byte order of TIFF tables."""
    order = '<' if data[:2] == b'II' else '>'
    big = struct.unpack_from(f'{order}H', data, 2)[0] == 43
    tables = []
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        for page in tif.pages:
            tables.append(
                (
                    page.offset + (8 if big else 2),
                    len(page.tags),
                    20 if big else 12,
                    order,
                )
            )
    return tables


def tag_changed(data: bytes, rng: Generator) -> bytes:
    """A tag of a TIFF file gets another type, count, value or code."""
    tables = _tables(data)
    damaged = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        place, count, size, order = tables[rng.integers(len(tables))]
        entry = place + int(rng.integers(count)) * size
        number = HARD_NUMBERS[rng.integers(len(HARD_NUMBERS))]
        if rng.random() < 0.3:
            number = int(rng.integers(len(data)))
        what = rng.integers(4)
        wide = 'Q' if size == 20 else 'I'
        if what == 0:
            struct.pack_into(f'{order}H', damaged, entry + 2, number % 20)
        elif what == 1:
            struct.pack_into(order + wide, damaged, entry + 4, number)
        elif what == 2:
            value = entry + (12 if size == 20 else 8)
            struct.pack_into(order + wide, damaged, value, number)
        else:
            codes = (256, 257, 258, 259, 262, 273, 277, 279, 284, 322, 324)
            code = codes[rng.integers(len(codes))]
            struct.pack_into(f'{order}H', damaged, entry, code)
    return bytes(damaged)


def chain_changed(data: bytes, rng: Generator) -> bytes:
    """The chain of pages of a TIFF file leads somewhere else."""
    tables = _tables(data)
    place, count, size, order = tables[rng.integers(len(tables))]
    wide = 'Q' if size == 20 else 'I'
    head = 8 if size == 20 else 2
    targets = [place - head, tables[0][0] - head, len(data) - 1, 2**31]
    targets += [4, int(rng.integers(len(data)))]
    damaged = bytearray(data)
    target = targets[rng.integers(len(targets))]
    struct.pack_into(order + wide, damaged, place + count * size, target)
    return bytes(damaged)


def size_changed(data: bytes, rng: Generator) -> bytes:
    """The header claims another size, with a valid check sum."""
    damaged = bytearray(data)
    width, height = (
        int(HARD_NUMBERS[rng.integers(2, len(HARD_NUMBERS))])
        if rng.random() < 0.7
        else int(rng.integers(1, 200))
        for _ in range(2)
    )
    if data.startswith(b'\x89PNG'):
        struct.pack_into('>II', damaged, 16, width, height)
        struct.pack_into('>I', damaged, 29, zlib.crc32(damaged[12:29]))
    elif data.startswith(b'\xff\xd8'):
        frame = max(data.find(b'\xff\xc0'), data.find(b'\xff\xc2'))
        struct.pack_into(
            '>HH', damaged, frame + 5, height & 0xFFFF, width & 0xFFFF
        )
    elif b'\xff\x4f\xff\x51' in data:
        place = data.index(b'\xff\x4f\xff\x51')
        struct.pack_into(
            '>II', damaged, place + 8, width % 2**32, height % 2**32
        )
    else:  # WebP
        place = 24 + int(rng.integers(6))
        struct.pack_into('<I', damaged, place, width % 2**32)
    return bytes(damaged)


ANY: tuple[Callable[[bytes, Generator], bytes], ...] = (
    truncated,
    bits_flipped,
    headers_flipped,
    block_overwritten,
    block_moved,
)
TIFF_ONLY = (tag_changed, tag_changed, tag_changed, chain_changed)
RASTER_ONLY = (size_changed,)


def mutated_files(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Names and contents: every specimen, every kind of damage in turn."""
    rng = np.random.default_rng(seed)
    specimens = list(intact().items())
    for number in range(count):
        name, data = specimens[number % len(specimens)]
        more = TIFF_ONLY if name.endswith('.tif') else RASTER_ONLY
        kinds = ANY + more
        kind = kinds[(number // len(specimens)) % len(kinds)]
        yield f'{number:05d} {kind.__name__} {name}', kind(data, rng)


# --- files that nobody makes by accident ------------------------------------


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    crc = zlib.crc32(kind + body)
    return struct.pack('>I', len(body)) + kind + body + struct.pack('>I', crc)


def _png(width: int, height: int, *chunks: bytes) -> bytes:
    header = struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0)
    return b''.join(
        (
            b'\x89PNG\r\n\x1a\n',
            _png_chunk(b'IHDR', header),
            *chunks,
            _png_chunk(b'IEND', b''),
        )
    )


def _png_pixels(width: int, height: int) -> bytes:
    return _png_chunk(b'IDAT', zlib.compress(bytes((width + 1) * height), 9))


def _with_tags(data: bytes, tags: dict[int, int]) -> bytes:
    """A TIFF file whose tags claim other numbers."""
    damaged = bytearray(data)
    place, count, size, order = _tables(data)[0]
    for entry in range(place, place + count * size, size):
        (code,) = struct.unpack_from(f'{order}H', data, entry)
        if code in tags:
            struct.pack_into(
                f'{order}HII', damaged, entry + 2, 4, 1, tags[code]
            )
    return bytes(damaged)


def _deflate_bomb() -> bytes:
    """A strip of a small image unpacks to a gigabyte."""
    packer = zlib.compressobj(9)
    zeros = bytes(2**24)
    body = b''.join(packer.compress(zeros) for _ in range(64)) + packer.flush()
    stream = io.BytesIO()
    tifffile.imwrite(
        stream,
        iter([body]),
        shape=(64, 64),
        dtype=np.uint8,
        compression='zlib',
        rowsperstrip=64,
    )
    return stream.getvalue()


def _overlapping_tables() -> bytes:
    """Thousands of pages of 4000 tags each in a hundred kilobytes."""
    pages, tags, step = 5000, 4000, 8
    data = bytearray(8 + pages * step + tags * 12 + 16)
    struct.pack_into('<2sHI', data, 0, b'II', 42, 8)
    for number in range(pages):
        place = 8 + number * step
        struct.pack_into('<H', data, place, tags)
        following = place + step if number < pages - 1 else 0
        struct.pack_into('<I', data, place + 2 + 12 * tags, following)
    return bytes(data)


def _shared_values() -> bytes:
    """Pages that all point to the same megabytes of tag values."""
    pages, value = 2000, bytes(2**21)
    data = bytearray(struct.pack('<2sHI', b'II', 42, 8))
    table = 2 + 12 + 4
    end = 8 + pages * table
    for number in range(pages):
        following = 8 + (number + 1) * table if number < pages - 1 else 0
        data += struct.pack(
            '<HHHIII', 1, 273, 4, len(value) // 4, end, following
        )
    return bytes(data + value)


def _one_strip_many_times() -> bytes:
    """All strips of an image are the same two megabytes of a file."""
    rows = 4000
    data = bytearray(
        tiff(
            np.zeros((rows, 4000), np.uint8),
            compression='lzw',
            rowsperstrip=1,
        )
    )
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        strip = tif.pages[0].dataoffsets[0]
    place, count, size, _ = _tables(data)[0]
    lists = {273: strip, 279: 2**21}
    for entry in range(place, place + count * size, size):
        (code,) = struct.unpack_from('<H', data, entry)
        if code in lists:
            struct.pack_into('<HII', data, entry + 2, 4, rows, len(data))
            data += struct.pack(f'<{rows}I', *[lists[code]] * rows)
    return bytes(data + bytes(2**21))


def _jpeg_of_many_scans() -> bytes:
    """A large picture that is drawn over itself thousands of times."""
    data = pillow(GRAY, 'JPEG', progressive=True)
    frame = data.index(b'\xff\xc2')
    scan = data.index(b'\xff\xda')
    following = data.index(b'\xff\xda', scan + 2)
    large = bytearray(data)
    struct.pack_into('>HH', large, frame + 5, 4000, 4000)
    body = bytes(large[scan:following])
    return bytes(large[:following]) + body * 5000 + bytes(large[following:])


def _hidden_codestream() -> bytes:
    """A small codestream in a comment hides the true one."""
    small = pillow(GRAY, 'JPEG2000')
    stream = small[small.index(b'\xff\x4f\xff\x51') :]
    huge = bytearray(stream)
    struct.pack_into('>II', huge, 8, 30000, 30000)
    box = struct.pack('>I4s', 8 + 16 + len(stream), b'uuid') + bytes(16)
    start = small.index(b'jp2c') - 4
    return (
        small[:start]
        + box
        + stream
        + struct.pack('>I4s', 0, b'jp2c')
        + bytes(huge)
    )


def _jpeg_in_tile() -> bytes:
    """A tile of 32 pixels claims to be a picture of 65000."""
    data = bytearray(tiff(GRAY, compression='jpeg', tile=(32, 32)))
    place = data.index(b'\xff\xc0')
    struct.pack_into('>HH', data, place + 5, 65000, 65000)
    return bytes(data)


def _laughing_ome() -> bytes:
    """An OME description of nested entities."""
    entities = ''.join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)
    )
    xml = (
        f'<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY a0 "ha">{entities}]>'
        '<OME><Image><Pixels>&a11;</Pixels></Image></OME>'
    )
    return tiff(GRAY, description=xml, metadata=None)


def bombs() -> dict[str, bytes]:
    """Name to content: small files that ask for very much."""
    packed = tiff(GRAY, compression='zlib')
    return {
        'png size.png': _png(30000, 30000, _png_pixels(999, 999)),
        'png of zeros.png': _png(20000, 20000, _png_pixels(20000, 20000)),
        'png text.png': _png(
            40,
            40,
            _png_chunk(
                b'zTXt', b'Comment\0\0' + zlib.compress(bytes(2**28), 9)
            ),
            _png_pixels(40, 40),
        ),
        'png profile.png': _png(
            40,
            40,
            _png_chunk(b'iCCP', b'x\0\0' + zlib.compress(bytes(2**28), 9)),
            _png_pixels(40, 40),
        ),
        'tiff size.tif': _with_tags(
            packed, {256: 60000, 257: 60000, 278: 60000}
        ),
        'tiff width.tif': _with_tags(packed, {256: 2**31, 257: 2**31}),
        'tiff tile.tif': _with_tags(
            tiff(GRAY, compression='zlib', tile=(32, 32)),
            {322: 2**17, 323: 2**17},
        ),
        'tiff samples.tif': _with_tags(packed, {277: 65535}),
        'tiff strips.tif': _with_tags(packed, {278: 0}),
        'tiff deflate.tif': _deflate_bomb(),
        'tiff jpeg tile.tif': _jpeg_in_tile(),
        'tiff tables.tif': _overlapping_tables(),
        'tiff values.tif': _shared_values(),
        'tiff same strip.tif': _one_strip_many_times(),
        'tiff laughing.tif': _laughing_ome(),
        'tiff stack.tif': tiff(
            GRAY, description='ImageJ=1.54\nimages=2147483647\n', metadata=None
        ),
        'jpeg scans.jpg': _jpeg_of_many_scans(),
        'jpeg 2000 hidden.jp2': _hidden_codestream(),
    }
