"""Finding photos: folders, patterns and lists.

Links to folders are not followed, so that no loop of links can hold a walk.
"""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from napari_sdcolor.archive.companions import sidecar_of
from napari_sdcolor.archive.formats import LABELS_SUFFIX, SIDECAR_SUFFIX
from napari_sdcolor.archive.reading import PHOTO_SUFFIXES
from napari_sdcolor.batch.journal import JOURNAL
from napari_sdcolor.core import cancel, progress
from napari_sdcolor.errors import PlanError, said


@dataclass(frozen=True)
class Found:
    """A file that was named or that lies in a folder that was named.

    Parameters
    ----------
    path
        As it was found.
    place
        Its path below the output folder, whose last part is its own name.
    reason
        Why it is not colored, as a sentence; empty for photos.
    failed
        Whether a person should look at it; False for files of other kinds.
    """

    path: str
    place: str
    reason: str = ''
    failed: bool = False


@dataclass(frozen=True)
class Root:
    """A folder that was named, or in which a named file lies.

    Parameters
    ----------
    path
        The folder.
    deep
        Whether all folders below belong to it.
    """

    path: str
    deep: bool


def find(
    inputs: Sequence[str | os.PathLike[str]],
    *,
    recursive: bool = True,
    base: str | os.PathLike[str] | None = None,
) -> tuple[list[Found], list[Root]]:
    """Find what the inputs name.

    Parameters
    ----------
    inputs
        Files, folders, or patterns with ``*``, ``?``, ``[…]`` and ``**``.
        What lies in a folder keeps its place below it; a file that is named
        itself goes directly into the output folder.
    recursive
        Whether to look into the folders inside of folders.
    base
        Folder below which everything keeps its place instead.

    Returns
    -------
    found
        In the order of the inputs, sorted within each.
    roots
        The folders that were named.

    Raises
    ------
    PlanError
        If an input does not exist, matches nothing or lies outside ``base``.
    """
    found: list[Found] = []
    roots: list[Root] = []
    for given in inputs:
        path = os.fspath(given)
        if os.path.isdir(path):
            roots.append(Root(path, recursive))
            found += map(_judged, _walk(path, recursive))
        elif os.path.lexists(path):
            roots.append(Root(os.path.dirname(path) or '.', False))
            found.append(Found(path, os.path.basename(path), _ours(path)))
        elif glob.has_magic(path):
            root, matches = _matching(path)
            if not matches:
                raise PlanError(f'No file matches {path}.')
            roots.append(root)
            found += matches
        else:
            raise PlanError(f'{path} does not exist.')
    if base is not None:
        found = [_below(base, item) for item in found]
    return found, roots


def find_listed(
    lists: Sequence[str | os.PathLike[str]],
    *,
    base: str | os.PathLike[str] | None = None,
) -> tuple[list[Found], list[Root]]:
    """Find the files of lists, one name per line.

    Parameters
    ----------
    lists
        Files of names; '-' is standard input. Where a list holds NUL bytes,
        these end the names instead of newlines. A relative name keeps its
        folders below the output folder.
    base
        As for ``find``.

    Raises
    ------
    PlanError
        If a list cannot be read, or a name lies outside ``base``.
    """
    found: list[Found] = []
    folders: dict[str, None] = {}
    for name in lists:
        for path in _names(os.fspath(name)):
            clean = os.path.normpath(path)
            outside = os.path.isabs(clean) or clean.startswith(os.pardir)
            place = os.path.basename(clean) if outside else clean
            folders[os.path.dirname(path) or '.'] = None
            if os.path.isdir(path):
                why = 'It is a folder; lists name files.'
                found.append(Found(path, place, why, failed=True))
            else:
                found.append(Found(path, place))
    if base is not None:
        found = [_below(base, item) for item in found]
    return found, [Root(folder, False) for folder in folders]


def _names(path: str) -> list[str]:
    try:
        if path == '-':
            raw = sys.stdin.buffer.read()
        else:
            raw = Path(path).read_bytes()
    except OSError as error:
        raise PlanError(
            f'The list {path} cannot be read: {said(error)}.'
        ) from error
    if b'\0' in raw:
        parts = raw.split(b'\0')
    else:
        parts = raw.replace(b'\r\n', b'\n').split(b'\n')
    return [os.fsdecode(part) for part in parts if part]


def _below(base: str | os.PathLike[str], item: Found) -> Found:
    """The same file with its place below the base."""
    place = os.path.relpath(item.path, base)
    if place.split(os.sep)[0] == os.pardir:
        raise PlanError(
            f'{item.path} does not lie in {os.fspath(base)}, below which '
            'everything should keep its place (--base).'
        )
    return replace(item, place=place)


def _walk(folder: str, recursive: bool) -> Iterator[Found]:
    """Everything in a folder that is no hidden file, sorted."""
    waiting = [(folder, '')]
    seen = 0
    while waiting:
        folder, place = waiting.pop()
        cancel.check()
        progress.say(f'Looking for photos: {seen:,} files so far.')
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            why = f'The folder cannot be read: {said(error)}.'
            yield Found(folder, place or os.curdir, why, failed=True)
            continue
        seen += len(entries)
        names = {entry.name for entry in entries}
        if JOURNAL in names and place:
            why = 'The folder holds the results of a batch.'
            yield Found(folder, place, why)
            continue
        stems = {
            os.path.splitext(name)[0]
            for name in names
            if name.lower().endswith(PHOTO_SUFFIXES)
        }
        deeper = []
        for entry in entries:
            if entry.name.startswith('.'):
                continue
            below = os.path.join(place, entry.name)
            if entry.is_dir(follow_symlinks=False):
                deeper.append((entry.path, below))
            elif _is_linked_folder(entry):
                why = 'A link to a folder is not followed: name that folder.'
                yield Found(entry.path, below, why)
            elif not _belongs_to_another(entry.name, stems):
                yield Found(entry.path, below)
        if recursive:
            waiting += reversed(deeper)


def _is_linked_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_symlink() and entry.is_dir()
    except OSError:
        return False  # a loop; opening it will say so


def _belongs_to_another(name: str, stems: set[str]) -> bool:
    """Whether it is the map or sidecar of a photo in the same folder."""
    return any(
        name.endswith(suffix) and name.removesuffix(suffix) in stems
        for suffix in (LABELS_SUFFIX, SIDECAR_SUFFIX)
    )


def _judged(item: Found) -> Found:
    """The same file, with the reason if it is no photo by its name."""
    if item.reason:
        return item
    why = _ours(item.path)
    if not why and not item.path.lower().endswith(PHOTO_SUFFIXES):
        why = 'No photo by its suffix.'
    return replace(item, reason=why)


def _ours(path: str) -> str:
    """What a file is that this program wrote; empty for all others."""
    if path.endswith(LABELS_SUFFIX):
        return 'A label map without its photo.'
    if path.endswith(SIDECAR_SUFFIX):
        return 'The record of a colored photo; "sdcolor replay" reads it.'
    return 'A result of this program.' if sidecar_of(path) else ''


def _matching(pattern: str) -> tuple[Root, list[Found]]:
    """The files that a pattern matches, below its part without wildcards."""
    parts = Path(pattern).parts
    first = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    folder = os.path.join(*parts[:first]) if first else '.'
    wanted = parts[first:]
    deep = '**' in wanted
    found = [
        _judged(item)
        for item in _walk(folder, deep or len(wanted) > 1)
        if _fits(tuple(item.place.split(os.sep)), wanted)
    ]
    if folder == '.' and not pattern.startswith('.'):
        found = [
            replace(item, path=os.path.normpath(item.path)) for item in found
        ]
    return Root(folder, deep), found


def _fits(parts: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    if not wanted:
        return not parts
    if wanted[0] == '**':
        rest = wanted[1:] or ('*',)
        return any(_fits(parts[skip:], rest) for skip in range(len(parts)))
    return (
        bool(parts)
        and fnmatchcase(parts[0], wanted[0])
        and _fits(parts[1:], wanted[1:])
    )
