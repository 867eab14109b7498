"""A photo: its exact lightness and what was understood about it.

L* everywhere in this package means L* after the tone window.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from napari_sdcolor.core import cancel
from napari_sdcolor.core.planes import Rows, bands
from napari_sdcolor.core.tone import (
    ToneWindow,
    lightness_of,
    scale,
    type_range,
)
from napari_sdcolor.core.tone_choice import choose_tones
from napari_sdcolor.errors import PhotoError
from napari_sdcolor.settings import NATIVE, Size

MIN_SIDE = 16
"""Photos whose shorter side has fewer pixels are refused."""

MAX_AREA = 16
"""A working plane has at most this many times size x size pixels."""

_keeping = threading.Lock()
"""Held while planes are put away that photos keep."""


@dataclass(frozen=True)
class Origin:
    """What came with the pixels when they were read from a file.

    Parameters
    ----------
    path
        File name as given, or an empty string.
    sha256
        Of the file's bytes.
    icc
        The embedded color profile's bytes.
    orientation
        EXIF orientation 1..8; pixels stay in stored order.
    resolution
        Horizontal and vertical resolution and its TIFF unit
        (1 none, 2 inch, 3 centimeter).
    texts
        Further tags carried over, such as Artist and Copyright.
    facts
        Words on the file itself, such as 'TIFF, LZW'.
    page
        Which page of the file was asked for, None if it has one photo.
    sample
        Name of the sample photo that it is (see ``samples``), or an empty
        string. ``sha256`` is that of its pixels then.
    damage
        What is missing of the picture, in words; empty if it is whole.
    """

    path: str = ''
    sha256: str = ''
    icc: bytes | None = None
    orientation: int = 1
    resolution: tuple[float, float, int] | None = None
    texts: tuple[tuple[str, str], ...] = ()
    facts: str = ''
    page: int | None = None
    sample: str = ''
    damage: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Photo:
    """One gray photo, ready for the networks.

    Parameters
    ----------
    lightness
        (H, W) float32, L* in [0, 100] after the tone window, at full
        resolution and in stored order. Of a very large photo, rows that
        are read from its file when they are needed.
    bits
        Depth of results, 8 or 16.
    tones
        Which values became black and white, and why.
    kind
        What the pixels were: 'gray', 'color' or 'black and white'. Color
        with equal channels is gray.
    source_dtype
        Data type of the pixels as given.
    alpha
        (H, W) in the type of the results, or None; as ``lightness``.
    notes
        Sentences for a person about what was understood.
    origin
        What a file brought along.
    """

    lightness: NDArray[np.float32] | Rows
    bits: int
    tones: ToneWindow
    kind: str
    source_dtype: str
    alpha: NDArray | Rows | None = None
    notes: tuple[str, ...] = ()
    origin: Origin = Origin()
    _resized: dict[Size, NDArray] = field(
        init=False, repr=False, default_factory=dict
    )

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.lightness.shape

    @property
    def window(self) -> tuple[float, float]:
        """The values that became black and white."""
        return self.tones.low, self.tones.high

    @property
    def in_memory(self) -> bool:
        """Whether the planes are arrays, not rows of a file."""
        return isinstance(self.lightness, np.ndarray)

    def loaded(self) -> Photo:
        """The same photo with its planes in memory."""
        if self.in_memory:
            return self
        alpha = None if self.alpha is None else np.asarray(self.alpha)
        lightness = np.asarray(self.lightness)
        return replace(self, lightness=lightness, alpha=alpha)

    def working_shape(self, size: Size) -> tuple[int, int]:
        """(h, w) of the planes that the networks see; see below."""
        return working_shape(self.shape, size)

    def working_lightness(self, size: Size) -> NDArray[np.float32]:
        """L* (h, w) at working size, antialiased, in stored order.

        Several parts of the work ask for it, so the latest two are kept:
        features and colors are found at sizes of their own.
        """
        plane = self._resized.get(size)
        if plane is None:
            plane = resize_plane(self.lightness, self.working_shape(size))
        with _keeping:
            # Behind the others: the one that was asked for last.
            self._resized.pop(size, None)
            while len(self._resized) > 1:
                del self._resized[next(iter(self._resized))]
            self._resized[size] = plane
        return plane

    def describe(self) -> str:
        """What was understood, in one sentence."""
        height, width = self.shape
        return (
            f'{self.kind}, {width} × {height} pixels, {self.source_dtype}, '
            f'{self.tones.words}'
        )


def working_shape(shape: tuple[int, int], size: Size) -> tuple[int, int]:
    """Shape with the short side at ``size``, aspect kept.

    ``'native'`` is the shape itself. Very long photos get a shorter side so that the plane does not exceed
    ``MAX_AREA * size**2`` pixels by more than the rounding of its sides.
    """
    height, width = shape
    if size == NATIVE:
        return height, width
    scale = size / min(height, width)
    area = height * width * scale**2
    if area > MAX_AREA * size**2:
        scale *= (MAX_AREA * size**2 / area) ** 0.5
    return max(1, round(height * scale)), max(1, round(width * scale))


def resize_plane(
    plane: NDArray[np.float32] | Rows, shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Antialiased bicubic resize, kept inside the plane's own range.

    The rows are shortened strip by strip, then the columns at once: the
    same arithmetic as in one go, without the whole plane in memory.
    """
    if plane.shape == tuple(shape):
        return np.ascontiguousarray(plane)
    height, width = shape
    narrow = np.empty((plane.shape[0], width), np.float32)
    low, high = np.inf, -np.inf
    for rows in bands(plane.shape):
        cancel.check()
        strip = np.ascontiguousarray(plane[rows], dtype=np.float32)
        low, high = min(low, strip.min()), max(high, strip.max())
        narrow[rows] = _resize(strip, (len(strip), width))
    return np.clip(_resize(narrow, (height, width)), low, high)


def _resize(plane: NDArray, shape: tuple[int, int]) -> NDArray:
    image = Image.fromarray(plane)
    return np.array(image.resize(shape[::-1], Image.Resampling.BICUBIC))


def photo_from_array(
    array: ArrayLike,
    *,
    window: str | tuple[float, float] | ToneWindow = 'auto',
    rgb: bool | None = None,
    name: str = 'The image',
) -> Photo:
    """Understand an array as one photo.

    Parameters
    ----------
    array
        (H, W) gray; (H, W, 2) gray and alpha; (H, W, 3|4) color, of which
        only the lightness is used. Boolean, integer or float.
    window
        Tone window: 'auto', 'type', 'minmax', 'LOW,HIGH' or the pair
        (see ``settings.Settings.window``); or one that was chosen before,
        such as by ``tone_choice.choose_tones`` for a whole stack.
    rgb
        Whether the last axis holds channels; None guesses from the shape.
    name
        How messages call the photo.

    Returns
    -------
    Photo

    Raises
    ------
    PhotoError
        For what cannot be one photo: stacks, complex numbers, empty or
        all-NaN arrays, sides under 16 pixels.
    SettingsError
        If the tone window is none.
    """
    pixels, alpha = _split(np.asarray(array), rgb, name)
    refuse_useless(pixels, name)
    tones = window
    if not isinstance(tones, ToneWindow):
        tones = choose_tones(pixels, tones)
    return photo_in_tones(
        tones.blacken(pixels, tones.missing(pixels)), alpha, tones
    )


def photo_in_tones(
    pixels: NDArray,
    alpha: NDArray | None,
    tones: ToneWindow,
    *,
    gray: bool | None = None,
) -> Photo:
    """A photo of pixels whose tone window is chosen.

    Parameters
    ----------
    pixels
        (H, W) gray or (H, W, 3) color that can be a photo (see
        ``refuse_useless``), black where there is no data.
    alpha
        (H, W), or None.
    tones
        Counts in the same codes as the pixels.
    gray
        Whether the photo was gray before anything was applied to it; None
        looks at the pixels.
    """
    notes = []
    if gray is None:
        gray = is_gray(pixels)
    kind = 'gray' if gray else 'color'
    if kind == 'color':
        notes.append('A color photo: only its lightness is used.')
    dtype, (low, high) = pixels.dtype, (tones.low, tones.high)
    if dtype.kind == 'b':
        kind = 'black and white'
        pixels = pixels.astype(np.uint8)
    bits = 8 if dtype.kind in 'bui' and dtype.itemsize == 1 else 16
    if dtype.kind == 'f' and not np.isfinite(pixels).all():
        notes.append('Pixels that are no numbers are shown black.')
        pixels = np.nan_to_num(pixels, nan=low, posinf=high, neginf=low)
    return Photo(
        lightness=lightness_of(pixels, low, high),
        bits=bits,
        tones=tones,
        kind=kind,
        source_dtype=str(dtype),
        alpha=_alpha(alpha, bits),
        notes=(*notes, *tones.notes),
    )


def is_gray(pixels: NDArray) -> bool:
    """Whether (H, W) or (H, W, 3) pixels hold no color: equal channels."""
    if pixels.ndim == 2:
        return True
    for rows in bands(pixels.shape[:2]):
        part = pixels[rows]
        for channel in (1, 2):
            same = np.array_equal(
                part[..., 0],
                part[..., channel],
                equal_nan=pixels.dtype.kind == 'f',
            )
            if not same:
                return False
    return True


def as_photo(photo: Photo | ArrayLike) -> Photo:
    """A photo as it is, or an array understood as one."""
    return photo if isinstance(photo, Photo) else photo_from_array(photo)


def _split(
    array: NDArray, rgb: bool | None, name: str
) -> tuple[NDArray, NDArray | None]:
    """Separate alpha from gray (H, W) or color (H, W, 3)."""
    if array.ndim == 2 and not rgb:
        return array, None
    channels = array.shape[-1] if array.ndim == 3 else 0
    if rgb is not False and channels in (2, 3, 4):
        if channels == 2:
            return array[..., 0], array[..., 1]
        return array[..., :3], array[..., 3] if channels == 4 else None
    if array.ndim == 3 and channels == 1:
        return array[..., 0], None
    raise PhotoError(
        f'{name} has the shape {array.shape}: a photo has two axes, or three '
        'with 1 to 4 channels last. Choose one plane of a stack.'
    )


def refuse_useless(array: NDArray, name: str) -> None:
    """Refuse what cannot be one photo.

    Parameters
    ----------
    array
        (H, W) gray or (H, W, 3) color.
    name
        How messages call it.

    Raises
    ------
    PhotoError
        See ``photo_from_array``.
    """
    if array.dtype.kind not in 'buif':
        raise PhotoError(
            f'{name} holds {array.dtype} values; a photo holds booleans, '
            'integers or floats.'
        )
    if array.size == 0:
        raise PhotoError(f'{name} is empty.')
    if min(array.shape[:2]) < MIN_SIDE:
        raise PhotoError(
            f'{name} has {array.shape[1]} × {array.shape[0]} pixels; the '
            f'shorter side must have at least {MIN_SIDE}.'
        )
    if array.dtype.kind == 'f' and not np.isfinite(array).any():
        raise PhotoError(f'{name} holds no number at all, only NaN.')


def _alpha(alpha: NDArray | None, bits: int) -> NDArray | None:
    if alpha is None:
        return None
    dtype = np.uint8 if bits == 8 else np.uint16
    if alpha.dtype == dtype:
        return np.ascontiguousarray(alpha)
    low, high = type_range(alpha.dtype)
    share = scale(np.nan_to_num(alpha.astype(np.float64)), low, high)
    return np.rint(share * np.iinfo(dtype).max).astype(dtype)
