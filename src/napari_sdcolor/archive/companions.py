"""The files that a sidecar tells about: where they are, what became of them.

A photo is the one that was colored only if it has the recorded SHA-256, and
it is looked for in one order: beside the sidecar, in the folder above, where
it was at the time.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_sdcolor.archive.formats import SIDECAR_SUFFIX, SUFFIXES
from napari_sdcolor.archive.reading import PhotoFile, open_photos
from napari_sdcolor.errors import PhotoError
from napari_sdcolor.files import sha256_of
from napari_sdcolor.opening import HASHED_BYTES, read_json
from napari_sdcolor.samples import SAMPLES, SampleFile, open_sample
from napari_sdcolor.words import counted

SPARE, PIXEL_BYTES = 2**31, 256
"""A photo, its map and its result take far less on disk, all in all and for
a pixel: what is larger is another file, or a hole without end."""


@dataclass
class Companions:
    """The files of a result, as they are now.

    Parameters
    ----------
    photo, color
        Paths, or None where they were not found.
    sample
        Name of the sample that the photo is instead of a file, or ''.
    maps
        One path or None per page.
    changes
        Sentences on what is missing or not what it was.
    """

    photo: Path | None = None
    color: Path | None = None
    sample: str = ''
    maps: list[Path | None] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)


def sidecar_of(colored: str | os.PathLike[str]) -> Path | None:
    """The sidecar beside a colored file; None if it is not one of ours.

    Parameters
    ----------
    colored
        Any file; ours are named ``NAME.color.tif`` (or .png, .jpg), or as a
        person chose, and then a sidecar of the same NAME tells so.
    """
    path = Path(colored)
    name, _, suffix = path.name.rpartition('.color')
    if name and suffix in SUFFIXES.values():
        sidecar = path.with_name(name + SIDECAR_SUFFIX)
        if os.path.lexists(sidecar):
            return sidecar
    sidecar = path.with_name(path.stem + SIDECAR_SUFFIX)
    return sidecar if _tells_of(sidecar, path.name) else None


def _tells_of(sidecar: Path, name: str) -> bool:
    """Whether a sidecar is there, and names a file as its result."""
    if not os.path.lexists(sidecar):
        return False
    try:
        return read_json(sidecar)['result']['file'] == name
    except (OSError, ValueError, LookupError, TypeError):
        return False  # whatever it is, it tells nothing of this file


def find_companions(
    sidecar: str | os.PathLike[str], content: Mapping[str, Any]
) -> Companions:
    """Find photo, maps and colored file of a sidecar.

    Maps and colored file lie beside the sidecar, so that folders may be
    moved; the photo is found by ``find_photo``. Where it is nowhere, another
    file at one of its places is shown in its stead, and said.

    Parameters
    ----------
    sidecar
        Its path.
    content
        As ``sidecar.read_sidecar`` gives it.
    """
    folder = Path(sidecar).parent
    found = Companions()
    found.sample = _find_sample(content, found.changes)
    if not found.sample:
        found.photo = _photo_to_show(sidecar, content, found.changes)
    most = most_bytes(content)
    result = content['result']
    found.color = _find(
        folder, result, 'The colored file', most, found.changes
    )
    for page in content['pages']:
        labels = page['labels']
        found.maps.append(
            _find(folder, labels, 'The label map', most, found.changes)
            if labels['file']
            else None
        )
    return found


def find_photo(
    sidecar: str | os.PathLike[str], content: Mapping[str, Any]
) -> tuple[Path | None, list[Path]]:
    """The photo's file, and other files that are at its places.

    Parameters
    ----------
    sidecar
        Its path.
    content
        As ``sidecar.read_sidecar`` gives it.

    Returns
    -------
    photo
        The first file with the recorded SHA-256; None if there is none.
    others
        Files of its name, or at its place, with another SHA-256.
    """
    source = content['source']
    name, digest = source['file'], source['sha256']
    others: list[Path] = []
    if not name:
        return None, others
    former = content['run'].get('source_path', '')
    for path in _places(Path(sidecar).parent, name, former):
        if os.path.isfile(path):
            if has_hash(path, digest, most_bytes(content)):
                return path, others
            others.append(path)
    return None, others


def most_bytes(content: Mapping[str, Any]) -> int:
    """No file that a sidecar tells of has more bytes.

    Parameters
    ----------
    content
        As ``sidecar.read_sidecar`` gives it.
    """
    pages = content['pages']
    if any(page['page'] is not None for page in pages) and len(pages) == 1:
        return HASHED_BYTES  # nobody knows of its other pages
    sides = [
        (page['photo']['width'], page['photo']['height']) for page in pages
    ]
    return SPARE + PIXEL_BYTES * sum(math.prod(pair) for pair in sides)


def has_hash(path: Path, digest: str, most: int) -> bool:
    """Whether a file can be read and is the one that a sidecar tells of.

    Parameters
    ----------
    path
        Of the file.
    digest
        The recorded SHA-256.
    most
        Larger files are others; see ``most_bytes``.
    """
    try:
        return sha256_of(path, most) == digest
    except OSError:
        return False


def sample_of(content: Mapping[str, Any]) -> str:
    """Name of the sample that a sidecar names as its source, or ''."""
    return content['source'].get('sample', '')


def came_from_a_layer(content: Mapping[str, Any]) -> bool:
    """Whether the pixels were those of a layer, which no file holds."""
    return not content['source']['sha256'] and not sample_of(content)


@contextmanager
def open_source(
    sidecar: str | os.PathLike[str],
    content: Mapping[str, Any],
    path: Path | None,
) -> Iterator[PhotoFile | SampleFile]:
    """Open the photo of a result, with the pages that the sidecar tells of.

    One that was damaged then may be so now.

    Parameters
    ----------
    sidecar
        Its path.
    content
        As ``sidecar.read_sidecar`` gives it.
    path
        The photo's file; None takes the sample.

    Raises
    ------
    PhotoError
        As ``reading.open_photos``, if there is no such sample, and if the
        file has other pages: before anything is decoded.
    """
    if path is None:
        opened = open_sample(sample_of(content))
    else:
        pages = content['pages']
        one = pages[0]['page'] if len(pages) == 1 else None
        damaged = any(facts['photo'].get('damage') for facts in pages)
        opened = open_photos(path, one, allow_damaged=damaged)
    with opened as file:
        _refuse_other_pages(sidecar, content, file)
        yield file


def _refuse_other_pages(
    sidecar: str | os.PathLike[str],
    content: Mapping[str, Any],
    file: PhotoFile | SampleFile,
) -> None:
    told = [page['page'] for page in content['pages']]
    there = list(file.pages)
    if len(told) != len(there):
        raise PhotoError(
            f'{file.path} has {counted(len(there), "page")}, but {sidecar} '
            f'tells of {len(told)}: it is another file.'
        )
    # Without a number it was alone in its file.
    if len(told) > 1 and told != there and set(told) != {None}:
        raise PhotoError(
            f'{sidecar} tells of other pages than {file.path} has, or of one '
            'of them twice: it was changed.'
        )


def _find_sample(content: Mapping[str, Any], changes: list[str]) -> str:
    name = sample_of(content)
    if name not in SAMPLES:
        return ''
    if SampleFile(name).sha256 != content['source']['sha256']:
        changes.append(
            f'The sample photo {name} is not the one that was colored: its '
            'SHA-256 is another.'
        )
    return name


def _photo_to_show(
    sidecar: str | os.PathLike[str],
    content: Mapping[str, Any],
    changes: list[str],
) -> Path | None:
    name = content['source']['file']
    if sample_of(content):
        changes.append(
            f'This version has no sample photo {sample_of(content)}, so it '
            'cannot be shown again.'
        )
        return None
    if not name:
        changes.append(
            'The photo came from no file, so it cannot be shown again.'
        )
        return None
    photo, others = find_photo(sidecar, content)
    if photo is not None:
        return photo
    if not others:
        changes.append(
            f'The photo {name} was not found. Put it beside the sidecar in '
            f'{Path(sidecar).parent}.'
        )
        return None
    if came_from_a_layer(content):
        changes.append(
            'What was colored were the pixels of a layer in napari, which '
            f'differed from {others[0]}. That file is shown in their place.'
        )
    else:
        changes.append(
            f'The photo {others[0]} is not the one that was colored: its '
            'SHA-256 is another.'
        )
    return others[0]


def _places(folder: Path, name: str, former: str) -> Iterator[Path]:
    yield folder / name
    yield folder.parent / name
    if former:
        # Relative ones are relative to nobody knows what.
        path = Path(former)
        yield path if path.is_absolute() else folder / path


def _find(
    folder: Path,
    told: Mapping[str, Any],
    what: str,
    most: int,
    changes: list[str],
) -> Path | None:
    path = folder / told['file']
    if not os.path.isfile(path):
        changes.append(f'{what} {told["file"]} is no longer in {folder}.')
        return None
    if not has_hash(path, told['sha256'], most):
        changes.append(f'{what} {path.name} was changed since it was saved.')
    return path
