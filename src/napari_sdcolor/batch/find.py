"""Finding photos: folders, patterns and lists.

Links to folders are not followed, so that no loop of links can hold a walk.
"""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from napari_sdcolor.archive.formats import LABELS_SUFFIX, SIDECAR_SUFFIX
from napari_sdcolor.batch.journal import JOURNAL
from napari_sdcolor.batch.others import (
    has_usual_suffix,
    why_no_photo,
    why_no_photos_in,
    why_ours,
)
from napari_sdcolor.core import cancel, progress
from napari_sdcolor.errors import PlanError, said
from napari_sdcolor.opening import TEXT_BYTES, read_whole


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
    by_content
        Whether only its content tells that it is a photo.
    """

    path: str
    place: str
    reason: str = ''
    failed: bool = False
    by_content: bool = False


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
            found.append(Found(path, os.path.basename(path), why_ours(path)))
        elif glob.has_magic(path):
            root, matches = _matching(path)
            if not matches:
                raise PlanError(f'No file matches {path}.{_remedy(path)}')
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
                found.append(Found(path, place, why_ours(path)))
    if base is not None:
        found = [_below(base, item) for item in found]
    return found, [Root(folder, False) for folder in folders]


def _names(path: str) -> list[str]:
    try:
        if path == '-':
            raw = _from_standard_input()
        elif path.startswith('/dev/fd/'):
            # As a shell names what another command says: <(find …).
            with open(path, 'rb') as stream:
                raw = _bounded(stream)
        else:
            raw = read_whole(path, TEXT_BYTES)
    except OSError as error:
        raise PlanError(
            f'The list {path} cannot be read: {said(error)}.'
        ) from error
    if b'\0' in raw:
        parts = raw.split(b'\0')
    else:
        parts = raw.replace(b'\r\n', b'\n').split(b'\n')
    return [os.fsdecode(part) for part in parts if part]


def _from_standard_input() -> bytes:
    if sys.stdin is None:
        raise PlanError(
            'The list cannot be read from standard input: standard input is '
            'closed.'
        )
    return _bounded(sys.stdin.buffer)


def _bounded(stream: BinaryIO) -> bytes:
    raw = stream.read(TEXT_BYTES + 1)
    if len(raw) > TEXT_BYTES:
        raise PlanError(
            f'The list holds more than {TEXT_BYTES} bytes. Divide it.'
        )
    return raw


def _below(base: str | os.PathLike[str], item: Found) -> Found:
    """The same file with its place below the base."""
    place = os.path.relpath(item.path, base)
    if place.split(os.sep)[0] == os.pardir:
        raise PlanError(
            f'{item.path} does not lie in {os.fspath(base)}, below which '
            'everything should keep its place (--base).'
        )
    return replace(item, place=place)


def _walk(
    folder: str, recursive: bool, named: Collection[str] = ()
) -> Iterator[Found]:
    """Everything in a folder that is no hidden file, sorted.

    Parameters
    ----------
    folder
        Where to begin.
    recursive
        Whether to look into the folders in it.
    named
        Names of what is taken though it is hidden or another program's.
    """
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
            if not name.endswith((LABELS_SUFFIX, SIDECAR_SUFFIX))
        }
        deeper = []
        for entry in entries:
            below = os.path.join(place, entry.name)
            is_folder = entry.is_dir(follow_symlinks=False)
            if entry.name not in named:
                why = is_folder and why_no_photos_in(entry.name)
                if why and recursive:
                    yield Found(entry.path, below, why)
                if why or entry.name.startswith('.'):
                    continue
            if is_folder:
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
    """The same file, with the reason if it is no photo."""
    if item.reason:
        return item
    return replace(
        item,
        reason=why_no_photo(item.path),
        by_content=not has_usual_suffix(item.path),
    )


def _remedy(pattern: str) -> str:
    """What to do if a pattern with brackets was not meant as one."""
    if '[' not in pattern:
        return ''
    literal = pattern.replace('[', '[[]')
    return (
        ' Brackets in it stand for one of several characters; where they '
        f"belong to the name, write it as '{literal}'."
    )


def _matching(pattern: str) -> tuple[Root, list[Found]]:
    """The files that a pattern matches, below its part without wildcards."""
    parts = Path(pattern).parts
    # Folders that have the very name come before those that it matches.
    first = next(
        i
        for i, part in enumerate(parts)
        if glob.has_magic(part) and not os.path.isdir(Path(*parts[: i + 1]))
    )
    folder = os.path.join(*parts[:first]) if first else '.'
    wanted = parts[first:]
    deep = '**' in wanted
    found = [
        _judged(item)
        for item in _walk(folder, deep or len(wanted) > 1, wanted)
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
