"""From what a file holds to a photo in its tone window.

A window that is chosen here counts in the values of the file: where the
lowest is white they are mirrored in the window, and a color profile takes
the window for its black and white. A window that a person gives in numbers
counts in values as they come out when that is done for the whole range of
their type, and so do those that the first version recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.archive.profiles import to_srgb
from napari_sdcolor.archive.scan import Scan
from napari_sdcolor.core import cancel, progress
from napari_sdcolor.core.photo import (
    Photo,
    is_gray,
    photo_in_tones,
    refuse_useless,
)
from napari_sdcolor.core.tone import (
    EXTREMES,
    GIVEN,
    POWER,
    RECORDED,
    TYPE,
    UNIT,
    ToneWindow,
    as_code,
    number,
    type_range,
)
from napari_sdcolor.core.tone_choice import ToneChoice, choose_tones
from napari_sdcolor.errors import PhotoError

Window = str | tuple[float, float] | ToneWindow
"""A tone window as it is asked for, or one that was chosen before."""


class PageTones:
    """Tone windows of the pages of one file.

    Parameters
    ----------
    count
        Number of photos in the file.
    parts
        Decodes a page: as a whole, or a part after the other.
    """

    def __init__(
        self, count: int, parts: Callable[[int], Iterator[Scan]]
    ) -> None:
        self._count = count
        self._parts = parts
        self._shared: dict[tuple, ToneWindow] = {}

    def own(
        self, name: str, parts: Iterator[Scan], window: Window
    ) -> ToneWindow | None:
        """The tone window of a page; None if the pages are to agree on it.

        Parameters
        ----------
        name
            How messages call the page.
        parts
            The page itself; only the first is decoded if that suffices.
        window
            As it is asked for.

        Raises
        ------
        PhotoError
            If the page can be no photo.
        SettingsError
            If the window is none.
        """
        if isinstance(window, ToneWindow):
            return window
        first = next(parts)
        refuse_useless(first.pixels, name)
        choice = ToneChoice(first.pixels.dtype, window, first.tags)
        if choice.needs_values:
            choice.look(first.pixels)
            for part in parts:
                choice.look(part.pixels)
        tones = choice.chosen()
        by_values = tones.rule in (POWER, UNIT, EXTREMES)
        agree = self._count > 1 and window == 'auto' and by_values
        return None if agree else tones

    def shared(self, kind: Scan) -> ToneWindow:
        """The tone window of all pages of one kind.

        Pages of one scan stay as bright as they are beside each other. One
        that fills the range of its type is enough to choose that for all.

        Parameters
        ----------
        kind
            A page; its pixels are not needed.
        """
        wanted = _kind(kind)
        if wanted not in self._shared:
            self._shared[wanted] = self._agreed(kind)
        return self._shared[wanted]

    def _agreed(self, kind: Scan) -> ToneWindow:
        shared = ToneChoice(kind.pixels.dtype, 'auto', kind.tags)
        for page in range(self._count):
            progress.say(f'Looking at page {page + 1} of {self._count}')
            own = ToneChoice(kind.pixels.dtype, 'auto', kind.tags)
            try:
                for part in self._parts(page):
                    cancel.check()
                    if _kind(part) == _kind(kind):
                        own.look(part.pixels)
                        shared.look(part.pixels)
            except PhotoError:
                continue  # it is refused when it is read itself
            if own.chosen().rule == TYPE:
                return own.chosen()
        return shared.chosen()


def _kind(scan: Scan) -> tuple:
    """What pages must share to be of one scan."""
    return scan.pixels.dtype.str, scan.pixels.ndim, scan.inverted, scan.tags


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
        if tones.rule == GIVEN and (tones.low, tones.high) != points:
            notes += (_counted_backward(*points),)
    if scan.icc:
        whole = points == type_range(pixels.dtype)
        by_type = tones.rule in (GIVEN, RECORDED)
        known = points if whole or not by_type else None
        pixels, said = to_srgb(pixels, scan.icc, known)
        notes += said
    pixels = tones.blacken(pixels, missing)
    # As stored: a profile need not leave gray exactly where it is.
    gray = is_gray(scan.pixels)
    photo = photo_in_tones(pixels, scan.alpha, tones, gray=gray)
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


def _counted_backward(low: float, high: float) -> str:
    """What two values mean in a file whose lowest value is white."""
    return (
        'White is the lowest value of this file, and the two values of the '
        f'tone window count from the other end: {number(low + high)} minus '
        'the value in the file.'
    )


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
