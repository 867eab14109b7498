"""Which models there are: their files, without torch.

What a model holds is read in ``core.models``.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from napari_sdcolor.errors import WeightsError, said
from napari_sdcolor.files import own_path, sha256_of
from napari_sdcolor.opening import read_json

NETWORKS = ('color', 'segmentation')
"""The networks of which a model may bring weights, each of them needed."""

KINDS = (*NETWORKS, 'features')
"""Weights that a model may bring; features where a network reads some."""

RECORD = 'sha256.json'
"""In a folder of models: the hash of every file when it was added."""

FOLDER_VARIABLE = 'SDCOLOR_MODELS'
"""Environment variable that moves the folder of added models."""


@dataclass(frozen=True)
class Entry:
    """One file of a model.

    Parameters
    ----------
    model, kind
        That it is named after.
    path
        Of what has that name: a file, in the good case.
    recorded
        Its SHA-256 when it was added; None where that is not known.
    trouble
        Why it is not known, as a sentence, where there is a record.
    """

    model: str
    kind: str
    path: Path
    recorded: str | None
    trouble: str = ''

    @property
    def sha256(self) -> str:
        """Of the file as it is now.

        Raises
        ------
        WeightsError
            If it cannot be read.
        """
        try:
            return sha256_of(self.path)
        except OSError as error:
            raise WeightsError(
                f'{self.path} cannot be read ({said(error)}). Take it out of '
                'that folder, or put the weights there again.'
            ) from error


def bundled_folder() -> Path:
    """Where the weights lie that came with the package."""
    with as_file(files('napari_sdcolor') / 'weights') as folder:
        return folder


def user_folder() -> Path:
    """Where added models are kept."""
    return own_path('models', FOLDER_VARIABLE)


def weight_files(folder: Path, kind: str = '*') -> list[Path]:
    """What is named as weights in a folder; of one kind or of all.

    It need not be files: that is seen where they are read.
    """
    return sorted(folder.glob(f'*.{kind}.safetensors'))


def recorded_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of the files of a folder when they were added, by name.

    Raises
    ------
    WeightsError
        If the record is damaged.
    """
    path = folder / RECORD
    try:
        found = read_json(path)
        if not isinstance(found, dict) or not all(
            isinstance(digest, str) for digest in found.values()
        ):
            raise ValueError('it holds no table of names and hashes')
    except FileNotFoundError:
        if not path.is_symlink():
            return {}
        raise WeightsError(
            f'{path} leads nowhere; delete it and add the models again.'
        ) from None
    except (OSError, ValueError) as error:
        raise WeightsError(
            f'{path} is damaged ({said(error)}); delete it and add the models '
            'again.'
        ) from error
    return found


def list_models() -> list[Entry]:
    """Every file of every model, the bundled ones first.

    A file in trouble is listed as well, and disturbs no other.
    """
    entries = []
    for folder in (bundled_folder(), user_folder()):
        recorded, trouble = {}, ''
        try:
            recorded = recorded_hashes(folder)
        except WeightsError as error:
            trouble = str(error)
        for path in weight_files(folder):
            model, _, kind = path.stem.rpartition('.')
            if model and kind in KINDS:
                digest = recorded.get(path.name)
                entries.append(Entry(model, kind, path, digest, trouble))
    return entries


def names() -> list[str]:
    """Names of all models, the bundled one first."""
    networks = (e.model for e in list_models() if e.kind in NETWORKS)
    return list(dict.fromkeys(networks))
