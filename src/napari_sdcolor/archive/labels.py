"""Label maps: where they are, whether they fit, how they are written.

A map is stored as its photo is stored, in the same orientation: a palette PNG
whose values are the ids and whose palette has the colors of the classes. Gray
PNG files of the same values are read as well.
"""

from __future__ import annotations

import io
import math
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_sdcolor.archive.formats import LABELS_SUFFIX
from napari_sdcolor.archive.label_files import PALETTE, read_ids
from napari_sdcolor.classes import N_CLASSES, UNKNOWN
from napari_sdcolor.core.photo import Photo
from napari_sdcolor.core.planes import resize_labels, same_aspect
from napari_sdcolor.errors import LabelsError
from napari_sdcolor.settings import Size
from napari_sdcolor.words import listed

LARGE = 2**26
"""A map has as many pixels at most, or as many as its photo."""


def find_labels(
    file_or_folder: str | os.PathLike[str], stem: str
) -> Path | None:
    """The label map that belongs to a photo.

    Parameters
    ----------
    file_or_folder
        The map itself, or a folder that holds ``STEM.labels.png`` or
        ``STEM.png``, looked for in this order.
    stem
        The photo's file name without its last suffix.

    Returns
    -------
    Path or None
        None if the folder holds no map of that name.

    Raises
    ------
    LabelsError
        If there is neither such a file nor such a folder.
    """
    place = Path(file_or_folder)
    if place.is_dir():
        for suffix in (LABELS_SUFFIX, '.png'):
            found = place / f'{stem}{suffix}'
            if found.is_file():
                return found
        return None
    if place.is_file():
        return place
    raise LabelsError(
        f'There is no label map and no folder named {place}. Check the name.'
    )


def page_stem(name: str, page: int) -> str:
    """What the map of one page of the photo NAME is called."""
    return f'{name}.p{page:04d}'


def labels_path(
    folder: str | os.PathLike[str], name: str, page: int | None = None
) -> Path:
    """Where the label map of the photo NAME lies, or that of one page."""
    stem = name if page is None else page_stem(name, page)
    return Path(folder) / f'{stem}{LABELS_SUFFIX}'


def find_page_labels(
    file_or_folder: str | os.PathLike[str],
    name: str,
    page: int | None,
    *,
    alone: bool = True,
    photo: str | os.PathLike[str] | None = None,
) -> Path | None:
    """The label map that belongs to one page; see ``find_labels``.

    Parameters
    ----------
    file_or_folder
        As for ``find_labels``. A folder may hold ``NAME.p0002.labels.png``
        or ``NAME.p0002.png`` for page 2.
    name
        The photo's file name without its last suffix.
    page
        From 0; None where the photo has no pages.
    alone
        Only this page is wanted: then a map of the photo's own name, or
        one given as a file, is taken too.
    photo
        The photo's file: in a folder of photos and maps, NAME.png is no map.

    Raises
    ------
    LabelsError
        As ``find_labels``, and if one file is given for several pages.
    """
    in_folder = Path(file_or_folder).is_dir()
    if page is not None and in_folder:
        found = find_labels(file_or_folder, page_stem(name, page))
        if found is not None or not alone:
            return found
    if not alone:
        raise LabelsError(
            f'{file_or_folder} is one map, but {name} has several pages. '
            f'Name a folder that holds {page_stem(name, 0)}{LABELS_SUFFIX} '
            'and so on, or choose one page.'
        )
    found = find_labels(file_or_folder, name)
    if found is not None and in_folder and photo is not None:
        return None if found.samefile(photo) else found
    return found


def read_labels(
    path: str | os.PathLike[str], photo: Photo, size: Size
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Read a label map for a photo.

    Parameters
    ----------
    path
        Palette or gray PNG whose values are the ids, or one in which some
        program replaced them by the colors of the classes.
    photo
        The photo that the map belongs to.
    size
        Working size: short side of the networks' planes in pixels, or
        'native'.

    Returns
    -------
    labels
        (h, w) uint8, ids 0..59, at the photo's working shape. A map of
        that shape is taken as it is; one of another size with the photo's
        aspect is resized to the nearest pixel.
    notes
        Sentences on what was changed.

    Raises
    ------
    LabelsError
        If the map cannot be read, has another aspect than the photo, or
        holds other values than 0..59 and 255.
    """
    path = os.fspath(path)

    def fits(shape: tuple[int, int]) -> None:
        _refuse_unfit(shape, photo, size, path)

    return fit_labels(read_ids(path, fits), photo, size, path)


def fit_labels(
    ids: NDArray, photo: Photo, size: Size, name: str = 'The label map'
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Make a map fit a photo; see ``read_labels``.

    Parameters
    ----------
    ids
        (h, w) integers.
    photo, size
        As for ``read_labels``.
    name
        How messages call the map.

    Raises
    ------
    LabelsError
        If the map is no plane of integers, has another aspect than the
        photo, or holds other values than 0..59 and 255.
    """
    if ids.ndim != 2 or ids.dtype.kind not in 'ui':
        raise LabelsError(
            f'{name} has the shape {ids.shape} and the type {ids.dtype}; a '
            'label map has two axes of integers.'
        )
    notes = []
    unknown = ids == UNKNOWN
    if unknown.any():
        ids = np.where(unknown, 0, ids)
        notes.append(
            f'{name}: {int(unknown.sum())} pixels of the value {UNKNOWN} '
            'count as no class (0).'
        )
    _refuse_foreign_ids(ids, name)
    _refuse_unfit(ids.shape, photo, size, name)
    shape = photo.working_shape(size)
    if ids.shape != shape:
        notes.append(
            f'{name}: resized from {_words(ids.shape)} to {_words(shape)} '
            'pixels, nearest neighbor.'
        )
        ids = resize_labels(ids, shape)
    return np.ascontiguousarray(ids, dtype=np.uint8), tuple(notes)


def is_map(head: bytes) -> bool:
    """``own_files.Known`` for label maps: PNG files of 8-bit ids, gray or with a
    palette."""
    png = head.startswith(b'\x89PNG\r\n\x1a\n') and head[12:16] == b'IHDR'
    return png and head[24:26] in (b'\x08\x00', b'\x08\x03')


def write_labels_png(labels: NDArray[np.uint8]) -> bytes:
    """Encode a label map as 8-bit palette PNG, the ids as values.

    No color is transparent: programs that edit pictures would put that one
    first, or give the map an alpha channel, and so change the ids.

    Raises
    ------
    LabelsError
        If the array is no (h, w) uint8 map of ids 0..59.
    """
    if labels.ndim != 2 or labels.dtype != np.uint8 or labels.size == 0:
        raise LabelsError(
            f'A label map is a (h, w) array of uint8, not {labels.shape} of '
            f'{labels.dtype}.'
        )
    _refuse_foreign_ids(labels, 'The label map')
    image = Image.fromarray(np.ascontiguousarray(labels))
    image.putpalette(PALETTE.tobytes())
    stream = io.BytesIO()
    image.save(stream, 'PNG', bits=8, compress_level=6)
    return stream.getvalue()


def _refuse_foreign_ids(ids: NDArray, name: str) -> None:
    foreign = np.unique(ids[(ids < 0) | (ids >= N_CLASSES)]).tolist()
    if foreign:
        raise LabelsError(
            f'{name} holds values that are no class: {listed(foreign, 5)}. '
            f'Classes are 0 to {N_CLASSES - 1}; {UNKNOWN} counts as no class.'
        )


def _refuse_unfit(
    shape: tuple[int, int], photo: Photo, size: Size, name: str
) -> None:
    """Refuse a map (h, w) that cannot belong to a photo."""
    if shape == photo.working_shape(size):
        return
    if math.prod(shape) > max(LARGE, math.prod(photo.shape)):
        raise LabelsError(
            f'{name} has {_words(shape)} pixels, far more than the photo with '
            f'{_words(photo.shape)}. Export the map at the size of the photo.'
        )
    if same_aspect(shape, photo.shape):
        return
    turned = same_aspect(shape[::-1], photo.shape)
    hint = (
        ' It seems to be turned: a map is stored as the photo is stored.'
        if turned
        else ''
    )
    raise LabelsError(
        f'{name} has {_words(shape)} pixels, another aspect than the photo '
        f'with {_words(photo.shape)}.{hint} Use a map made for this photo.'
    )


def _words(shape: tuple[int, int]) -> str:
    return f'{shape[1]} × {shape[0]}'
