"""Maps that a person corrected after a photo was colored.

They lie in a folder of their own in the output folder, beside neither the
masters nor the results. A batch that finds one from which the result was
not made colors that photo anew. The earlier result is kept, too. So saving
a map is all that a correction takes: whatever is cut off after that, the
next run does.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.archive.labels import (
    is_map,
    labels_path,
    write_labels_png,
)
from napari_sdcolor.batch.outcome import Outcome
from napari_sdcolor.batch.photo_settings import read_own
from napari_sdcolor.batch.task import EDITED_MAPS, Task
from napari_sdcolor.errors import SaveError, said
from napari_sdcolor.files import keep_copy, sha256_of
from napari_sdcolor.names import safe_name
from napari_sdcolor.own_files import replace_file
from napari_sdcolor.settings import SettingsError

SUPERSEDED = 'sdcolor-superseded'
"""Folder of results that were replaced because their map was edited."""


def save_maps(
    output: Path,
    key: str,
    maps: Iterable[tuple[int | None, NDArray[np.uint8]]],
) -> list[Path]:
    """Keep the corrected maps of one photo for the next run.

    Parameters
    ----------
    output
        The output folder.
    key
        Of the photo's task.
    maps
        Page, None for a file of one photo, and (h, w) ids of each map.

    Returns
    -------
    list of Path
        The files; an earlier correction of the same map is replaced.

    Raises
    ------
    SaveError
        If the disk does not take them.
    LabelsError
        If a map holds wrong ids.
    """
    parent, _, name = key.rpartition('/')
    folder = output / EDITED_MAPS / parent
    written = []
    for page, labels in maps:
        path = labels_path(folder, name, page)
        replace_file(path, write_labels_png(labels), is_map)
        written.append(path)
    return written


def is_outdated(task: Task, done: Outcome) -> bool:
    """Whether a person corrected a map, or gave the photo settings of its
    own, after it was colored.

    Parameters
    ----------
    task
        The photo.
    done
        What the journal says about it.
    """
    alone = len(done.maps) == 1
    corrected = False
    for page, digest in done.maps:
        edited = task.find_edited(page, alone=alone)
        if edited is None:
            continue
        if sha256_of(edited) != digest:
            return True
        corrected = True
    try:
        own = read_own(task.find_settings())
    except SettingsError:
        return True  # the run itself will say what is wrong
    return corrected and own != done.own


def _own(name: str, task: Task) -> str:
    """The name of a result as the journal tells it, if it is one.

    Raises
    ------
    SaveError
        If it leads elsewhere.
    """
    try:
        return safe_name(name, here=True)
    except ValueError as error:
        raise SaveError(
            f'The journal names {name!r} as a result of {task.source}, which '
            f'cannot be: {error}. Nothing was replaced.'
        ) from error


def keep_superseded(output: Path, task: Task, done: Outcome) -> Path:
    """Keep the result that is about to be replaced.

    Parameters
    ----------
    output
        The output folder.
    task
        The photo.
    done
        What the journal says about it.

    Returns
    -------
    Path
        A new folder with all files of the result, complete or not there.

    Raises
    ------
    SaveError
        If a file of the result was changed since, or cannot be kept.
    """
    home = output / SUPERSEDED / task.key
    part = home / f'.{secrets.token_hex(8)}.part'
    try:
        part.mkdir(parents=True)
        for name, digest in done.outputs.items():
            path = Path(task.folder, _own(name, task))
            if not path.exists():
                continue
            if sha256_of(path) != digest:
                raise SaveError(
                    f'{path} was changed after it was written. It is kept '
                    'as it is, and the photo is not colored by its new map: '
                    'move its results away first.'
                )
            keep_copy(path, part / name)
        number = 1
        while (kept := home / str(number)).exists():
            number += 1
        part.rename(kept)
    except OSError as error:
        raise SaveError(
            f'The earlier result of {task.source} could not be kept in '
            f'{home}: {said(error)}. Nothing was replaced.'
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return kept
