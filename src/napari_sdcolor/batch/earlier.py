"""What an earlier run left at the places of the results.

Files of other people are never touched. Files of this program are known by
their hashes: from the journal, or from the sidecar, which gets its name after
the files that it tells of.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_sdcolor.archive.formats import SIDECAR_SUFFIX
from napari_sdcolor.archive.sidecar import read_sidecar
from napari_sdcolor.batch.outcome import KNOWN, Outcome
from napari_sdcolor.batch.photo_settings import read_own
from napari_sdcolor.batch.task import Task
from napari_sdcolor.errors import (
    LabelsError,
    PhotoError,
    SaveError,
    SdcolorError,
)
from napari_sdcolor.files import refuse_existing, sha256_of
from napari_sdcolor.settings import SettingsError

PATIENCE = 1.0
"""Seconds from the first name of a result to its last one, at most."""

INDEPENDENT = {'device', 'weights', 'name', 'file_sha256', 'training'}
"""Where a photo was colored, in which file the weights lay there, and what
that one says of their training: a result does not depend on these, and each
machine of a cluster may have its own."""


def verify(task: Task) -> Outcome | None:
    """Whether a photo is as the journal says.

    Returns
    -------
    Outcome or None
        None if it is to be colored: it is not known to be done, or one of
        its results is missing.

    Raises
    ------
    PhotoError, LabelsError, SettingsError, SaveError
        If the photo, its map, its settings or a result was changed since.
    """
    known = task.known
    if known is None:
        return None
    if not (known.outputs and known.maps and known.source_sha256):
        return None  # a damaged record, by which nothing can be verified
    missing = False
    for name, digest in known.outputs.items():
        path = os.path.join(task.folder, name)
        if not os.path.lexists(path):
            missing = True
        elif sha256_of(path) != digest:
            raise SaveError(
                f'{path} was changed after it was written. It is kept as it '
                'is, and the photo is not colored again: move its results '
                'away, or choose another output folder.'
            )
    if sha256_of(task.source) != known.source_sha256:
        raise PhotoError(
            f'{task.source} was changed after it was colored. {_keep(task)}'
        )
    alone = len(known.maps) == 1
    for page, digest in known.maps:
        found = task.find_map(page, alone=alone)
        if (None if found is None else sha256_of(found)) != digest:
            raise LabelsError(
                f'The map of {task.source} was changed, made or taken away '
                f'after the photo was colored. {_keep(task)}'
            )
    own = read_own(task.find_settings())
    if own != known.own:
        raise SettingsError(
            f'The settings of {task.source} were changed, made or taken away '
            f'after the photo was colored. {_keep(task)}'
        )
    if missing:
        return None
    return replace(known, source=task.source, status=KNOWN)


def _keep(task: Task) -> str:
    return (
        f'Its results in {task.folder} are kept: move them away to have it '
        'colored anew, or choose another output folder.'
    )


def earlier_files(
    task: Task,
    places: Iterable[Path],
    source_sha256: str,
    settings: Mapping[str, Any],
    model: Mapping[str, Any],
) -> list[Path]:
    """Files of an earlier attempt that may be replaced.

    Parameters
    ----------
    task
        The photo.
    places
        Where its results go, the sidecar among them.
    source_sha256, settings, model
        What the sidecar of an earlier attempt must tell.

    Returns
    -------
    list of Path
        In the order in which they are to be removed, the sidecar last.

    Raises
    ------
    SaveError
        If one of the places is taken by anything else.
    """
    beside = Path(task.folder) / f'{task.name}{SIDECAR_SUFFIX}'
    found = _complete(places, beside)
    if not found:
        return []
    ours = set(task.replaces.items())
    if task.known:
        ours |= set(task.known.outputs.items())
    if beside in found:
        ours |= set(_told(beside, source_sha256, settings, model).items())
    # An empty file was claimed where links to files are not possible.
    foreign = [
        path
        for path in found
        if os.path.islink(path)
        or not path.is_file()
        or (
            path.stat().st_size > 0
            and (path.name, sha256_of(path)) not in ours
        )
    ]
    refuse_existing(foreign)
    return sorted(found, key=lambda path: path == beside)


def _complete(places: Iterable[Path], beside: Path) -> list[Path]:
    """Those places that are taken.

    Another process may be giving the names of the same result, the sidecar
    last: it has a moment to do so.
    """
    places = list(places)
    ends = time.monotonic() + PATIENCE
    while True:
        complete = os.path.lexists(beside)  # looked at before the others
        found = [path for path in places if os.path.lexists(path)]
        if not found or complete or time.monotonic() > ends:
            return found
        time.sleep(PATIENCE / 20)


def _told(
    beside: Path,
    source_sha256: str,
    settings: Mapping[str, Any],
    model: Mapping[str, Any],
) -> dict[str, str]:
    """Hashes that a sidecar of the same work tells, its own included."""
    try:
        told = read_sidecar(beside)
        same = (
            told['source']['sha256'] == source_sha256
            and _plain(told['settings']) == _plain(settings)
            and _plain(told['model']) == _plain(model)
        )
        files = [told['result'], *(page['labels'] for page in told['pages'])]
        if same:
            return {
                beside.name: sha256_of(beside),
                **{file['file']: file['sha256'] for file in files},
            }
    except (SdcolorError, OSError, LookupError, TypeError):
        pass  # no sidecar of ours
    return {}


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON gives it back, without ``INDEPENDENT``."""
    return json.loads(json.dumps(facts, default=str), object_hook=_elsewhere)


def _elsewhere(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        name: fact for name, fact in facts.items() if name not in INDEPENDENT
    }


def remove(paths: Iterable[Path]) -> None:
    """Remove files of an earlier attempt, to make room for the next one."""
    for path in paths:
        path.unlink(missing_ok=True)
