"""One photo file in, one result out.

The only place where the photos of a file meet their maps and the networks.
The stages stand apart, so that a batch can run them in threads of their own
and a command line can tell what it is doing: ``with_map``, ``color_page``,
``save_file``. Who calls says where maps are looked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.archive.labels import page_stem, read_labels
from napari_sdcolor.archive.marking import is_marked
from napari_sdcolor.archive.reading import PhotoFile
from napari_sdcolor.archive.saving import (
    MakeRoom,
    save_pages,
    save_result,
)
from napari_sdcolor.archive.sidecar import Run
from napari_sdcolor.core.photo import Photo
from napari_sdcolor.core.results import Colorized
from napari_sdcolor.errors import PhotoError, WrongUsage
from napari_sdcolor.samples import SampleFile
from napari_sdcolor.settings import Settings, Size

if TYPE_CHECKING:
    from napari_sdcolor.core.engine import Colorizer

FindMap = Callable[[int | None], str | os.PathLike[str] | None]
"""The file of a page's map, given the number of the page in the photo's
file (None where it holds one photo); None predicts the map."""


MISSING = 'The folder of maps holds none for'
"""Begins the note on a photo whose map had to be predicted after all."""


@dataclass(frozen=True)
class JobSpec:
    """How photo files are colored; picklable.

    Parameters
    ----------
    settings
        Working size, tone window and saturation are read here; the rest is
        recorded.
    format
        Of the colored files: 'tiff', 'png' or 'jpeg'.
    page
        Only this page of files that hold several, from 0; None takes all.
    dtype
        In which the networks compute.
    allow_damaged
        Color photos of which parts are missing as they are.
    """

    settings: Settings
    format: str = 'tiff'
    page: int | None = None
    dtype: str = 'float32'
    allow_damaged: bool = False


@dataclass(frozen=True, eq=False)
class GivenMap:
    """A label map that is not to be predicted, and where it came from.

    Parameters
    ----------
    labels
        (h, w) uint8 ids at working size, in stored order.
    origin
        As sidecars tell it: the name of a file, or how it was made.
    notes
        Sentences on what was changed to make it fit.
    predicted
        (h, w) ids that it is held against, to tell what a person changed.
    confidence
        Mean probability in [0, 1] of ``predicted``, if that is known.
    ask
        Hold it against what the GridNet finds, instead of ``predicted``.
    file
        Where it was read.
    """

    labels: NDArray[np.uint8]
    origin: str
    notes: tuple[str, ...] = ()
    predicted: NDArray[np.uint8] | None = None
    confidence: float | None = None
    ask: bool = True
    file: str | os.PathLike[str] | None = None


@dataclass(frozen=True, eq=False)
class Page:
    """One photo of a file, with what colors it.

    Parameters
    ----------
    photo
        As it was read.
    map
        Steers the color; None is predicted.
    notes
        Sentences on why it is predicted.
    """

    photo: Photo
    map: GivenMap | None = None
    notes: tuple[str, ...] = ()

    @property
    def map_notes(self) -> tuple[str, ...]:
        """All that is to be said about the map."""
        return self.notes if self.map is None else self.map.notes


def refuse_album(file: PhotoFile, form: str) -> None:
    """Refuse several pages where the format of the results holds one.

    Raises
    ------
    WrongUsage
        Before any work.
    """
    if file.is_album and form != 'tiff':
        raise WrongUsage(
            f'{file.path} holds {len(file.pages)} pages, which one {form} file '
            'cannot hold. Choose the format tiff, or one page with --page.'
        )


def refuse_colored(file: PhotoFile, photo: Photo) -> None:
    """Refuse what this program colored, wherever it was moved.

    Parameters
    ----------
    file
        The opened file.
    photo
        As ``file.read`` gave it.

    Raises
    ------
    PhotoError
        If the photo carries our mark.
    """
    if is_marked(photo.origin.texts):
        raise PhotoError(
            f'{file.path} was colored by this program, as its description '
            'says: its colors are a guess already. Color the photograph '
            'from which it was made.'
        )


def read_map(
    path: str | os.PathLike[str], photo: Photo, size: Size
) -> GivenMap:
    """A map from a file, made to fit a photo.

    Folders are no property of a result: what is recorded of the map, notes
    included, has the bare name of its file.

    Raises
    ------
    LabelsError
        See ``labels.read_labels``.
    """
    labels, notes = read_labels(path, photo, size)
    name = os.path.basename(path)
    notes = tuple(note.replace(os.fspath(path), name) for note in notes)
    return GivenMap(labels, name, notes, file=path)


def with_map(
    file: PhotoFile | SampleFile,
    photo: Photo,
    size: Size,
    find_map: FindMap,
    missing: str = '',
) -> Page:
    """A photo of a file with its map, if one is given.

    Parameters
    ----------
    file
        The opened file.
    photo
        As ``file.read`` gave it.
    size
        Working size.
    find_map
        Where the map is.
    missing
        NAME of the photo, where it is worth a note that it has no map: a
        place of maps was named.

    Raises
    ------
    LabelsError
        If the map cannot be used.
    """
    number = photo.origin.page
    found = find_map(number)
    if found is not None:
        return Page(photo, read_map(found, photo, size))
    if not missing:
        return Page(photo)
    name = page_stem(missing, number) if file.is_album else missing
    return Page(photo, notes=(f'{MISSING} {name}: it is predicted.',))


def color_page(
    colorizer: Colorizer,
    page: Page,
    settings: Settings,
    *,
    lazy: bool = False,
) -> Colorized:
    """Color one photo by its map, or by the one that the GridNet finds.

    Parameters
    ----------
    colorizer
        At the working size of the settings.
    page
        What to color.
    settings
        Saturation; the rest is recorded.
    lazy
        See ``Colorizer.colorize``.

    Raises
    ------
    Cancelled, DeviceError, NetworkError
        See ``Colorizer.colorize``.
    """
    given = page.map
    labels = None if given is None else given.labels
    result = colorizer.colorize(
        page.photo, labels, settings=settings, lazy=lazy
    )
    notes = (*result.notes, *page.map_notes)
    if given is None:
        return replace(result, notes=notes)
    predicted = given.predicted
    if given.ask:
        predicted = colorizer.segment(page.photo).labels
    return replace(
        result,
        labels_origin=given.origin,
        predicted=predicted,
        confidence=given.confidence,
        notes=notes,
    )


def save_file(
    results: Iterable[Colorized],
    file: PhotoFile | SampleFile,
    folder: str | os.PathLike[str],
    name: str,
    form: str,
    run: Run | None = None,
    make_room: MakeRoom | None = None,
) -> tuple[Path, ...]:
    """Save what came of one file, its pages as they come.

    Parameters
    ----------
    results
        One per page of ``file``, in order; an iterator is enough.
    file
        The photo's file.
    folder, name, form
        See ``saving.output_paths``.
    run, make_room
        See ``saving.save_result``.

    Raises
    ------
    SaveError, LabelsError
        See ``saving.save_pages``; nothing is left behind then.
    """
    if not file.is_album:
        (result,) = results
        return save_result(
            result, folder, name, form, run=run, make_room=make_room
        )
    return save_pages(
        results,
        folder,
        name,
        file.count,
        result_bytes=file.result_bytes,
        run=run,
        make_room=make_room,
    )
