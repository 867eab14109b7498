"""The authors' checkpoint files, for people who own them.

Both are pickled dictionaries whose key ``'G'`` holds the state dict. They
load with ``weights_only=True``, so that nothing in them can run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from napari_sdcolor.core import colornet, gridnet
from napari_sdcolor.core.weights import (
    Network,
    Part,
    digest_of,
    fill,
)
from napari_sdcolor.errors import (
    DAMAGED_PICKLE,
    UnfitWeights,
    WeightsError,
)
from napari_sdcolor.files import sha256_of

TRAINING = {
    'statement': (
        "The paper's authors trained these weights; their terms apply."
    )
}


def load_color(path: Path) -> Part:
    """The authors' color network (``color_weights.pth.tar``).

    Raises
    ------
    WeightsError
        If the file is not that checkpoint.
    """
    tensors = {
        _color_name(name): tensor for name, tensor in _state(path).items()
    }
    network = colornet.ColorNet(colornet.RELEASED)
    return _part('color', network, tensors, path)


def load_segmentation(path: Path) -> Part:
    """The authors' GridNet (``seg_weights.pth.tar``).

    Raises
    ------
    WeightsError
        If the file is not that checkpoint.
    """
    tensors = {
        _grid_name(name): tensor
        for name, tensor in _state(path).items()
        if not name.endswith('num_batches_tracked')
    }
    return _part('segmentation', gridnet.GridNet(), tensors, path)


def _part(
    kind: str, network: Network, tensors: Mapping[str, Tensor], path: Path
) -> Part:
    fill(network, tensors, str(path))
    return Part(
        kind,
        network,
        digest_of(tensors),
        'opencv',
        TRAINING,
        path.name,
        sha256_of(path),
    )


def _state(path: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(path, map_location='cpu', weights_only=True)
    except FileNotFoundError as error:
        raise UnfitWeights(f'There is no checkpoint at {path}.') from error
    except DAMAGED_PICKLE as error:
        raise WeightsError(
            f'{path} cannot be read as a checkpoint: it is truncated, '
            f'damaged or something else ({type(error).__name__}).'
        ) from error
    state = content.get('G') if isinstance(content, dict) else None
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and isinstance(value, Tensor)
        for name, value in state.items()
    ):
        raise WeightsError(
            f"{path} is no checkpoint of the authors' program: it has no "
            "state dict under the key 'G'."
        )
    return state


def _color_name(name: str) -> str:
    """``enc1.conv1.weight`` to ``encoder.0.conv1.weight`` and so on."""
    found = re.fullmatch(r'(enc|dec)(\d+)\.(conv[12]\.weight)', name)
    if found is None:
        return name
    stream = {'enc': 'encoder', 'dec': 'decoder'}[found[1]]
    return f'{stream}.{int(found[2]) - 1}.{found[3]}'


_SEQUENCES = {
    'convSequence': 'lateral',
    'subSamplingSequence': 'down',
    'upSamplingSequence': 'up',
}


def _grid_name(name: str) -> str:
    """Names by position (row i, column j) to ours by column and row."""
    simple = {
        'batchNormInitial.': 'first_norm.',
        'firstConv.': 'first.',
        'lastConv.': 'last.',
    }
    for theirs, ours in simple.items():
        if name.startswith(theirs):
            return ours + name.removeprefix(theirs)
    found = re.fullmatch(r'(\w+Sequence)(\d)_(\d)to(\d)_(\d)\.(.+)', name)
    if found is None or found[1] not in _SEQUENCES:
        return name
    row, column = int(found[2]), int(found[3])
    ours = _SEQUENCES[found[1]]
    if ours == 'up':
        # Their row is where the information comes from, ours where it goes.
        row, column = row - 1, column - 3
    rest = found[6].replace('convTranspose1', 'conv1')
    return f'{ours}.{column}.{row}.{rest}'
