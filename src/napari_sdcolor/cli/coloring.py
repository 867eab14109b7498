"""Coloring the pages of one file, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sdcolor.cli import options
from napari_sdcolor.cli.console import Talk
from napari_sdcolor.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_sdcolor.archive.reading import PhotoFile
    from napari_sdcolor.core.engine import Colorizer
    from napari_sdcolor.core.photo import Photo
    from napari_sdcolor.core.results import Colorized


@dataclass(frozen=True)
class Order:
    """What is wanted for each of the photos.

    Parameters
    ----------
    folder
        Receives the results.
    settings
        Tone window and saturation are read here; the rest is recorded.
    labels
        Label map, or folder of label maps; None predicts them.
    format
        Of the colored photo: 'tiff', 'png' or 'jpeg'.
    page
        Only this page of multi-page files, from 0; None takes all.
    """

    folder: Path
    settings: Settings
    labels: Path | None = None
    format: str = options.Format.tiff.value
    page: int | None = None

    def arguments(self) -> list[str]:
        """Options of the command line that are not the default."""
        words: list[str] = []
        if self.labels is not None:
            words += ['--labels', str(self.labels)]
        if self.format != options.Format.tiff.value:
            words += ['--format', self.format]
        if self.page is not None:
            words += ['--page', str(self.page)]
        return words + self.settings.to_arguments()


class Coloring:
    """Colors the pages of one file, one when it is asked for.

    Parameters
    ----------
    talk
        Hears what is understood and done.
    colorizer, order
        How to color.
    file
        The opened photos.
    name
        NAME of the outputs.
    """

    def __init__(
        self,
        talk: Talk,
        colorizer: Colorizer,
        file: PhotoFile,
        order: Order,
        name: str,
    ) -> None:
        self.talk = talk
        self.colorizer = colorizer
        self.file = file
        self.order = order
        self.name = name
        self._pages: list[dict[str, Any]] = []

    def results(self) -> Iterator[Colorized]:
        """The pages in color."""
        for page in self.file.pages:
            if self.file.is_album:
                self.talk.say(f'  page {page} of {self.file.count}')
            yield self._color(page)
            self.talk.say('  saving')

    def facts(self) -> dict[str, Any]:
        """What was understood; page by page if there are several."""
        if self.file.is_album:
            return {'pages': self._pages}
        return self._pages[0]

    def _color(self, page: int) -> Colorized:
        talk = self.talk
        photo = self.file.read(page, window=self.order.settings.window)
        talk.say(f'  {photo.describe()}')
        for note in photo.notes:
            talk.warn(f'  {note}')
        found, labels, notes = self._find_map(photo)
        for note in notes:
            talk.warn(f'  {note}')
        predicted = None
        if found is None:
            talk.say('  finding out what is in it, and coloring it')
        else:
            talk.say(f'  coloring it after the map {found}')
            # Tells which share of the map a person changed.
            predicted = self.colorizer.segment(photo).labels
        with talk.progress():
            result = self.colorizer.colorize(
                photo, labels, settings=self.order.settings
            )
        for note in result.notes:
            talk.warn(f'  {note}')
        if found is not None:
            # The folder is no property of the result: only the map's name
            # is kept.
            result = replace(
                result, labels_origin=found.name, predicted=predicted
            )
        result = replace(result, notes=(*result.notes, *notes))
        self._pages.append(
            {
                'understood': photo.describe(),
                'tones': photo.tones.facts(),
                'labels': result.labels_origin
                if found is None
                else str(found),
                'confidence': result.confidence,
                'notes': [*photo.notes, *result.notes],
            }
        )
        return result

    def _find_map(
        self, photo: Photo
    ) -> tuple[Path | None, NDArray | None, tuple[str, ...]]:
        """The map's file and ids, both None if it is to be predicted."""
        from napari_sdcolor.archive.labels import (
            find_page_labels,
            page_stem,
            read_labels,
        )

        place, page = self.order.labels, photo.origin.page
        if place is None:
            return None, None, ()
        alone = not self.file.is_album
        found = find_page_labels(place, self.name, page, alone=alone)
        if found is not None and place.is_dir():
            # Photos and maps in one folder: NAME.png is the photo itself.
            found = None if found.samefile(self.file.path) else found
        if found is None:
            name = self.name if alone else page_stem(self.name, page)
            note = (
                f'The folder of maps holds none for {name}: it is predicted.'
            )
            return None, None, (note,)
        labels, notes = read_labels(found, photo, self.colorizer.size)
        # Notes are recorded, and folders are no property of the result.
        named = (note.replace(str(found), found.name) for note in notes)
        return found, labels, tuple(named)
