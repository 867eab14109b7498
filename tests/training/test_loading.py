"""Batches of crops: whole photos of different sizes in one piece."""

from __future__ import annotations

import torch

from napari_sdcolor.training.loading import Photos, collate, on_device


def test_photos_of_different_sizes_are_one_tensor() -> None:
    photos = [
        torch.rand(1, 32, 64),
        torch.rand(1, 64, 32),
        torch.rand(1, 9, 5),
    ]
    together = Photos.of(photos)
    assert len(together) == 3
    assert together.values.shape == (2 * 32 * 64 + 45,)
    for found, wanted in zip(together, photos, strict=True):
        assert torch.equal(found, wanted)


def test_what_is_alike_is_stacked_and_places_stay_in_double() -> None:
    crops = [
        (torch.rand(1, 8, 8), torch.rand(1, 8, side), torch.rand(4).double())
        for side in (8, 16)
    ]
    gray, photos, window = collate(crops)
    assert gray.shape == (2, 1, 8, 8)
    assert isinstance(photos, Photos)
    moved = on_device([gray, photos, window], torch.device('meta'))
    assert [each.device.type for each in moved[1]] == ['meta', 'meta']
    assert moved[0].device.type == 'meta'
    # Not every accelerator has double.
    assert moved[2].device.type == 'cpu'
