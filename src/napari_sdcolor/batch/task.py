"""One photo of a batch: what is to be done, and where its map comes from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from napari_sdcolor.archive.labels import (
    find_page_labels,
    labels_path,
)
from napari_sdcolor.batch.outcome import Outcome

EDITED_MAPS = 'sdcolor-edited-maps'
"""Folder of the maps that a person edited, at the places of the results."""

OWN_SETTINGS = '.sdcolor-settings.json'
"""After NAME, beside its map: the settings that only this photo has."""


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
    alone
        Whether a process died in the work on it, so that it is colored in
        a process of its own.
    """

    key: str
    source: str
    folder: str
    labels: str | None = None
    known: Outcome | None = None
    edited: str | None = None
    replaces: Mapping[str, str] = field(default_factory=dict)
    alone: bool = False

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
        pages = [] if page is None else [page]
        for number in [*pages, None] if alone else pages:
            # As it was written: a Path would drop a leading './'.
            path = os.path.join(folder, labels_path('', self.name, number))
            if os.path.isfile(path):
                return path
        return None
