"""One photograph to learn from: where its bytes lie and how they are read."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import ExifTags, Image

from napari_sdcolor.archive.scan import (
    DECODE_ERRORS,
    refuse_beyond_memory,
    refuse_bomb,
)
from napari_sdcolor.archive.tiff_tones import display_tags, tone_tags
from napari_sdcolor.classes import N_CLASSES, UNKNOWN
from napari_sdcolor.core.depth import in_eight_bits
from napari_sdcolor.core.orientation import upright
from napari_sdcolor.core.planes import resize_labels, same_aspect
from napari_sdcolor.core.tone import ToneTags, scale
from napari_sdcolor.core.tone_choice import choose_tones
from napari_sdcolor.datasets.ids import IdTable
from napari_sdcolor.errors import DataError, PhotoError, said
from napari_sdcolor.opening import open_regular

_WORK_BYTES = 8
"""Memory for a pixel while it is converted."""

_TIFF = (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+')


@dataclass(frozen=True)
class Place:
    """Where bytes lie: a whole file, or a part of one such as a tar shard."""

    path: Path
    offset: int = 0
    size: int | None = None

    def read(self) -> bytes:
        """All of it.

        Raises
        ------
        OSError
            If it cannot be read, or lies in no regular file.
        PhotoError
            If this machine lacks the memory.
        """
        with open_regular(self.path) as file:
            left = max(0, os.fstat(file.fileno()).st_size - self.offset)
            size = left if self.size is None else min(self.size, left)
            refuse_beyond_memory(size)
            file.seek(self.offset)
            return file.read(size)


@dataclass(frozen=True)
class LabelFile:
    """A stored label map and what its ids mean.

    Parameters
    ----------
    place
        A PNG file with ids as values, or a MATLAB file with ``LabelMap``.
    table
        How its ids become ours; None where they are ours already.
    upright
        Made for the photo as a person looks at it, at a size of its own.
        Other maps are stored as their photo is, in size and orientation.
    any_size
        May also have another size with the aspect of the photo, as those
        that ``sdcolor segment`` writes.
    """

    place: Place
    table: IdTable | None = None
    upright: bool = False
    any_size: bool = False

    def load(self) -> NDArray[np.uint8]:
        """The map (h, w) in our ids, 255 for unknown, in stored order.

        Raises
        ------
        ValueError
            If it holds ids that mean nothing, or is no map.
        """
        ids = _decode_ids(self.place.read())
        if ids.ndim != 2:
            raise ValueError(f'the label map is {ids.shape}, not (h, w)')
        if self.table is not None:
            return self.table.ours(ids)
        if np.any((ids >= N_CLASSES) & (ids != UNKNOWN)):
            raise ValueError('label ids outside 0..59 and 255')
        return ids.astype(np.uint8)


@dataclass(frozen=True)
class Skipped:
    """A photograph or map that is left out, and why."""

    dataset: str
    name: str
    reason: str


class BadEntry(DataError):
    """An entry that cannot be used; others of its data can."""

    def __init__(self, dataset: str, name: str, reason: str) -> None:
        super().__init__(f'{dataset}/{name}: {reason}.')
        self.skipped = Skipped(dataset, name, reason)

    def __reduce__(self) -> tuple:
        # Reading processes hand it over.
        skipped = self.skipped
        return BadEntry, (skipped.dataset, skipped.name, skipped.reason)


@dataclass(frozen=True)
class Entry:
    """One photograph and, where there is one, its label map.

    Parameters
    ----------
    dataset, name
        Together they name it to a person.
    split
        Usually 'train' or 'val'.
    photo
        A picture file.
    labels
        Its map, or None.
    """

    dataset: str
    name: str
    split: str
    photo: Place
    labels: LabelFile | None = None

    @property
    def full_name(self) -> str:
        """Data set and name, which together are unique."""
        return f'{self.dataset}/{self.name}'

    def load(
        self, limit: int | None = None
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        """RGB (h, w, 3) and label map (h, w) with 255 for unknown.

        Both are upright, as a person looks at the photo.

        Parameters
        ----------
        limit
            Larger photos are shrunk to this short side in pixels, which
            is fast for JPEG.

        Raises
        ------
        DataError
            If the photo cannot be decoded, or its label map has another
            aspect or ids that mean nothing.
        """
        with self._bad_said():
            rgb, shape, orientation = _decode_photo(self.photo.read(), limit)
            if self.labels is None:
                return upright(rgb, orientation), None
            labels = self.labels.load()
            if not self.labels.upright:
                fits = labels.shape == shape or (
                    self.labels.any_size and same_aspect(labels.shape, shape)
                )
                if not fits:
                    raise ValueError(
                        f'the label map is {labels.shape}, the photo {shape}'
                    )
                labels = upright(labels, orientation)
            rgb = upright(rgb, orientation)
            if labels.shape != rgb.shape[:2]:
                labels = resize_labels(labels, rgb.shape[:2])
        return rgb, labels

    @contextmanager
    def _bad_said(self) -> Iterator[None]:
        try:
            yield
        except (
            *DECODE_ERRORS,
            MemoryError,
            PhotoError,
            Image.DecompressionBombError,
        ) as error:
            raise BadEntry(self.dataset, self.name, said(error)) from error


def _decode_photo(
    data: bytes, limit: int | None
) -> tuple[NDArray[np.uint8], tuple[int, int], int]:
    """RGB, shape before shrinking, and EXIF orientation; stored order."""
    if data.startswith(_TIFF):
        image, orientation = _tiff(data)
    else:
        image = Image.open(io.BytesIO(data))
        _refuse_large(*image.size, len(image.getbands()), data)
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    with image:
        shape = (image.height, image.width)
        if image.mode.startswith(('I', 'F')):
            raise ValueError(f'the photo has no colors ({image.mode})')
        factor = min(shape) / limit if limit else 1
        if factor > 1:
            size = tuple(
                max(limit, round(side / factor)) for side in shape[::-1]
            )
            image.draft('RGB', size)
            image = image.convert('RGB').resize(
                size, Image.Resampling.LANCZOS, reducing_gap=3
            )
        return np.array(image.convert('RGB')), shape, orientation


def _tiff(data: bytes) -> tuple[Image.Image, int]:
    """First page of a TIFF file as 8-bit picture, and its orientation."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        depth = page.samplesperpixel * max(1, page.bitspersample / 8)
        _refuse_large(page.imagewidth, page.imagelength, depth, data)
        pixels = page.asarray()
        tag = page.tags.get('Orientation')
        planar = page.axes.startswith('S')
        tags = tone_tags(page, display_tags(file))
    if planar:
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.ndim == 3:
        pixels = pixels[..., :3]
    if pixels.dtype.kind not in 'uif':
        raise ValueError(f'a TIFF photo of {pixels.dtype} cannot be used')
    if pixels.dtype != np.uint8:
        pixels = _in_8_bits(pixels, tags)
    pixels = np.ascontiguousarray(pixels)
    return Image.fromarray(pixels), int(tag.value) if tag else 1


def _in_8_bits(pixels: NDArray, tags: ToneTags) -> NDArray[np.uint8]:
    """Wider pixels in the tone window that coloring them would take."""
    tones = choose_tones(pixels, 'auto', tags)
    pixels = tones.blacken(pixels, tones.missing(pixels))
    if pixels.dtype == np.uint16 and (tones.low, tones.high) == (0, 65535):
        return in_eight_bits(pixels, 'down')
    share = scale(np.nan_to_num(pixels, nan=tones.low), tones.low, tones.high)
    return (share * 255 + 0.5).astype(np.uint8)


def _decode_ids(data: bytes) -> NDArray:
    """Values of a stored map; the content tells the kind of file."""
    if data.startswith(b'MATLAB'):
        return _matlab_ids(data)
    with Image.open(io.BytesIO(data)) as image:
        _refuse_large(*image.size, len(image.getbands()), data)
        ids = np.array(image)
    if ids.dtype == bool:
        ids = ids.astype(np.uint8)
    return ids


def _refuse_large(
    width: int, height: int, pixel_bytes: float, data: bytes
) -> None:
    """Refuse bombs and what does not fit, before pixels are decoded."""
    refuse_bomb(width, height, pixel_bytes, len(data))
    refuse_beyond_memory(width * height * (2 * pixel_bytes + _WORK_BYTES))


def _matlab_ids(data: bytes) -> NDArray:
    """``LabelMap`` of PASCAL-Context's .mat files."""
    from scipy.io import loadmat, whosmat
    from scipy.io.matlab import MatReadError

    try:
        for name, shape, _ in whosmat(io.BytesIO(data)):
            if name == 'LabelMap' and len(shape) == 2:
                _refuse_large(*shape, 8, data)
        found = loadmat(io.BytesIO(data), variable_names=['LabelMap'])
    except (MatReadError, NotImplementedError) as error:
        raise ValueError(f'no readable MATLAB file: {said(error)}') from error
    if 'LabelMap' not in found:
        raise ValueError('the MATLAB file holds no LabelMap')
    return found['LabelMap']
