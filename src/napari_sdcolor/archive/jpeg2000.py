"""Reading JPEG 2000 files and bare codestreams.

Only the codestream goes to the decoder. What the boxes around it say on
colors is applied here, once: the decoder would do some of it on its own and
tell nobody.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.archive import headers
from napari_sdcolor.archive.heard import hearing
from napari_sdcolor.archive.jpeg2000_boxes import Boxes, Palette, read_boxes
from napari_sdcolor.archive.jpeg2000_colors import Colors, choose_colors
from napari_sdcolor.archive.jpeg2000_layout import (
    Component,
    Layout,
    read_layout,
)
from napari_sdcolor.archive.jpeg2000_stream import TILE_PART, Stream
from napari_sdcolor.archive.raster_scan import Claim, raster_scan
from napari_sdcolor.archive.scan import DECODE_ERRORS, Scan
from napari_sdcolor.core.tone import NO_TAGS, ToneTags
from napari_sdcolor.errors import PhotoError

MAX_COMPONENTS = 5
"""Color, alpha and one more; beyond that it is no photo."""

MAX_BITS = 24
"""Samples that the decoder gets right."""

_OPACITY, _MULTIPLIED = 1, 2
_TILE_BYTES, _TILE_COMPONENT_BYTES = 8000, 1500
"""What the decoder notes down of each tile before it decodes any."""

BAND = 2**18
"""Pixels that are converted at a time: in between, each takes 100 bytes."""

_LOST = ('Expected SOP', 'Expected EPH', 'PTERM check failure')
"""Warnings of the decoder on data that is not as it was."""


def claimed(head: bytes) -> Claim | None:
    """What a file says of its size; None if more of it is needed."""
    try:
        start = headers.jpeg2000_start(head)
        layout = read_layout(head, start)
    except (headers.NoCodestream, struct.error):
        return None
    _refuse_odd(layout)
    count = len(layout.components)
    pixel = count * _container(layout.components[0].bits)
    boxes = _boxes(head[:start])
    if boxes and boxes.palette:
        shown = len(boxes.palette.channels)
        _refuse_many(shown)
        pixel = max(pixel, shown * _container(boxes.palette.value_bits))
    return Claim(
        layout.width,
        layout.height,
        pixel,
        kept=2 * 4 * count,  # 32 bits per sample: of the tile, of the picture
        fixed=layout.tiles * (_TILE_BYTES + count * _TILE_COMPONENT_BYTES),
        least=layout.tiles * TILE_PART.size,
    )


def read_jpeg2000(data: bytes) -> Scan:
    """Read a JPEG 2000 file or bare codestream."""
    start = headers.jpeg2000_start(data)
    layout = read_layout(data, start)
    _refuse_odd(layout)
    notes = []
    boxes = _boxes(data[:start])
    if boxes is None:
        boxes = Boxes()
        notes.append('What the file says on its colors is damaged.')
    pixels, damage = _decoded(data, start, layout)
    component = layout.components[0]
    if boxes.palette:
        pixels, component = _looked_up(pixels, boxes.palette)
    pixels, alpha, multiplied = _channels(pixels, boxes.channels, notes)
    colors = choose_colors(boxes.spaces, pixels.shape[-1], notes)
    if component.signed and (colors.converts or colors.icc):
        pixels = _by_rows(partial(_unsigned, bits=component.bits), pixels)
        component = replace(component, signed=False)
    if colors.converts and not _is_subsampled(layout):  # the decoder did
        convert = partial(colors.converted, bits=component.bits)
        pixels = _by_rows(convert, pixels)
    if alpha is not None and multiplied:
        divide = partial(_divided, bits=component.bits)
        pixels = _by_rows(divide, pixels, alpha)
        notes.append('The alpha channel was multiplied in: divided out.')
    if alpha is not None:
        pixels = np.concatenate((pixels, alpha[..., None]), axis=-1)
    resolution = boxes.resolution
    scan = raster_scan(
        pixels,
        {'icc_profile': colors.icc},
        f'JPEG 2000, {component.bits} bit'
        + (', palette' if boxes.palette else ''),
        resolution=(*resolution, 2) if resolution else None,
        notes=notes,
        tags=_tags(component, colors),
    )
    return replace(scan, damage=damage, inverted=colors.inverted)


def _boxes(data: bytes) -> Boxes | None:
    """What lies in front of the codestream; None if that is damaged."""
    try:
        return read_boxes(data)
    except (struct.error, LookupError):
        return None


def _refuse_many(channels: int) -> None:
    if not 1 <= channels <= MAX_COMPONENTS:
        raise PhotoError(f'it holds {channels} channels')


def _refuse_odd(layout: Layout) -> None:
    count = len(layout.components)
    _refuse_many(count)
    kinds = {(part.bits, part.signed) for part in layout.components}
    if len(kinds) > 1:
        raise PhotoError(
            'its channels have different depths; save it with one for all'
        )
    ((bits, _),) = kinds
    if bits > MAX_BITS:
        raise PhotoError(f'samples of {bits} bits are not supported')
    if _is_subsampled(layout) and count != 3:
        raise PhotoError(
            'its channels have different sizes; save it with one for all'
        )


def _is_subsampled(layout: Layout) -> bool:
    """Whether its chroma is coarser than its luma.

    What is coarser is chroma, whatever the file says: the decoder turns such
    pictures into RGB.
    """
    steps = {(part.across, part.down) for part in layout.components}
    return steps != {(1, 1)}


def _container(bits: int) -> int:
    """Bytes of a decoded sample."""
    return 1 if bits <= 8 else 2 if bits <= 16 else 4


def _decoded(
    data: bytes, start: int, layout: Layout
) -> tuple[NDArray, tuple[str, ...]]:
    """(H, W, C) samples, and what is missing of them."""
    stream = Stream.of(data, start, layout)
    if not stream.parts:
        raise PhotoError('the file ends before the image does')
    damage = _damage(stream, layout)
    with hearing() as words:
        try:
            pixels = imagecodecs.jpeg2k_decode(stream.whole(), verbose=2)
        except DECODE_ERRORS as error:
            pixels = _rest(stream, error)
    if not damage and any(lost in said for said in words for lost in _LOST):
        damage = ('the data of a part of the picture is not as it was',)
    return np.atleast_3d(pixels), damage


def _rest(stream: Stream, error: Exception) -> NDArray:
    """What the tiles show that are whole, where not all are."""
    if stream.broken:
        with suppress(*DECODE_ERRORS):
            rest = stream.whole(without_broken=True)
            return imagecodecs.jpeg2k_decode(rest)
    # The decoder's own words name nothing but its functions.
    raise PhotoError(
        'its data is damaged, or of a kind that is not read'
    ) from error


def _damage(stream: Stream, layout: Layout) -> tuple[str, ...]:
    missing, all_ = len(stream.broken), layout.tiles
    if missing and all_ > 1:
        return (f'{missing} of its {all_} tiles are missing or incomplete',)
    if missing or not stream.ended:
        return ('the file ends before the image does',)
    return ()


def _by_rows(change: Callable[..., NDArray], *arrays: NDArray) -> NDArray:
    """What becomes of pixels, worked out some rows at a time."""
    height, width = arrays[0].shape[:2]
    step = max(1, BAND // width)
    return np.concatenate(
        [
            change(*(array[top : top + step] for array in arrays))
            for top in range(0, height, step)
        ]
    )


def _looked_up(codes: NDArray, palette: Palette) -> tuple[NDArray, Component]:
    """(H, W, C) values in place of codes, and what they are."""
    bits = palette.value_bits
    if bits > 16:
        raise PhotoError(f'samples of {bits} bits are not supported')
    if any(number >= codes.shape[-1] for number, _ in palette.channels):
        raise PhotoError('its palette is damaged')
    dtype = np.dtype(f'u{_container(bits)}')
    tables = [
        None if column is None else np.array(palette.columns[column], dtype)
        for _, column in palette.channels
    ]

    def values(part: NDArray) -> NDArray:
        planes = []
        for (number, _), table in zip(palette.channels, tables, strict=True):
            plane = part[..., number]
            if table is not None:
                plane = table[np.minimum(plane, len(table) - 1)]
            planes.append(plane.astype(dtype, copy=False))
        return np.stack(planes, axis=-1)

    return _by_rows(values, codes), Component(bits, False, 1, 1)


def _unsigned(pixels: NDArray, bits: int) -> NDArray:
    """Signed samples, counted from the lowest."""
    half = 2 ** (bits - 1)
    return (pixels.astype(np.int64) + half).astype(f'u{_container(bits)}')


def _channels(
    pixels: NDArray,
    defined: tuple[tuple[int, int, int], ...],
    notes: list[str],
) -> tuple[NDArray, NDArray | None, bool]:
    """Color in its order, alpha, and whether that is multiplied in."""
    count = pixels.shape[-1]
    if not defined:
        colors = 3 if count > 2 else 1
        if count - colors > 1:
            raise PhotoError(f'it holds {count} channels')
        alpha = pixels[..., colors] if count > colors else None
        return pixels[..., :colors], alpha, False
    known = [entry for entry in defined if entry[0] < count]
    told = sorted(
        (place, number) for number, kind, place in known if kind == 0
    )
    alphas = [
        (number, kind)
        for number, kind, _ in known
        if kind in (_OPACITY, _MULTIPLIED)
    ]
    colors = [number for _, number in told]
    if len(colors) not in (1, 3):
        raise PhotoError(f'it holds {len(colors)} channels of color')
    if len(colors) + bool(alphas) < count:
        notes.append('A channel that is no color and no alpha was left out.')
    if not alphas:
        return pixels[..., colors], None, False
    number, kind = alphas[0]
    return pixels[..., colors], pixels[..., number], kind == _MULTIPLIED


def _divided(pixels: NDArray, alpha: NDArray, bits: int) -> NDArray:
    """Color without the alpha that was multiplied in."""
    top = 2**bits - 1
    share = np.maximum(alpha[..., None], 1) / top
    return np.rint(pixels / share).clip(0, top).astype(pixels.dtype)


def _tags(component: Component, colors: Colors) -> ToneTags:
    bits = component.bits
    if colors.full_range or (bits in (8, 16) and not component.signed):
        return NO_TAGS
    half = 2 ** (bits - 1) if component.signed else 0
    source = f'{bits} bits per sample'
    return ToneTags(-half, 2**bits - 1 - half, source, exact=True)
