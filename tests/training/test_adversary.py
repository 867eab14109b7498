"""The network that learns to tell colorings from photographs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from napari_sdcolor.settings import SettingsError
from napari_sdcolor.training.adversary import Adversary, PatchNet
from napari_sdcolor.training.presets import SHIPPED
from napari_sdcolor.training.recipe import check

CPU = torch.device('cpu')


def planes(seed: int, strength: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Gray values and colors of four crops."""
    draw = torch.Generator().manual_seed(seed)
    gray = torch.rand(4, 1, 64, 64, generator=draw) * 2 - 1
    return gray, strength * torch.randn(4, 2, 64, 64, generator=draw)


def test_every_patch_is_judged_by_itself() -> None:
    network = PatchNet().eval()
    gray, chroma = torch.zeros(2, 1, 128, 128), torch.randn(2, 2, 128, 128)
    judged = network(gray, chroma)
    assert judged.shape == (2, 1, 14, 14)
    # Patches at the top end before row 70.
    chroma[:, :, 70:] = 0
    again = network(gray, chroma)
    assert torch.allclose(again[:, :, 0], judged[:, :, 0])
    assert not torch.allclose(again[:, :, -1], judged[:, :, -1])


def test_it_learns_to_tell_colorings_from_photographs() -> None:
    adversary = Adversary(CPU)
    gray, vivid = planes(1, 0.3)
    dull = 0.1 * vivid
    for _ in range(20):
        adversary.learn(gray, dull, vivid)
    gray, vivid = planes(2, 0.3)
    with torch.no_grad():
        judge = adversary.network.eval()
        assert (
            judge(gray, vivid).mean() > judge(gray, 0.1 * vivid).mean() + 0.5
        )


def test_it_pulls_as_strongly_as_the_loss_and_the_other_way_than_dullness() -> (
    None
):
    adversary = Adversary(CPU)
    gray, vivid = planes(3, 0.3)
    for _ in range(20):
        adversary.learn(gray, 0.1 * vivid, vivid)
    last = torch.full((1,), 0.5, requires_grad=True)
    found = last * vivid
    loss = (found - 0.1 * vivid).abs().mean()
    pull = adversary.pull(gray, found, loss, last)
    (own,) = torch.autograd.grad(loss, last, retain_graph=True)
    (theirs,) = torch.autograd.grad(pull, last)
    assert theirs.abs() == pytest.approx(own.abs().item(), rel=1e-4)
    assert theirs < 0 < own


def test_random_numbers_of_the_training_stay_the_same() -> None:
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    Adversary(CPU)
    assert torch.equal(torch.rand(3), wanted)


@pytest.mark.parametrize(
    ('changes', 'says'),
    [
        ({'adversarial': -0.1}, 'adversarial must not be negative'),
        ({'task': 'segmentation'}, 'Only colorings'),
        ({'widths': (4, 4), 'crop': 16}, 'at least 32'),
    ],
)
def test_what_cannot_be_judged_is_refused(
    changes: dict[str, Any], says: str
) -> None:
    recipe = replace(SHIPPED['color'], adversarial=0.3)
    check(recipe)
    if changes.get('task'):
        recipe = replace(SHIPPED['segmentation'], adversarial=0.3)
    with pytest.raises(SettingsError, match=says):
        check(replace(recipe, **changes))
