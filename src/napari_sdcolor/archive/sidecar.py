"""The sidecar: a JSON file that tells how a result came to be.

Everything in it is a function of the inputs, except the ``run`` object,
which alone holds times, host and paths.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import metadata
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from napari_sdcolor import __version__
from napari_sdcolor.core.photo import photo_facts
from napari_sdcolor.core.results import Colorized
from napari_sdcolor.errors import SaveError, SdcolorError

SCHEMA = 1
"""Raised when a reader of older sidecars could misunderstand newer ones."""

SIDECAR_SUFFIX = '.sdcolor.json'

_LIBRARIES = ('numpy', 'torch', 'tifffile', 'imagecodecs', 'pillow')


def file_facts(path: Path | None, content: bytes) -> dict[str, Any]:
    """Name and SHA-256 of a written file; no name if it was not written."""
    return {
        'file': None if path is None else path.name,
        'sha256': hashlib.sha256(content).hexdigest(),
    }


def source_facts(result: Colorized) -> dict[str, Any]:
    """What is recorded about the photo's file."""
    origin = result.photo.origin
    return {
        'file': PurePath(origin.path).name,
        'sha256': origin.sha256,
        'facts': origin.facts,
        'page': origin.page,
        'photo_facts': photo_facts(result.photo),
        'resolution': origin.resolution,
        'texts': dict(origin.texts),
        'icc_base64': (
            None
            if origin.icc is None
            else base64.b64encode(origin.icc).decode('ascii')
        ),
    }


def result_facts(
    result: Colorized, path: Path, content: bytes, form: str
) -> dict[str, Any]:
    """What is recorded about the colored file."""
    height, width = result.rgb.shape[:2]
    return file_facts(path, content) | {
        'format': form,
        'bits': 8 if form == 'jpeg' else result.rgb.dtype.itemsize * 8,
        'width': width,
        'height': height,
    }


def labels_facts(
    result: Colorized,
    path: Path | None,
    content: bytes,
    edited_share: float | None = None,
) -> dict[str, Any]:
    """What is recorded about the label map.

    Parameters
    ----------
    result
        The result that the map steered.
    path, content
        Where the map was written, if it was, and its PNG file.
    edited_share
        Share in [0, 1] of its pixels that a person changed, if known.
    """
    return file_facts(path, content) | {
        'origin': result.labels_origin,
        'mean_confidence': result.confidence,
        'edited_share': edited_share,
    }


def build_sidecar(
    result: Colorized,
    *,
    color: Mapping[str, Any],
    pages: Sequence[Mapping[str, Any]] | None = None,
    labels: Mapping[str, Any] | None = None,
    command: Sequence[str] | None = None,
    notes: Sequence[str] = (),
    run: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The content of a sidecar.

    Parameters
    ----------
    result
        The result; the first page of several.
    color
        ``result_facts`` of the colored file.
    pages
        For several pages ``photo_facts``, ``labels`` and ``notes`` of each.
    labels
        ``labels_facts`` of the map, for one page.
    command
        Command line that gives the same result; made up if not given.
    notes
        Sentences beside those of the photo and the result.
    run
        Circumstances, as ``run_facts`` returns them.
    """
    said = (*result.photo.notes, *result.notes, *notes)
    content = {
        'schema': SCHEMA,
        'source': source_facts(result),
        'result': dict(color),
        'settings': result.settings.to_dict(),
        'model': result.model,
        'software': software_versions(),
        'command': list(command or command_for(result, color, labels)),
        'notes': list(dict.fromkeys(said)),
        'run': {'source_path': result.photo.origin.path} | dict(run or {}),
    }
    if labels is not None:
        content['labels'] = dict(labels)
    if pages is not None:
        content['pages'] = [dict(page) for page in pages]
    return content


def sidecar_bytes(content: Mapping[str, Any]) -> bytes:
    """Encode a sidecar: UTF-8, sorted keys, a newline at the end.

    Raises
    ------
    SaveError
        If it holds what JSON cannot, such as NaN.
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
        return (text + '\n').encode('utf-8', 'replace')
    except (TypeError, ValueError) as error:
        raise SaveError(
            f'The sidecar cannot be written as JSON: {error}.'
        ) from error


def read_sidecar(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a sidecar.

    Raises
    ------
    SdcolorError
        If it is missing, no sidecar, or of a newer version than this one.
    """
    path = os.fspath(path)
    try:
        content = json.loads(Path(path).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise SdcolorError(
            f'{path} cannot be read as a sidecar: {error}.'
        ) from error
    schema = content.get('schema') if isinstance(content, dict) else None
    if not isinstance(schema, int) or not {'source', 'settings'} <= set(
        content
    ):
        raise SdcolorError(f'{path} is no sidecar of a colored photo.')
    if schema > SCHEMA:
        raise SdcolorError(
            f'{path} was written by a newer napari-sdcolor than '
            f'{__version__}. Install the newer version.'
        )
    return content


def run_facts(
    started: datetime, finished: datetime, *, threads: int | None = None
) -> dict[str, Any]:
    """Circumstances of a run: the only place where a clock is looked at."""
    return {
        'started': started.isoformat(timespec='seconds'),
        'finished': finished.isoformat(timespec='seconds'),
        'host': platform.node(),
        'threads': threads,
    }


def software_versions() -> dict[str, str | None]:
    """Versions of everything that computes or encodes."""
    versions: dict[str, str | None] = {
        'napari-sdcolor': __version__,
        'python': platform.python_version(),
    }
    for library in _LIBRARIES:
        try:
            versions[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            versions[library] = None
    return versions


def command_for(
    result: Colorized,
    color: Mapping[str, Any],
    labels: Mapping[str, Any] | None = None,
) -> list[str]:
    """A command line that computes the result again."""
    words = ['sdcolor', 'colorize', PurePath(result.photo.origin.path).name]
    words += ['-o', 'again', *result.settings.to_arguments()]
    if result.labels_origin != 'predicted' and labels and labels['file']:
        words += ['--labels', labels['file']]
    if result.photo.origin.page is not None:
        words += ['--page', str(result.photo.origin.page)]
    if color['format'] != 'tiff':
        words += ['--format', color['format']]
    return words


def _plain(value: object) -> object:
    """JSON for what facts on models may hold."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f'{type(value).__name__} {value!r}')
