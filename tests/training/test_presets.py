"""Recipes to start from: the paper's to the letter, and any change of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_sdcolor.core.colornet import PAPER as PAPER_COLOR
from napari_sdcolor.core.gridnet import PAPER as PAPER_GRID
from napari_sdcolor.core.lab import rgb_to_lab
from napari_sdcolor.datasets.pack import Pack
from napari_sdcolor.settings import SettingsError
from napari_sdcolor.training.loop import Trainer
from napari_sdcolor.training.network import build_network
from napari_sdcolor.training.presets import (
    FINE_TUNING,
    PRESETS,
    fine_tuning,
    parse_changes,
)
from napari_sdcolor.training.recipe import Recipe, check, learning_rate
from napari_sdcolor.training.samples import CropDataset

PAPER = PRESETS['paper']['color']


@pytest.mark.parametrize('preset', PRESETS)
@pytest.mark.parametrize('task', ['color', 'segmentation'])
def test_presets_make_sense(preset: str, task: str) -> None:
    recipe = PRESETS[preset][task]
    assert recipe.task == task
    check(recipe)


def test_the_networks_of_the_paper() -> None:
    with torch.device('meta'):
        color = build_network(PAPER)
        grid = build_network(PRESETS['paper']['segmentation'])
    assert color.config == PAPER_COLOR
    assert grid.config == PAPER_GRID
    count = sum(parameter.numel() for parameter in color.parameters())
    assert count == 14_148_000
    with torch.device('meta'):
        plain = build_network(replace(PAPER, instance_norm=False))
    assert plain.config == replace(PAPER_COLOR, instance_norm=False)


@pytest.mark.parametrize('task', ['color', 'segmentation'])
def test_the_training_of_the_paper(task: str) -> None:
    """Section 3: 360 squares, 352 crops, Adam, a constant 1e-4, 16 crops."""
    recipe = PRESETS['paper'][task]
    assert (recipe.size, recipe.crop, recipe.squash) == (360, 352, True)
    assert recipe.batch == 16
    assert recipe.betas == (0.9, 0.999)
    assert recipe.decay == recipe.clip == recipe.average == 0
    assert recipe.delta == 1
    assert recipe.steps * recipe.batch == pytest.approx(1000 * 10_103, 1e-3)
    for step in (0, 1, 1000, recipe.steps - 1):
        assert learning_rate(recipe, step) == 1e-4


def test_crops_of_the_paper(
    shots: list, make_pack: Callable[[Sequence], Pack]
) -> None:
    """Nothing but squash, crop and flip; 255 is no class for the map."""
    labels = np.zeros((40, 60), np.uint8)
    labels[:, 30:], labels[:20] = 50, 255
    shots[0].labels = labels
    data = CropDataset(
        make_pack(shots[:1]).entries, replace(PAPER, size=36, crop=32)
    )
    rgb, _ = data.entries[0].load()
    whole = rgb_to_lab(rgb / np.float32(255))
    flips = Counter()
    for number in range(12):
        gray, found, chroma = data.crop(number)
        assert gray.shape == (1, 32, 32)
        assert chroma.shape == (2, 32, 32)
        assert set(found.unique().tolist()) == {0, 50}
        assert abs(float(gray.mean()) * 50 + 50 - whole[..., 0].mean()) < 3
        # The right half is sky below the middle; flipped, the left one.
        sky = (found[20:] == 50).float().mean(0)
        flips[bool(sky[0] > sky[-1])] += 1
        # Two thirds of 60 by 40 pixels: the aspect is not kept.
        assert 12 <= int((sky > 0.5).sum()) <= 20
    assert len(flips) == 2


def test_epochs_show_every_photo_once(
    shots: list, make_pack: Callable[[Sequence], Pack]
) -> None:
    recipe = replace(PAPER, size=36, crop=32)
    data = CropDataset(make_pack(shots).entries, recipe)
    chosen = [
        data._choose(number, 0, np.random.default_rng(number)).name
        for number in range(18)
    ]
    for epoch in range(3):
        assert len(set(chosen[6 * epoch : 6 * epoch + 6])) == 6
    assert chosen[:6] != chosen[6:12]


def test_one_step_is_one_of_adam(
    shots: list, make_pack: Callable[[Sequence], Pack], tmp_path: Path
) -> None:
    recipe = replace(PAPER, widths=(2, 2), size=20, crop=16, batch=2, steps=1)
    trainer = Trainer(recipe, make_pack(shots).entries, tmp_path)
    before = build_network(recipe)
    optimizer = torch.optim.Adam(
        before.parameters(), lr=1e-4, betas=(0.9, 0.999)
    )
    samples = [trainer.crops.crop(number) for number in range(2)]
    gray, labels, chroma = (torch.stack(p) for p in zip(*samples, strict=True))
    found = before(gray, labels)
    torch.nn.HuberLoss(delta=1.0)(found, chroma).backward()
    optimizer.step()
    trainer.run()
    own = trainer.network.state_dict()
    for name, tensor in before.state_dict().items():
        torch.testing.assert_close(own[name], tensor, rtol=1e-4, atol=2e-6)
        assert torch.equal(own[name], trainer.averaged.state_dict()[name])


@pytest.mark.parametrize(
    ('word', 'wanted'),
    [
        ('rate=3e-4', {'rate': 3e-4}),
        ('steps=12', {'steps': 12}),
        ('zoom=0.8,1.5', {'zoom': (0.8, 1.5)}),
        ('widths=4,8, 16', {'widths': (4, 8, 16)}),
        ('instance_norm=no', {'instance_norm': False}),
        ('instance-norm=Yes', {'instance_norm': True}),
        ('draw=epochs', {'draw': 'epochs'}),
        (' precision = float32', {'precision': 'float32'}),
    ],
)
def test_words_change_fields(word: str, wanted: dict) -> None:
    assert parse_changes([word]) == wanted


def test_every_field_can_be_changed() -> None:
    for preset in PRESETS.values():
        for recipe in preset.values():
            words = []
            for field in fields(Recipe):
                if field.name == 'task':
                    continue
                value = getattr(recipe, field.name)
                if isinstance(value, tuple):
                    value = ','.join(map(str, value))
                words.append(f'{field.name}={value}')
            changes = parse_changes(words)
            assert replace(recipe, **changes) == recipe
            assert len(changes) == len(fields(Recipe)) - 1


@pytest.mark.parametrize(
    ('word', 'words'),
    [
        ('rat=1', 'Did you mean rate?'),
        ('qqq=1', 'It has: widths,'),
        ('rate', 'no "=VALUE"'),
        ('task=color', 'has no task'),
        ('rate=fast', 'rate is a number'),
        ('steps=1.5', 'steps is a whole number'),
        ('zoom=1', 'zoom is two numbers'),
        ('zoom=1,2,3', 'zoom is two numbers'),
        ('widths=a,b', 'widths is numbers'),
        ('squash=maybe', 'squash is yes or no'),
        ('draw=never', 'draw is weighted or epochs'),
    ],
)
def test_words_that_change_nothing(word: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        parse_changes([word])


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'crop': 40}, 'multiple of 16, at least 32'),
        ({'crop': 16}, 'multiple of 16, at least 32'),
        ({'squash': True, 'crop': 368}, 'smaller --crop'),
        ({'batch': 0}, 'batch must be more than 0'),
        ({'rate': float('nan')}, 'rate must be more than 0'),
        ({'aging': 1.5}, 'aging must be from 0 to 1'),
        ({'unlabelled': -1.0}, 'unlabelled must not be negative'),
        ({'zoom': (1.5, 1.0)}, 'zoom'),
        ({'widths': (2,) * 9}, 'There is no such network: widths'),
        ({'widths': (2, 10**9)}, 'There is no such network: each of widths'),
        ({'label_channels': 10**9}, 'label_channels must be at most'),
    ],
)
def test_recipes_that_make_no_sense(change: dict, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        check(replace(PRESETS['shipped']['color'], **change))


def test_fine_tuning_keeps_the_network_and_is_gentle() -> None:
    recipe = fine_tuning(PRESETS['shipped']['color'], PAPER_COLOR)
    assert recipe.widths == PAPER_COLOR.widths
    assert recipe.label_channels == 0
    assert recipe.rate == FINE_TUNING['rate'] < 1e-3
    check(recipe)
    grid = fine_tuning(
        PRESETS['shipped']['segmentation'], replace(PAPER_GRID, size=100)
    )
    assert (grid.widths, grid.size) == (PAPER_GRID.widths, 100)


def test_recipes_of_other_versions_are_understood() -> None:
    recipe = PRESETS['shipped']['color']
    words = recipe.to_dict() | {'widths': list(recipe.widths)}
    words |= {'zoom': [0.5, 2.0], 'betas': [0.9, 0.999], 'invented': 3}
    del words['instance_norm'], words['squash']
    found = Recipe.from_dict(words)
    assert found == replace(recipe, zoom=(0.5, 2.0))
    with pytest.raises(TypeError, match='widths'):
        Recipe.from_dict({'task': 'color'})
