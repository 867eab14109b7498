"""What the color losses may add: rare colors, matching photo features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from napari_sdcolor.core import lab
from napari_sdcolor.core.features import PhotoFeatures
from napari_sdcolor.datasets.pack import Pack
from napari_sdcolor.settings import SettingsError
from napari_sdcolor.training.losses import (
    WEIGHTS,
    color_loss,
    matching_loss,
    rarity_weights,
)
from napari_sdcolor.training.presets import SHIPPED
from napari_sdcolor.training.recipe import check


def test_rare_colors_weigh_more(
    shots: list, make_pack: Callable[[Sequence], Pack]
) -> None:
    # Nine blue photos and a red one, all without maps.
    colors = np.float32([[0, 0, 60], [255, 0, 0]])
    planes = [np.full((40, 40, 3), each, np.uint8) for each in colors]
    flat = [
        replace(shots[0], photo=planes[number == 9], labels=None)
        for number in range(10)
    ]
    entries = make_pack(flat).entries
    recipe = replace(SHIPPED['color'], rare=0.5)
    assert rarity_weights(entries, replace(recipe, rare=0)) is None
    weights = rarity_weights(entries, recipe)
    assert weights.shape == (26, 26)
    assert WEIGHTS[0] <= weights.min() <= weights.max() <= WEIGHTS[1]
    ab = lab.rgb_to_lab(colors[None] / 255)[0, :, 1:]
    chroma = torch.from_numpy(ab / 128).float().T[None, :, None]
    losses = []
    for wrong in (0, 1):
        # The error is the same, the true color is not.
        found = chroma.clone()
        found[..., wrong] += 0.1
        losses.append(
            color_loss(found, chroma, delta=1, vivid=0, rarity=weights)
        )
    # One is nine times as frequent, and the exponent is a half.
    assert losses[1] / losses[0] == pytest.approx(3, rel=0.02)


def test_features_of_equal_colors_match() -> None:
    torch.manual_seed(0)
    features = PhotoFeatures().eval().requires_grad_(False)
    truth = torch.rand(2, 2, 64, 64) - 0.5
    assert matching_loss(features, truth, truth) == 0
    near, far = truth + 0.02 * truth.sign(), truth.flip(0) * 0.5
    small = matching_loss(features, near, truth)
    large = matching_loss(features, far.requires_grad_(), truth)
    assert 0 < small < large
    large.backward()
    assert far.grad.abs().max() > 0


@pytest.mark.parametrize(
    ('changes', 'says'),
    [
        ({'matching': -1.0}, 'matching must not be negative'),
        ({'rare': -1.0}, 'rare must not be negative'),
        ({'matching': 1.0, 'features': ''}, 'reads photo features'),
        ({'matching': 1.0, 'crop': 144}, 'multiple of 32'),
    ],
)
def test_what_cannot_be_matched_is_refused(
    changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        check(replace(SHIPPED['color'], **changes))
