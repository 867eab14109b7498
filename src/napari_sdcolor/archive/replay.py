"""Computing a saved result again, as its sidecar tells."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sdcolor.archive.companions import (
    came_from_a_layer,
    find_photo,
    open_source,
    sample_of,
)
from napari_sdcolor.archive.compare import Comparison, compare
from napari_sdcolor.archive.formats import SIDECAR_SUFFIX
from napari_sdcolor.archive.one_file import (
    MISSING,
    GivenMap,
    color_page,
    save_file,
    with_map,
)
from napari_sdcolor.archive.reading import PhotoFile
from napari_sdcolor.archive.sidecar import read_sidecar, window_of
from napari_sdcolor.core import progress
from napari_sdcolor.core.device import HALVES, Device
from napari_sdcolor.core.photo import Photo
from napari_sdcolor.errors import SdcolorError
from napari_sdcolor.memory import free_memory
from napari_sdcolor.samples import SampleFile
from napari_sdcolor.settings import Settings, SettingsError
from napari_sdcolor.words import counted

MOST_PHOTOS = 256
"""No device has gained anything by larger passes."""

PASS_BYTES = 2**12
"""Memory that the wider network takes for a pixel at working size."""

if TYPE_CHECKING:
    from napari_sdcolor.core.engine import Colorizer
    from napari_sdcolor.core.results import Colorized


class Recording:
    """A sidecar and the files that it tells of.

    Parameters
    ----------
    path
        The sidecar.
    source
        The photo, where it is not where it was.

    Attributes
    ----------
    settings : Settings
        As they were; what this version does not know is left out.

    Raises
    ------
    SdcolorError
        If the sidecar cannot be read, or there is no photo.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        source: str | os.PathLike[str] | None = None,
    ) -> None:
        self.path = Path(path)
        self.told = read_sidecar(self.path)
        self.settings = self._settings()
        self.source = self._find_source(source)

    @property
    def name(self) -> str:
        """NAME of the results."""
        return self.path.name.removesuffix(SIDECAR_SUFFIX)

    @property
    def threads(self) -> int | None:
        """Threads of the networks, if that is told."""
        return self.told['run'].get('threads')

    @property
    def batch_size(self) -> int:
        """Photos that went through a network in one pass."""
        return self.told['run'].get('batch_size', 1)

    def dtype(self, device: Device) -> str:
        """Data type of the networks as it was, if it can be had here.

        Parameters
        ----------
        device
            Where they will run.
        """
        from napari_sdcolor.core.networks import DTYPES

        told = self.told['model'].get('dtype', 'float32')
        if told not in DTYPES:
            raise SdcolorError(
                f'{self.path} tells of the data type {told!r}, in which this '
                'version computes nothing.'
            )
        if device.kind == self.told['model'].get('device'):
            return told
        on_gpu = told in HALVES and device.kind == 'cuda'
        on_cpu = told == 'float64' and device.kind == 'cpu'
        return told if on_gpu or on_cpu else 'float32'

    @property
    def source_words(self) -> str:
        """How a person calls the photo."""
        if self.source is None:
            return f'the sample photo {sample_of(self.told)}'
        return str(self.source)

    def _settings(self) -> Settings:
        known = Settings().to_dict()
        told = self.told['settings'].items()
        try:
            return Settings.from_dict(
                {name: value for name, value in told if name in known}
            )
        except SettingsError as error:
            raise SdcolorError(
                f'{self.path} tells of settings that there are not: {error}'
            ) from error

    def _find_source(
        self, given: str | os.PathLike[str] | None
    ) -> Path | None:
        """The photo's file; None if it is a sample."""
        if given is not None:
            return Path(given)
        if sample_of(self.told):
            return None
        if came_from_a_layer(self.told):
            raise SdcolorError(
                f'{self.path} tells of pixels of a layer in napari, which no '
                'file holds, so they cannot be colored again. If you saved '
                'that layer as a TIFF file, name it with --source.'
            )
        photo, others = find_photo(self.path, self.told)
        if photo is not None:
            return photo
        if others:
            raise SdcolorError(
                f'{others[0]} is not the photo that was colored: its SHA-256 '
                'is another. Put that photo beside the sidecar, or name the '
                'file that is to be colored in its place with --source.'
            )
        name = self.told['source']['file']
        told = self.told['run'].get('source_path', '')
        raise SdcolorError(
            f'The photo {told or name} that {self.path} tells of is not '
            'there. Say where it is with --source.'
        )


def replay(
    recording: Recording, colorizer: Colorizer, folder: Path
) -> tuple[Comparison, tuple[Path, ...]]:
    """Compute a result again, save it and compare.

    Parameters
    ----------
    recording
        What is to be computed.
    colorizer
        The networks, at the recorded working size.
    folder
        An existing folder that receives the new files.

    Returns
    -------
    Comparison
        Of the new files with the old ones.
    tuple of Path
        The new files.

    Raises
    ------
    SdcolorError
        If it cannot be computed at all: a photo or a map that is missing
        or cannot be used, or files of these names in the folder.
    """
    with open_source(recording.path, recording.told, recording.source) as file:
        written = save_file(
            _results(recording, colorizer, file),
            file,
            folder,
            recording.name,
            recording.told['result']['format'],
        )
    return compare(recording.path, folder / recording.path.name), written


def _as_then(
    recording: Recording, colorizer: Colorizer, photo: Photo
) -> AbstractContextManager[None]:
    """Passes of as many photos as then: the last bits depend on it."""
    from napari_sdcolor.core.batching import Gatherer

    size = recording.batch_size
    same = colorizer.device.kind == recording.told['model'].get('device')
    if size == 1 or not same:
        return nullcontext()
    fitting = MOST_PHOTOS
    if colorizer.device.kind == 'cpu':
        # A GPU says itself what it lacks; here the system would end what
        # asks for too much.
        need = PASS_BYTES * math.prod(photo.working_shape(colorizer.size))
        fitting = max(1, min(fitting, free_memory() // (2 * need)))
    if fitting < size:
        progress.say(
            f'Passes of {counted(fitting, "photo")} instead of {size}: more '
            'do not fit.'
        )
    return Gatherer(colorizer.device, min(size, fitting)).active()


def _results(
    recording: Recording,
    colorizer: Colorizer,
    file: PhotoFile | SampleFile,
) -> Iterator[Colorized]:
    settings, told = recording.settings, recording.told['pages']
    for number, (page, facts) in enumerate(zip(file.pages, told, strict=True)):
        read = with_map(
            file,
            file.read(page, window=window_of(recording.told, number)),
            colorizer.size,
            partial(_recorded_map, recording, facts),
        )
        if read.map is not None:
            read = replace(read, map=_as_recorded(read.map, facts))
        else:
            read = replace(read, notes=_lost_notes(facts, MISSING))
        with _as_then(recording, colorizer, read.photo):
            result = color_page(colorizer, read, settings)
        yield result


def _recorded_map(
    recording: Recording, facts: Mapping[str, Any], page: int | None
) -> Path | None:
    """The file of the map that a page was colored by; None predicts it."""
    labels = facts['labels']
    if labels['origin'] == 'predicted':
        return None
    if labels['file'] is None:
        raise SdcolorError(
            f'The map that a person made for {recording.path} was '
            'not saved; without it the colors cannot be computed.'
        )
    return recording.path.with_name(labels['file'])


def _as_recorded(given: GivenMap, facts: Mapping[str, Any]) -> GivenMap:
    """The map that was saved, told of as the one that it was made of.

    It was saved as it fits, so that what had to be changed to make it fit
    is known from the record alone.
    """
    origin = facts['labels']['origin']
    notes = _lost_notes(facts, f'{origin}: ')
    return replace(given, origin=origin, notes=(*notes, *given.notes))


def _lost_notes(facts: Mapping[str, Any], beginning: str) -> tuple[str, ...]:
    """Recorded notes on a page's map, which do not come again."""
    notes = facts.get('notes', ())
    return tuple(note for note in notes if note.startswith(beginning))
