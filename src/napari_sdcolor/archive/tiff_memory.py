"""How much memory reading a TIFF page takes."""

from __future__ import annotations

from tifffile import PHOTOMETRIC, TiffPage

from napari_sdcolor.archive.scan import COLOR_BAND, GRAY_BAND
from napari_sdcolor.archive.tiff_segments import ASSOCIATED, WORKERS, Grid
from napari_sdcolor.core.tone import STRIP

COPIES = 3
"""Of a strip or tile while it is decoded."""

GRAY_PIXEL, COLOR_PIXEL, PALETTE_PIXEL = 8, 17, 23
"""Bytes of a pixel while its lightness is taken, beside its samples.

Measured as the peak of the process, over types and compressions.
"""

SHARE, FLOAT_ALPHA = 5, 16
"""Bytes of a sample while an alpha channel is
divided out; and of a pixel whose alpha channel holds real numbers."""


def shown_bytes(page: TiffPage) -> int:
    """Bytes of the codes of a page and of its color in 8 bits.

    Parameters
    ----------
    page
        Of an open file.
    """
    palette = page.photometric == PHOTOMETRIC.PALETTE
    channels = 3 if palette or page.samplesperpixel > 2 else 1
    sample = page.dtype.itemsize if page.dtype is not None else 1
    codes = channels * (2 if palette else sample)
    return page.imagelength * page.imagewidth * (codes + 3)


def memory_of(page: TiffPage, rows: int | None = None) -> float:
    """Bytes that decoding and understanding a page takes, at the most.

    Parameters
    ----------
    page
        Of an open file; its type is known.
    rows
        Only so many of its rows are in memory; None for all.
    """
    rows = page.imagelength if rows is None else min(rows, page.imagelength)
    sample = page.dtype.itemsize
    pixel = page.samplesperpixel * sample
    if page.extrasamples or page.axes == 'SYX':
        pixel *= 2  # channels are taken apart
    if page.photometric == PHOTOMETRIC.PALETTE:
        pixel += PALETTE_PIXEL
    else:
        pixel += COLOR_PIXEL if page.samplesperpixel > 2 else GRAY_PIXEL
    if ASSOCIATED in page.extrasamples:
        pixel += SHARE * page.samplesperpixel
    if page.extrasamples and page.dtype.kind == 'f':
        pixel += FLOAT_ALPHA
    colored = (
        page.samplesperpixel > 2 or page.photometric == PHOTOMETRIC.PALETTE
    )
    pixels = rows * page.imagewidth
    image = pixels * pixel
    image += min(pixels, STRIP) * (COLOR_BAND if colored else GRAY_BAND)
    if page.is_contiguous:
        return image
    grid = Grid.of(page)
    part = grid.rows * grid.columns * grid.samples * sample
    return image + COPIES * part * min(WORKERS, grid.count)
