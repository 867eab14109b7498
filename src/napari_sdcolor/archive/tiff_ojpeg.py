"""Old-style JPEG (compression 6), as programs of the nineties wrote it.

The tables stand outside of the strips, in a stream that the tags
JPEGInterchangeFormat name, or in tags of their own. A stream that is whole,
or whose strips follow its head, is put together and decoded as any other.
"""

from __future__ import annotations

from tifffile import COMPRESSION, TiffPage

from napari_sdcolor.errors import PhotoError

_START, _END = b'\xff\xd8', b'\xff\xd9'
_SCAN = b'\xff\xda'


def is_old_jpeg(page: TiffPage) -> bool:
    """Whether a page is compressed that way."""
    return page.compression == COMPRESSION.OJPEG


def old_jpeg(page: TiffPage, size: int) -> tuple[bytes, bool]:
    """The picture of a page as one JPEG stream.

    Parameters
    ----------
    page
        Of an open file.
    size
        Bytes of the file.

    Returns
    -------
    stream
        From its start to its end mark.
    whole
        Whether the file has all of it.

    Raises
    ------
    PhotoError
        If its tables are stored in some other way. With the reason only;
        the caller names the file.
    """
    head_at, head_bytes = (
        _first(page.tags.valueof(code)) for code in (513, 514)
    )
    spans = _strips(page)
    ends = [offset + count for offset, count in spans]
    if head_at and not head_bytes:
        # To the strips, or to the end of the file.
        first = min((offset for offset, _ in spans), default=0)
        head_bytes = (first if first > head_at else size) - head_at
    head = _read(page, head_at, head_bytes)
    if not head.startswith(_START):
        raise PhotoError(
            'it is compressed with old-style JPEG whose tables are stored in '
            'a way that is not read; open it in the program that wrote it '
            'and save it without compression'
        )
    if _SCAN in head and head_at + len(head) >= max(ends, default=0):
        return head, head_at + head_bytes <= size
    # What the head has of the strips is not repeated.
    scans = head.find(_SCAN)
    if scans >= 0 and spans and spans[0][0] >= head_at + scans:
        head = head[: min(len(head), spans[0][0] - head_at)]
    parts = [_read(page, offset, count) for offset, count in spans]
    if parts and not parts[0].startswith(_START):
        stream = head.rstrip(b'\0').removesuffix(_END) + b''.join(parts)
    else:
        stream = b''.join(parts)
    return stream, max(ends, default=0) <= size


def _strips(page: TiffPage) -> list[tuple[int, int]]:
    offsets = page.tags.valueof(273) or page.tags.valueof(324) or ()
    counts = page.tags.valueof(279) or page.tags.valueof(325) or ()
    return list(zip(offsets, counts, strict=False))


def _first(value: object) -> int:
    if isinstance(value, tuple):
        value = value[0] if value else 0
    return value if isinstance(value, int) else 0


def _read(page: TiffPage, offset: int, count: int) -> bytes:
    if offset <= 0 or count <= 0:
        return b''
    stream = page.parent.filehandle
    stream.seek(offset)
    return stream.read(count)
