"""The training loop: what it minimizes, and that it resumes exactly."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_sdcolor.core.weights import digest_of
from napari_sdcolor.datasets.entry import Entry
from napari_sdcolor.datasets.pack import Pack
from napari_sdcolor.errors import DataError
from napari_sdcolor.training.loop import Trainer
from napari_sdcolor.training.losses import class_weights, color_loss
from napari_sdcolor.training.network import build_network
from napari_sdcolor.training.presets import SHIPPED, with_overrides
from napari_sdcolor.training.recipe import Recipe, learning_rate

pytestmark = pytest.mark.usefixtures('no_curves')

COLOR = Recipe(
    task='color',
    widths=(2, 2, 2),
    size=32,
    crop=16,
    batch=2,
    steps=6,
    warmup=2,
    aging=0.5,
)
RECIPES = {
    'color': COLOR,
    'segmentation': replace(COLOR, task='segmentation'),
    'adversarial': replace(COLOR, crop=32, adversarial=0.5),
}


@pytest.fixture
def entries(shots: list, make_pack: Callable[[Sequence], Pack]) -> list[Entry]:
    return make_pack(shots).entries


class Interrupted(Exception):
    """The power fails."""


def break_after(trainer: Trainer, steps: int) -> None:
    """Save after every step and stop in the middle of the next one."""
    genuine, calls = trainer.loss, [0]

    def loss(*planes: torch.Tensor) -> torch.Tensor:
        calls[0] += 1
        if calls[0] > steps:
            raise Interrupted
        return genuine(*planes)

    trainer.loss = loss
    with pytest.raises(Interrupted):
        trainer.run(save_every=-1)


def weights_of(trainer: Trainer) -> dict[str, torch.Tensor]:
    both = {'own': trainer.network, 'averaged': trainer.averaged}
    return {
        f'{kind}.{name}': tensor
        for kind, network in both.items()
        for name, tensor in network.state_dict().items()
    }


@pytest.mark.parametrize('task', RECIPES)
def test_resuming_gives_the_same_weights(
    task: str, entries: list[Entry], tmp_path: Path
) -> None:
    recipe = RECIPES[task]
    straight = Trainer(recipe, entries, tmp_path / 'straight')
    before = {k: v.clone() for k, v in weights_of(straight).items()}
    straight.run()
    broken = Trainer(recipe, entries, tmp_path / 'broken')
    break_after(broken, 3)
    lines = []
    resumed = Trainer(
        recipe, entries, tmp_path / 'broken', report=lines.append
    )
    assert resumed.step == 3
    assert lines[-1] == 'resumed at step 3'
    resumed.run()
    assert resumed.step == straight.step == 6
    wanted = weights_of(straight)
    for name, tensor in weights_of(resumed).items():
        assert torch.equal(tensor, wanted[name]), name
    moved = sum(not torch.equal(wanted[name], before[name]) for name in wanted)
    assert moved > len(wanted) / 2


def test_frozen_features_keep_every_bit(
    entries: list[Entry], tmp_path: Path
) -> None:
    recipe = replace(
        SHIPPED['segmentation'], crop=64, batch=2, steps=2, features_rate=0.0
    )
    trainer = Trainer(recipe, entries, tmp_path)
    for network in (trainer.network, trainer.averaged):
        # Its mean with itself would be +0.
        network.features.stem.weight.data.fill_(-0.0)
    before = digest_of(trainer.averaged.features.state_dict())
    grid = digest_of(trainer.averaged.grid.state_dict())
    trainer.run()
    assert digest_of(trainer.averaged.features.state_dict()) == before
    assert digest_of(trainer.averaged.grid.state_dict()) != grid


def test_a_finished_run_does_nothing_more(
    entries: list[Entry], tmp_path: Path
) -> None:
    Trainer(COLOR, entries, tmp_path).run()
    again = Trainer(COLOR, entries, tmp_path)
    before = {k: v.clone() for k, v in weights_of(again).items()}
    again.run()
    assert again.step == 6
    assert all(
        torch.equal(tensor, before[name])
        for name, tensor in weights_of(again).items()
    )
    assert {path.name for path in tmp_path.iterdir()} >= {'checkpoint.pt'}
    assert not list(tmp_path.glob('*.part'))


def test_the_log_and_the_report_agree(
    entries: list[Entry], tmp_path: Path
) -> None:
    recipe = replace(COLOR, steps=100, batch=1)
    said: list[str] = []
    Trainer(recipe, entries, tmp_path, report=said.append).run()
    lines = [line for line in said if line.startswith('step')]
    with (tmp_path / 'log.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert [row['step'] for row in rows] == ['50', '100']
    assert [line.split()[1] for line in lines] == ['50/100', '100/100']
    for row in rows:
        assert float(row['loss']) > 0


def test_training_lowers_the_loss(
    entries: list[Entry], tmp_path: Path
) -> None:
    recipe = replace(COLOR, steps=100, batch=4, aging=0, rate=5e-3)
    trainer = Trainer(recipe, entries, tmp_path)
    trainer.run()
    with (tmp_path / 'log.csv').open() as file:
        first, last = (float(row['loss']) for row in csv.DictReader(file))
    assert last < first


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_state(
    entries: list[Entry], tmp_path: Path
) -> None:
    trainer = Trainer(COLOR, entries, tmp_path)
    genuine, calls = trainer.loss, [0]

    def loss(*planes: torch.Tensor) -> torch.Tensor:
        calls[0] += 1
        return genuine(*planes) * (math.nan if calls[0] == 4 else 1)

    trainer.loss = loss
    with pytest.raises(DataError, match='nan at step 4.*checkpoint.pt'):
        trainer.run(save_every=-1)
    resumed = Trainer(COLOR, entries, tmp_path)
    assert resumed.step == 3
    for name, tensor in weights_of(resumed).items():
        assert torch.isfinite(tensor).all(), name


def test_color_loss_is_the_huber_loss_of_the_paper(
    entries: list[Entry], tmp_path: Path
) -> None:
    trainer = Trainer(replace(COLOR, delta=0.5), entries, tmp_path)
    found = torch.tensor([0.0, 0.2, 0.5, 3.0]).reshape(1, 1, 2, 2)
    zeros = torch.zeros(1, 1, 2, 2)
    loss = trainer.loss(zeros, found, zeros)
    # ½x² up to delta, then delta·(|x| − ½·delta), all divided by delta.
    wanted = np.mean([0, 0.5 * 0.04, 0.5 * 0.25, 0.5 * (3 - 0.25)]) / 0.5
    assert loss.item() == pytest.approx(wanted)


def segmentation_loss(
    trainer: Trainer, logits: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    return trainer.loss(torch.zeros_like(labels), logits, labels)


def test_unknown_pixels_are_never_learned(
    entries: list[Entry], tmp_path: Path
) -> None:
    trainer = Trainer(RECIPES['segmentation'], entries, tmp_path)
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 60, 4, 4, generator=generator)
    labels = torch.randint(0, 60, (2, 4, 4), generator=generator)
    labels = labels.to(torch.uint8)
    labels[:, :2] = 255
    loss = segmentation_loss(trainer, logits, labels)
    other = logits.clone()
    other[:, :, :2] = torch.randn(2, 60, 2, 4, generator=generator) * 50
    assert segmentation_loss(trainer, other, labels).item() == loss.item()
    part = segmentation_loss(trainer, logits[:, :, 2:], labels[:, 2:])
    assert part.item() == pytest.approx(loss.item(), rel=1e-6)
    logits.requires_grad_()
    segmentation_loss(trainer, logits, labels).backward()
    assert not logits.grad[:, :, :2].any()
    assert logits.grad[:, :, 2:].any()


def test_a_batch_of_unknown_pixels_teaches_nothing(
    entries: list[Entry], tmp_path: Path
) -> None:
    trainer = Trainer(RECIPES['segmentation'], entries, tmp_path)
    logits = torch.ones(1, 60, 2, 2, requires_grad=True)
    labels = torch.full((1, 2, 2), 255, dtype=torch.uint8)
    loss = segmentation_loss(trainer, logits, labels)
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


def test_rare_classes_weigh_more(
    make_pack: Callable[[Sequence], Pack], shots: list
) -> None:
    labels = np.full((40, 60), 50, np.uint8)
    labels[0, :30] = 3
    labels[1] = 255
    shots[0].labels = labels
    entries = make_pack(shots[:1]).entries
    weights = class_weights(
        entries, replace(RECIPES['segmentation'], balance=0.25)
    )
    assert weights.shape == (60,)
    assert weights[50] < weights[3] < weights[4]
    assert weights[4] == weights[59]
    flat = class_weights(entries, replace(COLOR, balance=0))
    assert torch.allclose(flat, torch.ones(60))


def test_the_rate_warms_up_and_falls_to_zero() -> None:
    recipe = replace(COLOR, steps=1000, warmup=100, rate=2e-3)
    rates = [learning_rate(recipe, step) for step in range(1001)]
    assert rates[0] == pytest.approx(2e-5)
    assert rates[99] == max(rates) == pytest.approx(2e-3)
    assert rates[550] == pytest.approx(1e-3)
    assert rates[1000] == pytest.approx(0)
    assert all(a >= b for a, b in zip(rates[99:], rates[100:], strict=False))


def test_networks_start_the_same_for_a_seed() -> None:
    one, same, other = (
        build_network(replace(COLOR, seed=seed)).state_dict()
        for seed in (1, 1, 2)
    )
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize('task', SHIPPED)
def test_shipped_recipes_build_their_networks(task: str) -> None:
    recipe = SHIPPED[task]
    assert recipe.task == task
    with torch.device('meta'):
        network = build_network(recipe)
    assert network.config.widths == recipe.widths


def test_overrides_leave_the_rest_alone() -> None:
    changed = with_overrides(COLOR, steps=9, batch=None)
    assert changed == replace(COLOR, steps=9)


def test_the_rate_before_the_cooldown_is_the_same_for_any_length() -> None:
    recipe = replace(SHIPPED['color'], warmup=10, steps=1000, cooldown=0.2)
    longer = replace(recipe, steps=5000)
    assert [learning_rate(recipe, step) for step in range(800)] == [
        learning_rate(longer, step) for step in range(800)
    ]
    assert learning_rate(recipe, 900) == pytest.approx(recipe.rate / 2, 0.02)
    assert learning_rate(recipe, 1000) == 0


def test_vivid_weights_count_colorful_pixels_more() -> None:
    chroma = torch.zeros(1, 2, 1, 2)
    chroma[0, 0, 0, 1] = 32 / 128  # one gray pixel, one of chroma 32
    gray_wrong = chroma.clone()
    gray_wrong[0, 0, 0, 0] = 0.5
    color_wrong = chroma.clone()
    color_wrong[0, 0, 0, 1] += 0.5
    plain = color_loss(gray_wrong, chroma, delta=1, vivid=0)
    assert color_loss(color_wrong, chroma, delta=1, vivid=0) == plain
    # Weights 1 and 1 + 2, divided by their mean 2.
    gray = color_loss(gray_wrong, chroma, delta=1, vivid=2)
    color = color_loss(color_wrong, chroma, delta=1, vivid=2)
    assert gray == pytest.approx(float(plain) / 2)
    assert color == pytest.approx(float(plain) * 3 / 2)
