"""The sidecar: a JSON file that tells how a result came to be.

Everything in it is a function of the inputs, except the ``run`` object,
which alone holds times, host, threads and paths. Its shape is published as
a JSON Schema, ``sidecar.schema.json`` in this package, which every sidecar
is held against when it is written and when it is read.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from napari_sdcolor._version import __version__, installed
from napari_sdcolor.archive.edits import edit_log, edited_share
from napari_sdcolor.archive.older_sidecars import upgraded
from napari_sdcolor.archive.sidecar_check import read_content, trouble_with
from napari_sdcolor.core.device import HALVES
from napari_sdcolor.core.results import Colorized
from napari_sdcolor.core.tone import RECORDED, ToneWindow
from napari_sdcolor.errors import PhotoError, SaveError, SdcolorError, said
from napari_sdcolor.settings import Settings, window_words

FORMAT = 3
"""Raised when a reader of older sidecars could misunderstand newer ones."""

Run = Mapping[str, Any] | Callable[[], Mapping[str, Any]]
"""Circumstances, or what tells them when all is done."""

_LIBRARIES = ('numpy', 'torch', 'tifffile', 'imagecodecs', 'pillow')


def result_facts(
    path: Path, digest: str, form: str, bits: int, source_type: str
) -> dict[str, Any]:
    """What is recorded about the colored file.

    Parameters
    ----------
    path
        Its name is recorded.
    digest
        SHA-256 of the file.
    form
        'tiff', 'png' or 'jpeg'.
    bits
        Depth, 8 or 16.
    source_type
        The IPTC DigitalSourceType in its mark.
    """
    return {
        'file': path.name,
        'sha256': digest,
        'format': form,
        'bits': bits,
        'digital_source_type': source_type,
    }


def page_facts(
    result: Colorized, labels_path: Path | None, labels_png: bytes
) -> dict[str, Any]:
    """What is recorded about one page: its photo and its label map.

    Parameters
    ----------
    result
        The page in color.
    labels_path, labels_png
        Where the map was written, if it was, and its PNG file.
    """
    photo, origin = result.photo, result.photo.origin
    damage = {'damage': list(origin.damage)} if origin.damage else {}
    return {
        'page': origin.page,
        'photo': {
            'width': photo.shape[1],
            'height': photo.shape[0],
            'kind': photo.kind,
            'dtype': photo.source_dtype,
            'facts': origin.facts,
            'tone_window': list(photo.window),
            'tone_rule': photo.tones.rule,
            'tones': photo.tones.sentence,
            'orientation': origin.orientation,
            'resolution': origin.resolution,
            'texts': dict(origin.texts),
            'icc_sha256': None if origin.icc is None else _sha256(origin.icc),
            **damage,
        },
        'labels': {
            'file': None if labels_path is None else labels_path.name,
            'sha256': _sha256(labels_png),
            'origin': result.labels_origin,
            'mean_confidence': result.confidence,
            'edited_share': edited_share(result.predicted, result.labels),
            'edits': edit_log(result.predicted, result.labels),
        },
        'notes': list(dict.fromkeys((*photo.notes, *result.notes))),
    }


def build_sidecar(
    result: Colorized,
    *,
    color: Mapping[str, Any],
    pages: Sequence[Mapping[str, Any]],
    profiles: Mapping[str, bytes] | None = None,
    notes: Sequence[str] = (),
    run: Run | None = None,
) -> dict[str, Any]:
    """The content of a sidecar.

    Parameters
    ----------
    result
        The result; any one page of several.
    color
        ``result_facts`` of the colored file.
    pages
        ``page_facts`` of each page, at least one.
    profiles
        The photos' ICC profiles by their SHA-256.
    notes
        Sentences on the colored file as a whole.
    run
        Circumstances, as ``run_facts`` returns them.
    """
    told = run() if callable(run) else run
    origin = result.photo.origin
    path = origin.path
    source = {'file': PurePath(path).name, 'sha256': origin.sha256}
    if origin.sample:
        source['sample'] = origin.sample
    return {
        'format': FORMAT,
        'source': source,
        'result': dict(color),
        'pages': [dict(page) for page in pages],
        'profiles': {
            digest: base64.b64encode(profile).decode('ascii')
            for digest, profile in (profiles or {}).items()
        },
        'settings': result.settings.to_dict(),
        'model': result.model,
        'software': software_versions(),
        'command': command_for(result, color, pages),
        'notes': list(notes),
        'run': {'source_path': os.path.abspath(path) if path else ''}
        | dict(told or {}),
    }


def window_of(content: Mapping[str, Any], page: int) -> str | ToneWindow:
    """The tone window with which a page is read as it was.

    Parameters
    ----------
    content
        Of a sidecar, as ``read_sidecar`` gives it.
    page
        Place in its ``pages``.
    """
    told = content['pages'][page]['photo']
    if told['tone_rule'] == RECORDED:
        return ToneWindow.recorded(*map(float, told['tone_window']))
    return content['settings']['window']


def collect_profile(profiles: dict[str, bytes], result: Colorized) -> None:
    """Add a photo's ICC profile to those of a sidecar."""
    icc = result.photo.origin.icc
    if icc is not None:
        profiles[_sha256(icc)] = icc


def sidecar_bytes(content: Mapping[str, Any]) -> bytes:
    """Encode a sidecar: UTF-8, sorted keys, a newline at the end.

    Raises
    ------
    SaveError
        If it holds what JSON cannot, such as NaN, or does not follow the
        published schema.
    """
    try:
        text = json.dumps(
            content,
            sort_keys=True,
            indent=2,
            ensure_ascii=False,
            allow_nan=False,
            default=_plain,
        )
        data = (text + '\n').encode('utf-8', 'replace')
    except (TypeError, ValueError) as error:
        raise SaveError(
            f'The sidecar cannot be written as JSON: {said(error)}.'
        ) from error
    trouble = trouble_with(json.loads(data))
    if trouble:
        raise SaveError(
            f'The sidecar would not follow its own schema: {trouble}. '
            'Nothing was saved.'
        )
    return data


def read_sidecar(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a sidecar, also of an older format.

    Returns
    -------
    dict
        As ``build_sidecar`` makes it.

    Raises
    ------
    SdcolorError
        If it is missing, no sidecar, damaged, or of a newer format than
        this version knows.
    """
    path = os.fspath(path)
    try:
        content = read_content(path)
    except (OSError, ValueError, PhotoError) as error:
        raise SdcolorError(
            f'{path} cannot be read as a sidecar: {said(error)}.'
        ) from error
    found = None
    if isinstance(content, dict):
        # The first version called it otherwise.
        found = content.get('format', content.get('schema'))
    if type(found) is not int or 'source' not in content:
        raise SdcolorError(f'{path} is no sidecar of a colored photo.')
    if found > FORMAT:
        raise SdcolorError(
            f'{path} was written by a newer napari-sdcolor than '
            f'{__version__}. Install the newer version.'
        )
    content = upgraded(content)
    trouble = trouble_with(content)
    if trouble:
        raise SdcolorError(
            f'{path} is damaged or was changed by another program: {trouble}.'
        )
    return content


def run_facts(
    started: datetime,
    finished: datetime | None = None,
    *,
    threads: int | None = None,
    batch_size: int = 1,
    placement: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Circumstances of a run: the only place where a clock is looked at.

    Parameters
    ----------
    started, finished
        The latter is now if not given.
    threads
        Of the networks.
    batch_size
        Photos that went through a network in one pass, told if several.
    placement
        Where the photo lay in a viewer's world, if it lay in one.
    """
    finished = finished or datetime.now(UTC)
    facts: dict[str, Any] = {
        'started': started.isoformat(timespec='seconds'),
        'finished': finished.isoformat(timespec='seconds'),
        'host': platform.node(),
        'threads': threads,
    }
    if batch_size > 1:
        facts['batch_size'] = batch_size
    return facts | ({'placement': dict(placement)} if placement else {})


def software_versions() -> dict[str, str | None]:
    """Versions of everything that computes or encodes."""
    return {
        'napari-sdcolor': __version__,
        'python': platform.python_version(),
        **_libraries(),
    }


@cache
def _libraries() -> dict[str, str | None]:
    # Looking them up reads and parses files, for every photo of an archive.
    return {library: installed(library) for library in _LIBRARIES}


def command_for(
    result: Colorized,
    color: Mapping[str, Any],
    pages: Sequence[Mapping[str, Any]],
) -> list[str]:
    """A command line that computes the result again.

    Empty where there is none: the pixels came from no file.
    """
    origin = result.photo.origin
    if not (origin.path and origin.sha256):
        return []
    words = ['sdcolor', 'colorize', PurePath(origin.path).name]
    settings = _reproducing(result.settings, pages)
    words += ['-o', 'again', *settings.to_arguments()]
    maps = [page['labels'] for page in pages]
    if any(map_['origin'] != 'predicted' for map_ in maps):
        if len(pages) > 1:
            words += ['--labels', '.']
        elif maps[0]['file']:
            words += ['--labels', maps[0]['file']]
    if len(pages) == 1 and origin.page is not None:
        words += ['--page', str(origin.page)]
    if any(page['photo'].get('damage') for page in pages):
        words += ['--allow-damaged']
    if color['format'] != 'tiff':
        words += ['--format', color['format']]
    if result.model.get('dtype') in HALVES:
        words += ['--dtype', result.model['dtype']]
    return words


def _reproducing(
    settings: Settings, pages: Sequence[Mapping[str, Any]]
) -> Settings:
    """The settings, with the tone window of an earlier version's rule."""
    photos = [page['photo'] for page in pages]
    recorded = all(photo['tone_rule'] == RECORDED for photo in photos)
    windows = {tuple(photo['tone_window']) for photo in photos}
    if not recorded or len(windows) > 1:
        return settings
    return replace(settings, window=window_words(windows.pop()))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _plain(value: object) -> object:
    """JSON for what facts on models may hold."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f'{type(value).__name__} {value!r}')
