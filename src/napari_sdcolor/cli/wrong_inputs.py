"""Files that belong to another command, or are something else than meant."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from napari_sdcolor.errors import WrongUsage


def refuse_other_inputs(
    command: str, photos: Sequence[Path], folder: Path, words: Sequence[str]
) -> None:
    """Refuse what is no photo, with the command that was meant.

    Parameters
    ----------
    command
        'colorize' or 'segment'.
    photos
        As they were given.
    folder
        For the results.
    words
        Further options, as they were given, that "sdcolor batch" takes too.

    Raises
    ------
    WrongUsage
        Before any work.
    """
    for photo in photos:
        if photo.is_dir():
            raise WrongUsage(_whole_folder(command, photos, folder, words))
        _refuse_own_files(photo, folder)


def _whole_folder(
    command: str, photos: Sequence[Path], folder: Path, words: Sequence[str]
) -> str:
    given = next(photo for photo in photos if photo.is_dir())
    places = [str(photo) for photo in photos]
    meant = _said('batch', *places, '-o', str(folder), *words)
    if command == 'segment':
        return (
            f'{given} is a folder, and "sdcolor segment" takes photos. Name '
            'the photos in it, or color the whole folder, which saves the '
            f'maps too: {meant}'
        )
    return (
        f'{given} is a folder. Whole folders are colored with "sdcolor '
        f'batch": {meant}'
    )


def _refuse_own_files(path: Path, folder: Path) -> None:
    """Refuse what this program itself wrote beside a photo."""
    from napari_sdcolor.archive.companions import sidecar_of
    from napari_sdcolor.archive.formats import LABELS_SUFFIX, SIDECAR_SUFFIX

    if path.name.endswith(SIDECAR_SUFFIX):
        raise WrongUsage(
            f'{path} is the record of a colored photo, not a photo. Color '
            f'its photo again with: {_said("replay", str(path))}'
        )
    if path.name.endswith(LABELS_SUFFIX):
        photo = _photo_of(path, path.name.removesuffix(LABELS_SUFFIX))
        meant = _said(
            *('colorize', str(photo), '-o', str(folder)),
            *('--labels', str(path)),
        )
        raise WrongUsage(
            f'{path} is a label map, not a photo. Name the photo and give '
            f'the map with --labels, such as: {meant}'
        )
    record = sidecar_of(path)
    if record is not None:
        raise WrongUsage(
            f'{path} was colored by this program already, as {record.name} '
            'beside it tells. Name the photo that it was made from; with '
            'another map or other settings it gives another result.'
        )


def _photo_of(labels: Path, name: str) -> Path:
    """The photo beside its map, or what it might be called."""
    from napari_sdcolor.archive.reading import PHOTO_SUFFIXES

    places = [labels.with_name(name + suffix) for suffix in PHOTO_SUFFIXES]
    return next((path for path in places if path.is_file()), places[0])


def refuse_no_sidecar(path: Path) -> None:
    """Refuse another file than a sidecar, with the sidecar to name.

    Raises
    ------
    WrongUsage
        If the name is not that of a sidecar.
    """
    from napari_sdcolor.archive.companions import sidecar_of
    from napari_sdcolor.archive.formats import SIDECAR_SUFFIX

    if path.suffix.lower() == '.json':
        return
    record = sidecar_of(path)
    hint = (
        f'Its sidecar lies beside it: {_said("replay", str(record))}'
        if record
        else f'Name the NAME{SIDECAR_SUFFIX} that was saved with the colored '
        'photo.'
    )
    raise WrongUsage(f'{path} is no sidecar of a colored photo. {hint}')


def _said(*words: str) -> str:
    return shlex.join(['sdcolor', *words])
