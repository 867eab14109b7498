"""What a batch is going to do, found out before any work.

Every photo gets a place of its own below the output folder. Whatever would
endanger a master, or let two photos share a file, is refused as a whole.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from napari_sdcolor.archive.saving import output_paths, photo_name
from napari_sdcolor.batch.find import Found, Root, find, find_listed
from napari_sdcolor.batch.task import EDITED_MAPS, Task
from napari_sdcolor.errors import PlanError

PathLike = str | os.PathLike[str]

SHOWN = 5
"""So many clashes are named in a message."""


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
    refused: tuple[Found, ...] = ()
    format: str = 'tiff'

    @property
    def unusable(self) -> list[Found]:
        """What a person should look at of what is left out."""
        return [item for item in self.refused if item.failed]

    @property
    def others(self) -> list[Found]:
        """Files of other kinds."""
        return [item for item in self.refused if not item.failed]


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
    refused: list[Found] = []
    clashes: list[tuple[str, str]] = []
    # What has the suffix of a photo comes first: a copy of it that some
    # program left under another suffix must not hold up everything.
    for item in sorted(found, key=_is_by_content):
        if item.reason:
            refused.append(item)
            continue
        task = _task(item, output, labels)
        other = tasks.setdefault(_folded(task.key), task)
        if other is task or _same_path(other, task):
            continue
        if item.by_content:
            refused.append(_also_named(item, other))
        else:
            clashes.append((other.source, task.source))
    _refuse_clashes(clashes + _page_clashes(tasks))
    longest = _longest_name(output)
    wanted = []
    for task in tasks.values():
        why = _no_name(task) or _too_long(task, format, longest)
        if why:
            refused.append(Found(task.source, task.key, why, failed=True))
        else:
            wanted.append(task)
    _refuse_no_photo(inputs, wanted, refused)
    _refuse_folders({str(output), *(task.folder for task in wanted)}, roots)
    _refuse_inputs_as_outputs(wanted, found, format)
    return Plan(output, tuple(wanted), tuple(refused), format)


def _is_by_content(item: Found) -> bool:
    return item.by_content


def _also_named(item: Found, other: Task) -> Found:
    why = (
        'By its content it is a photo, but its results would share the names '
        f'of those of {other.source}. Give it a name of its own.'
    )
    return replace(item, reason=why, failed=True)


def _refuse_no_photo(
    inputs: Sequence[PathLike],
    tasks: Sequence[Task],
    refused: Sequence[Found],
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
        identity = _identity(root.path)
        if identity is not None:
            kind = deep if root.deep else flat
            kind[identity] = root.path
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
    return [
        _identity(folder) or (-1, -1) for folder in (place, *place.parents)
    ]


def _identity(path: PathLike) -> tuple[int, int] | None:
    """Device and inode of a file or folder; None if it cannot be seen."""
    try:
        known = os.stat(path)
    except OSError:
        return None
    return known.st_dev, known.st_ino


def _refuse_inputs_as_outputs(
    tasks: Iterable[Task], found: Iterable[Found], form: str
) -> None:
    """Refuse if a result's name is a link to one of the photos."""
    outputs: dict[tuple[int, int], tuple[str, str]] = {}
    folders: dict[str, bool] = {}
    for task in tasks:
        if not folders.setdefault(task.folder, os.path.isdir(task.folder)):
            continue
        for path in output_paths(task.folder, task.name, form):
            identity = _identity(path)
            if identity is not None:
                outputs[identity] = str(path), task.source
    if not outputs:
        return
    for item in found:
        clash = outputs.get(_identity(item.path))
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


def _no_name(task: Task) -> str:
    # A folder of this name, as for results that are replaced, is another.
    if task.name != os.pardir:
        return ''
    return 'Before its suffix it has no name. Give it one.'


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
