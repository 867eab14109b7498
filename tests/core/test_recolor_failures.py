"""Whatever goes wrong, map, chroma and picture stay together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from napari_sdcolor import Colorizer
from napari_sdcolor.core import incremental, recolor
from napari_sdcolor.core.cancel import CancelToken
from napari_sdcolor.core.device import Device
from napari_sdcolor.core.photo import photo_from_array
from napari_sdcolor.core.recolor import RecolorSession
from napari_sdcolor.errors import (
    Cancelled,
    DeviceError,
    LabelsError,
    NetworkError,
)

SHAPE = (64, 120)


@pytest.fixture
def session(narrow: Callable[..., Colorizer]) -> RecolorSession:
    """A photo of noise with a map of noise."""
    rng = np.random.default_rng(0)
    photo = photo_from_array(rng.integers(0, 256, SHAPE, np.uint8))
    return narrow().session(photo, rng.integers(0, 60, SHAPE, np.uint8))


def painted(session: RecolorSession) -> NDArray[np.uint8]:
    """The session's map with one more stroke."""
    labels = session.labels.copy()
    labels[20:27, 50:57] = (labels[20, 50] + 1) % 60
    return labels


class Memory:
    """What a session was like."""

    def __init__(self, session: RecolorSession) -> None:
        self.session = session
        self.saturation = session.saturation
        self.arrays = [array.copy() for array in self.current()]

    def current(self) -> tuple[NDArray, NDArray, NDArray]:
        return self.session.labels, self.session.chroma, self.session.rgb

    def holds(self) -> bool:
        return self.session.saturation == self.saturation and all(
            np.array_equal(old, new)
            for old, new in zip(self.arrays, self.current(), strict=True)
        )


def follows(session: RecolorSession) -> bool:
    """Whether the next edit is followed as if nothing had happened."""
    changed = session.update(painted(session))
    error = np.abs(session.chroma - session.full()).max()
    return bool(changed) and error <= 1e-3


@pytest.mark.parametrize(
    'labels',
    [
        np.zeros((64, 121), np.uint8),
        np.zeros((120, 64), np.uint8),
        np.zeros(SHAPE, np.int32),
        np.full(SHAPE, 60, np.uint8),
    ],
)
def test_wrong_maps_change_nothing(
    labels: NDArray, session: RecolorSession
) -> None:
    memory = Memory(session)
    with pytest.raises(LabelsError):
        session.update(labels)
    assert memory.holds()
    assert follows(session)


class Patience(CancelToken):
    """Is cancelled when it has been looked at often enough."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.left = looks

    @property
    def cancelled(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_stop_between_layers_changes_nothing(
    session: RecolorSession,
) -> None:
    labels = painted(session)
    trial = session.colorizer.session(session.photo, session.labels)
    counter = Patience(10**6)
    with counter.active():
        trial.update(labels)
    looks = 10**6 - counter.left
    # Five levels down the label stream and four up again.
    assert looks >= 9
    memory = Memory(session)
    for patience in range(looks):
        with Patience(patience).active(), pytest.raises(Cancelled):
            session.update(labels)
        assert memory.holds()
    assert follows(session)


def test_after_a_stop_another_edit_is_followed_exactly(
    session: RecolorSession,
) -> None:
    """What the stopped edit left behind is computed again."""
    stopped = painted(session)
    for patience in range(0, 20, 2):
        with Patience(patience).active(), pytest.raises(Cancelled):
            session.update(stopped)
        labels = session.labels.copy()
        spot = (
            slice(0, 5),
            slice(5 * (patience % 20), 5 * (patience % 20) + 9),
        )
        labels[spot] = (labels[spot] + 1) % 60
        assert session.update(session.labels) == []
        assert session.update(labels)
        assert np.array_equal(session.labels, labels)
        assert np.abs(session.chroma - session.full()).max() <= 1e-3


def test_out_of_memory_while_painting_changes_nothing(
    session: RecolorSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = Memory(session)

    def fail(*inputs: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(recolor, 'compose', fail)
        with pytest.raises(MemoryError):
            session.update(painted(session))
    assert memory.holds()
    assert follows(session)


@pytest.mark.parametrize(
    'work',
    [
        lambda session: session.colorizer.segment(session.photo),
        lambda session: session.colorizer.colorize(session.photo),
        lambda session: session.colorizer.session(
            session.photo, session.labels
        ),
        lambda session: session.set_saturation(0.3),
        lambda session: session.full(),
    ],
    ids=['segment', 'colorize', 'session', 'saturation', 'full'],
)
def test_every_long_task_can_be_stopped(
    work: Callable[[RecolorSession], object], session: RecolorSession
) -> None:
    memory = Memory(session)
    token = CancelToken()
    token.cancel()
    with token.active(), pytest.raises(Cancelled):
        work(session)
    assert memory.holds()
    work(session)
    assert follows(session)


@pytest.mark.parametrize(
    'error',
    [
        torch.OutOfMemoryError('CUDA out of memory.'),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
        MemoryError(),
    ],
)
def test_out_of_memory_changes_nothing(
    error: Exception,
    session: RecolorSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    memory = Memory(session)
    colorizer = session.colorizer

    def fail(*inputs: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(functional, 'conv2d', fail)
        patch.setattr(colorizer.color_net.final_conv, 'forward', fail)
        with pytest.raises(DeviceError, match='smaller working size'):
            session.update(painted(session))
        with pytest.raises(DeviceError, match='smaller working size'):
            colorizer.colorize(session.photo)
    assert memory.holds()
    assert follows(session)


@pytest.mark.parametrize('value', [np.nan, np.inf, 1e38])
@pytest.mark.filterwarnings('error')
def test_a_network_without_numbers_changes_nothing(
    value: float, session: RecolorSession
) -> None:
    memory = Memory(session)
    last = session.colorizer.color_net.final_conv.weight.data
    good = last.clone()
    last.fill_(value)
    with pytest.raises(NetworkError, match='color network'):
        session.update(painted(session))
    with pytest.raises(NetworkError, match='color network'):
        session.colorizer.session(session.photo, session.labels)
    assert memory.holds()
    last.copy_(good)
    assert follows(session)


def test_where_the_memory_is_short_nothing_is_kept(
    session: RecolorSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []
    whole = incremental.IncrementalPass._whole

    def fail(steps: object, layer: object) -> torch.Tensor:
        tries.append(len(steps._keep))
        if len(steps._keep) > 2:
            raise torch.OutOfMemoryError('CUDA out of memory.')
        return whole(steps, layer)

    monkeypatch.setattr(incremental.IncrementalPass, '_whole', fail)
    small = session.colorizer.session(session.photo, session.labels)
    assert max(tries) > 2
    assert small.nbytes < session.nbytes
    assert np.abs(small.chroma - session.chroma).max() <= 1e-3
    assert follows(small)


def test_a_lost_accelerator_is_said(
    session: RecolorSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = Memory(session)

    def fail(*inputs: object) -> None:
        raise RuntimeError('CUDA error: device-side assert triggered')

    with monkeypatch.context() as patch:
        patch.setattr(session.colorizer, 'device', Device('cuda', 'GPU: Test'))
        patch.setattr(functional, 'conv2d', fail)
        with pytest.raises(DeviceError, match='GPU: Test stopped working'):
            session.update(painted(session))
    assert memory.holds()
    assert follows(session)
