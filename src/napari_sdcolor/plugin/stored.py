"""The photo in a file, held against the layer that shows the file.

napari's readers hand over samples as they are stored: of a negative, of
palette indices, with alpha or the colors along an axis of their own, or
those of a thumbnail. Here it is found out whether they are what a file
holds. Everything takes a while and belongs into the worker.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from numpy.typing import NDArray

from napari_sdcolor.archive.reading import open_photos
from napari_sdcolor.archive.scan import DECODE_ERRORS
from napari_sdcolor.core.orientation import upright
from napari_sdcolor.core.photo import Photo
from napari_sdcolor.opening import open_regular
from napari_sdcolor.plugin.placement import same_place, turned
from napari_sdcolor.plugin.provenance import (
    FACTS_KEY,
    SOURCE_KEY,
    Match,
    Opened,
    Window,
)

if TYPE_CHECKING:
    from napari.layers import Layer


@dataclass(frozen=True, eq=False)
class Stored:
    """One photo of a file, understood and as napari shows it.

    Parameters
    ----------
    photo
        As our reader understands it.
    pixels
        (H, W) or (H, W, 3), the codes that its lightness comes from.
    samples
        As napari's readers give them: (H, W), (H, W, channels) or
        (channels, H, W).
    """

    photo: Photo
    pixels: NDArray
    samples: NDArray

    def shown_by(self, shown: NDArray) -> bool:
        """Whether an array holds the photo's pixels as they are stored."""
        return any(equal(shown, own) for own in (self.samples, self.pixels))

    def match(self, plane: NDArray, whole: NDArray) -> Match:
        """How the pixels that a layer shows are those of the photo.

        Parameters
        ----------
        plane
            (H, W) or (H, W, channels), what the layer holds for one photo.
        whole
            All that the layer holds.
        """
        in_place = plane.shape[:2] == self.photo.shape
        if in_place and self.shown_by(plane):
            return Match.SAME
        if self.shown_by(whole):
            # Alpha or colors became an axis of their own.
            return Match.REARRANGED
        turn = self.photo.origin.orientation
        known = (self.samples, self.pixels)
        if turn != 1 and any(equal(plane, upright(p, turn)) for p in known):
            return Match.REARRANGED
        return Match.OTHER if in_place else Match.SIZE

    def window_of(self, window: tuple[float, float], shown: NDArray) -> Window:
        """Two tones of a layer in the values of the photo.

        The photo must have been read with two tones, whichever: what they
        count in depends on that.

        Parameters
        ----------
        window
            Black and white, in the values that the layer shows.
        shown
            As for ``match``.

        Returns
        -------
        tuple of float, or str
            'auto' where the values of the layer are no tones, as those of
            a palette.
        """
        own = translated(window, shown, self.pixels)
        if own == 'auto':
            return translated(window, self.samples, self.pixels)
        return own


def read_stored(
    path: Path, page: int | None, window: Window = 'auto'
) -> Stored:
    """Read a photo and what napari shows of it.

    Parameters
    ----------
    path
        Its file.
    page
        From 0; the first is read where there is none such.
    window
        Tone window of the photo.

    Raises
    ------
    PhotoError
        If our reader cannot read the photo.
    """
    # One page can be read of files that cannot be taken as a whole. A layer
    # may have more planes than its file has photos: see ``Match``.
    with open_photos(path, 0) as file:
        number = page if page is not None and page < file.count else 0
        photo, pixels = file.read_with_pixels(number, window=window)
        samples = file.samples(number)
    if samples is None:
        samples = _by_napari(path)
    return Stored(photo, pixels, pixels if samples is None else samples)


def _by_napari(path: Path) -> NDArray | None:
    """What napari's own readers give of a file that is no TIFF file."""
    import imageio.v3 as iio
    from PIL.Image import DecompressionBombError

    try:
        with open_regular(path) as stream:
            return iio.imread(stream, extension=path.suffix)
    except (DecompressionBombError, *DECODE_ERRORS):
        return None


def translated(
    window: tuple[float, float], samples: NDArray, pixels: NDArray
) -> Window:
    """A tone window of samples in the codes that were made of them.

    Parameters
    ----------
    window
        Black and white among the samples.
    samples, pixels
        Before and after inversion, palette and profile.
    """
    if samples.shape != pixels.shape or samples.dtype.kind == 'b':
        return 'auto'
    if equal(samples, pixels):
        return window
    low, high = window
    before, after = samples.astype(np.float64), pixels.astype(np.float64)
    top = before.flat[0] + after.flat[0]
    if np.array_equal(before + after, np.full_like(before, top)):
        return float(top - high), float(top - low)
    codes, first = np.unique(before, return_index=True)
    values = after.ravel()[first]
    steps = np.diff(values)
    if samples.ndim != 2 or not ((steps >= 0).all() or (steps <= 0).all()):
        return 'auto'
    found = sorted(float(v) for v in np.interp(window, codes, values))
    return (found[0], found[1]) if found[0] < found[1] else 'auto'


def equal(one: NDArray, other: NDArray) -> bool:
    """Equal in shape and value; True and False are white and black."""
    if one.shape != other.shape:
        return False
    if (one.dtype == bool) != (other.dtype == bool):
        one, other = _codes(one), _codes(other)
    inexact = one.dtype.kind == 'f' and other.dtype.kind == 'f'
    return np.array_equal(one, other, equal_nan=inexact)


def _codes(pixels: NDArray) -> NDArray:
    return pixels * np.uint8(255) if pixels.dtype == bool else pixels


# --- as a layer -----------------------------------------------------------


def layer_beside(photo: Layer, path: Path, stored: Stored) -> Image:
    """A layer with the photo of a file, where another one cannot show it.

    Parameters
    ----------
    photo
        The other one.
    path
        Its file.
    stored
        What the file holds.
    """
    found, pixels = stored.photo, stored.pixels
    origin = found.origin
    rgb = pixels.ndim == 3
    limited = not rgb and pixels.dtype != bool
    opened = Opened(
        path=path,
        pages=[origin.page],
        limits=found.window if limited else None,
    )
    fields = _place_of(photo, found.shape)
    if limited:
        fields['contrast_limits'] = found.window
    layer = Image(
        np.asarray(pixels),
        rgb=rgb,
        name=path.name,
        metadata={SOURCE_KEY: opened},
        **fields,
    )
    if origin.orientation != 1:
        layer.affine = turned(layer, found.shape, origin.orientation)
    return layer


def _place_of(photo: Layer, shape: tuple[int, int]) -> dict[str, Any]:
    """Where the photo (H, W) of a file lies, as its layer has other axes."""
    if photo.metadata[FACTS_KEY].match is not Match.REARRANGED:
        return {}
    if photo.ndim == 2:
        return same_place(photo)
    # The third axis, of channels, comes first or last.
    first = int(photo.data.shape[1:3] == shape)
    return {
        name: getattr(photo, name)[first : first + 2]
        for name in ('scale', 'translate')
    }
