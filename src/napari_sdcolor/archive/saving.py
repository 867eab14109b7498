"""Saving results: the colored file, its label map and its sidecar."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from napari_sdcolor.archive.formats import FORMATS, SIDECAR_SUFFIX, SUFFIXES
from napari_sdcolor.archive.labels import (
    labels_path,
    write_labels_png,
)
from napari_sdcolor.archive.marking import ACCESS_COPY, DESCRIPTION, make_mark
from napari_sdcolor.archive.sidecar import (
    Run,
    build_sidecar,
    collect_profile,
    page_facts,
    result_facts,
    sidecar_bytes,
)
from napari_sdcolor.archive.writing import Picture, write
from napari_sdcolor.core.results import Colorized
from napari_sdcolor.errors import NameTaken, SaveError
from napari_sdcolor.files import Publication, explaining, refuse_existing
from napari_sdcolor.leftovers import remove_leftovers
from napari_sdcolor.opening import sha256_of_stream

MakeRoom = Callable[[], None]
"""Removes what may go where a result gets its names; raises a SaveError if
anything else is there."""


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
        labels_path(folder, name),
        folder / f'{name}{SIDECAR_SUFFIX}',
    )


def album_paths(
    folder: str | os.PathLike[str], name: str, count: int
) -> tuple[Path, ...]:
    """Where the files of several pages go.

    Parameters
    ----------
    folder, name
        See ``output_paths``.
    count
        Number of pages.

    Returns
    -------
    tuple of Path
        The colored file, the map of each page, the sidecar.
    """
    names = output_paths(folder, name)
    maps = (labels_path(folder, name, page) for page in range(count))
    return (names.color, *maps, names.sidecar)


def save_result(
    result: Colorized,
    folder: str | os.PathLike[str],
    name: str,
    format: str = 'tiff',  # noqa: A002
    *,
    run: Run | None = None,
    make_room: MakeRoom | None = None,
) -> OutputNames:
    """Save a result: all three files, or none.

    Parameters
    ----------
    result
        What to save; must come from the full pass.
    folder, name, format
        See ``output_paths``.
    run
        Circumstances (``sidecar.run_facts``), or what tells them when the
        colored file is written.
    make_room
        Called when the result is written and is about to get its names: what
        was there until then may go. Without it nothing may be there.

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
    _save([result], names, format, 0, run, make_room)
    return names


def save_as(
    result: Colorized,
    path: str | os.PathLike[str],
) -> OutputNames:
    """Save a result under a file name, with map and sidecar beside it.

    Parameters
    ----------
    result
        What to save; must come from the full pass.
    path
        The suffix .tif, .tiff, .png, .jpg or .jpeg says which format.

    Returns
    -------
    OutputNames
        The files written.

    Raises
    ------
    SaveError, LabelsError
        As ``save_result``.
    """
    path = Path(path)
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise SaveError(
            f'{path} was not written: its suffix must be one of '
            f'{", ".join(sorted(FORMATS))}.'
        )
    name = photo_name(path)
    places = OutputNames(
        path,
        labels_path(path.parent, name),
        path.with_name(name + SIDECAR_SUFFIX),
    )
    _save([result], places, form, 0, None)
    return places


def save_pages(
    results: Iterable[Colorized],
    folder: str | os.PathLike[str],
    name: str,
    count: int,
    *,
    result_bytes: int = 0,
    run: Run | None = None,
    make_room: MakeRoom | None = None,
) -> tuple[Path, ...]:
    """Save the pages of one photo file as one multi-page TIFF file.

    Each result is asked for when the page before it is on the disk, so
    that memory is needed for one page however many there are::

        with open_photos('album.tif') as file:
            save_pages(
                (colorizer.colorize(file.read(page)) for page in file.pages),
                folder, 'album', file.count, result_bytes=file.result_bytes,
            )

    An error of the iterator comes through; nothing is left behind then.

    Parameters
    ----------
    results
        One per page, in order; an iterator is enough.
    folder, name
        See ``output_paths``; the maps go to ``labels.labels_path``.
    count
        Number of pages.
    result_bytes
        Bytes of all pixels before they are packed
        (``PhotoFile.result_bytes``): decides between TIFF and BigTIFF.
    run, make_room
        As for ``save_result``.

    Returns
    -------
    tuple of Path
        See ``album_paths``.

    Raises
    ------
    SaveError, LabelsError
        As ``save_result``, and if there are not ``count`` results.
    """
    places = album_paths(folder, name, count)
    _save(results, places, 'tiff', result_bytes, run, make_room)
    return places


def refuse_taken(places: Sequence[Path]) -> None:
    """Refuse if a place of a result is taken.

    What a killed process left half-finished makes room.

    Raises
    ------
    SaveError
        Naming the first file that exists.
    """
    for folder in {path.parent for path in places if os.path.lexists(path)}:
        with explaining(folder):
            remove_leftovers(folder)
    refuse_existing(places)


def _save(
    results: Iterable[Colorized],
    places: Sequence[Path | None],
    form: str,
    result_bytes: int,
    run: Run | None,
    make_room: MakeRoom | None = None,
) -> None:
    """Write the colored file, the maps and, last of all, the sidecar.

    They get their names in this order: where a sidecar is, all is there.
    """
    color, *maps, beside = places
    if make_room is None:
        refuse_taken([path for path in places if path is not None])
    with Publication() as publication:
        gathering = _Gathering(publication, maps, form)
        with publication.open(color) as stream:
            pictures = gathering.pictures(results)
            write(stream, pictures, form, result_bytes=result_bytes)
            digest = sha256_of_stream(stream)
        last = gathering.last
        if last is None or len(gathering.pages) < len(maps):
            raise SaveError(
                f'{color} was not written: only {len(gathering.pages)} of '
                f'{len(maps)} pages came.'
            )
        bits = 8 if form == 'jpeg' else last.photo.bits
        sidecar = build_sidecar(
            last,
            color=result_facts(
                color, digest, form, bits, last.settings.source_type
            ),
            pages=gathering.pages,
            profiles=gathering.profiles,
            notes=_notes(last, form),
            run=run,
        )
        publication.write(beside, sidecar_bytes(sidecar))
        if make_room is not None:
            make_room()
        try:
            publication.publish()
        except NameTaken:
            # Another process may finish the same photo at this moment.
            if make_room is None:
                raise
            make_room()
            publication.publish()


class _Gathering:
    """Passes pages on and keeps the little that the sidecar needs of them.

    Parameters
    ----------
    publication
        Takes the label maps.
    maps
        Where the map of each page goes; None where it is not wanted.
    form
        Of the colored file.
    """

    def __init__(
        self,
        publication: Publication,
        maps: Sequence[Path | None],
        form: str,
    ) -> None:
        self.publication = publication
        self.maps = maps
        self.form = form
        self.pages: list[dict[str, Any]] = []
        self.profiles: dict[str, bytes] = {}
        self.last: Colorized | None = None

    def pictures(self, results: Iterable[Colorized]) -> Iterator[Picture]:
        """The pages as they go into the colored file."""
        for result in results:
            if len(self.pages) == len(self.maps):
                raise SaveError(
                    f'More than the {len(self.maps)} pages came that were '
                    'to be saved.'
                )
            picture = _picture(result, self.form)
            place = self.maps[len(self.pages)]
            labels = write_labels_png(result.labels)
            if place is not None:
                self.publication.write(place, labels)
            self.pages.append(page_facts(result, place, labels))
            collect_profile(self.profiles, result)
            self.last = result
            yield picture


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
        mark=make_mark(
            photo.origin.sha256, words, result.settings.source_type
        ),
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
