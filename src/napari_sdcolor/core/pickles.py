"""Files of torch that strangers made, read in a process of its own.

Such a file is a program for the unpickler. torch lets it run nothing but
what makes tensors, and yet a few hundred bytes can keep it busy for years or
ask for all of the memory. So it runs where both are limited, and what comes
back are plain tensors.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import zipfile
from typing import BinaryIO

import torch
from safetensors.torch import load, save
from torch import Tensor

from napari_sdcolor.errors import DAMAGED_PICKLE, said

MOST_BYTES = 2**31
"""No table of weights that strangers made is larger, unpacked."""

PATIENCE = 300
"""Seconds after which nobody waits any longer, however slow the disk is."""

PROCESSOR_SECONDS = 60
"""What the processor may spend on reading one."""

_SPARE_BYTES = 2**30
"""What reading may take beside what the file holds."""

_REFUSED = 3
"""How the process ends that found something wrong and says what."""

_ENDLESS = (
    'reading it takes more time or memory than weights can need, or it '
    'crashes the reader'
)


def read_tensors(stream: BinaryIO, key: str = '') -> dict[str, Tensor]:
    """The table of tensors that a file of torch holds.

    Parameters
    ----------
    stream
        A file on the disk; read from its beginning.
    key
        Under which the file has the table; it is the table itself without.

    Returns
    -------
    dict
        Names and tensors, as they are stored.

    Raises
    ------
    ValueError
        If it holds none, or one that is too large; with the reason as a part
        of a sentence.
    OSError
        If no process can be started.
    """
    if os.fstat(stream.fileno()).st_size > MOST_BYTES:
        raise ValueError('it is larger than any file of weights')
    return load(_in_child(stream, 'read', key))


def refuse_bomb(stream: BinaryIO) -> None:
    """Refuse a file of torch that would keep its reader busy for ever.

    Its program runs in another process, without the numbers of its tensors,
    so that neither memory nor time are taken twice. Who goes on reads it in
    this one.

    Parameters
    ----------
    stream
        A file on the disk, in the format that torch writes since 1.6; it is
        at its beginning afterwards.

    Raises
    ------
    ValueError, OSError
        As ``read_tensors``.
    """
    _in_child(stream, 'try')
    stream.seek(0)


def _in_child(stream: BinaryIO, task: str, key: str = '') -> bytes:
    """What ``_answer`` gives, in a process of its own."""
    place = os.lseek(stream.fileno(), 0, os.SEEK_CUR)
    try:
        child = subprocess.run(
            # The current folder may be a stranger's as well.
            [
                *(sys.executable, '-P', '-m', __spec__.name),
                *(str(PROCESSOR_SECONDS), task, key),
            ],
            stdin=stream,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            env={**os.environ, 'OMP_NUM_THREADS': '1'},
            creationflags=getattr(subprocess, 'CREATE_NO_WINDOW', 0),
        )
    except subprocess.TimeoutExpired as error:
        raise ValueError(_ENDLESS) from error
    finally:
        # Both processes have one place in the file.
        os.lseek(stream.fileno(), place, os.SEEK_SET)
    if child.returncode == _REFUSED:
        raise ValueError(child.stdout.decode())
    if child.returncode:
        raise ValueError(_ENDLESS)
    return child.stdout


def _answer(stream: BinaryIO, task: str, key: str = '') -> bytes:
    """The tensors in the format of safetensors; nothing for a mere try.

    Raises
    ------
    ValueError
        As ``read_tensors``.
    """
    try:
        if zipfile.is_zipfile(stream):
            _refuse_packed(stream)
        elif task != 'read':
            raise _Unfit('it is no archive of torch')
        stream.seek(0)
        place = 'cpu' if task == 'read' else 'meta'
        found = torch.load(stream, map_location=place, weights_only=True)
        return _packed(found, key) if task == 'read' else b''
    except _Unfit as error:
        raise ValueError(str(error)) from error
    except pickle.UnpicklingError as error:
        raise ValueError(said(error)) from error
    except MemoryError as error:
        raise ValueError(_ENDLESS) from error
    except DAMAGED_PICKLE as error:
        raise ValueError(
            'it is truncated, damaged or something else'
        ) from error


class _Unfit(ValueError):
    """What is wrong, in words of our own."""


def _refuse_packed(stream: BinaryIO) -> None:
    """Refuse an archive that grows when it is unpacked: torch packs nothing.

    Raises
    ------
    ValueError
        If it does.
    """
    with zipfile.ZipFile(stream) as archive:
        held = sum(member.file_size for member in archive.infolist())
    if held > os.fstat(stream.fileno()).st_size:
        raise _Unfit(f'it is packed, and would grow to {held / 1e6:.0f} MB')


def _packed(found: object, key: str) -> bytes:
    table = found.get(key) if key and isinstance(found, dict) else found
    if key and (not isinstance(found, dict) or not isinstance(table, dict)):
        raise _Unfit(f'it has no table of tensors under the key {key!r}')
    if not isinstance(table, dict) or not all(
        isinstance(name, str) and _is_plain(value)
        for name, value in table.items()
    ):
        raise _Unfit('it is no table of tensors')
    # A view may say that it is far larger than what it looks at.
    if sum(tensor.nbytes for tensor in table.values()) > MOST_BYTES:
        raise _Unfit('it describes more numbers than any file of weights')
    return save(
        {
            name: tensor.detach().clone(memory_format=torch.contiguous_format)
            for name, tensor in table.items()
        }
    )


def _is_plain(value: object) -> bool:
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and value.device.type == 'cpu'
        and not value.is_quantized
    )


def _limit(size: int, seconds: int) -> None:
    """Bound this process; on Windows the clock of its parent does alone."""
    if os.name != 'posix':
        return
    import resource

    import psutil

    process = psutil.Process()
    used = process.cpu_times()
    limits = {
        'RLIMIT_AS': process.memory_info().vms + 4 * size + _SPARE_BYTES,
        'RLIMIT_CPU': int(used.user + used.system) + seconds,
        'RLIMIT_CORE': 0,
    }
    for name, most in limits.items():
        hard = resource.getrlimit(getattr(resource, name))[1]
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        # Some systems know a limit by name and do not set it.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(getattr(resource, name), (most, hard))


def main() -> int:
    """Read the file that is the standard input, and write what it holds."""
    stream = sys.stdin.buffer
    seconds, *asked = sys.argv[1:]
    _limit(os.fstat(stream.fileno()).st_size, int(seconds))
    code = 0
    try:
        answer = _answer(stream, *asked)
    except ValueError as error:
        answer, code = str(error).encode(), _REFUSED
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
    return code


if __name__ == '__main__':
    sys.exit(main())
