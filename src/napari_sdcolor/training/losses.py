"""What training makes small."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from napari_sdcolor.classes import N_CLASSES, UNKNOWN
from napari_sdcolor.core import lab
from napari_sdcolor.core.features import PhotoFeatures
from napari_sdcolor.datasets.coverage import labeled, some
from napari_sdcolor.datasets.entry import Entry
from napari_sdcolor.training.recipe import Recipe

WEIGHTS = (0.3, 6.0)
"""Least and most that a class weighs in the cross-entropy."""


BIN = 10.0
"""Side in Lab units of the bins in which colors are counted."""

BINS = 26
"""So many along a and along b, from -130 on."""


def task_loss(
    found: Tensor, target: Tensor, recipe: Recipe, weights: Tensor | None
) -> Tensor:
    """How far what a network found is from what it should give.

    Parameters
    ----------
    found, target
        See ``color_loss`` and ``segmentation_loss``.
    recipe
        Says which of them.
    weights
        See ``loss_weights``.
    """
    if recipe.task == 'segmentation':
        return segmentation_loss(
            found, target, weights=weights, smoothing=recipe.smoothing
        )
    return color_loss(
        found,
        target,
        delta=recipe.delta,
        vivid=recipe.vivid,
        rarity=weights,
    )


def loss_weights(
    entries: Sequence[Entry], recipe: Recipe, device: torch.device
) -> Tensor | None:
    """Weights of classes or of colors on a device; None where all are 1."""
    if recipe.task == 'segmentation':
        return class_weights(entries, recipe).to(device)
    weights = rarity_weights(entries, recipe)
    return None if weights is None else weights.to(device)


def color_loss(
    found: Tensor,
    chroma: Tensor,
    *,
    delta: float,
    vivid: float,
    rarity: Tensor | None = None,
) -> Tensor:
    """Huber loss on ab/128 (paper, equation 1), colorful pixels weighted.

    Parameters
    ----------
    found, chroma
        (n, 2, h, w), ab divided by 128.
    delta
        Where the loss turns from square to linear; the result is divided
        by it, so that it keeps the scale of an absolute difference.
    vivid
        See ``Recipe``; the weights are divided by their mean.
    rarity
        Weights (26, 26) of true colors, by the bins of a and b; see
        ``rarity_weights``.
    """
    loss = functional.huber_loss(found, chroma, delta=delta, reduction='none')
    weight = torch.ones_like(chroma[:, :1])
    if vivid:
        strength = chroma.norm(dim=1, keepdim=True) * (128 / 32)
        weight = 1 + vivid * strength
    if rarity is not None:
        a, b = _bins(chroma * 128).unbind(1)
        weight = weight * rarity[a, b][:, None]
    return (loss * (weight / weight.mean())).mean() / delta


def _bins(ab: Tensor) -> Tensor:
    """Numbers of the bins that a and b are in, each from 0 to 25."""
    return (ab / BIN + BINS / 2).floor().clamp(0, BINS - 1).long()


def rarity_weights(entries: Sequence[Entry], recipe: Recipe) -> Tensor | None:
    """Weights (26, 26) of colors against their frequency; None for none.

    Frequencies are those in a sample of the photographs, smoothed over the
    neighboring bins; the weights' mean over all pixels is 1 before they are
    limited.
    """
    if not recipe.rare:
        return None
    counts = np.zeros((BINS, BINS))
    for rgb, _ in some(entries):
        ab = torch.from_numpy(lab.rgb_to_lab(rgb / np.float32(255))[..., 1:])
        a, b = _bins(ab).reshape(-1, 2).T.numpy()
        np.add.at(counts, (a, b), 1 / a.size)
    share = ndimage.gaussian_filter(counts, 0.5)
    share = np.maximum(share / max(share.sum(), 1e-12), 1e-6)
    return _limited(share**-recipe.rare, share)


def matching_loss(
    features: PhotoFeatures, found: Tensor, chroma: Tensor
) -> Tensor:
    """How far the photo features of two colorings are from each other.

    Unlike a loss on pixels it does not ask for the mean of all colors that
    are likely: structure that is missing counts. The a and the b plane are
    each looked at as a gray photo.

    Parameters
    ----------
    features
        Stays as it is.
    found, chroma
        (n, 2, h, w), ab divided by 128; sides multiples of 32.

    Returns
    -------
    Tensor
        Mean absolute difference of all maps, each in units of the mean
        absolute value of the true one.
    """

    def look(ab: Tensor) -> tuple[Tensor, ...]:
        # Colors beyond 64 Lab units are rare: they may leave [0, 1].
        return features(ab.flatten(0, 1)[:, None] + 0.5)

    with torch.no_grad():
        truth = look(chroma)
    parts = [
        (ours - theirs).abs().mean() / theirs.abs().mean()
        for ours, theirs in zip(look(found), truth, strict=True)
    ]
    return torch.stack(parts).mean()


def segmentation_loss(
    logits: Tensor,
    labels: Tensor,
    *,
    weights: Tensor | None = None,
    smoothing: float = 0.0,
) -> Tensor:
    """Cross-entropy over the pixels whose class is known.

    Parameters
    ----------
    logits
        (n, 60, h/s, w/s); where they are coarser than the map, its pixel
        in the middle of each of theirs counts.
    labels
        (n, h, w) uint8, 255 for unknown.
    weights
        (60,) of the classes.
    smoothing
        Share of the truth that is spread over all classes.
    """
    stride = labels.shape[-1] // logits.shape[-1]
    if stride > 1:
        labels = labels[:, stride // 2 :: stride, stride // 2 :: stride]
    if (labels == UNKNOWN).all():
        # Nothing to learn; the mean over no pixel would be NaN.
        return 0 * logits.sum()
    return functional.cross_entropy(
        logits,
        labels.long(),
        weight=weights,
        ignore_index=UNKNOWN,
        label_smoothing=smoothing,
    )


def class_weights(entries: Iterable[Entry], recipe: Recipe) -> Tensor:
    """Cross-entropy weights from class frequencies in a sample of maps."""
    counts = np.ones(N_CLASSES)
    if recipe.balance:
        for _, labels in some(labeled(entries)):
            counts += np.bincount(labels.ravel(), minlength=256)[:N_CLASSES]
    share = counts / counts.sum()
    return _limited(np.maximum(share, 1e-4) ** -recipe.balance, share)


def _limited(weights: NDArray, share: NDArray) -> Tensor:
    """Weights whose mean over the shares is 1, and within ``WEIGHTS``."""
    weights = np.clip(weights / (weights * share).sum(), *WEIGHTS)
    return torch.tensor(weights).float()
