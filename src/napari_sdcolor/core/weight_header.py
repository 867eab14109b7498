"""The beginning of a safetensors file: what it holds, before that is read.

Eight bytes give the length of a JSON text, and that one names every tensor
with its type, its shape and its place. Nothing is taken on trust: a few
hundred bytes can speak of a network that no machine holds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from napari_sdcolor.opening import JSON_BYTES, parse_json

_LENGTH = 8
"""Bytes that hold the length of the JSON text."""

_AXES = 8
_NUMBERS = 2**40
"""No tensor of a network has more axes or numbers."""

_ABOUT = '__metadata__'

_TYPES = {
    'F16': torch.float16,
    'BF16': torch.bfloat16,
    'F32': torch.float32,
    'F64': torch.float64,
    'I8': torch.int8,
    'I16': torch.int16,
    'I32': torch.int32,
    'I64': torch.int64,
    'U8': torch.uint8,
    'BOOL': torch.bool,
}


@dataclass(frozen=True)
class Header:
    """What a safetensors file says that it holds.

    Parameters
    ----------
    about
        Its words about itself, by name.
    tensors
        Without memory: types and shapes alone.
    """

    about: Mapping[str, str]
    tensors: Mapping[str, Tensor]

    @property
    def numbers(self) -> int:
        """Of all tensors together."""
        return sum(tensor.numel() for tensor in self.tensors.values())


def header_length(start: bytes) -> int:
    """Bytes from the beginning of a file to that of its tensors.

    Parameters
    ----------
    start
        The first 8 bytes.

    Raises
    ------
    ValueError
        If there are fewer, or they tell of a longer header than any file of
        weights has.
    """
    length = int.from_bytes(start, 'little')
    if len(start) < _LENGTH or not 2 <= length <= JSON_BYTES:
        raise ValueError('it does not begin as such a file does')
    return _LENGTH + length


def parse_header(data: bytes, size: int) -> Header:
    """What a file holds.

    Parameters
    ----------
    data
        Its first ``header_length`` bytes, or more.
    size
        Bytes of the whole file.

    Raises
    ------
    ValueError
        If that cannot be, or the file is of another size than it says.
    """
    end = header_length(data[:_LENGTH])
    if end > min(size, len(data)):
        raise ValueError('it ends within its header')
    told = parse_json(data[_LENGTH:end])
    if not isinstance(told, dict):
        raise ValueError('its header is no table')
    about = told.pop(_ABOUT, {})
    if not isinstance(about, dict) or not all(
        isinstance(words, str) for words in about.values()
    ):
        raise ValueError('what it says about itself is no table of words')
    tensors = {name: _outline(name, entry) for name, entry in told.items()}
    held = sum(tensor.nbytes for tensor in tensors.values())
    if end + held != size:
        raise ValueError(f'it should hold {end + held} bytes and holds {size}')
    return Header(about, tensors)


def _outline(name: str, entry: Any) -> Tensor:
    """A tensor of the type and shape that the header tells.

    Raises
    ------
    ValueError
        If it tells none.
    """
    if not isinstance(entry, dict):
        raise ValueError(f'its header does not describe {name!r}')
    shape, kind = entry.get('shape'), entry.get('dtype')
    if not isinstance(kind, str) or kind not in _TYPES:
        raise ValueError(f'{name!r} holds numbers of an unknown type')
    if (
        not isinstance(shape, list)
        or len(shape) > _AXES
        or not all(type(side) is int and side >= 0 for side in shape)
        or math.prod(shape) > _NUMBERS
    ):
        raise ValueError(f'{name!r} has no shape')
    return torch.empty(shape, dtype=_TYPES[kind], device='meta')
