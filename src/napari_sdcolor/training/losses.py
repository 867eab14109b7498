"""What training makes small."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from napari_sdcolor.classes import N_CLASSES, UNKNOWN
from napari_sdcolor.training.coverage import some_with_labels
from napari_sdcolor.training.data import Entry
from napari_sdcolor.training.recipe import Recipe

WEIGHTS = (0.3, 6.0)
"""Least and most that a class weighs in the cross-entropy."""


def color_loss(
    found: Tensor, chroma: Tensor, *, delta: float, vivid: float
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
    """
    loss = functional.huber_loss(found, chroma, delta=delta, reduction='none')
    if vivid:
        strength = chroma.norm(dim=1, keepdim=True) * (128 / 32)
        weight = 1 + vivid * strength
        loss = loss * (weight / weight.mean())
    return loss.mean() / delta


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
        for _, labels in some_with_labels(entries):
            counts += np.bincount(labels.ravel(), minlength=256)[:N_CLASSES]
    share = counts / counts.sum()
    weights = np.maximum(share, 1e-4) ** -recipe.balance
    weights = np.clip(weights / (weights * share).sum(), *WEIGHTS)
    return torch.tensor(weights).float()
