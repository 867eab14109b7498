"""Training crops: reproducible, inside the photo, photo and map together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from napari_sdcolor.classes import UNKNOWN
from napari_sdcolor.core import lab
from napari_sdcolor.datasets.coverage import class_colors
from napari_sdcolor.datasets.pack import Pack
from napari_sdcolor.errors import DataError
from napari_sdcolor.training import samples
from napari_sdcolor.training.augment import (
    age,
    corrupt,
    film,
    oldest,
    swap_region,
)
from napari_sdcolor.training.recipe import Recipe
from napari_sdcolor.training.samples import CropDataset, random_crop

COLOR = Recipe(
    task='color', widths=(2, 2), size=32, crop=24, batch=2, steps=5, aging=0.5
)
SEGMENTATION = replace(COLOR, task='segmentation')


@pytest.mark.parametrize('recipe', [COLOR, SEGMENTATION])
def test_a_crop_is_a_function_of_seed_and_number(
    recipe: Recipe, shots: list, make_pack: Callable[[Sequence], Pack]
) -> None:
    entries = make_pack(shots).entries
    first, again = (CropDataset(entries, recipe) for _ in range(2))
    assert len(first) == recipe.steps * recipe.batch
    numbers = range(len(first))
    crops = [first.crop(number) for number in numbers]
    for number in reversed(numbers):
        for one, other in zip(crops[number], again.crop(number), strict=True):
            assert torch.equal(one, other)
    distinct = {crop[0].numpy().tobytes() for crop in crops}
    assert len(distinct) == len(crops)
    other = CropDataset(entries, replace(recipe, seed=1))
    assert not torch.equal(other.crop(0)[0], first.crop(0)[0])


def test_color_crops_are_what_the_network_wants(
    shots: list, make_pack: Callable[[Sequence], Pack]
) -> None:
    data = CropDataset(make_pack(shots).entries, COLOR)
    for number in range(10):
        gray, labels, chroma = data.crop(number)
        assert gray.shape == (1, 24, 24)
        assert labels.shape == (24, 24)
        assert chroma.shape == (2, 24, 24)
        assert gray.dtype == chroma.dtype == torch.float32
        assert labels.dtype == torch.uint8
        assert -1 <= gray.min() <= gray.max() <= 1
        assert labels.max() < 60
        assert chroma.abs().max() <= 1


def test_segmentation_crops_keep_what_is_unknown(
    shots: list, make_pack: Callable[[Sequence], Pack]
) -> None:
    data = CropDataset(make_pack(shots).entries, SEGMENTATION)
    seen = set()
    for number in range(10):
        gray, labels = data.crop(number)
        assert gray.shape == (1, 24, 24)
        assert 0 <= gray.min() <= gray.max() <= 1
        seen |= set(labels.unique().tolist())
    assert 255 in seen
    assert seen - {255} <= set(range(60))


def test_segmentation_uses_labeled_photos_only(
    shots: list, make_pack: Callable[[Sequence], Pack]
) -> None:
    entries = make_pack(shots).entries
    assert len(CropDataset(entries, COLOR).entries) == 6
    assert len(CropDataset(entries, SEGMENTATION).entries) == 4
    with pytest.raises(DataError, match='no photograph'):
        CropDataset(entries[4:], SEGMENTATION)
    with pytest.raises(DataError, match='no photograph'):
        CropDataset([], COLOR)


def test_gray_and_chroma_are_of_one_crop(
    shots: list, make_pack: Callable[[Sequence], Pack]
) -> None:
    """Together they are colors again."""
    data = CropDataset(make_pack(shots).entries, replace(COLOR, aging=0))
    gray, _, chroma = data.crop(3)
    values = torch.cat((50 * (gray + 1), 128 * chroma)).permute(1, 2, 0)
    linear = lab.lab_to_linear(values[..., 0].numpy(), values[..., 1:].numpy())
    assert linear.min() > -1e-4
    assert linear.max() < 1 + 1e-4
    assert chroma.abs().max() > 0.1


@pytest.mark.parametrize('flip_seed', range(6))
def test_the_map_moves_with_the_photo(flip_seed: int) -> None:
    labels = np.zeros((80, 100), np.uint8)
    labels[:40, :30] = 7
    labels[50:, 60:] = 23
    labels[20:60, 45:70] = 59
    rgb = np.repeat(labels[..., None] * 4, 3, -1)
    rng = np.random.default_rng(flip_seed)
    crop = random_crop(rgb, labels, COLOR, rng)
    assert crop.rgb.shape == (24, 24, 3)
    # Resampling mixes tones at the edges of the shapes alone.
    same = np.abs(crop.rgb[..., 0] / 4 - crop.labels) < 1
    assert same.mean() > 0.75


def test_crops_of_every_size_of_photo_lie_inside_it() -> None:
    """Also where rounding makes the crop a hair longer than the photo."""
    recipe = replace(COLOR, zoom=(0.4, 0.5), size=64, crop=64)
    for side in range(20, 330):
        rgb = np.zeros((side, side + 3, 3), np.uint8)
        crop = random_crop(rgb, None, recipe, np.random.default_rng(side))
        assert crop.rgb.shape == (64, 64, 3)
        assert (crop.labels == 255).all()


def test_aging_keeps_gray_values_and_can_be_off() -> None:
    gray = np.linspace(0, 1, 900, dtype=np.float32).reshape(30, 30)
    rng = np.random.default_rng(0)
    assert np.array_equal(age(gray, rng, 0), gray)
    aged = [age(gray, rng, 1) for _ in range(10)]
    for each in aged:
        assert each.shape == gray.shape
        assert each.dtype == np.float32
        assert 0 <= each.min() <= each.max() <= 1
        assert np.corrcoef(each.ravel(), gray.ravel())[0, 1] > 0.6
    assert not np.array_equal(aged[0], aged[1])


def test_film_is_blind_for_red() -> None:
    """Red comes out darker than eyes see it, blue lighter, gray as it is."""
    colors = np.array([[(200, 30, 30), (40, 60, 220)]], np.uint8)
    red, blue = lab.rgb_to_lightness(colors / np.float32(255))[0] / 100
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    lightness = lab.rgb_to_lightness(gray / np.float32(255)) / 100
    rng = np.random.default_rng(0)
    films = set()
    for _ in range(20):
        seen = film(colors, rng)
        assert seen.dtype == np.float32
        assert seen[0, 0] < red - 0.05
        assert seen[0, 1] > blue
        films.add(seen.tobytes())
        # White stays inside the scale.
        found = film(gray, rng)
        assert np.abs(found - lightness).max() < 1e-5
        assert found.max() <= 1
    assert len(films) == 20


def test_the_oldest_photo_has_everything_and_is_reproducible() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    lightness = lab.rgb_to_lightness(rgb / np.float32(255)) / 100
    for seed in range(8):
        found = oldest(rgb, np.random.default_rng(seed))
        assert np.array_equal(found, oldest(rgb, np.random.default_rng(seed)))
        assert found.shape == rgb.shape[:2]
        assert 0 <= found.min() <= found.max() <= 1
        # Faded by the print, and quantized by JPEG at the very end.
        assert np.ptp(found) < 1
        assert np.array_equal(found, np.rint(found * 255) / np.float32(255))
        assert np.abs(found - lightness).mean() > 0.03


@pytest.mark.parametrize('recipe', [COLOR, SEGMENTATION])
def test_some_crops_are_on_red_blind_film(
    recipe: Recipe,
    make_pack: Callable[[Sequence], Pack],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of one red photo, whose other aging is left out here."""
    red = np.full((32, 32, 3), (220, 40, 40), np.uint8)
    labels = np.full((32, 32), 7, np.uint8)
    monkeypatch.setattr(samples, 'age', lambda gray, rng, amount: gray)
    shot = SimpleNamespace(
        photo=red, labels=labels, split='train', dataset='made'
    )
    data = CropDataset(make_pack([shot]).entries, recipe)
    own = float(lab.rgb_to_lightness(red[-1, 0] / np.float32(255))) / 100
    shown = [float(data[number][0][0].max()) for number in range(40)]
    if recipe.task == 'color':
        shown = [(value + 1) / 2 for value in shown]
    darker = sum(value < own - 0.05 for value in shown)
    same = sum(abs(value - own) < 1e-3 for value in shown)
    # A quarter of them, as the recipe ages half of its crops.
    assert darker + same == 40
    assert 2 <= darker <= 20


CLEAN = replace(COLOR, empty_map=0, partial_map=0, coarse_map=0)


@pytest.fixture
def labels() -> np.ndarray:
    rng = np.random.default_rng(0)
    blocks = rng.choice([3, 17, 36, 50, 255], (6, 6)).astype(np.uint8)
    return blocks.repeat(7, 0).repeat(7, 1)


def test_unknown_pixels_enter_the_map_as_no_class(labels: np.ndarray) -> None:
    found = corrupt(labels, np.random.default_rng(0), CLEAN)
    assert np.array_equal(found, np.where(labels == 255, 0, labels))


def test_maps_can_be_empty(labels: np.ndarray) -> None:
    recipe = replace(CLEAN, empty_map=1)
    assert not corrupt(labels, np.random.default_rng(0), recipe).any()


def test_maps_can_lose_whole_classes(labels: np.ndarray) -> None:
    recipe = replace(CLEAN, partial_map=1)
    lost = 0
    for seed in range(20):
        found = corrupt(labels, np.random.default_rng(seed), recipe)
        for number in (3, 17, 36, 50):
            there = found[labels == number]
            assert set(np.unique(there)) in ({number}, {0})
            lost += (there == 0).all()
    assert 20 < lost < 60


def test_coarse_maps_invent_no_class(labels: np.ndarray) -> None:
    recipe = replace(CLEAN, coarse_map=1)
    changed = 0
    for seed in range(20):
        found = corrupt(labels, np.random.default_rng(seed), recipe)
        assert found.shape == labels.shape
        assert set(np.unique(found)) <= {0, 3, 17, 36, 50}
        changed += not np.array_equal(
            found, np.where(labels == 255, 0, labels)
        )
    assert changed > 10


def test_the_map_given_is_not_changed(labels: np.ndarray) -> None:
    before = labels.copy()
    for seed in range(10):
        corrupt(labels, np.random.default_rng(seed), COLOR)
    assert np.array_equal(labels, before)


def test_class_colors_are_means_over_known_pixels() -> None:
    rgb = np.zeros((64, 64, 3), np.uint8)
    rgb[:, :32] = (200, 40, 40)
    rgb[:, 32:] = (40, 40, 200)
    labels = np.full((64, 64), 7, np.uint8)
    labels[:, 32:] = UNKNOWN
    labels[:2, :2] = 15  # too few to have a mean
    entry = SimpleNamespace(labels=True, load=lambda: (rgb, labels))
    means = class_colors([entry] * 3)
    assert list(means) == [7]
    red = lab.rgb_to_lab(rgb[:1, :1] / np.float32(255))[0, 0, 1:]
    np.testing.assert_allclose(means[7], red, atol=0.01)


def test_a_swapped_region_takes_the_color_of_its_new_class() -> None:
    ab = np.full((12, 12, 2), 5, np.float32)
    labels = np.full((12, 12), UNKNOWN, np.uint8)
    labels[:5] = labels[7:] = 3
    means = {
        3: np.array([1, 2], np.float32),
        4: np.array([11, -8], np.float32),
    }
    moved, swapped = swap_region(
        ab, labels, means, np.random.default_rng(0), COLOR
    )
    new = swapped == 4
    # One of the two connected regions of class 3, whole and alone.
    assert new.sum() == 60
    assert (swapped[5:7] == 0).all()
    np.testing.assert_array_equal(moved[new], np.tile([15, -5], (60, 1)))
    np.testing.assert_array_equal(moved[~new], ab[~new])
    assert (ab == 5).all()
    assert (labels[:5] == 3).all()


def test_large_regions_are_swapped_rather_than_specks() -> None:
    labels = np.full((20, 20), UNKNOWN, np.uint8)
    labels[:, 2:] = 3
    labels[::4, 0] = 3  # five specks beside a region of 360 pixels
    means = {number: np.zeros(2, np.float32) for number in (3, 4)}
    ab = np.zeros((20, 20, 2), np.float32)
    sizes = [
        (
            swap_region(ab, labels, means, np.random.default_rng(seed), COLOR)[
                1
            ]
            == 4
        ).sum()
        for seed in range(20)
    ]
    assert sizes.count(360) > 15


def test_nothing_is_swapped_where_no_class_is_known() -> None:
    ab = np.ones((4, 4, 2), np.float32)
    labels = np.full((4, 4), UNKNOWN, np.uint8)
    moved, swapped = swap_region(
        ab,
        labels,
        {3: np.zeros(2, np.float32)},
        np.random.default_rng(0),
        COLOR,
    )
    np.testing.assert_array_equal(moved, ab)
    assert not swapped.any()
