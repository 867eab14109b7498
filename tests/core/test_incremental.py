"""The incremental pass against the network itself, edit by edit."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_sdcolor.core import colornet
from napari_sdcolor.core.boxes import edit_boxes, margin, slices
from napari_sdcolor.core.cancel import CancelToken
from napari_sdcolor.core.features import (
    STRIDES,
    WIDTHS,
    FeatureMaps,
    Seen,
)
from napari_sdcolor.core.incremental import IncrementalPass
from napari_sdcolor.core.weights import random_part
from napari_sdcolor.errors import Cancelled

CONFIGS = {
    'paper': replace(colornet.PAPER, widths=(2,) * 5, slope=0.3),
    'paper, embedding': replace(
        colornet.PAPER, widths=(3, 2, 2, 2, 3), slope=0.3, label_channels=3
    ),
    'paper, not normalized': replace(
        colornet.PAPER, widths=(2,) * 5, instance_norm=False
    ),
    'released': replace(colornet.RELEASED, widths=(2, 2, 3, 2, 2, 2)),
    'paper, features': replace(
        colornet.PAPER,
        widths=(2,) * 5,
        slope=0.3,
        label_channels=2,
        features=WIDTHS,
    ),
    'released, features': replace(
        colornet.RELEASED, widths=(2,) * 6, features=WIDTHS
    ),
}
NETWORKS = {
    name: random_part('color', config, seed=5).network.double()
    for name, config in CONFIGS.items()
}


def seen(
    network: colornet.ColorNet, shape: tuple[int, int], seed: int
) -> FeatureMaps | None:
    """Features of a photo that was seen at another size, and padded."""
    if not network.config.features:
        return None
    generator = torch.Generator().manual_seed(seed)
    maps = tuple(
        torch.randn(1, width, 96 // stride, 128 // stride, generator=generator)
        for width, stride in zip(WIDTHS, STRIDES, strict=True)
    )
    dtype = network.final_conv.weight.dtype
    maps = tuple(values.to(dtype) for values in maps)
    return Seen(maps, (83, 111)).on(shape)


class Follower:
    """A plane, its map, and the chroma as it is followed edit by edit."""

    def __init__(
        self,
        network: colornet.ColorNet,
        shape: tuple[int, int],
        budget: float,
        seed: int = 0,
    ) -> None:
        self.network = network
        self.rng = np.random.default_rng(seed)
        dtype = network.final_conv.weight.dtype
        gray = self.rng.uniform(-1, 1, (1, 1, *shape))
        self.gray = torch.from_numpy(gray).to(dtype)
        self.labels = self.rng.integers(0, 60, shape, np.uint8)
        with torch.inference_mode():
            self.features = seen(network, shape, seed)
            self.steps = IncrementalPass(
                network, self.gray, budget, self.features
            )
            self.chroma = self.steps.full(self.labels).clone()

    def edit(self, labels: NDArray[np.uint8]) -> None:
        """Follow an edit; nothing outside its boxes may change."""
        before = self.chroma.clone()
        edits = edit_boxes(self.labels, labels, margin(self.network.config))
        outside = torch.ones(labels.shape, dtype=torch.bool)
        with torch.inference_mode():
            for box, found in self.steps.update(labels, edits):
                self.chroma[(..., *slices(box))] = found
                outside[slices(box)] = False
        assert torch.equal(self.chroma[..., outside], before[..., outside])
        self.labels = labels

    def error(self) -> float:
        """Largest difference from the full pass, in Lab units."""
        with torch.inference_mode():
            ids = torch.from_numpy(self.labels)[None]
            read = self.features.tensors if self.features else ()
            full = self.network(self.gray, ids, *read)
        return float((self.chroma - full).abs().max()) * 128

    def painted(self) -> NDArray[np.uint8]:
        """The map after a random stroke, fill, dot or several of them."""
        labels = self.labels.copy()
        h, w = labels.shape
        for _ in range(self.rng.choice([1, 1, 1, 2, 4])):
            # Often at the very rim, where the zeros of the padding are.
            y, x = (
                int(self.rng.choice([0, side - 1, self.rng.integers(side)]))
                for side in (h, w)
            )
            tall, wide = self.rng.choice([1, 2, 7, 24], 2)
            labels[
                max(0, y - tall // 2) : y + tall,
                max(0, x - wide // 2) : x + wide,
            ] = self.rng.integers(0, 60)
        return labels


@settings(settings.get_profile('heavy'))
@given(
    name=st.sampled_from(list(CONFIGS)),
    rows=st.integers(1, 9),
    columns=st.integers(1, 12),
    share=st.sampled_from([0, 0.01, 0.04, 0.15, 0.3, 0.5, 0.7, 0.9, 1]),
    seed=st.integers(0, 2**16),
)
def test_edits_equal_the_full_pass(
    name: str, rows: int, columns: int, share: float, seed: int
) -> None:
    """Hundreds of edits, whatever is kept, with and without borders."""
    network = NETWORKS[name]
    step = network.config.multiple
    shape = (rows * step, columns * step)
    everything = Follower(network, shape, 1e6).steps.nbytes / 2**20
    follower = Follower(network, shape, share * everything, seed)
    for _ in range(40):
        follower.edit(follower.painted())
    assert follower.error() <= 1e-9


@pytest.mark.parametrize('name', CONFIGS)
def test_every_border_and_corner(name: str) -> None:
    network = NETWORKS[name]
    side = 3 * network.config.multiple
    follower = Follower(network, (side, side), 1e6)
    places = (0, 1, side // 2, side - 2, side - 1)
    for y in places:
        for x in places:
            labels = follower.labels.copy()
            labels[y, x] = (labels[y, x] + 7) % 60
            follower.edit(labels)
            assert follower.error() <= 1e-9


@pytest.mark.parametrize('name', CONFIGS)
def test_the_smallest_planes(name: str) -> None:
    network = NETWORKS[name]
    step = network.config.multiple
    for shape in ((step, step), (step, 3 * step), (3 * step, step)):
        follower = Follower(network, shape, 1e6)
        for _ in range(5):
            follower.edit(follower.painted())
            assert follower.error() <= 1e-9


@pytest.mark.parametrize('features', [(), WIDTHS])
@pytest.mark.parametrize('preset', ['paper', 'released'])
def test_full_width_in_float32(preset: str, features: tuple[int, ...]) -> None:
    config = {'paper': colornet.PAPER, 'released': colornet.RELEASED}[preset]
    config = replace(config, features=features)
    network = random_part('color', config, seed=0).network
    network.to(memory_format=torch.channels_last)
    follower = Follower(network, (96, 192), 1e6)
    assert follower.error() <= 1e-3
    for _ in range(4):
        follower.edit(follower.painted())
    assert follower.error() <= 1e-3


def test_nothing_drifts_in_two_hundred_edits() -> None:
    network = random_part(
        'color', replace(colornet.PAPER, widths=(4, 4, 8, 8, 8)), seed=0
    ).network
    follower = Follower(network, (96, 160), 1e6)
    assert follower.error() <= 1e-3
    for _ in range(200):
        follower.edit(follower.painted())
    assert follower.error() <= 1e-3


def test_large_boxes_are_computed_in_tiles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from napari_sdcolor.core import incremental

    monkeypatch.setattr(incremental, 'TILE', 24)
    for budget in (0, 1e6):
        follower = Follower(NETWORKS['paper'], (96, 144), budget)
        follower.edit(follower.rng.integers(0, 60, (96, 144), np.uint8))
        follower.edit(follower.painted())
        assert follower.error() <= 1e-9


def test_the_work_of_a_stroke_does_not_grow_with_the_photo() -> None:
    network = NETWORKS['paper']
    work = []
    for side in (256, 768):
        follower = Follower(network, (side, side), 1e6)
        labels = follower.labels.copy()
        labels[120:136, 120:136] = 7
        labels[120, 120] = labels[135, 135] = 8
        follower.edit(labels)
        work.append(follower.steps.macs)
    assert work[0] == work[1]


def test_work_of_the_full_width_is_that_of_the_papers() -> None:
    """48.2 billion products at 352 x 352, some 6 for a stroke of 16 pixels.

    On the meta device nothing is computed; so nothing in an edit may wait
    for a value, which on a GPU would be a synchronization.
    """
    with torch.device('meta'):
        network = colornet.ColorNet(colornet.PAPER)
        gray = torch.zeros(1, 1, 352, 352)
    labels = np.zeros((352, 352), np.uint8)
    with torch.inference_mode():
        steps = IncrementalPass(network, gray, 1e6)
        steps.full(labels)
        assert steps.macs == pytest.approx(48.2e9, rel=0.02)
        found = steps.update(labels, [(150, 150, 166, 166)])
    assert 5e9 < steps.macs < 6.5e9
    assert all(patch.is_meta for _, patch in found)


# --- memory ----------------------------------------------------------------


def test_the_budget_is_kept_and_less_memory_is_more_work() -> None:
    network = NETWORKS['paper, embedding']
    shape = (160, 256)
    everything = Follower(network, shape, 1e6).steps.nbytes
    given = Follower(network, shape, 0).steps.nbytes
    # The photo and its map, a byte per pixel.
    assert given == shape[0] * shape[1] * (8 + 1)
    kept, work = [], []
    for share in np.linspace(0, 1, 12):
        budget = share * (everything - given)
        follower = Follower(network, shape, budget / 2**20, seed=1)
        assert follower.steps.nbytes - given <= budget + 1
        labels = follower.labels.copy()
        labels[70:80, 100:115] = 5
        follower.edit(labels)
        assert follower.error() <= 1e-9
        kept.append(follower.steps.nbytes)
        work.append(follower.steps.macs)
    assert kept[0] < kept[-1] == everything
    assert sorted(kept) == kept
    assert sorted(work, reverse=True) == work


def test_edits_keep_no_more_than_before() -> None:
    follower = Follower(NETWORKS['paper'], (96, 96), 0.05)
    held = follower.steps.nbytes
    for _ in range(5):
        follower.edit(follower.painted())
        assert follower.steps.nbytes == held


def test_everything_is_freed_with_the_pass() -> None:
    follower = Follower(NETWORKS['paper'], (96, 96), 1e6)
    follower.edit(follower.painted())
    kept = [weakref.ref(x) for x in follower.steps._kept.values()]
    assert len(kept) > 10
    del follower
    gc.collect()
    assert not any(reference() is not None for reference in kept)


# --- interruptions -----------------------------------------------------------


class Patience(CancelToken):
    """Is cancelled when it has been looked at often enough."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.left = looks

    @property
    def cancelled(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize('name', ['released', 'released, features'])
@pytest.mark.parametrize('budget', [0, 0.05, 1e6])
def test_the_same_boxes_again_heal_an_interrupted_edit(
    budget: float, name: str
) -> None:
    follower = Follower(NETWORKS[name], (160, 192), budget)
    counter = Patience(10**6)
    old = follower.labels
    other = follower.painted()
    with counter.active():
        follower.edit(other)
    looks = 10**6 - counter.left
    assert looks >= 15
    edits = edit_boxes(old, other, 0)
    for patience in range(0, looks, 3):
        with (
            torch.inference_mode(),
            Patience(patience).active(),
            pytest.raises(Cancelled),
        ):
            follower.steps.update(old, edits)
        with torch.inference_mode():
            follower.steps.update(follower.labels, edits)
        follower.edit(follower.painted())
        follower.edit(other)
        assert follower.error() <= 1e-9
