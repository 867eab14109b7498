"""Freshly initialized networks for a recipe."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import get_ema_multi_avg_fn

from napari_sdcolor.classes import UNKNOWN
from napari_sdcolor.core.colornet import ColorNet, ColorNetConfig
from napari_sdcolor.core.featuregrid import FeatureGridNet, initialize
from napari_sdcolor.core.features import (
    FeatureMaps,
    FeaturesConfig,
    PhotoFeatures,
)
from napari_sdcolor.core.gridnet import GridNet, GridNetConfig
from napari_sdcolor.training.augment import PREDICTED
from napari_sdcolor.training.recipe import Recipe


class Segmenter(nn.Module):
    """GridNet with the photo features below it, trained together.

    Parameters
    ----------
    features, grid
        Both are changed by the training.
    frozen
        Leave the features as they are, down to the statistics of their
        batch normalization: other networks may read them.
    """

    def __init__(
        self,
        features: PhotoFeatures,
        grid: FeatureGridNet,
        frozen: bool = False,
    ) -> None:
        super().__init__()
        self.features = features.requires_grad_(not frozen)
        self.grid = grid
        self.frozen = frozen

    @property
    def config(self) -> GridNetConfig:
        return self.grid.config

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        self.features.train(mode and not self.frozen)
        return self

    def forward(self, gray: Tensor) -> Tensor:
        """Logits (n, 60, h/4, w/4) of gray values (n, 1, h, w)."""
        return self.grid(*self.features(gray))


class Reader(nn.Module):
    """The color network above photo features, which stay as they are.

    Parameters
    ----------
    features
        In evaluation mode for good.
    color
        What is trained.
    grid
        Predicts maps where the true ones know nothing; stays as it is, too.
    sure
        See ``Recipe``.
    """

    def __init__(
        self,
        features: PhotoFeatures,
        color: ColorNet,
        grid: FeatureGridNet | None = None,
        sure: float = 1.0,
    ) -> None:
        super().__init__()
        self.features = features.requires_grad_(False)
        self.color = color
        self.grid = grid and grid.requires_grad_(False)
        self.sure = sure
        # Of the grid; a checkpoint knows it as well.
        self.register_buffer('temperature', torch.ones(()))

    @property
    def config(self) -> ColorNetConfig:
        return self.color.config

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        self.features.eval()
        if self.grid is not None:
            self.grid.eval()
        return self

    def forward(
        self,
        gray: Tensor,
        labels: Tensor,
        photos: Iterable[Tensor],
        window: Tensor,
    ) -> Tensor:
        """Chroma (n, 2, h, w) of crops; whole photos (1, H, W) of each."""
        with torch.no_grad():
            maps = self._looked_at(photos)
            if self.grid is not None:
                labels = self._filled(labels, maps.pop(), window)
        return self.color(gray, labels, *maps, window)

    def _looked_at(self, photos: Iterable[Tensor]) -> list[Tensor]:
        """Features of photos, and last the logits of a grid on them.

        Photos of the same size are seen together, none with a margin that
        it has not: that costs time, and the grid sees its mean.
        """
        photos = list(photos)
        alike = defaultdict(list)
        for number, photo in enumerate(photos):
            alike[photo.shape].append(number)
        found = []
        for numbers in alike.values():
            maps = self.features(torch.stack([photos[i] for i in numbers]))
            if self.grid is not None:
                maps = (*maps, self.grid(*maps) / self.temperature)
            found.append(maps)
        order = torch.tensor(
            [i for numbers in alike.values() for i in numbers]
        )
        places = order.argsort().to(found[0][0].device)
        return [
            _joined(maps).index_select(0, places)
            for maps in zip(*found, strict=True)
        ]

    def _filled(
        self, labels: Tensor, logits: Tensor, window: Tensor
    ) -> Tensor:
        """Maps (n, h, w) with predictions where they ask for some."""
        box = (0, 0, *labels.shape[-2:])
        # They lie on the photo as the map at stride 4 does.
        found = FeatureMaps((None, logits), window).at(1, 1, box)
        share, found = torch.softmax(found.float(), 1).max(1)
        found = found.to(labels.dtype)
        sure = torch.where(share >= self.sure, found, torch.zeros_like(found))
        labels = torch.where(labels == UNKNOWN, sure, labels)
        return torch.where(labels == PREDICTED, found, labels)


def _joined(maps: Sequence[Tensor]) -> Tensor:
    """Maps (n, c, h, w) as one tensor, continued to the largest sides."""
    height, width = (max(each.shape[axis] for each in maps) for axis in (2, 3))
    return torch.cat(
        [
            functional.pad(
                each,
                (0, width - each.shape[3], 0, height - each.shape[2]),
                mode='replicate',
            )
            for each in maps
        ]
    )


def features_config(recipe: Recipe) -> FeaturesConfig:
    """How photos are seen for features."""
    return FeaturesConfig(recipe.features, recipe.features_size)


def build_network(recipe: Recipe) -> ColorNet | GridNet | Segmenter | Reader:
    """A freshly initialized network for a recipe."""
    torch.manual_seed(recipe.seed)
    if recipe.task == 'segmentation':
        if recipe.features:
            features = PhotoFeatures(features_config(recipe))
            grid = FeatureGridNet(
                GridNetConfig(
                    widths=recipe.widths, features=features.config.widths
                )
            )
            initialize(grid)
            return Segmenter(features, grid, recipe.features_rate == 0)
        return GridNet(GridNetConfig(widths=recipe.widths))
    network = ColorNet(
        ColorNetConfig(
            widths=recipe.widths,
            label_channels=recipe.label_channels,
            instance_norm=recipe.instance_norm,
            features=features_config(recipe).widths if recipe.features else (),
        )
    )
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight, a=network.config.slope)
            if isinstance(module, nn.ConvTranspose2d):
                # A quarter of the taps meets each output pixel.
                module.weight.data.mul_(
                    2 * math.sqrt(module.out_channels / module.in_channels)
                )
    network.final_conv.weight.data.mul_(0.1)
    if not recipe.features:
        return network
    # Beside gray features of unit variance, and up to two maps.
    for module in network.readers.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.data.mul_(0.35)
    config = features_config(recipe)
    grid = None
    if recipe.fills:
        grid = FeatureGridNet(
            GridNetConfig(recipe.grid_widths, features=config.widths)
        )
    return Reader(PhotoFeatures(config), network, grid, recipe.sure)


def above_features(network: nn.Module) -> ColorNet | GridNet | FeatureGridNet:
    """A network without the photo features that it reads."""
    if isinstance(network, Segmenter):
        return network.grid
    return network.color if isinstance(network, Reader) else network


def average(averaged: nn.Module, network: nn.Module, decay: float) -> None:
    """Move averaged weights a little towards those of a network in training.

    Parameters
    ----------
    averaged, network
        Of the same recipe; the former is changed.
    decay
        Share of the average that stays.
    """
    # Networks keep in evaluation mode what they do not train.
    frozen = {
        name for name, part in network.named_children() if not part.training
    }
    own = averaged.state_dict()
    pairs = [
        (own[name], value)
        for name, value in network.state_dict().items()
        # Even the mean of equal numbers has other bits where they are
        # -0, and networks know the features that they read by them.
        if name.partition('.')[0] not in frozen
    ]
    moving = [pair for pair in pairs if pair[1].is_floating_point()]
    # All at once: they are hundreds, most of them tiny.
    get_ema_multi_avg_fn(decay)(*zip(*moving, strict=True), None)
    for mean, value in pairs:
        if not value.is_floating_point():
            mean.copy_(value)


def parameter_groups(
    network: nn.Module, recipe: Recipe
) -> list[dict[str, Any]]:
    """What the optimizer changes; ``factor`` is on the recipe's rate."""
    if not isinstance(network, Segmenter) or network.frozen:
        trained = [each for each in network.parameters() if each.requires_grad]
        return [{'params': trained, 'factor': 1.0}]
    return [
        {'params': list(network.grid.parameters()), 'factor': 1.0},
        {
            'params': list(network.features.parameters()),
            'factor': recipe.features_rate,
        },
    ]
