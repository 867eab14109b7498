"""How weights get into a folder of models."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from napari_sdcolor.core import authors
from napari_sdcolor.core.weights import Part, load_part, save_part
from napari_sdcolor.errors import UnfitWeights, WeightsError, said
from napari_sdcolor.files import sha256_of, write_new
from napari_sdcolor.names import safe_name
from napari_sdcolor.opening import open_regular


def refuse_name(name: str) -> None:
    """Refuse what no model can be called.

    Raises
    ------
    UnfitWeights
        With what it may be.
    """
    try:
        safe_name(name)
        if not re.fullmatch(r'[A-Za-z0-9_-]+', name):
            raise ValueError('it holds other signs')
    except ValueError as error:
        raise UnfitWeights(
            f'{name!r} is no model name, for {error}: use letters, digits, '
            '"-" and "_".'
        ) from error


def read_any(path: Path) -> Part:
    """Weights of ours, or those of the authors' program.

    Raises
    ------
    WeightsError
        If the file holds none.
    """
    if path.suffix == '.safetensors':
        return load_part(path)
    if not path.exists():
        raise UnfitWeights(f'There are no weights at {path}.')
    return authors.load_any(path)


def copy_into(path: Path, part: Part) -> str:
    """Put weights into a new file, and return its SHA-256.

    Those of ours stay as they are, byte for byte; those of the authors keep
    their numbers whole.

    Raises
    ------
    WeightsError
        If they were read from a file that is another one by now.
    SaveError
        If the disk does not take them.
    """
    if part.path is None:
        encoding = part.encoding
        save_part(
            path, part.network, part.training, encoding=encoding, half=False
        )
        return sha256_of(path)
    try:
        with open_regular(part.path) as stream:
            content = stream.read()
    except OSError as error:
        raise WeightsError(
            f'{part.path} cannot be read ({said(error)}).'
        ) from error
    if hashlib.sha256(content).hexdigest() != part.file_sha256:
        raise WeightsError(
            f'{part.path} was changed while it was being added. Try again '
            'when nobody writes to it.'
        )
    write_new(path, content)
    return part.file_sha256
