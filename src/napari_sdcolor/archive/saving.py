"""Saving results: the colored file, its label map and its sidecar."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from napari_sdcolor.archive.atomic import publish, refuse_existing
from napari_sdcolor.archive.labels import LABELS_SUFFIX, write_labels_png
from napari_sdcolor.archive.marking import ACCESS_COPY, DESCRIPTION, make_mark
from napari_sdcolor.archive.sidecar import (
    SIDECAR_SUFFIX,
    build_sidecar,
    labels_facts,
    result_facts,
    sidecar_bytes,
)
from napari_sdcolor.archive.writing import SUFFIXES, Picture, encode
from napari_sdcolor.core.photo import photo_facts
from napari_sdcolor.core.results import Colorized
from napari_sdcolor.errors import SaveError

_FORMATS = {suffix: form for form, suffix in SUFFIXES.items()} | {
    '.tiff': 'tiff',
    '.jpeg': 'jpeg',
}


class OutputNames(NamedTuple):
    """The files of one result."""

    color: Path
    labels: Path
    sidecar: Path


def photo_name(path: str | os.PathLike[str]) -> str:
    """NAME of a photo: its file name without the last suffix."""
    return Path(path).stem


def output_paths(
    folder: str | os.PathLike[str],
    name: str,
    format: str = 'tiff',  # noqa: A002
) -> OutputNames:
    """Where the files of a result go.

    Parameters
    ----------
    folder
        An existing folder.
    name
        As ``photo_name`` gives it.
    format
        'tiff', 'png' or 'jpeg'.

    Raises
    ------
    SaveError
        If the format is unknown or the name is no bare file name.
    """
    if format not in SUFFIXES:
        raise SaveError(
            f'{format!r} is no format; choose one of {", ".join(SUFFIXES)}.'
        )
    if not name or Path(name).name != name:
        raise SaveError(f'{name!r} is no file name.')
    folder = Path(folder)
    return OutputNames(
        folder / f'{name}.color{SUFFIXES[format]}',
        folder / f'{name}{LABELS_SUFFIX}',
        folder / f'{name}{SIDECAR_SUFFIX}',
    )


def page_labels_path(
    folder: str | os.PathLike[str], name: str, page: int
) -> Path:
    """Where the label map of one page of a multi-page photo goes."""
    return Path(folder) / f'{name}.p{page:04d}{LABELS_SUFFIX}'


def save_result(
    result: Colorized,
    folder: str | os.PathLike[str],
    name: str,
    format: str = 'tiff',  # noqa: A002
    *,
    run: Mapping[str, Any] | None = None,
    edited_share: float | None = None,
    command: Sequence[str] | None = None,
) -> OutputNames:
    """Save a result: all three files, or none.

    Parameters
    ----------
    result
        What to save; must come from the full pass.
    folder, name, format
        See ``output_paths``.
    run
        Circumstances (``sidecar.run_facts``).
    edited_share
        Share in [0, 1] of the map's pixels that a person changed.
    command
        Command line to record; made from the settings if not given.

    Returns
    -------
    OutputNames
        The files written.

    Raises
    ------
    SaveError
        If a file exists already, cannot be marked or cannot be written.
        Nothing is left behind then.
    LabelsError
        If the result's map holds wrong ids.
    """
    names = output_paths(folder, name, format)
    refuse_existing(names)
    color = encode([_picture(result, format)], format)
    labels = write_labels_png(result.labels)
    sidecar = build_sidecar(
        result,
        color=result_facts(result, names.color, color, format),
        labels=labels_facts(result, names.labels, labels, edited_share),
        command=command,
        notes=_notes(result, format),
        run=run,
    )
    contents = (color, labels, sidecar_bytes(sidecar))
    publish(list(zip(names, contents, strict=True)))
    return names


def save_color_only(
    result: Colorized,
    path: str | os.PathLike[str],
    *,
    run: Mapping[str, Any] | None = None,
    edited_share: float | None = None,
    command: Sequence[str] | None = None,
) -> tuple[Path, Path]:
    """Save only the colored file, with its sidecar beside it.

    Parameters
    ----------
    result
        What to save; must come from the full pass.
    path
        The suffix .tif, .tiff, .png, .jpg or .jpeg says which format.
    run, edited_share, command
        As for ``save_result``.

    Returns
    -------
    color, sidecar
        The files written.

    Raises
    ------
    SaveError, LabelsError
        As ``save_result``.
    """
    path = Path(path)
    form = _FORMATS.get(path.suffix.lower())
    if form is None:
        raise SaveError(
            f'{path} was not written: its suffix must be one of '
            f'{", ".join(sorted(_FORMATS))}.'
        )
    beside = path.with_name(photo_name(path) + SIDECAR_SUFFIX)
    refuse_existing((path, beside))
    color = encode([_picture(result, form)], form)
    labels = write_labels_png(result.labels)
    sidecar = build_sidecar(
        result,
        color=result_facts(result, path, color, form),
        labels=labels_facts(result, None, labels, edited_share),
        command=command,
        notes=_notes(result, form),
        run=run,
    )
    publish([(path, color), (beside, sidecar_bytes(sidecar))])
    return path, beside


def save_pages(
    results: Sequence[Colorized],
    folder: str | os.PathLike[str],
    name: str,
    *,
    run: Mapping[str, Any] | None = None,
    command: Sequence[str] | None = None,
) -> tuple[Path, ...]:
    """Save the pages of one photo file as one multi-page TIFF file.

    Parameters
    ----------
    results
        One per page, in order.
    folder, name
        See ``output_paths``; the maps go to ``page_labels_path``.
    run, command
        As for ``save_result``.

    Returns
    -------
    tuple of Path
        The colored file, the maps, the sidecar.

    Raises
    ------
    SaveError, LabelsError
        As ``save_result``.
    """
    if not results:
        raise SaveError(f'{name} has no page to save.')
    names = output_paths(folder, name)
    places = [
        page_labels_path(folder, name, page) for page in range(len(results))
    ]
    refuse_existing((names.color, *places, names.sidecar))
    color = encode([_picture(result, 'tiff') for result in results], 'tiff')
    maps = [write_labels_png(result.labels) for result in results]
    pages = [
        {
            'photo_facts': photo_facts(result.photo),
            'labels': labels_facts(result, place, content),
            'notes': list(result.notes),
        }
        for result, place, content in zip(results, places, maps, strict=True)
    ]
    first = results[0]
    sidecar = build_sidecar(
        first,
        color=result_facts(first, names.color, color, 'tiff'),
        pages=pages,
        command=command,
        run=run,
    )
    files = [
        (names.color, color),
        *zip(places, maps, strict=True),
        (names.sidecar, sidecar_bytes(sidecar)),
    ]
    publish(files)
    return tuple(path for path, _ in files)


def _picture(result: Colorized, form: str) -> Picture:
    photo = result.photo
    bits = result.rgb.dtype.itemsize * 8
    if result.rgb.shape[:2] != photo.shape or bits != photo.bits:
        raise SaveError(
            f'The result has {result.rgb.shape[1]} × {result.rgb.shape[0]} '
            f'pixels of {bits} bits, but the photo {photo.shape[1]} × '
            f'{photo.shape[0]} of {photo.bits}. Color the photo again.'
        )
    words = ACCESS_COPY if form == 'jpeg' else DESCRIPTION
    return Picture(
        rgb=result.rgb,
        mark=make_mark(photo.origin.sha256, words),
        alpha=photo.alpha,
        orientation=photo.origin.orientation,
        resolution=photo.origin.resolution,
        texts=photo.origin.texts,
    )


def _notes(result: Colorized, form: str) -> tuple[str, ...]:
    if form != 'jpeg':
        return ()
    lost = ['lightness is not exact']
    if result.photo.bits == 16:
        lost.append('16 bits became 8')
    if result.photo.alpha is not None:
        lost.append('the alpha channel is not in it')
    return (f'JPEG is an access copy: {", ".join(lost)}.',)
