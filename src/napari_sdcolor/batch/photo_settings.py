"""Settings that a person gave to one photo of a batch.

They lie beside the map that a person corrected, ``NAME.labels.png``, and
hold for that photo file whoever colors it: a small JSON object that names
what differs from the settings of the batch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_sdcolor.batch.task import EDITED_MAPS, OWN_SETTINGS
from napari_sdcolor.errors import SaveError, said
from napari_sdcolor.opening import read_json
from napari_sdcolor.own_files import is_record_of, replace_file
from napari_sdcolor.settings import Settings, SettingsError, declared

OWN = ('size', 'saturation', 'window')
"""What a person may set for one photo; the rest is that of the batch."""

Own = Mapping[str, Any]


def own_of(settings: Settings, batch: Settings) -> dict[str, Any]:
    """What a photo's settings have of their own."""
    return {
        name: getattr(settings, name)
        for name in OWN
        if getattr(settings, name) != getattr(batch, name)
    }


def with_own(batch: Settings, own: Own) -> Settings:
    """The settings of the batch with those of one photo."""
    return replace(batch, **own)


def save_own(output: Path, key: str, own: Own) -> Path:
    """Keep the settings of one photo for the next run.

    Parameters
    ----------
    output
        The output folder.
    key
        Of the photo's task.
    own
        As ``own_of`` gives them; empty takes back what was kept.

    Raises
    ------
    SaveError
        If the disk does not take them.
    """
    parent, _, name = key.rpartition('/')
    path = output / EDITED_MAPS / parent / f'{name}{OWN_SETTINGS}'
    if own:
        words = json.dumps(dict(own), indent=2, sort_keys=True)
        replace_file(path, f'{words}\n'.encode(), _is_own)
        return path
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise SaveError(f'{path} cannot be removed: {said(error)}.') from error
    return path


def _is_own(head: bytes) -> bool:
    return any(is_record_of(name)(head) for name in OWN)


def read_own(path: str | None) -> dict[str, Any]:
    """Settings of one photo; none if there is no file.

    Raises
    ------
    SettingsError
        If the file cannot be read, or names what is no setting of a single
        photo or lies outside its limits.
    """
    if path is None:
        return {}
    try:
        own = read_json(path)
    except (OSError, ValueError) as error:
        raise SettingsError(
            f'{path} cannot be read as the settings of a photo: {said(error)}. '
            'Correct it, or delete it to color the photo like the others.'
        ) from error
    if not isinstance(own, dict) or not set(own) <= set(OWN):
        raise SettingsError(
            f'{path} may name {", ".join(OWN)} and nothing else.'
        )
    try:
        with_own(Settings(), own)
    except SettingsError as error:
        raise SettingsError(f'{path} cannot be used: {error}') from error
    return own


def described(own: Own) -> tuple[str, ...]:
    """A sentence on a photo's own settings; none if it has none."""
    if not own:
        return ()
    words = ', '.join(
        f'{declared(name).metadata["title"].lower()} {own[name]}'
        for name in OWN
        if name in own
    )
    return (f'Colored with settings of its own: {words}.',)
