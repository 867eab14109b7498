"""Which device computes, said in words."""

from __future__ import annotations

import os
import shutil
import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_sdcolor.errors import DeviceError, OutOfMemory, UnfitDevice, said
from napari_sdcolor.words import counted

if TYPE_CHECKING:
    import torch

REMEDY = {
    'missing': (
        'PyTorch is not installed. Install it with "pip install torch", '
        'or follow https://pytorch.org/get-started/locally for a GPU.'
    ),
    'windows': (
        'PyTorch could not be loaded after Qt, a known trap on Windows. '
        'Start napari with: python -c "import torch, napari; napari.Viewer(); '
        'napari.run()" and install the latest Microsoft Visual C++ '
        'redistributable.'
    ),
    'cpu build': (
        'This machine has an NVIDIA card, but the installed PyTorch was built '
        'without CUDA. Reinstall it as https://pytorch.org/get-started/locally '
        'says to use the card.'
    ),
}
"""What to do about the known traps."""


HALVES = ('float16', 'bfloat16')
"""Data types of half precision."""


_NO_MEMORY = (
    'out of memory',
    'not enough memory',
    "can't allocate memory",
)
"""How torch's allocators say it (GPU; Windows; Linux and macOS)."""


_GONE = ('CUDA error', 'CUDA driver', 'cuDNN', 'CUBLAS', 'MPS', 'Metal')
"""How torch's errors about a lost or broken accelerator begin."""


def import_torch() -> types.ModuleType:
    """Import torch or say in one sentence why it cannot be.

    Raises
    ------
    DeviceError
        With the remedy.
    """
    try:
        import torch
    except ImportError as error:
        raise DeviceError(f'{REMEDY["missing"]} ({said(error)})') from error
    except OSError as error:
        # A DLL that failed to start: on Windows, torch after Qt.
        raise DeviceError(f'{REMEDY["windows"]} ({said(error)})') from error
    return torch


def has_nvidia_card() -> bool:
    """Whether the machine seems to have an NVIDIA card."""
    return (
        os.path.exists('/proc/driver/nvidia')
        or shutil.which('nvidia-smi') is not None
    )


@dataclass(frozen=True)
class Device:
    """The device in use.

    Parameters
    ----------
    kind
        'cpu', 'cuda' or 'mps'.
    words
        For the person, such as 'CPU (2 threads)'.
    notes
        Sentences on why it is not the device that was asked for.
    """

    kind: str
    words: str
    notes: tuple[str, ...] = ()

    @property
    def torch(self) -> torch.device:
        return import_torch().device(self.kind)


def choose(wanted: str = 'auto') -> Device:
    """The device that will really be used.

    Parameters
    ----------
    wanted
        'auto' (GPU where there is one), 'cpu', 'cuda' or 'mps'.

    Returns
    -------
    Device
        The CPU, with a note, when the wanted one is not there.
    """
    torch = import_torch()
    available = {
        'cuda': torch.cuda.is_available(),
        'mps': torch.backends.mps.is_available(),
        'cpu': True,
    }
    if wanted == 'auto':
        kind = next(kind for kind, there in available.items() if there)
    else:
        kind = wanted
    notes = []
    if not available.get(kind, False):
        notes.append(f'No {kind} device was found; the CPU is used instead.')
        kind = 'cpu'
    if kind == 'cpu' and wanted != 'cpu' and has_nvidia_card():
        notes.append(REMEDY['cpu build'])
    return Device(kind, _words(torch, kind), tuple(notes))


def _words(torch: types.ModuleType, kind: str) -> str:
    if kind == 'cuda':
        return f'GPU: {torch.cuda.get_device_name()}'
    if kind == 'mps':
        return 'GPU: Apple (MPS)'
    threads = torch.get_num_threads()
    return f'CPU ({counted(threads, "thread")})'


def refuse_half(dtype: str, device: Device) -> None:
    """Leave half precision to those devices that gain something by it.

    Raises
    ------
    UnfitDevice
        If it is asked for on the CPU or on MPS.
    """
    if dtype in HALVES and device.kind != 'cuda':
        raise UnfitDevice(
            f'{dtype} is for NVIDIA GPUs, and the networks would run on the '
            f'{device.words}: leave out --dtype, or choose a machine with '
            'such a GPU and --device cuda.'
        )


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on one thread of the CPU.

    Some of its kernels add up in another order when there are more, so
    that the last bits depend on the machine.
    """
    torch = import_torch()
    before = torch.get_num_threads()
    if before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def out_of_memory_said(device: Device) -> Iterator[None]:
    """Turn errors of the device into a sentence with a remedy.

    Raises
    ------
    OutOfMemory
        If the device ran out of memory.
    DeviceError
        If an accelerator is gone or broken.
    """
    torch = import_torch()
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise OutOfMemory(_out_of_memory(device)) from error
    except RuntimeError as error:
        if any(words in str(error) for words in _NO_MEMORY):
            raise OutOfMemory(_out_of_memory(device)) from error
        if device.kind != 'cpu' and any(
            words in str(error) for words in _GONE
        ):
            raise DeviceError(
                f'The {device.words} stopped working ({said(error)}). Choose the '
                'CPU, or start again; nothing was changed.'
            ) from error
        raise


def _out_of_memory(device: Device) -> str:
    return (
        f'The {device.words} ran out of memory. Choose a smaller working '
        'size or close other programs; nothing was changed.'
    )


def free_memory(device: Device) -> None:
    """Give back what torch keeps for later, before another attempt."""
    torch = import_torch()
    if device.kind == 'cuda':
        torch.cuda.empty_cache()
    elif device.kind == 'mps':
        torch.mps.empty_cache()


def threads() -> int:
    """Threads that the networks use on the CPU."""
    import torch

    return torch.get_num_threads()
