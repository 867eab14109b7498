"""Sheets of small pictures: rows of photos, columns with headings."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from napari_sdcolor.classes import CLASSES, UNKNOWN
from napari_sdcolor.own_files import SIGNATURE

_PALETTE = np.full((256, 3), 255, np.uint8)
for _entry in CLASSES:
    _PALETTE[_entry.id] = _entry.color
_PALETTE[0] = 40
_PALETTE[UNKNOWN] = 235

_GAP, _HEAD = 6, 24


def paint_labels(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A map (h, w) in the classes' colors (h, w, 3).

    "No class" is dark, unknown pixels are light gray.
    """
    return _PALETTE[labels]


def sheet(
    headings: Sequence[str],
    rows: Sequence[Sequence[NDArray[np.uint8]]],
) -> bytes:
    """A PNG of pictures in rows below headings.

    Parameters
    ----------
    headings
        Of the columns.
    rows
        Pictures (h, w) or (h, w, 3) uint8, one per column; within a row all
        of one size.
    """
    widths = [max(row[0].shape[1] for row in rows)] * len(headings)
    heights = [row[0].shape[0] for row in rows]
    canvas = Image.new(
        'RGB',
        (
            sum(widths) + _GAP * (len(widths) + 1),
            _HEAD + sum(heights) + _GAP * len(rows),
        ),
        'white',
    )
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(14)
    x = _GAP
    for column, heading in enumerate(headings):
        draw.text((x, 4), heading, fill='black', font=font)
        y = _HEAD
        for row, height in zip(rows, heights, strict=True):
            picture = Image.fromarray(np.ascontiguousarray(row[column]))
            canvas.paste(picture.convert('RGB'), (x, y))
            y += height + _GAP
        x += widths[column] + _GAP
    stream = io.BytesIO()
    about = PngInfo()
    about.add_text('Software', SIGNATURE)
    canvas.save(stream, 'PNG', pnginfo=about)
    return stream.getvalue()
