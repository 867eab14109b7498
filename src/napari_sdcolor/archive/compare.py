"""Holding a result against an earlier one of the same photo.

First the two sidecars are compared, then, where they disagree, the pixels.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.archive.colored_files import planes
from napari_sdcolor.archive.companions import has_hash, most_bytes
from napari_sdcolor.archive.label_files import read_ids
from napari_sdcolor.archive.scan import DECODE_ERRORS
from napari_sdcolor.archive.sidecar import read_sidecar
from napari_sdcolor.core.planes import bands
from napari_sdcolor.errors import LabelsError, PhotoError, said

_STRIP = 2**18
"""Pixels compared at a time."""


@dataclass(frozen=True)
class Comparison:
    """How a result differs from an earlier one of the same photo.

    Parameters
    ----------
    identical
        Whether the colored file came out with the same bytes, and all maps
        with the same ids.
    differences
        Sentences on what differs in the results.
    notes
        Sentences on what is the same, but stored in another way.
    circumstances
        What else differs, such as a version: name, then and now.
    largest_delta_e
        Largest CIEDE2000 difference between the colored file and the new
        one; None if they are the same or cannot be compared.
    pixels
        Share of pixels in [0, 1] that differ, likewise.
    """

    identical: bool
    differences: tuple[str, ...]
    notes: tuple[str, ...]
    circumstances: tuple[tuple[str, Any, Any], ...]
    largest_delta_e: float | None
    pixels: float | None


def compare(before: Path, after: Path) -> Comparison:
    """Hold a result against an earlier one.

    Parameters
    ----------
    before, after
        The two sidecars, each with its files beside it.

    Raises
    ------
    SdcolorError
        If a sidecar cannot be read.
    """
    told, again = read_sidecar(before), read_sidecar(after)
    differences, notes = list(_spoiled(before, told)), []
    if told['result']['sha256'] != again['result']['sha256']:
        differences.append('The colored file comes out with other bytes.')
    pages = list(zip(told['pages'], again['pages'], strict=True))
    for number, (then, now) in enumerate(pages):
        if then['labels']['sha256'] == now['labels']['sha256']:
            continue
        which = f' of page {number}' if len(pages) > 1 else ''
        saved, place = then['labels']['file'], now['labels']['file']
        if saved and _same_ids(
            before.with_name(saved), after.with_name(place)
        ):
            notes.append(
                f'The map{which} holds the same classes; its file has other '
                'bytes, as an earlier version stored it.'
            )
        else:
            differences.append(f'The map{which} comes out with other classes.')
    delta = share = None
    colored = before.with_name(told['result']['file'])
    if differences and os.path.isfile(colored):
        shapes = [
            (page['photo']['height'], page['photo']['width'])
            for page in again['pages']
        ]
        delta, share, trouble = _pixels(
            colored, after.with_name(again['result']['file']), shapes
        )
        if trouble:
            differences.append(trouble)
    circumstances = tuple(
        change
        for change in _changes(told, again)
        if change[0].partition('.')[0] not in ('run', 'result', 'command')
    )
    return Comparison(
        identical=not differences,
        differences=tuple(differences),
        notes=tuple(notes),
        circumstances=circumstances,
        largest_delta_e=delta,
        pixels=share,
    )


def _same_ids(before: Path, after: Path) -> bool:
    """Whether two maps hold the same ids, however their files pack them."""

    def fits(shape: tuple[int, int]) -> None:
        if shape != now.shape:
            raise LabelsError('It has another size.')

    try:
        now = read_ids(after)
        return np.array_equal(read_ids(before, fits), now)
    except LabelsError:
        return False


def _spoiled(sidecar: Path, told: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the files that a sidecar tells of."""
    maps = [page['labels'] for page in told['pages']]
    for file in (told['result'], *maps):
        if file['file'] is None:
            continue
        path = sidecar.with_name(file['file'])
        if not os.path.isfile(path):
            yield f'{path} is not there any more.'
        elif not has_hash(path, file['sha256'], most_bytes(told)):
            yield f'{path} was changed after it was written.'


def _changes(
    then: object, now: object, place: str = ''
) -> Iterator[tuple[str, Any, Any]]:
    """Where two sidecars disagree, with both values."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for name in sorted({*then, *now}):
            inner = f'{place}.{name}' if place else name
            yield from _changes(then.get(name), now.get(name), inner)
    elif (
        isinstance(then, list)
        and isinstance(now, list)
        and len(then) == len(now)
    ):
        for number, pair in enumerate(zip(then, now, strict=True)):
            yield from _changes(*pair, f'{place}.{number}')
    elif then != now:
        yield place, then, now


def _pixels(
    then: Path, now: Path, shapes: Sequence[tuple[int, int]]
) -> tuple[float | None, float | None, str]:
    """Largest difference, share of differing pixels, or why not."""
    largest, changed, total = 0.0, 0, 0
    try:
        pages = zip(planes(then, shapes), planes(now, shapes), strict=True)
        for one, other in pages:
            if one.shape != other.shape or one.dtype != other.dtype:
                return None, None, f'{then} has another size or depth.'
            total += one.shape[0] * one.shape[1]
            for rows in bands(one.shape, _STRIP):
                differ = (one[rows] != other[rows]).any(-1)
                changed += int(differ.sum())
                if differ.any():
                    found = _delta_e(one[rows][differ], other[rows][differ])
                    largest = max(largest, float(found.max()))
    except (PhotoError, MemoryError, *DECODE_ERRORS) as error:
        return None, None, f'{then} cannot be compared: {said(error)}.'
    return largest, changed / total, ''


def _delta_e(one: NDArray, other: NDArray) -> NDArray:
    from skimage.color import deltaE_ciede2000

    from napari_sdcolor.core.lab import rgb_to_lab

    top = float(np.iinfo(one.dtype).max)
    return deltaE_ciede2000(rgb_to_lab(one / top), rgb_to_lab(other / top))
