"""Unknown pixels get the class that the segmentation is sure of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from napari_sdcolor.classes import UNKNOWN
from napari_sdcolor.training.augment import PREDICTED, corrupt
from napari_sdcolor.training.network import Reader, build_network
from napari_sdcolor.training.presets import SHIPPED

RECIPE = replace(SHIPPED['color'], widths=(2,) * 5, features_size=64)


def filled(reader: Reader, labels: torch.Tensor) -> torch.Tensor:
    """The map that the color network is shown."""
    shown = []
    reader.color.register_forward_pre_hook(
        lambda module, inputs: shown.append(inputs[1])
    )
    window = torch.tensor([[0.0, 0, 1, 1]], dtype=torch.float64)
    gray = torch.rand(1, 1, 64, 64)
    reader(gray * 2 - 1, labels, gray, window)
    return shown[0]


def certain(sure: float) -> Reader:
    """Predicts class 7 everywhere, with a probability of about 0.88."""
    reader = build_network(replace(RECIPE, sure=sure)).eval()
    torch.nn.init.zeros_(reader.grid.last.weight)
    torch.nn.init.zeros_(reader.grid.last.bias)
    reader.grid.last.bias.data[7] = 6.1
    return reader


def test_what_is_known_stays_and_what_is_sure_is_filled_in() -> None:
    labels = torch.full((1, 64, 64), 50, dtype=torch.uint8)
    labels[:, 32:] = UNKNOWN
    found = filled(certain(0.8), labels)
    assert found.dtype == torch.uint8
    assert (found[:, :32] == 50).all()
    assert (found[:, 32:] == 7).all()
    assert (filled(certain(0.95), labels)[:, 32:] == 0).all()


def test_a_whole_predicted_map_needs_no_certainty() -> None:
    labels = torch.full((1, 64, 64), PREDICTED, dtype=torch.uint8)
    assert (filled(certain(0.95), labels) == 7).all()


def test_crops_ask_for_predictions_only_where_a_network_makes_them() -> None:
    labels = np.full((8, 8), 3, np.uint8)
    labels[4:] = UNKNOWN
    rng = np.random.default_rng(0)
    plain = replace(
        RECIPE, empty_map=0, partial_map=0, coarse_map=0, own_maps=0.0
    )
    assert set(np.unique(corrupt(labels, rng, plain))) == {3, UNKNOWN}
    own = replace(plain, own_maps=1.0)
    assert (corrupt(labels, rng, own) == PREDICTED).all()
    alone = replace(plain, sure=1.0)
    assert set(np.unique(corrupt(labels, rng, alone))) == {0, 3}


def test_the_segmentation_is_not_trained_with_the_colors() -> None:
    reader = build_network(RECIPE).train()
    assert not reader.grid.training
    assert not any(each.requires_grad for each in reader.grid.parameters())
    assert reader.color.training


def test_photos_of_several_sizes_are_each_seen_alone() -> None:
    torch.manual_seed(0)
    reader = build_network(RECIPE).eval()
    photos = [
        torch.rand(1, height, width)
        for height, width in ((64, 96), (96, 64), (64, 96), (64, 128))
    ]
    gray = torch.rand(4, 1, 32, 32) * 2 - 1
    labels = torch.full((4, 32, 32), PREDICTED, dtype=torch.uint8)
    window = torch.tensor([[31.5, 31, 1, 2]] * 4, dtype=torch.float64)
    together = reader(gray, labels, photos, window)
    for number, photo in enumerate(photos):
        part = slice(number, number + 1)
        alone = reader(gray[part], labels[part], photo[None], window[part])
        torch.testing.assert_close(together[part], alone)
