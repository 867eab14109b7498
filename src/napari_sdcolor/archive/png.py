"""Reading PNG files, and what is missing of their pictures."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile

from napari_sdcolor.archive.heard import without_warnings
from napari_sdcolor.archive.raster_scan import Claim, raster_scan
from napari_sdcolor.archive.scan import DECODE_ERRORS, Scan
from napari_sdcolor.core.tone import NO_TAGS, ToneTags
from napari_sdcolor.errors import PhotoError

MAX_CHUNKS = 2**18
"""No picture is cut into more."""

_SIGNATURE = b'\x89PNG\r\n\x1a\n'
_HEADER = struct.Struct('>IIBBBBB')
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PALETTE = 3

_TEXTS = {
    'Title': 'DocumentName',
    'Description': 'ImageDescription',
    'Author': 'Artist',
    'Copyright': 'Copyright',
}
_TOLD = (
    *(b'pHYs', b'gAMA', b'sRGB', b'iCCP', b'eXIf', b'tEXt', b'zTXt', b'iTXt'),
)
"""Chunks whose content is taken over."""

_PASSES = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)
"""Of an interlaced picture: left, top and steps across and down."""


def claimed(head: bytes) -> Claim | None:
    """What a PNG file says of its size; None if more of it is needed."""
    if len(head) < 33:
        return None
    if head[12:16] == b'CgBI':
        raise PhotoError(
            'it is a PNG file in the variant of Apple for the iPhone, which '
            'is no PNG to others; convert it with "pngcrush '
            '-revert-iphone-optimizations", or open it on a Mac and save it '
            'as TIFF'
        )
    if head[12:16] != b'IHDR':
        raise PhotoError(
            'it does not tell its size first, as a PNG file must; get an '
            'intact copy'
        )
    width, height, depth, *_ = _HEADER.unpack_from(head, 16)
    return Claim(width, height, 4 * max(depth, 8) / 8)


def read_png(data: bytes) -> Scan:
    """Read a PNG file of any depth; 16 bits stay 16 bits."""
    chunks = list(_chunks(data))
    _, _, depth, color, *_ = _HEADER.unpack_from(data, 16)
    _refuse_animation(chunks)
    info, notes = _info(data, chunks)
    gamma = info.get('gamma', 1 / 2.2)
    if abs(gamma - 1 / 2.2) > 0.02 and not {'srgb', 'icc_profile'} & set(info):
        notes.append(f'The gamma {gamma:g} that it states is not applied.')
    pixels, damage = _pixels(data, chunks)
    scan = raster_scan(
        pixels,
        info,
        f'PNG, {depth} bit' + (', palette' if color == _PALETTE else ''),
        resolution=(*info['dpi'], 2) if 'dpi' in info else None,
        texts=[
            (name, info[key]) for key, name in _TEXTS.items() if key in info
        ],
        notes=notes,
        tags=_significant_bits(chunks),
    )
    return replace(scan, damage=damage)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """Kind, content and whether the checksum is right, of each chunk."""
    place = 8
    for _ in range(MAX_CHUNKS):
        if place + 8 > len(data):
            return
        length, kind = struct.unpack_from('>I4s', data, place)
        if not kind.isalpha():
            return  # nothing that could be one
        content = data[place + 8 : place + 8 + length]
        found = data[place + 8 + length : place + 12 + length]
        wanted = struct.pack('>I', zlib.crc32(content, zlib.crc32(kind)))
        yield kind, content, found == wanted
        if kind == b'IEND':
            return
        place += length + 12
    raise PhotoError(f'it is made of more than {MAX_CHUNKS} chunks')


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(content, zlib.crc32(kind))
    return (
        struct.pack('>I', len(content))
        + kind
        + content
        + struct.pack('>I', check)
    )


def _refuse_animation(chunks: list[tuple[bytes, bytes, bool]]) -> None:
    for kind, content, _ in chunks:
        if kind == b'acTL':
            frames = int.from_bytes(content[:4], 'big')
            if frames > 1:
                raise PhotoError(f'it is an animation of {frames} pictures')


def _info(
    data: bytes, chunks: list[tuple[bytes, bytes, bool]]
) -> tuple[dict, list[str]]:
    """What the chunks in front of the picture tell; and what they do not.

    Each is looked at by itself: one that is damaged or odd takes nothing
    along, as with other readers.
    """
    info, notes = {}, []
    head = data[:33]
    for kind, content, is_whole in chunks:
        if kind == b'IDAT':
            break
        if kind not in _TOLD:
            continue
        try:
            if not is_whole:
                raise ValueError('its checksum is wrong')
            alone = head + _chunk(kind, content) + _chunk(b'IDAT', b'')
            with without_warnings(), PngImageFile(io.BytesIO(alone)) as image:
                info.update(image.info)
            if kind == b'iCCP' and not info.get('icc_profile'):
                raise ValueError('it holds no profile')
        except DECODE_ERRORS:
            name = kind.decode()
            notes.append(f'Its chunk {name} is damaged and was left out.')
    return info, notes


def _significant_bits(chunks: list[tuple[bytes, bytes, bool]]) -> ToneTags:
    """What the chunk sBIT says."""
    for kind, content, _ in chunks:
        if kind == b'IDAT':
            break
        if kind == b'sBIT':
            bits = max(content, default=16)
            source = f'{bits} significant bits'
            return ToneTags(source=source, bits=bits) if bits else NO_TAGS
    return NO_TAGS


# --- damage ----------------------------------------------------------------


def _pixels(
    data: bytes, chunks: list[tuple[bytes, bytes, bool]]
) -> tuple[NDArray, tuple[str, ...]]:
    """The picture, and what is missing of it."""
    ended = bool(chunks) and chunks[-1] == (b'IEND', b'', True)
    try:
        if ended:
            return imagecodecs.png_decode(data), _uncolored(data, chunks)
    except (imagecodecs.PngError, ValueError):
        pass
    packed = b''.join(part for kind, part, _ in chunks if kind == b'IDAT')
    rows, missing = _unpacked(packed, _HEADER.unpack_from(data, 16))
    kept = b''.join(
        _chunk(kind, part)
        for kind, part, is_whole in chunks
        if kind in (b'PLTE', b'tRNS') and is_whole
    )
    whole = b''.join(
        (
            _SIGNATURE,
            _chunk(b'IHDR', data[16:29]),
            kept,
            _chunk(b'IDAT', zlib.compress(rows, 1)),
            _chunk(b'IEND', b''),
        )
    )
    wrong = any(kind == b'IDAT' and not fine for kind, _, fine in chunks)
    if missing:
        words = f'{missing:.0%} of the picture are missing'
        if missing < 0.01:
            words = 'a part of the picture is missing'
    elif not ended:
        words = 'the file ends before the image does'
    elif wrong:
        words = 'the checksum of a part of the picture is wrong'
    else:
        words = 'the data of the picture is not as it was'
    return imagecodecs.png_decode(whole), (words,)


def _uncolored(
    data: bytes, chunks: list[tuple[bytes, bytes, bool]]
) -> tuple[str, ...]:
    """What is said of pixels without a color in the palette, if any."""
    _, _, depth, color, *_ = _HEADER.unpack_from(data, 16)
    colors = sum(len(part) for kind, part, _ in chunks if kind == b'PLTE') // 3
    if color != _PALETTE or colors >= 2**depth:
        return ()
    parts = [
        _chunk(kind, part)
        for kind, part, _ in chunks
        if kind in (b'IHDR', b'PLTE', b'IDAT', b'IEND')
    ]
    bare = io.BytesIO(_SIGNATURE + b''.join(parts))
    try:
        with without_warnings(), PngImageFile(bare) as image:
            _, highest = image.getextrema()
    except DECODE_ERRORS:
        return ()  # the decoder in use takes more
    if highest < colors:
        return ()
    last = f'its palette ends with color {colors - 1}'
    return (f'pixels have color {highest}, but {last}',)


def _unpacked(packed: bytes, header: tuple[int, ...]) -> tuple[bytes, float]:
    """Rows of a picture as far as they can be had, then black ones.

    Returns
    -------
    rows
        Each begins with the kind of its filter.
    missing
        Share of their bytes.
    """
    lengths = _row_lengths(*header)
    wanted = sum(count * length for count, length in lengths)
    rows = _inflated(packed, wanted)
    if not rows:
        raise PhotoError('its picture is missing')
    found = min(len(rows), wanted)
    whole = np.zeros(wanted, np.uint8)
    whole[:found] = np.frombuffer(bytes(rows[:found]), np.uint8)
    start = 0
    for count, length in lengths:
        filters = whole[start : start + count * length : length]
        filters[filters > 4] = 0
        start += count * length
    return whole.tobytes(), 1 - found / wanted


def _inflated(packed: bytes, wanted: int) -> bytes:
    """What can be had of compressed data; a little more than is wanted."""
    unpacker, found, step, place = zlib.decompressobj(), bytearray(), 4096, 0
    while place < len(packed) and len(found) < wanted and not unpacker.eof:
        before = unpacker.copy()
        part = packed[place : place + step]
        try:
            found += unpacker.decompress(part, wanted - len(found) + 1)
        except zlib.error:
            if step == 1:
                break
            # All of this step is lost; its first bytes need not be.
            unpacker, step = before, 1
            continue
        place += len(part)
    return bytes(found)


def _row_lengths(
    width: int, height: int, depth: int, color: int, *rest: int
) -> list[tuple[int, int]]:
    """Number and bytes of the rows of each pass."""
    bits = depth * _CHANNELS[color]
    passes = _PASSES if rest[-1] else ((0, 0, 1, 1),)
    found = []
    for left, top, across, down in passes:
        columns = -(-(width - left) // across)
        rows = -(-(height - top) // down)
        if columns > 0 and rows > 0:
            found.append((rows, 1 + -(-columns * bits // 8)))
    return found
