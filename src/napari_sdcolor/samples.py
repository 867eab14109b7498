"""Photographs that may be redistributed, turned gray.

They come with scikit-image; nothing is downloaded. A sidecar may name one
of them as its source, so they can be had by name and without napari.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.core import lab
from napari_sdcolor.core.photo import Origin, Photo, photo_from_array
from napari_sdcolor.errors import PhotoError

SAMPLES = {
    'astronaut': 'astronaut',
    'cat': 'chelsea',
    'coffee': 'coffee',
    'rocket': 'rocket',
    'camera': 'camera',
}
"""Name of each sample, and what scikit-image calls it."""


def gray_version(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Gray photo (H, W) uint8 with the lightness of a color one."""
    gray = lab.lightness_to_gray(lab.rgb_to_lightness(rgb / 255))
    return np.rint(gray * 255).astype(np.uint8)


def sample_pixels(name: str) -> NDArray[np.uint8]:
    """Gray pixels (H, W) of a sample.

    Parameters
    ----------
    name
        One of ``SAMPLES``.

    Raises
    ------
    PhotoError
        If there is no such sample.
    """
    if name not in SAMPLES:
        raise PhotoError(
            f'This version has no sample photo {name!r}; it has '
            f'{", ".join(SAMPLES)}.'
        )
    from skimage import data

    pixels = getattr(data, SAMPLES[name])()
    return pixels if pixels.ndim == 2 else gray_version(pixels)


class SampleFile:
    """A sample that is read as the photo of a file is.

    Parameters
    ----------
    name
        One of ``SAMPLES``.

    Attributes
    ----------
    path : str
        How messages call it.
    sha256 : str
        Of the pixels' bytes, row by row.
    count, pages, is_album, result_bytes, page_bytes
        As of ``archive.reading.PhotoFile``: one photo.

    Raises
    ------
    PhotoError
        If there is no such sample.
    """

    count = 1
    pages = range(1)
    is_album = False
    result_bytes = 0
    page_bytes = ()

    def __init__(self, name: str) -> None:
        self.name = name
        self.path = f'The sample photo {name}'
        self._pixels = sample_pixels(name)
        data = np.ascontiguousarray(self._pixels).tobytes()
        self.sha256 = hashlib.sha256(data).hexdigest()

    def read(
        self, page: int = 0, *, window: str | tuple[float, float] = 'auto'
    ) -> Photo:
        """The photo; it names its sample."""
        photo = photo_from_array(self._pixels, window=window, name=self.path)
        origin = Origin(
            sha256=self.sha256, facts='sample photo', sample=self.name
        )
        return replace(photo, origin=origin)

    def read_with_pixels(
        self, page: int = 0, *, window: str | tuple[float, float] = 'auto'
    ) -> tuple[Photo, NDArray[np.uint8]]:
        """The photo and its codes (H, W)."""
        return self.read(page, window=window), self._pixels


@contextmanager
def open_sample(name: str) -> Iterator[SampleFile]:
    """A sample in place of ``archive.reading.open_photos``."""
    yield SampleFile(name)
