"""What a file decoder hands over, and the limits it obeys."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from numpy.typing import NDArray

from napari_sdcolor.core.tone import NO_TAGS, ToneTags
from napari_sdcolor.errors import PhotoError
from napari_sdcolor.memory import free_memory

MAX_PIXELS = 2**30
"""Files that claim more pixels are refused before anything is decoded."""

MAX_RATIO = 300
"""No photo is packed tighter than this; see ``refuse_bomb``."""

HARMLESS_BYTES = 2**27
"""Up to this decoded size the ratio is not looked at: empty pages exist."""

GRAY_BAND, COLOR_BAND = 48, 128
"""Bytes of each of the pixels whose lightness is taken at a time."""

TEXT_TAGS = {
    'DocumentName': 269,
    'ImageDescription': 270,
    'Make': 271,
    'Model': 272,
    'PageName': 285,
    'Artist': 315,
    'Copyright': 33432,
}
"""TIFF and EXIF tags that are carried from the photo to the result."""

MAX_TEXT = 4000
"""Carried texts are cut to this many UTF-8 bytes (EXIF holds 64 KiB)."""

DECODE_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    OSError,
    RuntimeError,
    struct.error,
    SyntaxError,
    TypeError,
    ValueError,
    zlib.error,
)
"""What the decoding libraries raise for damaged or unknown data."""


@dataclass(frozen=True, eq=False)
class Scan:
    """Decoded pixels and what was found beside them.

    Parameters
    ----------
    pixels
        (H, W) gray or (H, W, 3) color, in stored order.
    alpha
        (H, W) in the type of the pixels, not multiplied in; or None.
    inverted
        Whether the lowest value is white.
    tags
        What the file says about its tones.
    icc, orientation, resolution, texts, facts
        As in ``core.photo.Origin``.
    notes
        Sentences for a person.
    damage
        Sentences on what is missing or not as it was: a picture with holes.
        Empty for one that is whole.
    """

    pixels: NDArray
    alpha: NDArray | None = None
    inverted: bool = False
    tags: ToneTags = NO_TAGS
    icc: bytes | None = None
    orientation: int = 1
    resolution: tuple[float, float, int] | None = None
    texts: tuple[tuple[str, str], ...] = ()
    facts: str = ''
    notes: tuple[str, ...] = ()
    damage: tuple[str, ...] = ()


def refuse_bomb(
    width: int, height: int, pixel_bytes: float, file_bytes: int
) -> None:
    """Refuse sizes that no photo has, before memory is asked for.

    Parameters
    ----------
    width, height
        As the file's header claims, in pixels.
    pixel_bytes
        Decoded bytes of one pixel.
    file_bytes
        Bytes of the file.

    Raises
    ------
    PhotoError
        The message is the reason only; the caller names the file.
    """
    if width < 1 or height < 1:
        raise PhotoError('its header says that it is empty')
    if width * height > MAX_PIXELS:
        raise PhotoError(
            f'its header claims {width} × {height} pixels; more than '
            f'{MAX_PIXELS} are refused'
        )
    decoded = width * height * pixel_bytes
    if decoded > HARMLESS_BYTES and decoded > MAX_RATIO * file_bytes:
        raise PhotoError(
            f'its header claims {width} × {height} pixels in {file_bytes} '
            'bytes, as only damaged files and decompression bombs do'
        )


def refuse_beyond_memory(nbytes: float) -> None:
    """Refuse what this machine cannot hold, before it is asked for.

    Parameters
    ----------
    nbytes
        Bytes that decoding and understanding take.

    Raises
    ------
    PhotoError
        The message is the reason only; the caller names the file.
    """
    free = free_memory()
    if nbytes > free:
        raise PhotoError(
            f'reading it takes {nbytes / 2**30:.1f} GiB of memory, but only '
            f'{free / 2**30:.1f} GiB are free'
        )


def clean_orientation(value: object) -> int:
    """An EXIF orientation 1..8; anything else counts as 1."""
    return int(value) if isinstance(value, int) and 1 <= value <= 8 else 1


def clean_resolution(
    x: object, y: object, unit: object
) -> tuple[float, float, int] | None:
    """Resolution and TIFF unit, or None where they make no sense."""
    try:
        x, y = float(x), float(y)  # type: ignore[arg-type]
    except (TypeError, ValueError, ArithmeticError):
        return None
    if unit not in (1, 2, 3) or not all(
        math.isfinite(value) and 0 < value < 2**31 for value in (x, y)
    ):
        return None
    return x, y, int(unit)  # type: ignore[call-overload]


def clean_texts(
    pairs: Iterable[tuple[str, object]],
) -> tuple[tuple[str, str], ...]:
    """Texts without padding, machine descriptions and excess length."""
    texts = []
    for name, value in pairs:
        if isinstance(value, bytes):
            value = value.decode('utf-8', 'replace')
        if not isinstance(value, str):
            continue
        raw = value.replace('\0', ' ').strip().encode('utf-8', 'replace')
        value = raw[:MAX_TEXT].decode('utf-8', 'ignore')
        machine = value.startswith(('{"', 'ImageJ=', '<?xml', '<OME'))
        if value and not machine:
            texts.append((name, value))
    return tuple(texts)
