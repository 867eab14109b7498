"""Which models there are: their files, without torch.

What a model holds is read in ``core.models``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from napari_sdcolor.errors import WeightsError, said
from napari_sdcolor.files import own_path, sha256_of

NETWORKS = ('color', 'segmentation')
"""The networks of which a model may bring weights, each of them needed."""

KINDS = (*NETWORKS, 'features')
"""Weights that a model may bring; features where a network reads some."""

FOLDER_VARIABLE = 'SDCOLOR_MODELS'
"""Environment variable that moves the folder of added models."""


@dataclass(frozen=True)
class Entry:
    """One file of a model."""

    model: str
    kind: str
    path: Path
    recorded: str | None

    @property
    def sha256(self) -> str:
        """Of the file as it is now."""
        return sha256_of(self.path)


def bundled_folder() -> Path:
    """Where the weights lie that came with the package."""
    with as_file(files('napari_sdcolor') / 'weights') as folder:
        return folder


def user_folder() -> Path:
    """Where added models are kept."""
    return own_path('models', FOLDER_VARIABLE)


def weight_files(folder: Path, kind: str = '*') -> list[Path]:
    """Files of weights in a folder, by name; of one kind or of all."""
    found = folder.glob(f'*.{kind}.safetensors')
    return sorted(path for path in found if path.is_file())


def recorded_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of the files of a folder when they were added, by name.

    Raises
    ------
    WeightsError
        If the record is damaged.
    """
    path = folder / 'sha256.json'
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text())
        if not isinstance(found, dict):
            raise ValueError('it holds no table')
    except (OSError, ValueError) as error:
        raise WeightsError(
            f'{path} is damaged ({said(error)}); delete it and add the models '
            'again.'
        ) from error
    return found


def list_models() -> list[Entry]:
    """Every file of every model, the bundled ones first."""
    entries = []
    for folder in (bundled_folder(), user_folder()):
        recorded = recorded_hashes(folder)
        for path in weight_files(folder):
            model, _, kind = path.stem.rpartition('.')
            if model and kind in KINDS:
                entries.append(
                    Entry(model, kind, path, recorded.get(path.name))
                )
    return entries


def names() -> list[str]:
    """Names of all models, the bundled one first."""
    networks = (e.model for e in list_models() if e.kind in NETWORKS)
    return list(dict.fromkeys(networks))
