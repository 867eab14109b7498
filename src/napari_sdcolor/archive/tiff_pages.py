"""Decoding one page of a TIFF file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from tifffile import PHOTOMETRIC, TiffPage

from napari_sdcolor.archive.scan import (
    TEXT_TAGS,
    Scan,
    clean_orientation,
    clean_resolution,
    clean_texts,
)
from napari_sdcolor.archive.tiff_segments import (
    ASSOCIATED,
    COLOR,
    UNASSOCIATED,
)
from napari_sdcolor.archive.tiff_tones import tone_tags
from napari_sdcolor.archive.tones import mirrored
from napari_sdcolor.core.depth import in_eight_bits, in_sixteen_bits
from napari_sdcolor.core.tone import NO_TAGS, ToneTags, type_range
from napari_sdcolor.errors import PhotoError

_ALPHA = (ASSOCIATED, UNASSOCIATED)


def interpret(
    page: TiffPage,
    array: NDArray,
    words: str = '',
    display: ToneTags = NO_TAGS,
) -> Scan:
    """What samples of a page mean.

    Parameters
    ----------
    page
        Tells it.
    array
        Samples as ``TiffPage.asarray`` gives them; all rows, or some.
    words
        Which page this is, for a person; may be empty.
    display
        What the file as a whole says about its tones.

    Raises
    ------
    PhotoError
        With the reason only; the caller names the file.
    """
    notes: list[str] = []
    if page.axes == 'SYX':
        array = np.moveaxis(array, 0, -1)
    array = array.reshape(-1, page.imagewidth, page.samplesperpixel)
    colors = 3 if page.photometric in COLOR else 1
    pixels, extra = array[..., :colors], array[..., colors:]
    if pixels.shape[-1] < colors or (colors == 1 and extra.shape[-1] > 1):
        raise PhotoError(f'it holds {array.shape[-1]} channels')
    white = _white(page)
    tags = tone_tags(page, display)
    inverted = False
    if page.photometric == PHOTOMETRIC.PALETTE:
        pixels, white = _apply_palette(page, pixels[..., 0]), None
        tags = NO_TAGS if pixels.dtype == np.uint8 else tags
    elif 'PhotometricInterpretation' not in page.tags:
        notes.append('The file does not say which value is white.')
    elif page.photometric == PHOTOMETRIC.MINISWHITE:
        inverted = True
        notes.append('The lowest value is white in the file: inverted.')
    alpha = _alpha(page, extra, pixels.dtype, notes)
    kinds = [kind for kind in page.extrasamples if kind in _ALPHA]
    if alpha is not None and kinds[0] == ASSOCIATED:
        if inverted:  # what was multiplied is the brightness
            pixels, inverted = mirrored(pixels, *_range(pixels, white)), False
        pixels = _divided(pixels, alpha, white)
        notes.append('The alpha channel was multiplied in: divided out.')
    if pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    return Scan(
        pixels=pixels,
        alpha=alpha,
        inverted=inverted,
        tags=tags,
        icc=_icc(page),
        orientation=clean_orientation(page.tags.valueof('Orientation')),
        resolution=_resolution(page),
        texts=clean_texts(
            (name, page.tags.valueof(name)) for name in TEXT_TAGS
        ),
        facts=_facts(page, words),
        notes=tuple(notes),
    )


def _white(page: TiffPage) -> int | None:
    """The highest code of 2, 4, 10, 12 … bits in a wider type."""
    bits, dtype = page.bitspersample, page.dtype
    if dtype.kind != 'u' or not isinstance(bits, int):
        return None
    return 2**bits - 1 if bits < 8 * dtype.itemsize else None


def _range(pixels: NDArray, white: int | None) -> tuple[float, float]:
    return (0.0, white) if white is not None else type_range(pixels.dtype)


def _apply_palette(page: TiffPage, indices: NDArray) -> NDArray:
    """Colors (H, W, 3), or gray (H, W, 1) where the palette is gray."""
    palette = page.colormap
    if palette is None or indices.dtype.kind not in 'bu':
        raise PhotoError('its palette is missing')
    if palette.max() > 255 and (palette % 257).any():
        # Some writers put a byte into the upper half and zero below.
        narrow = not (palette & 255).any()
        palette = palette >> 8 if narrow else palette
    elif palette.max() > 255:
        palette = in_eight_bits(palette)
    if palette.max() < 256:
        palette = palette.astype(np.uint8)
    if (palette == palette[0]).all():
        palette = palette[:1]
    return np.ascontiguousarray(palette.T)[indices.astype(np.intp)]


def _alpha(
    page: TiffPage, extra: NDArray, dtype: np.dtype, notes: list[str]
) -> NDArray | None:
    kinds = page.extrasamples[: extra.shape[-1]]
    for place, kind in enumerate(kinds):
        if kind in _ALPHA:
            alpha = extra[..., place]
            white = _white(page)
            if white is not None:
                top = np.iinfo(alpha.dtype).max
                scaled = alpha.astype(np.float64) * (top / white)
                alpha = np.rint(scaled).clip(0, top).astype(alpha.dtype)
            if dtype.itemsize > alpha.dtype.itemsize:
                alpha = in_sixteen_bits(alpha)  # beside a deep palette
            return np.ascontiguousarray(alpha)
    if extra.shape[-1]:
        notes.append('A further channel of unknown meaning was left out.')
    return None


def _divided(pixels: NDArray, alpha: NDArray, white: int | None) -> NDArray:
    """Undo the multiplication by alpha; fully clear pixels stay."""
    if pixels.dtype.kind == 'f':
        top, full = np.inf, 1.0
    else:
        full = np.iinfo(alpha.dtype).max
        top = white or full
    share = np.where(alpha > 0, alpha, full)[..., None] / full
    values = pixels / share
    np.clip(values, 0, top, out=values)
    if pixels.dtype.kind != 'f':
        np.rint(values, out=values)
    return values.astype(pixels.dtype)


def _icc(page: TiffPage) -> bytes | None:
    value = page.tags.valueof('InterColorProfile')
    return bytes(value) if isinstance(value, bytes) and value else None


def _resolution(page: TiffPage) -> tuple[float, float, int] | None:
    values = []
    for name in ('XResolution', 'YResolution'):
        value = page.tags.valueof(name)
        if isinstance(value, tuple) and len(value) == 1:
            (value,) = value
        if isinstance(value, tuple) and len(value) == 2 and value[1]:
            value = value[0] / value[1]
        values.append(value)
    return clean_resolution(*values, page.tags.valueof('ResolutionUnit', 2))


def _facts(page: TiffPage, words: str) -> str:
    compression = getattr(page.compression, 'name', str(page.compression))
    facts = [
        'TIFF',
        compression.replace('_', ' '),
        f'{page.bitspersample} bit',
        'tiles' if page.is_tiled else 'strips',
        words,
    ]
    return ', '.join(filter(None, facts))
