"""Save what is on the screen: always by one full pass, never over a file."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.archive.formats import FORMATS
from napari_sdcolor.core.results import Colorized
from napari_sdcolor.errors import SaveError
from napari_sdcolor.plugin.plane import EDITED, PREDICTED, Inputs, Plane
from napari_sdcolor.settings import Settings, parse_window, window_words

if TYPE_CHECKING:
    from napari_sdcolor.core.engine import Colorizer
    from napari_sdcolor.plugin.painter import ReadPhoto
    from napari_sdcolor.plugin.trio import Trio


def split_name(path: Path) -> tuple[Path, str, str]:
    """Folder, NAME and format of a chosen ``NAME.color.tif``.

    Raises
    ------
    SaveError
        If the suffix names no format that we write.
    """
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise SaveError(
            f'{path.name} ends in {path.suffix or "nothing"}; choose .tif, '
            '.png or .jpg.'
        )
    return path.parent, path.stem.removesuffix('.color'), form


def result_name(trio: Trio, plane: int) -> str:
    """NAME of the files of one plane."""
    path = trio.source.path
    name = path.name.removesuffix(path.suffix) if path else trio.photo.name
    name = re.sub(r'[\\/:*?"<>|\x00-\x1f]', '-', name).strip() or 'photo'
    return f'{name}.p{plane:04d}' if trio.is_stack else name


@dataclass(frozen=True, eq=False)
class SaveRequest:
    """A saving with all that it needs, whatever becomes of the layers.

    Parameters
    ----------
    read
        Gives the photo.
    inputs
        What the color is made of; its map is None if it is still to be
        predicted.
    settings
        As ``Trio.settings`` gives them.
    known
        Where the map came from, as it was known then.
    """

    read: ReadPhoto
    inputs: Inputs
    settings: Settings
    known: Plane


def save_request(
    trio: Trio,
    plane: int,
    labels: NDArray[np.uint8] | None,
    settings: Settings,
) -> SaveRequest:
    """What is saved of a plane of a trio, as it is at this moment."""
    known = replace(trio.planes[plane])
    return SaveRequest(
        trio.reader(plane), trio.inputs(labels), settings, known
    )


def as_shown(trio: Trio, plane: int, base: Settings) -> SaveRequest:
    """A plane as it is shown now; one that was not run is still to be.

    Parameters
    ----------
    trio, plane
        Which.
    base
        Gives the settings that are no choice for a single photo.
    """
    labels = trio.snapshot(plane)[0] if was_run(trio, plane) else None
    return save_request(trio, plane, labels, trio.settings(base))


def was_run(trio: Trio, plane: int) -> bool:
    """Whether there is a map that color can be made of."""
    known = trio.planes[plane]
    return trio.map is not None and (
        known.baseline is not None
        or known.shown is not None
        or trio.edited_share(plane) > 0
    )


def full_result(colorizer: Colorizer, request: SaveRequest) -> Colorized:
    """Color a plane anew in one full pass, for saving."""
    from napari_sdcolor.archive.one_file import GivenMap, Page, color_page

    photo, settings = request.read(), request.settings
    labels, known = request.inputs.labels, request.known
    if isinstance(parse_window(settings.window), tuple):
        # In the values of the file, where the layer shows others.
        settings = replace(settings, window=window_words(photo.window))
    if labels is None:
        return color_page(colorizer, Page(photo), settings)
    baseline, origin = known.baseline, known.origin
    if baseline is None:
        # Nobody gave a map: all that is on it was painted.
        baseline = np.zeros_like(labels)
    elif origin == EDITED:
        # Asked for now, so that the record can tell what a person changed
        # also before.
        baseline = colorizer.segment(photo).labels
        origin = PREDICTED
    if not np.array_equal(baseline, labels):
        origin = EDITED
    elif origin != PREDICTED:
        # A file's map, as it came: nobody knows what a person did in it.
        baseline = None
    given = GivenMap(
        labels,
        origin,
        predicted=baseline,
        confidence=known.confidence,
        ask=False,
    )
    return color_page(colorizer, Page(photo, given), settings)


def command_line(trio: Trio, plane: int, settings: Settings) -> str:
    """The ``sdcolor`` call that makes the same file.

    Raises
    ------
    SaveError
        If the photo has no file that a command could read, or the edited
        map was not saved.
    """
    path = trio.source.path
    if path is None or not path.is_file():
        raise SaveError(
            f'{trio.photo.name} was not opened from a file, so no command '
            'can read it. Save it as TIFF first and open that file.'
        )
    if not trio.source.from_file(plane):
        raise SaveError(
            f'What is colored are the pixels of the layer {trio.photo.name}, '
            f'not those of {path.name}, so no command can read them. Save '
            'the layer as TIFF first and open that file.'
        )
    # Each page in a folder of its own: they share their NAME.
    folder = f'colored-p{plane:04d}' if trio.is_stack else 'colored'
    words = ['sdcolor', 'colorize', str(path.resolve()), '-o', folder]
    page = trio.source.page(plane)
    if page is not None:
        words += ['--page', str(page)]
    if trio.edited_share(plane):
        file = trio.saved_map(plane)
        if file is None:
            raise SaveError(
                'The edited map must be a file before a command can use it: '
                'press Save first, then copy the command again.'
            )
        words += ['--labels', str(file.resolve())]
    window = trio.source.window_read(plane, trio.window)
    settings = replace(trio.settings(settings), window=window_words(window))
    return shlex.join(words + settings.to_arguments())
