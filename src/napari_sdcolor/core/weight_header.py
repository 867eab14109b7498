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
_FIELDS = {'dtype', 'shape', 'data_offsets'}

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
    told = parse_json(_text(data[_LENGTH:end]), once=True)
    about = told.pop(_ABOUT, {})
    if not isinstance(about, dict) or not all(
        isinstance(words, str) and _is_text(words)
        for pair in about.items()
        for words in pair
    ):
        raise ValueError('what it says about itself is no table of words')
    tensors = {name: _outline(name, entry) for name, entry in told.items()}
    held = _held(told, tensors)
    if end + held != size:
        raise ValueError(f'it should hold {end + held} bytes and holds {size}')
    return Header(about, tensors)


def _text(data: bytes) -> str:
    """The JSON text of a table.

    Raises
    ------
    ValueError
        If it is none, or in an encoding that the format does not know.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise ValueError('its header is no text in UTF-8') from error
    if not text.startswith('{'):
        raise ValueError('its header is no table')
    return text


def _is_text(words: str) -> bool:
    """Whether UTF-8 can write it: JSON can name halves of characters."""
    return not any('\ud800' <= letter <= '\udfff' for letter in words)


def _outline(name: str, entry: Any) -> Tensor:
    """A tensor of the type and shape that the header tells.

    Raises
    ------
    ValueError
        If it tells none.
    """
    if not _is_text(name):
        raise ValueError(f'the name {name!r} is no text')
    if not isinstance(entry, dict) or entry.keys() != _FIELDS:
        raise ValueError(f'its header does not describe {name!r}')
    shape, kind = entry['shape'], entry['dtype']
    if not isinstance(kind, str) or kind not in _TYPES:
        raise ValueError(f'{name!r} holds numbers of an unknown type')
    # Sides beside one of 0 count as well: their product must not overflow.
    if (
        not isinstance(shape, list)
        or len(shape) > _AXES
        or not all(_is_count(side) for side in shape)
        or math.prod(max(side, 1) for side in shape) > _NUMBERS
    ):
        raise ValueError(f'{name!r} has no shape')
    return torch.empty(shape, dtype=_TYPES[kind], device='meta')


def _held(told: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> int:
    """Bytes of all tensors, which lie one behind the other.

    Raises
    ------
    ValueError
        If they do not, or take other places than their shapes need.
    """
    places = {name: entry['data_offsets'] for name, entry in told.items()}
    for name, place in places.items():
        if (
            not isinstance(place, list)
            or len(place) != 2
            or not all(_is_count(offset) for offset in place)
            or place[1] - place[0] != tensors[name].nbytes
        ):
            raise ValueError(
                f'the place of {name!r} is not one of '
                f'{tensors[name].nbytes} bytes'
            )
    held = 0
    for name, (start, end) in sorted(places.items(), key=lambda told: told[1]):
        if start != held:
            raise ValueError(
                f'{name!r} should follow at byte {held} of the tensors, and '
                'its header tells of another place'
            )
        held = end
    return held


def _is_count(value: Any) -> bool:
    # A bool is an int for Python and none for JSON.
    return type(value) is int and value >= 0
