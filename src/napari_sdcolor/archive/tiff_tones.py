"""What a TIFF file says about its tones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from tifffile import PHOTOMETRIC, TiffFile, TiffPage

from napari_sdcolor.core.tone import NO_TAGS, ToneTags, type_range

LARGEST = 1e30
"""Floats beyond are the limits of the type, not of a photo."""


def tone_tags(page: TiffPage, display: ToneTags = NO_TAGS) -> ToneTags:
    """What the tags of a page say, else what is said of the whole file.

    Parameters
    ----------
    page
        Of an open file.
    display
        Of the file, as ``display_tags`` gives it.
    """
    dtype = page.dtype
    if page.photometric == PHOTOMETRIC.PALETTE:
        # The colors of a palette are not those of the indices.
        return ToneTags(0, 65535, 'a palette of 16 bits', exact=True)
    nodata = _number(page.tags.valueof('GDAL_NODATA'))
    bits = page.bitspersample
    narrow = isinstance(bits, int) and bits < 8 * dtype.itemsize
    if dtype.kind == 'u' and narrow:
        source = f'{bits} bits per sample'
        return ToneTags(0, 2**bits - 1, source, exact=True, nodata=nodata)
    own = ToneTags(
        _extreme(page, 'SMinSampleValue', min, 0.0),
        _extreme(page, 'SMaxSampleValue', max),
        'SMinSampleValue and SMaxSampleValue',
        nodata=nodata,
    )
    if _tells(own, dtype):
        return own
    if not _tells(display, dtype):
        display = ToneTags(source=display.source, bits=display.bits)
    return ToneTags(
        display.low,
        display.high,
        display.source,
        bits=display.bits,
        nodata=nodata,
    )


def nodata_value(page: TiffPage) -> NDArray | None:
    """What stands where there is no data, in the type of the samples.

    None if the tag GDAL_NODATA is missing; 0 for a value that the type does
    not have.
    """
    value = page.tags.valueof('GDAL_NODATA')
    if value is None or page.dtype is None:
        return None
    number, empty = _number(value), np.zeros((), page.dtype)
    if page.dtype.kind == 'f':
        # NaN is the usual value there, and no number.
        with np.errstate(over='ignore'):
            empty[()] = np.nan if number is None else number
    elif number is not None and page.dtype.kind in 'ui':
        limits = np.iinfo(page.dtype)
        empty[()] = number if limits.min <= number <= limits.max else 0
    return empty


def display_tags(tif: TiffFile) -> ToneTags:
    """Display range or depth that ImageJ or OME state for a whole file."""
    if tif.is_imagej:
        return _imagej(tif.imagej_metadata or {})
    if tif.is_ome:
        return _ome(tif.ome_metadata or '')
    return NO_TAGS


def _tells(tags: ToneTags, dtype: np.dtype) -> bool:
    """Whether two points say more than the type does."""
    points = tags.points
    if points is None or max(map(abs, points)) > LARGEST:
        return False
    return dtype.kind == 'f' or points != type_range(dtype)


def _imagej(said: Mapping[str, Any]) -> ToneTags:
    low, high = _number(said.get('min')), _number(said.get('max'))
    ranges = said.get('Ranges')
    if isinstance(ranges, (tuple, list)) and len(ranges) > 1:
        pairs = {tuple(ranges[k : k + 2]) for k in range(0, len(ranges), 2)}
        if len(pairs) > 1:
            return NO_TAGS  # every channel has a range of its own
        low, high = map(_number, ranges[:2])
    return ToneTags(low, high, 'the display range of ImageJ')


def _ome(xml: str) -> ToneTags:
    try:
        root = ElementTree.fromstring(xml.encode())
    except ElementTree.ParseError:
        return NO_TAGS
    bits, ranges = set(), set()
    for node in root.iter():
        name = node.tag.rpartition('}')[2]
        if name == 'Pixels':
            bits.add(_number(node.get('SignificantBits')))
        elif name == 'GreyChannel':  # display options of early versions
            points = node.get('BlackLevel'), node.get('WhiteLevel')
            ranges.add(tuple(map(_number, points)))
    if len(ranges) == 1:
        low, high = ranges.pop()
        return ToneTags(low, high, 'the display range of OME')
    depth = bits.pop() if len(bits) == 1 else None
    if depth is None or not 1 <= depth < 64:
        return NO_TAGS
    source = f'{depth:g} significant bits of OME'
    return ToneTags(source=source, bits=int(depth))


def _extreme(
    page: TiffPage, name: str, choose: Any, default: float | None = None
) -> float | None:
    """The lowest or highest of what a tag says of each sample."""
    value = page.tags.valueof(name)
    values = value if isinstance(value, (tuple, list)) else (value,)
    numbers = [_number(one) for one in values]
    found = [one for one in numbers if one is not None]
    return choose(found) if found else default


def _number(value: object) -> float | None:
    """A finite number, also from text; None if it is none."""
    if isinstance(value, bytes):
        value = value.decode('ascii', 'replace')
    if isinstance(value, str):
        value = value.strip('\0 ')
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
