"""Small pictures for the report: photo, map and color side by side.

The output folder keeps them in one file, one after the other; the journal
tells the place of each.
"""

from __future__ import annotations

import io
import struct
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_sdcolor.classes import CLASSES
from napari_sdcolor.core.depth import in_eight_bits
from napari_sdcolor.core.lab import lightness_to_gray
from napari_sdcolor.core.orientation import upright
from napari_sdcolor.core.results import Colorized
from napari_sdcolor.opening import open_regular
from napari_sdcolor.own_files import open_own_stream

THUMBNAILS = '.sdcolor-thumbnails'
"""Their file in the output folder."""

BOX = (120, 90)
"""Width and height that each of the three pictures may have, in pixels."""

GAP = 3
"""White pixels between them."""

SIZE = (3 * BOX[0] + 2 * GAP, BOX[1])
"""Width and height of each thumbnail, by which the file is known."""

QUALITY = 60


def thumbnail(result: Colorized) -> bytes:
    """WebP picture of the three, each in a box of its own, upright.

    About 3 KiB, and always of the same size.
    """
    gray = lightness_to_gray(_thinned(result.photo.lightness)) * 255
    gray = np.rint(np.clip(gray, 0, 255)).astype(np.uint8)
    rgb = in_eight_bits(_thinned(result.rgb), 'upper byte')
    planes = gray, _palette()[result.labels], rgb
    orientation = result.photo.origin.orientation
    height, width = upright(result.photo.lightness, orientation).shape
    scale = min(BOX[0] / width, BOX[1] / height, 1)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    strip = Image.new('RGB', SIZE, 'white')
    left, top = (BOX[0] - size[0]) // 2, (BOX[1] - size[1]) // 2
    for place, plane in enumerate(planes):
        image = Image.fromarray(
            np.ascontiguousarray(upright(plane, orientation))
        )
        resampling = (
            Image.Resampling.NEAREST if place == 1 else Image.Resampling.BOX
        )
        strip.paste(
            image.convert('RGB').resize(size, resampling),
            (place * (BOX[0] + GAP) + left, top),
        )
    stream = io.BytesIO()
    strip.save(stream, 'WEBP', quality=QUALITY, method=2)
    return stream.getvalue()


def is_thumbnails(head: bytes) -> bool:
    """``own_files.Known`` for the file of thumbnails."""
    size = struct.pack('<HH', *SIZE)
    return (
        head.startswith(b'RIFF')
        and head[8:16] == b'WEBPVP8 '
        and head[26:30] == size[: len(head[26:30])]
    )


def open_thumbnails(output: Path) -> BinaryIO:
    """The file of an output folder, for adding to it.

    Raises
    ------
    ForeignFile
        If its name belongs to another file.
    """
    return open_own_stream(output / THUMBNAILS, is_thumbnails)


def read_thumbnail(output: Path, place: tuple[int, int]) -> bytes:
    """A picture that an earlier run made; empty if it cannot be read."""
    start, length = place
    try:
        with open_regular(output / THUMBNAILS) as stream:
            stream.seek(start)
            return stream.read(length)
    except OSError:
        return b''


def _thinned(plane: NDArray) -> NDArray:
    """Every n-th pixel, so that a large photo costs no more than a small."""
    step = max(1, min(plane.shape[:2]) // (2 * BOX[1]))
    return plane[::step, ::step]


@cache
def _palette() -> NDArray[np.uint8]:
    return np.array([entry.color for entry in CLASSES], np.uint8)
