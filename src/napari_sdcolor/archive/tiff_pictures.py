"""JPEG and JPEG 2000 pictures that are strips or tiles of a TIFF page.

They are held to the same rules as files of their own.
"""

from __future__ import annotations

import struct

from napari_sdcolor.archive import jpeg2000
from napari_sdcolor.archive.headers import NoCodestream, jpeg2000_start
from napari_sdcolor.archive.jpeg2000_layout import read_layout
from napari_sdcolor.archive.jpeg2000_stream import Stream
from napari_sdcolor.archive.jpeg_damage import damage_of
from napari_sdcolor.archive.jpeg_parts import EOI, SOI, Jpeg
from napari_sdcolor.errors import PhotoError

CUT = 'cut short'
BROKEN = 'damaged'


def jpeg_trouble(data: bytes, tables: bytes | None) -> str:
    """What is wrong with a JPEG picture that a decoder took.

    Parameters
    ----------
    data
        The picture.
    tables
        The tag JPEGTables, for pictures that come without their tables.

    Returns
    -------
    str
        '' if nothing is.
    """
    if tables:
        inner = tables.removeprefix(SOI).removesuffix(EOI)
        data = SOI + inner + data.removeprefix(SOI)
    try:
        jpeg = Jpeg.of(data)
        found = damage_of(jpeg, jpeg.frame)
    except (PhotoError, struct.error):
        return BROKEN
    if not jpeg.ended:
        return CUT
    return BROKEN if found else ''


def bare_jpeg2000(data: bytes) -> tuple[bytes, str]:
    """The codestream of a JPEG 2000 picture, and what is wrong with it.

    What boxes around it say is left out: the page tells what its samples
    mean, and a decoder would follow palettes of any size.

    Returns
    -------
    codestream
        Empty if there is none.
    trouble
        '' if nothing is wrong.
    """
    try:
        start = jpeg2000_start(data)
    except NoCodestream:
        return b'', BROKEN
    bare = data[start:]
    try:
        stream = Stream.of(data, start, read_layout(data, start))
    except (PhotoError, struct.error):
        return bare, BROKEN
    if stream.broken:
        return bare, BROKEN
    return bare, '' if stream.ended else CUT


def judge_jpeg2000(data: bytes) -> None:
    """Refuse what the decoder could not hold.

    Raises
    ------
    PhotoError
        With the reason only.
    """
    claim = jpeg2000.claimed(data)
    if claim is not None:
        claim.judge(len(data))
