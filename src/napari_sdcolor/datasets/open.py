"""Photographs to train on and to measure with, whatever they come as."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from napari_sdcolor.datasets.coco_stuff import CocoStuff
from napari_sdcolor.datasets.pack import Pack
from napari_sdcolor.datasets.pascal_context import PascalContext
from napari_sdcolor.datasets.photo_folders import LabeledFolder, PhotoFolder
from napari_sdcolor.datasets.source import Source
from napari_sdcolor.errors import DataError, UnfitData

KINDS: dict[str, type[Source]] = {
    source.kind: source
    for source in (Pack, PascalContext, CocoStuff, LabeledFolder, PhotoFolder)
}
"""Every kind of data, the most particular first."""


def open_data(
    folder: Path,
    kind: str | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> Source:
    """The photographs of a folder.

    Parameters
    ----------
    folder
        Of any kind in ``KINDS``.
    kind
        Take the folder for this kind; None recognizes it.
    report
        Called with sentences on what was found.

    Raises
    ------
    DataError
        If the folder is of no kind or not of the wanted one, is damaged,
        or holds no photograph that can be used.
    """
    if kind is None:
        kind = _recognized(folder)
    if kind not in KINDS:
        raise UnfitData(
            f'There is no kind of data named {kind!r}; there are: '
            f'{", ".join(KINDS)}.'
        )
    source = KINDS[kind](folder)
    if not source.entries:
        why = f': {source.skipped[0].reason}' if source.skipped else ''
        raise DataError(
            f'{folder} is {source.title}, but none of its photographs can '
            f'be used{why}.'
        )
    for line in (source.describe(), *source.notes):
        report(line)
    return source


def _recognized(folder: Path) -> str:
    for kind, source in KINDS.items():
        if source.recognizes(folder):
            return kind
    titles = '; '.join(source.title for source in KINDS.values())
    raise UnfitData(
        f'{folder} holds no training data that is known: {titles}. "sdcolor '
        'train color --help" tells how they are laid out.'
    )
