"""Which device computes, and what is said when it is not the wanted one."""

from __future__ import annotations

import builtins
import sys

import pytest
import torch

from napari_sdcolor.core import device
from napari_sdcolor.errors import DeviceError


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(torch.backends.mps, 'is_available', lambda: False)


@pytest.mark.usefixtures('no_gpu')
@pytest.mark.parametrize('wanted', ['cuda', 'mps'])
def test_a_missing_device_is_said(
    wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, 'has_nvidia_card', lambda: False)
    chosen = device.choose(wanted)
    assert chosen.kind == 'cpu'
    assert chosen.notes == (
        f'No {wanted} device was found; the CPU is used instead.',
    )


@pytest.mark.usefixtures('no_gpu')
@pytest.mark.parametrize('wanted', ['cuda', 'auto'])
def test_a_card_that_torch_cannot_use_is_said(
    wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, 'has_nvidia_card', lambda: True)
    chosen = device.choose(wanted)
    assert chosen.kind == 'cpu'
    assert any('without CUDA' in note for note in chosen.notes)
    assert device.choose('cpu').notes == ()


@pytest.mark.usefixtures('no_gpu')
def test_auto_without_a_gpu_is_the_cpu_and_says_its_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(device, 'has_nvidia_card', lambda: False)
    monkeypatch.setattr(torch, 'get_num_threads', lambda: 3)
    chosen = device.choose()
    assert (chosen.kind, chosen.words) == ('cpu', 'CPU (3 threads)')
    assert chosen.notes == ()
    monkeypatch.setattr(torch, 'get_num_threads', lambda: 1)
    assert device.choose().words == 'CPU (1 thread)'


def test_auto_takes_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'get_device_name', lambda: 'Card 9')
    chosen = device.choose()
    assert (chosen.kind, chosen.words) == ('cuda', 'GPU: Card 9')


def test_missing_torch_has_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'torch', None)
    with pytest.raises(DeviceError, match='pip install torch'):
        device.choose()


def test_torch_after_qt_on_windows_has_a_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    genuine = builtins.__import__

    def failing(name: str, *rest: object) -> object:
        if name == 'torch':
            raise OSError('[WinError 1114] c10.dll')
        return genuine(name, *rest)

    monkeypatch.setattr(builtins, '__import__', failing)
    with pytest.raises(DeviceError, match='Visual C.*WinError 1114'):
        device.import_torch()


CPU = device.Device('cpu', 'CPU (2 threads)')


@pytest.mark.parametrize(
    'error',
    [
        torch.OutOfMemoryError('CUDA out of memory. Tried to allocate'),
        MemoryError(),
        RuntimeError('[enforce fail] not enough memory: you tried'),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError('MPS backend out of memory (MPS allocated: 1 GB)'),
    ],
)
def test_out_of_memory_is_said(error: Exception) -> None:
    with (
        pytest.raises(DeviceError, match='CPU .2 threads. ran out of memory'),
        device.out_of_memory_said(CPU),
    ):
        raise error


def test_a_real_failed_allocation_is_said() -> None:
    with pytest.raises(DeviceError), device.out_of_memory_said(CPU):
        torch.empty(2**60, dtype=torch.uint8)


def test_other_errors_stay_what_they_are() -> None:
    with (
        pytest.raises(RuntimeError, match='shapes') as caught,
        device.out_of_memory_said(CPU),
    ):
        raise RuntimeError('shapes do not match')
    assert not isinstance(caught.value, DeviceError)
