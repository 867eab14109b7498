"""Computing a saved result again, and telling what differs.

The result is computed and saved as it was the first time; then the two
sidecars, and where they disagree the pixels, are compared.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from tifffile import TiffFile

from napari_sdcolor.archive.labels import read_ids, read_labels
from napari_sdcolor.archive.reading import PhotoFile
from napari_sdcolor.archive.recorded import (
    came_from_a_layer,
    open_recorded,
    sample_of,
)
from napari_sdcolor.archive.saving import save_pages, save_result
from napari_sdcolor.archive.sidecar import (
    SIDECAR_SUFFIX,
    read_sidecar,
    window_of,
)
from napari_sdcolor.core.device import HALVES, Device
from napari_sdcolor.core.planes import bands
from napari_sdcolor.errors import LabelsError, SdcolorError, said
from napari_sdcolor.files import sha256_of
from napari_sdcolor.samples import SampleFile
from napari_sdcolor.settings import Settings

if TYPE_CHECKING:
    from napari_sdcolor.core.engine import Colorizer
    from napari_sdcolor.core.results import Colorized

_STRIP = 2**18
"""Pixels compared at a time."""


@dataclass(frozen=True)
class Replay:
    """What came of computing a result again.

    Parameters
    ----------
    identical
        Whether the colored file came out with the same bytes, and all maps
        with the same ids.
    differences
        Sentences on what differs in the results.
    notes
        Sentences on what is the same, but stored in another way.
    circumstances
        What else differs, such as a version: name, then and now.
    largest_delta_e
        Largest CIEDE2000 difference between the colored file and the new
        one; None if they are the same or cannot be compared.
    pixels
        Share of pixels in [0, 1] that differ, likewise.
    written
        The new files.
    """

    identical: bool
    differences: tuple[str, ...]
    notes: tuple[str, ...]
    circumstances: tuple[tuple[str, Any, Any], ...]
    largest_delta_e: float | None
    pixels: float | None
    written: tuple[Path, ...]


class Recording:
    """A sidecar and the files that it tells of.

    Parameters
    ----------
    path
        The sidecar.
    source
        The photo, where it is not where it was.

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
        self.source = self._find_source(source)

    @property
    def name(self) -> str:
        """NAME of the results."""
        return self.path.name.removesuffix(SIDECAR_SUFFIX)

    @property
    def settings(self) -> Settings:
        """As they were; what this version does not know is left out."""
        known = Settings().to_dict()
        told = self.told['settings'].items()
        return Settings.from_dict(
            {name: value for name, value in told if name in known}
        )

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
        told = self.told['model'].get('dtype', 'float32')
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
        name = self.told['source']['file']
        told = self.told['run'].get('source_path', '')
        for place in (told, self.path.parent / name):
            if name and place and os.path.isfile(place):
                return Path(place)
        raise SdcolorError(
            f'The photo {told or name or "of " + str(self.path)} is not '
            'there. Say where it is with --source.'
        )

    def page(self) -> int | None:
        """The page of the photo's file that was chosen; None for all."""
        pages = self.told['pages']
        return pages[0]['page'] if len(pages) == 1 else None


def replay(recording: Recording, colorizer: Colorizer, folder: Path) -> Replay:
    """Compute a result again, save it and compare.

    Parameters
    ----------
    recording
        What is to be computed.
    colorizer
        The networks, at the recorded working size.
    folder
        An existing folder that receives the new files.

    Raises
    ------
    SdcolorError
        If it cannot be computed at all: a photo or a map that is missing
        or cannot be used, or files of these names in the folder.
    """
    with (
        _as_then(recording, colorizer),
        open_recorded(
            recording.told, recording.source, recording.page()
        ) as file,
    ):
        results = _results(recording, colorizer, file)
        form = recording.told['result']['format']
        if file.is_album:
            written: tuple[Path, ...] = save_pages(
                results,
                folder,
                recording.name,
                file.count,
                result_bytes=file.result_bytes,
            )
        else:
            written = save_result(next(results), folder, recording.name, form)
    again = read_sidecar(folder / recording.path.name)
    return _compare(recording, again, folder, written)


def _as_then(
    recording: Recording, colorizer: Colorizer
) -> AbstractContextManager[None]:
    """Passes of as many photos as then: the last bits depend on it."""
    from napari_sdcolor.core.batching import Gatherer

    same = colorizer.device.kind == recording.told['model'].get('device')
    if recording.batch_size == 1 or not same:
        return nullcontext()
    return Gatherer(colorizer.device, recording.batch_size).active()


def _results(
    recording: Recording,
    colorizer: Colorizer,
    file: PhotoFile | SampleFile,
) -> Iterator[Colorized]:
    settings, told = recording.settings, recording.told['pages']
    if len(told) != len(file.pages):
        raise SdcolorError(
            f'{file.path} has {len(file.pages)} pages, but {recording.path} '
            f'tells of {len(told)}: it is another file.'
        )
    for number, (page, facts) in enumerate(zip(file.pages, told, strict=True)):
        window = window_of(recording.told, number)
        photo = file.read(page, window=window)
        origin, place = facts['labels']['origin'], facts['labels']['file']
        labels = predicted = None
        if origin != 'predicted':
            if place is None:
                raise SdcolorError(
                    f'The map that a person made for {recording.path} was '
                    'not saved; without it the colors cannot be computed.'
                )
            beside = recording.path.with_name(place)
            labels, _ = read_labels(beside, photo, colorizer.size)
            predicted = colorizer.segment(photo).labels
        result = colorizer.colorize(photo, labels, settings=settings)
        if labels is not None:
            result = replace(result, labels_origin=origin, predicted=predicted)
        yield result


def _compare(
    recording: Recording,
    again: Mapping[str, Any],
    folder: Path,
    written: tuple[Path, ...],
) -> Replay:
    told = recording.told
    differences, notes = list(_spoiled(recording)), []
    if told['result']['sha256'] != again['result']['sha256']:
        differences.append('The colored file comes out with other bytes.')
    pages = list(zip(told['pages'], again['pages'], strict=True))
    for number, (then, now) in enumerate(pages):
        if then['labels']['sha256'] == now['labels']['sha256']:
            continue
        which = f' of page {number}' if len(pages) > 1 else ''
        place = folder / now['labels']['file']
        if _same_ids(recording, then['labels'], place):
            notes.append(
                f'The map{which} holds the same classes; its file has other '
                'bytes, as an earlier version stored it.'
            )
        else:
            differences.append(f'The map{which} comes out with other classes.')
    delta = share = None
    colored = recording.path.with_name(told['result']['file'])
    if differences and colored.is_file():
        delta, share, trouble = _pixels(
            colored, folder / again['result']['file']
        )
        differences += [trouble] * bool(trouble)
    circumstances = tuple(
        change
        for change in _changes(told, again)
        if change[0].partition('.')[0] not in ('run', 'result', 'command')
    )
    return Replay(
        identical=not differences,
        differences=tuple(differences),
        notes=tuple(notes),
        circumstances=circumstances,
        largest_delta_e=delta,
        pixels=share,
        written=written,
    )


def _same_ids(
    recording: Recording, labels: Mapping[str, Any], place: Path
) -> bool:
    """Whether a new map holds the ids of the recorded one, if that is there.

    Only the ids count: how a PNG file packs them changed between versions.
    """
    if labels['file'] is None:
        return False
    before = recording.path.with_name(labels['file'])
    try:
        return np.array_equal(read_ids(before), read_ids(place))
    except LabelsError:
        return False


def _spoiled(recording: Recording) -> Iterator[str]:
    """What is wrong with the files that the sidecar tells of."""
    told = recording.told
    maps = [page['labels'] for page in told['pages']]
    for file in (told['result'], *maps):
        if file['file'] is None:
            continue
        path = recording.path.with_name(file['file'])
        if not path.is_file():
            yield f'{path} is not there any more.'
        elif sha256_of(path) != file['sha256']:
            yield f'{path} was changed after it was written.'


def _changes(
    then: object, now: object, place: str = ''
) -> Iterator[tuple[str, Any, Any]]:
    """Where two sidecars disagree, with both values."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for name in sorted({*then, *now}):
            inner = f'{place}.{name}' if place else name
            yield from _changes(then.get(name), now.get(name), inner)
    elif (
        isinstance(then, list)
        and isinstance(now, list)
        and len(then) == len(now)
    ):
        for number, pair in enumerate(zip(then, now, strict=True)):
            yield from _changes(*pair, f'{place}.{number}')
    elif then != now:
        yield place, then, now


def _pixels(then: Path, now: Path) -> tuple[float | None, float | None, str]:
    """Largest difference, share of differing pixels, or why not."""
    largest, changed, total = 0.0, 0, 0
    try:
        for one, other in zip(_planes(then), _planes(now), strict=True):
            if one.shape != other.shape or one.dtype != other.dtype:
                return None, None, f'{then} has another size or depth.'
            total += one.shape[0] * one.shape[1]
            for rows in bands(one.shape, _STRIP):
                differ = (one[rows] != other[rows]).any(-1)
                changed += int(differ.sum())
                if differ.any():
                    found = _delta_e(one[rows][differ], other[rows][differ])
                    largest = max(largest, float(found.max()))
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        return None, None, f'{then} cannot be compared: {said(error)}.'
    return largest, changed / total, ''


def _planes(path: Path) -> Iterator[NDArray]:
    """(H, W, 3) of each page of a colored file."""
    if path.suffix in ('.tif', '.tiff'):
        with TiffFile(path) as tif:
            for page in tif.pages:
                yield page.asarray()[..., :3]
    else:
        decode = (
            imagecodecs.png_decode
            if path.suffix == '.png'
            else imagecodecs.jpeg8_decode
        )
        yield decode(path.read_bytes())[..., :3]


def _delta_e(one: NDArray, other: NDArray) -> NDArray:
    from skimage.color import deltaE_ciede2000

    from napari_sdcolor.core.lab import rgb_to_lab

    top = float(np.iinfo(one.dtype).max)
    return deltaE_ciede2000(rgb_to_lab(one / top), rgb_to_lab(other / top))
