"""From what a file holds to a photo in its tone window.

A window that is chosen here counts in the values of the file: where the
lowest is white they are mirrored in the window, and a color profile takes
the window for its black and white. A window that a person gives in numbers
counts in values as they come out when that is done for the whole range of
their type, and so do those that the first version recorded.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.archive.profiles import to_srgb
from napari_sdcolor.archive.scan import Scan
from napari_sdcolor.core.photo import Photo, photo_in_tones, refuse_useless
from napari_sdcolor.core.tone import (
    GIVEN,
    RECORDED,
    ToneWindow,
    as_code,
    type_range,
)
from napari_sdcolor.core.tone_choice import ToneChoice, choose_tones

Window = str | tuple[float, float] | ToneWindow
"""A tone window as it is asked for, or one that was chosen before."""


def choice_for(name: str, scan: Scan, window: Window) -> ToneChoice:
    """What chooses the tone window of a photo.

    Parameters
    ----------
    name
        How messages call the photo.
    scan
        Any part of it.
    window
        As it is asked for.
    """
    refuse_useless(scan.pixels, name)
    return ToneChoice(scan.pixels.dtype, window, scan.tags)


def understood(name: str, scan: Scan, tones: ToneWindow) -> tuple[Photo, Scan]:
    """A photo, or a part of one, and the values that it was made of.

    Parameters
    ----------
    name
        How messages call it.
    scan
        As it was decoded.
    tones
        Its tone window.

    Returns
    -------
    photo
        Without its origin.
    scan
        Black lowest, in sRGB, black where there is no data.
    """
    refuse_useless(scan.pixels, name)
    missing = tones.missing(scan.pixels)
    points = _points(scan, tones)
    notes = scan.notes
    pixels = scan.pixels
    if scan.inverted:
        pixels = mirrored(pixels, *points)
    if scan.icc:
        whole = points == type_range(pixels.dtype)
        by_type = tones.rule in (GIVEN, RECORDED)
        known = points if whole or not by_type else None
        pixels, said = to_srgb(pixels, scan.icc, known)
        notes += said
    pixels = tones.blacken(pixels, missing)
    photo = photo_in_tones(pixels, scan.alpha, tones)
    photo = replace(photo, notes=notes + photo.notes)
    return photo, replace(scan, pixels=pixels, notes=notes)


def _points(scan: Scan, tones: ToneWindow) -> tuple[float, float]:
    """What is black and white to mirror and profile."""
    if scan.pixels.dtype.kind == 'b':
        return 0.0, 1.0
    if tones.rule not in (GIVEN, RECORDED):
        return tones.low, tones.high
    if scan.tags.exact and scan.tags.points:
        return scan.tags.points
    if scan.pixels.dtype.kind != 'f':
        return type_range(scan.pixels.dtype)
    if tones.rule == GIVEN and scan.inverted:
        tones = choose_tones(scan.pixels, 'auto', scan.tags)
    return tones.low, tones.high


def mirrored(pixels: NDArray, low: float, high: float) -> NDArray:
    """Values from low to high, the lowest highest."""
    if pixels.dtype.kind == 'b':
        return ~pixels
    if pixels.dtype.kind == 'f':
        return np.asarray(low + high - pixels, pixels.dtype)
    dark, bright = as_code(low, pixels.dtype), as_code(high, pixels.dtype)
    if (dark, bright) == type_range(pixels.dtype):
        return np.invert(pixels)
    kept = np.clip(pixels, dark, bright)
    if pixels.dtype.kind == 'u':  # where the sum may not fit the type
        return bright - (kept - dark)
    return (dark + bright) - kept
