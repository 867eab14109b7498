"""Networks of a configuration, and tensors that are put into them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from napari_sdcolor.core.colornet import ColorNet, ColorNetConfig
from napari_sdcolor.core.featuregrid import FeatureGridNet
from napari_sdcolor.core.features import FeaturesConfig, PhotoFeatures
from napari_sdcolor.core.gridnet import GridNet, GridNetConfig
from napari_sdcolor.errors import WeightsError

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
"""Types of numbers that weights may be stored in."""

Network = ColorNet | GridNet | FeatureGridNet | PhotoFeatures


def build(kind: str, config: Mapping[str, object]) -> Network:
    """An untrained network of a configuration as stored in a file.

    Raises
    ------
    ValueError
        If there is no such kind of network, or none of such a configuration.
    """
    if kind == 'color':
        return ColorNet(ColorNetConfig.from_dict(config))
    if kind == 'features':
        return PhotoFeatures(FeaturesConfig.from_dict(config))
    if kind == 'segmentation':
        grid = GridNetConfig.from_dict(config)
        return FeatureGridNet(grid) if grid.features else GridNet(grid)
    raise ValueError(f'unknown kind {kind!r}')


def outline(kind: str, config: Mapping[str, object]) -> Network:
    """What ``build`` builds, but without memory for the numbers.

    Raises
    ------
    ValueError
        As ``build``.
    """
    with torch.device('meta'):
        return build(kind, config)


def kind_of(network: Network) -> str:
    """One of ``model_files.KINDS``; TypeError where it has none."""
    if isinstance(network, ColorNet):
        return 'color'
    if isinstance(network, PhotoFeatures):
        return 'features'
    if isinstance(network, GridNet | FeatureGridNet):
        return 'segmentation'
    raise TypeError(f'{type(network).__name__} is no network of a model')


def weights_of(network: torch.nn.Module) -> dict[str, Tensor]:
    """The tensors of a network that a file of weights holds."""
    return {
        name: tensor
        for name, tensor in network.state_dict().items()
        if not name.endswith('num_batches_tracked')
    }


def differing(
    own: Mapping[str, Tensor], other: Mapping[str, Tensor]
) -> list[str]:
    """Tensors that only one of two networks has, or of another shape."""
    return sorted(
        name
        for name in own.keys() | other.keys()
        if name not in own
        or name not in other
        or own[name].shape != other[name].shape
    )


def refuse_unfit(
    network: Network, tensors: Mapping[str, Tensor], source: str
) -> None:
    """Refuse tensors that do not belong to a network.

    Only names, shapes and types are looked at: both may be without memory.

    Raises
    ------
    WeightsError
        If a name is missing or too many, a shape differs, or numbers are
        none with a fraction.
    """
    wrong = differing(weights_of(network), tensors)
    if wrong:
        raise WeightsError(
            f'{source} does not fit the network: {len(wrong)} tensors are '
            f'missing, unknown or of another shape, first {wrong[0]!r}. Take '
            'the file that was made for this network.'
        )
    for name, tensor in tensors.items():
        if tensor.dtype not in FLOATS or tensor.layout != torch.strided:
            raise WeightsError(
                f'{source} does not fit the network: {name!r} holds numbers '
                'of a type that no weights have. Take the file that was made '
                'for this network.'
            )


def fill(network: Network, tensors: Mapping[str, Tensor], source: str) -> None:
    """Put tensors into a network, strictly, as float32.

    Raises
    ------
    WeightsError
        As ``refuse_unfit``, and if a value is no finite number.
    """
    refuse_unfit(network, tensors, source)
    wide = {name: tensor.float() for name, tensor in tensors.items()}
    for name, tensor in wide.items():
        if not torch.isfinite(tensor).all():
            raise WeightsError(
                f'{source} is damaged: {name!r} holds NaN or infinity. Get '
                'the file again.'
            )
    network.load_state_dict(wide, strict=False)
    network.eval().requires_grad_(False)
