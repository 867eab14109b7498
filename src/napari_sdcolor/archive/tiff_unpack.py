"""Undoing the compression of the bytes of a TIFF strip or tile.

Writers differ in what they leave behind: some compress the last strip with
more rows than the image has, some end it without its end mark. As many bytes
as the rows need are taken from all of them. What comes before some damage is
kept.
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable
from typing import Any

import imagecodecs
from tifffile import COMPRESSION

from napari_sdcolor.archive.scan import DECODE_ERRORS

_TAIL = 2**16
"""Bytes behind the rows that are decoded only to see a checksum."""

Buffer = bytes | bytearray | memoryview
Found = tuple[Buffer, bool] | None
Careful = Callable[[bytes, int, int], Found]


def unpack(
    compression: int, data: bytes, needed: int, full: int
) -> tuple[Buffer, bool]:
    """Undo the compression of a strip or tile.

    Parameters
    ----------
    compression
        One of ``DECODERS``, or ``COMPRESSION.NONE``.
    data
        Its bytes.
    needed
        Bytes that its rows take.
    full
        Bytes of a strip that has all rows of the others.

    Returns
    -------
    unpacked
        At most ``needed`` bytes, and zeros from where it is damaged.
    whole
        Whether no damage was found. Fewer bytes than needed may come all
        the same.
    """
    if compression == COMPRESSION.NONE:
        return data[:needed], True
    plain, careful = DECODERS[compression]
    buffer = bytearray(needed)
    try:
        return plain(data, out=buffer), True
    except DECODE_ERRORS:
        found = careful(data, needed, full) if careful else None
    return found or (buffer, False)


def _streamed(start: Callable[[], Any]) -> Careful:
    """Decoding in small steps, for coders that know where a stream ends."""

    def careful(data: bytes, needed: int, full: int) -> Found:
        decoder, unpacked, whole = start(), bytearray(), True
        # In small bites, so that what comes before the damage is kept.
        step = max(1024, len(data) // 64)
        bites = (data[k : k + step] for k in range(0, len(data), step))
        most = needed + _TAIL
        try:
            for bite in bites:
                while len(unpacked) < most and not decoder.eof:
                    more = decoder.decompress(bite, most - len(unpacked))
                    unpacked += more
                    bite = getattr(decoder, 'unconsumed_tail', b'')
                    if not bite:
                        break
        except (zlib.error, lzma.LZMAError, EOFError):
            whole = False
        return unpacked[:needed], whole

    return careful


def _packbits(data: bytes, needed: int, full: int) -> Found:
    """For strips with the rows of the others, or a byte more at their end."""
    unpacked, place, whole = bytearray(), 0, False
    while place < len(data) and len(unpacked) < full:
        whole = whole or len(unpacked) == needed and len(data) - place <= 2
        head = data[place]
        if head < 128:
            unpacked += data[place + 1 : place + 2 + head]
            place += 2 + head
        else:
            if head > 128:
                unpacked += data[place + 1 : place + 2] * (257 - head)
            place += 2 if head > 128 else 1
    return unpacked[:needed], whole or len(unpacked) in (needed, full)


def _zstd(data: bytes, needed: int, full: int) -> Found:
    """For strips with the rows of the others."""
    if full == needed:
        return None
    try:
        return imagecodecs.zstd_decode(data, out=full)[:needed], True
    except DECODE_ERRORS:
        return None


_DEFLATE = imagecodecs.deflate_decode, _streamed(zlib.decompressobj)

DECODERS: dict[int, tuple[Callable[..., Buffer], Careful | None]] = {
    COMPRESSION.LZW: (imagecodecs.lzw_decode, None),
    COMPRESSION.ADOBE_DEFLATE: _DEFLATE,
    COMPRESSION.DEFLATE: _DEFLATE,
    COMPRESSION.PACKBITS: (imagecodecs.packbits_decode, _packbits),
    COMPRESSION.LZMA: (
        imagecodecs.lzma_decode,
        _streamed(lzma.LZMADecompressor),
    ),
    COMPRESSION.ZSTD: (imagecodecs.zstd_decode, _zstd),
    COMPRESSION.ZSTD_DEPRECATED: (imagecodecs.zstd_decode, _zstd),
}
"""Decoders by compression: the usual one, and one for odd strips."""
