"""What a batch is going to do, found out before any work.

Every photo gets a place of its own below the output folder. Whatever would
endanger a master, or let two photos share a file, is refused as a whole.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from napari_sdcolor.archive.labels import (
    LABELS_SUFFIX,
    find_page_labels,
    page_stem,
)
from napari_sdcolor.archive.saving import output_paths, photo_name
from napari_sdcolor.batch.find import (
    Found,
    Root,
    find,
    find_listed,
)
from napari_sdcolor.batch.outcome import Outcome
from napari_sdcolor.errors import PlanError

EDITED_MAPS = 'sdcolor-edited-maps'
"""Folder of the maps that a person edited, at the places of the results."""

OWN_SETTINGS = '.sdcolor-settings.json'
"""After NAME, beside its map: the settings that only this photo has."""

SHOWN = 5
"""So many clashes are named in a message."""

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class Task:
    """One photo file to color.

    Parameters
    ----------
    key
        Its place below the output folder without the suffix, '/' between
        folders; no two tasks have the same.
    source
        The photo's file.
    folder
        Where its results go.
    labels
        Where a person provides its label map: a file, or a folder as for
        ``labels.find_page_labels``. Further maps lie beside the photo.
    known
        What the journal says about it, if it was colored before.
    edited
        Folder of the maps that a person corrected after a run; they come
        before all others.
    replaces
        Name and SHA-256 of the files of a result that is kept elsewhere and
        makes room for the next one.
    """

    key: str
    source: str
    folder: str
    labels: str | None = None
    known: Outcome | None = None
    edited: str | None = None
    replaces: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """NAME of the results."""
        return self.key.rpartition('/')[2]

    def find_map(
        self, page: int | None = None, *, alone: bool = True
    ) -> str | None:
        """The label map that a person provides; None predicts it.

        Parameters
        ----------
        page
            Of a file of several photos; None for a file of one.
        alone
            Whether only this page is wanted.

        Raises
        ------
        LabelsError
            If one map is given for all pages of a file.
        """
        edited = self.find_edited(page, alone=alone)
        if edited is not None:
            return edited
        if self.labels is not None:
            found = find_page_labels(
                self.labels, self.name, page, alone=alone, photo=self.source
            )
            if found is not None:
                return str(found)
        return self._in(os.path.dirname(self.source), page, alone)

    def find_edited(
        self, page: int | None = None, *, alone: bool = True
    ) -> str | None:
        """The label map that a person corrected after a run, if any.

        Parameters
        ----------
        page, alone
            As for ``find_map``.
        """
        if self.edited is None:
            return None
        return self._in(self.edited, page, alone)

    def find_settings(self) -> str | None:
        """The settings of its own that a person gave this photo, if any.

        They lie beside its map; those of a correction come first.
        """
        for folder in (self.edited, self.labels):
            if folder is not None:
                path = os.path.join(folder, self.name + OWN_SETTINGS)
                if os.path.isfile(path):
                    return path
        return None

    def _in(self, folder: str, page: int | None, alone: bool) -> str | None:
        names = [] if page is None else [page_stem(self.name, page)]
        if alone:
            names.append(self.name)
        for name in names:
            path = os.path.join(folder, name + LABELS_SUFFIX)
            if os.path.isfile(path):
                return path
        return None


@dataclass(frozen=True)
class Refused:
    """A file that is not going to be colored.

    Parameters
    ----------
    path
        As it was found.
    reason
        A sentence.
    failed
        Whether a person should look at it; False for files of other kinds.
    """

    path: str
    reason: str
    failed: bool = True


@dataclass(frozen=True)
class Plan:
    """What a batch is going to do.

    Parameters
    ----------
    output
        The folder that receives everything.
    tasks
        In the order in which they are worked on.
    refused
        What was found and is left out.
    format
        Of the colored photos: 'tiff', 'png' or 'jpeg'.
    """

    output: Path
    tasks: tuple[Task, ...]
    refused: tuple[Refused, ...] = ()
    format: str = 'tiff'


def make_plan(
    inputs: Sequence[PathLike],
    output: PathLike,
    *,
    lists: Sequence[PathLike] = (),
    labels: PathLike | None = None,
    base: PathLike | None = None,
    recursive: bool = True,
    format: str = 'tiff',  # noqa: A002
) -> Plan:
    """Plan a batch; nothing is written.

    Parameters
    ----------
    inputs, recursive, base
        See ``find.find``.
    output
        The folder for the results; need not exist.
    lists
        See ``find.find_listed``.
    labels
        A label map for all, or a folder that holds ``NAME.labels.png`` or
        ``NAME.png`` at the photo's place below it. What it lacks is looked
        for as ``NAME.labels.png`` beside the photo, and predicted otherwise.
    format
        Of the colored photos.

    Raises
    ------
    PlanError
        If an input or a map does not exist, if files were named and none of
        them is a photo, if the output folder is or lies in an
        input folder, or if photos would share a file.
    """
    output = Path(output)
    if labels is not None and not os.path.exists(labels):
        raise PlanError(f'There is no map and no folder named {labels}.')
    found, roots = find(inputs, recursive=recursive, base=base)
    listed, more = find_listed(lists, base=base)
    found += listed
    roots += more
    tasks: dict[str, Task] = {}
    refused: list[Refused] = []
    clashes: list[tuple[str, str]] = []
    for item in found:
        if item.reason:
            refused.append(Refused(item.path, item.reason, item.broken))
            continue
        task = _task(item, output, labels)
        other = tasks.setdefault(_folded(task.key), task)
        if other is not task and not _same_path(other, task):
            clashes.append((other.source, task.source))
    _refuse_clashes(clashes + _page_clashes(tasks))
    longest = _longest_name(output)
    wanted = []
    for task in tasks.values():
        why = _too_long(task, format, longest)
        if why:
            refused.append(Refused(task.source, why))
        else:
            wanted.append(task)
    _refuse_no_photo(inputs, wanted, refused)
    _refuse_folders({str(output), *(task.folder for task in wanted)}, roots)
    _refuse_inputs_as_outputs(wanted, found, format)
    return Plan(output, tuple(wanted), tuple(refused), format)


def _refuse_no_photo(
    inputs: Sequence[PathLike],
    tasks: Sequence[Task],
    refused: Sequence[Refused],
) -> None:
    """Refuse if only files were named, and none of them is a photo.

    A folder may well be empty today.
    """
    named = bool(inputs) and all(os.path.isfile(path) for path in inputs)
    if named and not tasks and not any(item.failed for item in refused):
        raise PlanError(
            f'There is no photo to color. {refused[0].path}: '
            f'{refused[0].reason}'
        )


def _task(item: Found, output: Path, labels: PathLike | None) -> Task:
    parent, name = os.path.split(item.place)
    stem = photo_name(name)
    key = '/'.join((*Path(parent).parts, stem))
    return Task(
        key=key,
        source=item.path,
        folder=os.path.join(output, parent) if parent else str(output),
        labels=_map_place(parent, labels),
        edited=os.path.join(output, EDITED_MAPS, parent),
    )


def _map_place(parent: str, labels: PathLike | None) -> str | None:
    if labels is None:
        return None
    if os.path.isfile(labels):
        return os.fspath(labels)
    place = os.path.join(labels, parent)
    return place if os.path.isdir(place) else None


def _folded(key: str) -> str:
    """Equal for names that some file system takes for one."""
    return unicodedata.normalize('NFC', key).casefold()


def _same_path(one: Task, other: Task) -> bool:
    """Whether two inputs named one and the same file."""
    return one.key == other.key and _same_file(one.source, other.source)


def _same_file(one: PathLike, other: PathLike) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return os.fspath(one) == os.fspath(other)


def _page_clashes(tasks: dict[str, Task]) -> list[tuple[str, str]]:
    """The map of a page of NAME is called like that of NAME.p0000."""
    pairs = []
    for key, task in tasks.items():
        page = re.fullmatch(r'(.*)\.p\d{4,}', key, re.DOTALL)
        if page and page[1] in tasks:
            pairs.append((tasks[page[1]].source, task.source))
    return pairs


def _refuse_clashes(clashes: Sequence[tuple[str, str]]) -> None:
    if not clashes:
        return
    shown = '; '.join(f'{one} and {two}' for one, two in clashes[:SHOWN])
    more = len(clashes) - SHOWN
    raise PlanError(
        f'These photos would share the names of their results: {shown}'
        f'{f"; and {more} more pairs" if more > 0 else ""}. Names count as '
        'the same if they differ only in their last suffix, in capitals or '
        'in the Unicode form of an accent. Choose by a pattern such as '
        "'FOLDER/**/*.tif', keep folders apart with --base, or run one batch "
        'for each with another output folder.'
    )


def _refuse_folders(outputs: Iterable[str], roots: Iterable[Root]) -> None:
    """Masters and results never lie in one folder."""
    deep: dict[tuple[int, int], str] = {}
    flat: dict[tuple[int, int], str] = {}
    for root in roots:
        try:
            known = os.stat(root.path)
        except OSError:
            continue
        kind = deep if root.deep else flat
        kind[known.st_dev, known.st_ino] = root.path
    for output in sorted(outputs):
        chain = _identities(output)
        clash = flat.get(chain[0]) or next(
            (deep[folder] for folder in chain if folder in deep), None
        )
        if clash is not None:
            raise PlanError(
                f'The output folder {output} is or lies in the input folder '
                f'{clash}. Choose a folder outside of it.'
            )


def _identities(output: str) -> list[tuple[int, int]]:
    """Device and inode of a folder and of all that it lies in.

    An output folder that is still missing begins with a hole, so that its
    parent is not taken for it.
    """
    place = Path(os.path.realpath(output))
    chain = []
    for folder in (place, *place.parents):
        try:
            known = os.stat(folder)
        except OSError:
            chain.append((-1, -1))
        else:
            chain.append((known.st_dev, known.st_ino))
    return chain


def _refuse_inputs_as_outputs(
    tasks: Iterable[Task], found: Iterable[Found], form: str
) -> None:
    """Refuse if a result's name is a link to one of the photos."""
    taken: dict[tuple[int, int], tuple[str, str]] = {}
    folders: dict[str, bool] = {}
    for task in tasks:
        if not folders.setdefault(task.folder, os.path.isdir(task.folder)):
            continue
        for path in output_paths(task.folder, task.name, form):
            try:
                known = os.stat(path)
            except OSError:
                continue
            taken[known.st_dev, known.st_ino] = str(path), task.source
    if not taken:
        return
    for item in found:
        try:
            known = os.stat(item.path)
        except OSError:
            continue
        clash = taken.get((known.st_dev, known.st_ino))
        if clash:
            raise PlanError(
                f'{clash[0]}, where a result of {clash[1]} would go, is the '
                f'same file as the input {item.path}. Choose another output '
                'folder.'
            )


def _longest_name(output: Path) -> int:
    """Bytes that a file name may have where the results go."""
    for folder in (output, *output.absolute().parents):
        try:
            return os.pathconf(folder, 'PC_NAME_MAX')
        except (AttributeError, ValueError, OSError):
            continue
    return 255


def _too_long(task: Task, form: str, longest: int) -> str:
    length = max(
        len(os.fsencode(path.name))
        for path in output_paths(task.folder, task.name, form)
    )
    if length <= longest:
        return ''
    return (
        f'The names of its results would have up to {length} bytes, but the '
        f'file system allows {longest}. Give the photo a shorter name.'
    )
