"""The authors' checkpoint files, for people who own them.

Both are pickled dictionaries whose key ``'G'`` holds the state dict. They
are read where nothing in them can run or take up the machine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from napari_sdcolor.core import colornet, gridnet
from napari_sdcolor.core.building import Network, fill
from napari_sdcolor.core.pickles import read_tensors
from napari_sdcolor.core.weights import Part, digest_of
from napari_sdcolor.errors import UnfitWeights, WeightsError, said
from napari_sdcolor.opening import open_regular, sha256_of_stream

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
    return _color_part(path, *_state(path))


def load_segmentation(path: Path) -> Part:
    """The authors' GridNet (``seg_weights.pth.tar``).

    Raises
    ------
    WeightsError
        If the file is not that checkpoint.
    """
    return _grid_part(path, *_state(path))


def load_any(path: Path) -> Part:
    """Either of the two.

    Raises
    ------
    WeightsError
        If the file is none of them.
    """
    state, sha256 = _state(path)
    try:
        return _color_part(path, state, sha256)
    except WeightsError as color_error:
        try:
            return _grid_part(path, state, sha256)
        except WeightsError as error:
            raise WeightsError(
                f'{path} is neither checkpoint of the authors. As color '
                f'weights: {color_error} As segmentation weights: {error}'
            ) from error


def _color_part(path: Path, state: Mapping[str, Tensor], sha256: str) -> Part:
    tensors = {_color_name(name): tensor for name, tensor in state.items()}
    network = colornet.ColorNet(colornet.RELEASED)
    return _part('color', network, tensors, path, sha256)


def _grid_part(path: Path, state: Mapping[str, Tensor], sha256: str) -> Part:
    tensors = {
        _grid_name(name): tensor
        for name, tensor in state.items()
        if not name.endswith('num_batches_tracked')
    }
    return _part('segmentation', gridnet.GridNet(), tensors, path, sha256)


def _part(
    kind: str,
    network: Network,
    tensors: Mapping[str, Tensor],
    path: Path,
    sha256: str,
) -> Part:
    fill(network, tensors, str(path))
    return Part(
        kind,
        network,
        digest_of(tensors),
        'opencv',
        TRAINING,
        path.name,
        sha256,
    )


def _state(path: Path) -> tuple[dict[str, Tensor], str]:
    """The state dict of a checkpoint, and the SHA-256 of its file.

    Raises
    ------
    WeightsError
        If there is none.
    """
    try:
        with open_regular(path) as stream:
            state = read_tensors(stream, 'G')
            return state, sha256_of_stream(stream)
    except FileNotFoundError as error:
        raise UnfitWeights(f'There is no checkpoint at {path}.') from error
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"{path} is neither checkpoint of the authors' program: "
            f'{said(error)}. Get the file again.'
        ) from error


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
