"""Several photos in one pass: the same colors, in fewer passes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_sdcolor.core import batching, progress
from napari_sdcolor.core.batching import Gatherer
from napari_sdcolor.core.cancel import CancelToken
from napari_sdcolor.core.device import choose
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.errors import Cancelled, NetworkError, OutOfMemory

LONG = 600.0
"""Seconds of patience: no pass begins because a thread is slow."""


class Doubling:
    """A network that doubles, and remembers its passes."""

    def __init__(self, most: int = 99) -> None:
        self.most = most
        self.passes: list[tuple[int, ...]] = []

    def __call__(self, planes: Tensor) -> Tensor:
        self.passes.append(tuple(planes.shape))
        if len(planes) > self.most:
            raise torch.OutOfMemoryError('CUDA out of memory.')
        return 2 * planes


def gather(size: int, **more: Any) -> Gatherer:
    return Gatherer(choose('cpu'), size, patience=LONG, **more)


def side_by_side(
    gatherer: Gatherer, jobs: Sequence[Callable[[], Any]]
) -> list[Any]:
    """Results or errors of jobs that are all inside before one begins."""
    barrier = threading.Barrier(len(jobs))

    def work(job: Callable[[], Any]) -> Any:
        with gatherer.active():
            barrier.wait()
            try:
                return job()
            except (Cancelled, NetworkError, OutOfMemory) as error:
                return error

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(work, jobs))


def plane(value: float, side: int = 4) -> Tensor:
    return torch.full((1, 1, side, side), float(value))


def doubled(
    gatherer: Gatherer, network: Callable, planes: Sequence[Tensor]
) -> list[Any]:
    return side_by_side(
        gatherer,
        [lambda x=x: batching.run(network, x) for x in planes],
    )


@pytest.fixture
def photos(rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.integers(0, 256, (64, 80), np.uint8) for _ in range(5)]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize(
    ('photos', 'size', 'passes'), [(1, 3, 1), (6, 3, 2), (7, 3, 3), (4, 8, 1)]
)
def test_photos_of_one_shape_take_as_few_passes_as_they_can(
    photos: int, size: int, passes: int
) -> None:
    network = Doubling()
    planes = [plane(number) for number in range(photos)]
    found = doubled(gather(size), network, planes)
    for number, result in enumerate(found):
        assert torch.equal(result, plane(2 * number))
    # Each one is full.
    assert network.passes == [(size, 1, 4, 4)] * passes


def test_shapes_never_mix() -> None:
    network = Doubling()
    sides = [4, 6, 4, 6, 8]
    found = doubled(gather(2), network, [plane(1, side) for side in sides])
    assert [x.shape[-1] for x in found] == sides
    assert sorted(shape[-1] for shape in network.passes) == [4, 6, 8]


def test_networks_never_mix() -> None:
    one, other = Doubling(), Doubling()
    gatherer = gather(4)
    side_by_side(
        gatherer,
        [lambda n=n: batching.run(n, plane(1)) for n in (one, other, one)],
    )
    assert len(one.passes) == len(other.passes) == 1


def test_without_a_gatherer_photos_go_alone() -> None:
    network = Doubling()
    batching.run(network, plane(1))
    assert network.passes == [(1, 1, 4, 4)]


def test_who_is_slow_is_not_waited_for() -> None:
    network = Doubling()
    gatherer = Gatherer(choose('cpu'), 2, patience=0.0)
    busy = threading.Event()

    def slow() -> None:
        assert busy.wait(60)

    def quick() -> Tensor:
        found = batching.run(network, plane(1))
        busy.set()
        return found

    assert torch.equal(side_by_side(gatherer, [slow, quick])[1], plane(2))


def test_an_error_is_told_to_every_photo_of_its_pass_only() -> None:
    def picky(planes: Tensor) -> Tensor:
        if planes.shape[-1] == 6:
            raise NetworkError('No numbers.')
        return planes

    found = doubled(gather(2), picky, [plane(1, side) for side in (6, 4, 6)])
    kinds = [type(result) for result in found]
    assert kinds == [NetworkError, Tensor, NetworkError]


def test_passes_are_halved_until_the_memory_suffices() -> None:
    network, said = Doubling(most=2), []
    gatherer = gather(8, say=said.append)
    planes = [plane(number) for number in range(8)]
    found = doubled(gatherer, network, planes)
    assert all(
        torch.equal(x, 2 * y) for x, y in zip(found, planes, strict=True)
    )
    sizes = [shape[0] for shape in network.passes]
    assert sizes == [8, 4, 2, 2, 2, 2]
    assert ['passes of 4 photos' in said[0], 'of 2 photos' in said[1]] == [
        True,
        True,
    ]
    # Another shape does not suffer for it, the same one does not try again.
    network.passes.clear()
    doubled(gatherer, network, [plane(1), plane(1)])
    network.most = 8
    doubled(gatherer, network, [plane(1, 6)])
    assert [shape[0] for shape in network.passes] == [2, 8]


def test_one_photo_for_which_the_memory_does_not_suffice() -> None:
    found = doubled(gather(4), Doubling(most=0), [plane(1), plane(2)])
    assert [type(result) for result in found] == [OutOfMemory, OutOfMemory]
    assert found[0] is not found[1]


def test_words_reach_the_listener_by_default() -> None:
    said: list[str] = []
    gatherer = gather(2)
    with gatherer.active(), progress.told_to(said.append):
        batching.run(Doubling(most=1), plane(1))
    assert 'passes of 1 photo only' in said[0]


def test_a_photo_that_waits_can_be_stopped() -> None:
    network, token = Doubling(), CancelToken()
    gatherer = gather(2)
    gone = threading.Event()

    def stopped() -> Tensor:
        token.cancel()
        try:
            with token.active():
                return batching.run(network, plane(1))
        finally:
            gone.set()

    def other() -> Tensor:
        assert gone.wait(60)
        return batching.run(network, plane(2))

    found = side_by_side(gatherer, [stopped, other])
    assert isinstance(found[0], Cancelled)
    assert torch.equal(found[1], plane(4))
    # Nothing of the stopped one is left.
    assert network.passes == [(2, 1, 4, 4)]
    assert not gatherer._waiting


def test_who_is_stopped_in_a_pass_leaves_the_others_to_another() -> None:
    passes: list[int] = []

    def network(planes: Tensor) -> Tensor:
        passes.append(len(planes))
        if len(passes) == 1:
            raise Cancelled('Stopped.')
        return 2 * planes

    found = doubled(gather(2), network, [plane(1), plane(2)])
    assert sum(isinstance(result, Cancelled) for result in found) == 1
    (left,) = [x for x in found if isinstance(x, Tensor)]
    assert torch.equal(left, plane(2)) or torch.equal(left, plane(4))
    assert passes == [2, 2]


def test_tiles_have_the_device_for_themselves() -> None:
    inside, seen = threading.Event(), []
    gatherer = gather(1)

    def tiles() -> None:
        with batching.alone():
            inside.set()
            done.wait(0.2)
            seen.append('tiles')

    def photo() -> None:
        assert inside.wait(60)
        batching.run(lambda x: seen.append('pass') or x, plane(1))
        done.set()

    done = threading.Event()
    side_by_side(gatherer, [tiles, photo])
    assert seen == ['tiles', 'pass']


def colored(
    colorizer: Colorizer, photos: Sequence[np.ndarray], size: int
) -> list[Any]:
    return side_by_side(
        gather(size),
        [lambda photo=photo: colorizer.colorize(photo) for photo in photos],
    )


@pytest.mark.parametrize('which', ['narrow', 'tiny', 'seeing'])
def test_colors_are_those_of_single_passes(
    narrow, seeing, tiny_colorizer, photos, which
) -> None:
    # The tiny one embeds the labels.
    build = {'narrow': narrow, 'seeing': seeing}
    colorizer = build[which]() if which in build else tiny_colorizer
    for photo, found in zip(
        photos, colored(colorizer, photos, 4), strict=True
    ):
        alone = colorizer.colorize(photo)
        np.testing.assert_array_equal(found.labels, alone.labels)
        np.testing.assert_allclose(found.chroma, alone.chroma, atol=1e-3)
        assert found.confidence == pytest.approx(alone.confidence, abs=1e-5)


def test_both_networks_take_one_pass_for_all(narrow, photos) -> None:
    colorizer, calls = narrow(), []
    for network in (colorizer.grid_net, colorizer.color_net):
        network.register_forward_hook(
            lambda module, inputs, output: calls.append(
                (type(module).__name__, len(output))
            )
        )
    colored(colorizer, photos, 3)
    assert sorted(calls) == [('ColorNet', 3)] * 2 + [('GridNet', 3)] * 2


def test_the_bits_of_a_photo_do_not_depend_on_its_neighbors(
    narrow, photos
) -> None:
    colorizer = narrow()
    first = photos[0]
    alone = colored(colorizer, [first], 4)[0]
    for others in (photos[1:2], photos[1:4], photos[4:0:-1]):
        for place in range(len(others) + 1):
            mixed = [*others[:place], first, *others[place:]]
            found = colored(colorizer, mixed, 4)[place]
            np.testing.assert_array_equal(found.chroma, alone.chroma)
            np.testing.assert_array_equal(found.labels, alone.labels)
            assert found.confidence == alone.confidence


def test_a_photo_too_large_for_one_pass_is_tiled(
    narrow, photos, monkeypatch
) -> None:
    colorizer = narrow()
    want = colorizer.colorize(photos[0])
    monkeypatch.setattr(
        colorizer.color_net, 'forward', lambda gray, ids: _lack()
    )
    found = colored(colorizer, photos[:2], 2)
    assert 'tiles' in found[0].notes[0]
    np.testing.assert_allclose(found[0].chroma, want.chroma, atol=1e-3)


def _lack() -> Tensor:
    raise torch.OutOfMemoryError('CUDA out of memory.')
