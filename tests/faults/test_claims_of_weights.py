"""Whatever a file of weights claims: a sentence, little memory, little time."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from napari_sdcolor.cli import app
from napari_sdcolor.core import weights
from napari_sdcolor.core.weights import load_part
from napari_sdcolor.errors import WeightsError

from .memory_use import megabytes

Generator = np.random.Generator
Header = dict[str, Any]

HUGE = (0, -1, 2**16, 2**31, 2**40, 2**63, 10**30, 1e300, True, None, '9', [])
TYPES = ('F64', 'F32', 'I64', 'BOOL', 'F8_E4M3', 'F4', '', 7, None, ['F32'])


def flipped(data: bytes, rng: Generator) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.integers(1, 9)):
        changed[rng.integers(len(data))] ^= 1 << rng.integers(8)
    return bytes(changed)


def header_flipped(data: bytes, rng: Generator) -> bytes:
    changed = bytearray(data)
    end = 8 + int.from_bytes(data[:8], 'little')
    changed[rng.integers(end)] = rng.integers(256)
    return bytes(changed)


def truncated(data: bytes, rng: Generator) -> bytes:
    return data[: rng.integers(len(data))]


def longer(data: bytes, rng: Generator) -> bytes:
    return data + rng.bytes(rng.integers(1, 99))


def _tensor(header: Header, rng: Generator) -> Header:
    names = sorted(header.keys() - {'__metadata__'})
    return header[names[rng.integers(len(names))]]


def _any(values: tuple, rng: Generator) -> Any:
    return values[rng.integers(len(values))]


def huge_shape(header: Header, rng: Generator) -> None:
    tensor = _tensor(header, rng)
    tensor['shape'] = [_any(HUGE, rng) for _ in range(rng.integers(1, 9))]


def many_axes(header: Header, rng: Generator) -> None:
    _tensor(header, rng)['shape'] = [1] * 10**5


def wrong_type(header: Header, rng: Generator) -> None:
    _tensor(header, rng)['dtype'] = _any(TYPES, rng)


def wrong_place(header: Header, rng: Generator) -> None:
    _tensor(header, rng)['data_offsets'] = [_any(HUGE, rng), _any(HUGE, rng)]


def config_field(header: Header, rng: Generator) -> None:
    """Sealed anew, as somebody does who knows how."""
    about = header['__metadata__']
    config = json.loads(about['config'])
    field = _any(sorted(config), rng)
    # A slope of 0 is one that a network may have.
    numbers = HUGE[1:] if field == 'slope' else HUGE
    config[field] = _any(
        (*numbers, [2**20] * 8, [2**31, 2], [1] * 99, 'x' * 10**6), rng
    )
    _seal(about, 'config', config)


def training_field(header: Header, rng: Generator) -> None:
    deep: Any = 0
    for _ in range(400):
        deep = [deep]
    _seal(header['__metadata__'], 'training', _any((deep, [], 3, None), rng))


def _seal(about: dict[str, str], name: str, value: Any) -> None:
    about[name] = json.dumps(value)
    about['seal'] = weights._seal(about)


def about_gone(header: Header, rng: Generator) -> None:
    about = header['__metadata__']
    del about[_any(sorted(about), rng)]
    about['seal'] = weights._seal(about)


def unexpected_tensors(header: Header, rng: Generator) -> None:
    empty = {'dtype': 'F32', 'shape': [0], 'data_offsets': [0, 0]}
    header |= {f'more.{number}': empty for number in range(3000)}


BYTES = (flipped, header_flipped, truncated, longer)
CLAIMS = (
    *(huge_shape, many_axes, wrong_type, wrong_place, config_field),
    *(training_field, about_gone, unexpected_tensors),
)


def claiming(
    change: Callable[[Header, Generator], None],
) -> Callable[[bytes, Generator], bytes]:
    """With a header that says something else, of a fitting length."""

    def changed(data: bytes, rng: Generator) -> bytes:
        end = 8 + int.from_bytes(data[:8], 'little')
        header = json.loads(data[8:end])
        change(header, rng)
        text = json.dumps(header).encode()
        text += b' ' * (-len(text) % 8)
        return len(text).to_bytes(8, 'little') + text + data[end:]

    return changed


KINDS = {
    **{kind.__name__: kind for kind in BYTES},
    **{claim.__name__: claiming(claim) for claim in CLAIMS},
}


THEIRS = re.compile(
    'Error|invalid|missing field|duplicate field|expected|deserializ|JSON in'
)
"""What the library safetensors says, and a person cannot use."""


def assert_refused(path: Path, words: str) -> None:
    assert str(path) in words
    assert words.endswith('.')
    assert len(words) < 1000
    assert not THEIRS.search(words.replace(str(path), '')), words


@pytest.mark.parametrize('part', ['color', 'segmentation'])
@pytest.mark.parametrize('kind', KINDS)
def test_claims_are_not_believed(
    kind: str,
    part: str,
    tiny_parts: dict[str, Path],
    tmp_path: Path,
    thorough: bool,
    tried: Callable[..., None],
) -> None:
    rng = np.random.default_rng(list(KINDS).index(kind))
    data = tiny_parts[part].read_bytes()
    whole = load_part(tiny_parts[part])
    path = tmp_path / 'odd.safetensors'
    before, refused = megabytes(), 0
    for _ in range(100 if thorough else 4):
        tried()
        path.write_bytes(KINDS[kind](data, rng))
        began = time.process_time()
        try:
            found = load_part(path)
        except WeightsError as error:
            assert_refused(path, str(error))
            refused += 1
        else:
            # What is not sealed says nothing of what is computed.
            assert found.digest == whole.digest
            assert found.facts()['config'] == whole.facts()['config']
        assert time.process_time() - began < 5
    assert refused
    assert megabytes() - before < 150


DEEP = '[' * 300 + ']' * 300
ODD = (
    *('null', 'true', 'false', '""', '"F32"', '[]', '{}', '[[]]', '[null]'),
    *('0', '-0', '1', '-1', '2.0', '1e2', '1e999', '9' * 30, '9' * 5000),
    *('NaN', 'Infinity', '[0]', '[0, 0]', '[-0, 0]', '[0, 4.0]', '[true]'),
    *('[0, 0, 0]', '[4, 0]', '[0, 1e2]', '["0", "4"]', '[-4, 0]', '[0, NaN]'),
    *(f'[0, {2**64}]', f'[{2**63}, {2**63}]', f'[{2**40}, {2**40}, 0]'),
    *('[1, 1, 1, 1, 1, 1, 1, 1, 1]', '{"0": 0}', DEEP, '\\', '"\\ud800"'),
)
"""JSON that no field of a tensor holds, or only by chance."""

LENGTHS = (0, 1, 2, 7, 8, 2**24, 2**24 + 1, 2**31, 2**63, 2**64 - 1)


def odd_headers(text: str) -> Iterator[str | bytes]:
    """The same header with one thing in it that should not be there.

    Parameters
    ----------
    text
        A header of at least two tensors.
    """
    header = json.loads(text)
    about = json.dumps(header.pop('__metadata__'))
    first, second, *_ = sorted(
        header, key=lambda name: header[name]['data_offsets']
    )

    def told(**others: str) -> str:
        parts = {name: json.dumps(entry) for name, entry in header.items()}
        pairs = {'__metadata__': about} | parts | others
        return (
            f'{{{", ".join(f"{json.dumps(k)}: {pairs[k]}" for k in pairs)}}}'
        )

    for name, field in itertools.product(
        (first, second), ('dtype', 'shape', 'data_offsets')
    ):
        fields = {k: json.dumps(v) for k, v in header[name].items()}
        for odd in ODD:
            pairs = (fields | {field: odd}).items()
            entry = ', '.join(f'"{key}": {value}' for key, value in pairs)
            yield told(**{name: f'{{{entry}}}'})
            # Named twice: the first is as it should be.
            twice = json.dumps(header[name])[:-1]
            yield told(**{name: f'{twice}, "{field}": {odd}}}'})
        del fields[field]
        yield told(**{name: json.dumps(fields)})
        yield told(**{name: json.dumps({**header[name], field.upper(): 0})})
    for odd in ODD:
        yield odd
        yield told(**{second: odd})
        yield told(more=odd)
        yield told(__metadata__=odd)
        yield told(__metadata__=f'{{"format": {odd}}}')
        yield f'{text[:-1]}, "__metadata__": {odd}}}'
        yield f'{text[:-1]}, {json.dumps(first)}: {odd}}}'
    size, place = 'shape', 'data_offsets'
    end = max(entry[place][1] for entry in header.values())
    for start, shape in itertools.product((0, 1, end, end + 1), (0, 1)):
        entry = {'dtype': 'U8', size: [shape], place: [start, start + shape]}
        yield told(more=json.dumps(entry))
    one, two = header[first], header[second]
    yield told(
        **{
            first: json.dumps({**one, place: two[place]}),
            second: json.dumps({**two, place: one[place]}),
        }
    )
    yield told(**{second: json.dumps({**two, place: one[place]})})
    yield from (
        text.encode(name) for name in ('utf-16', 'utf-16-le', 'utf-32')
    )
    yield b'\xef\xbb\xbf' + text.encode()
    yield from (mark + text for mark in (' ', '\n', '\0', '[', ','))
    yield from (text + mark for mark in ('\0', '}', ',', '{}', 'x', '\x0c'))
    yield text.replace('"', "'")
    yield text.replace(', ', ',')
    yield text.replace(first, first[0] + '\\ud800', 1)


def odd_lengths(data: bytes) -> Iterator[bytes]:
    """The same file with another length of its header."""
    told = int.from_bytes(data[:8], 'little')
    for length in (*LENGTHS, told - 1, told + 1, told + 8, len(data)):
        yield length.to_bytes(8, 'little') + data[8:]


def test_a_header_is_read_as_the_format_has_it(
    tiny_parts: dict[str, Path], tmp_path: Path, thorough: bool
) -> None:
    """Whatever is odd in it: the same weights, or a sentence of ours."""
    data = tiny_parts['color'].read_bytes()
    whole = load_part(tiny_parts['color'])
    end = 8 + int.from_bytes(data[:8], 'little')
    texts = [
        text if isinstance(text, bytes) else text.encode()
        for text in odd_headers(data[8:end].decode().rstrip())
    ]
    files = [
        len(text).to_bytes(8, 'little') + text + data[end:] for text in texts
    ]
    files += odd_lengths(data)
    assert len(files) > 700
    path, refused = tmp_path / 'odd.safetensors', 0
    for odd in files if thorough else files[::7]:
        path.write_bytes(odd)
        try:
            found = load_part(path)
        except WeightsError as error:
            assert_refused(path, str(error))
            refused += 1
        else:
            assert found.digest == whole.digest
    assert refused


@pytest.mark.parametrize(
    'kind',
    ['truncated', 'longer', 'huge_shape', 'wrong_type', 'unexpected_tensors'],
)
def test_none_is_added(
    kind: str,
    tiny_parts: dict[str, Path],
    tmp_path: Path,
    models_folder: Path,
) -> None:
    rng = np.random.default_rng(5)
    path = tmp_path / 'odd.safetensors'
    data = tiny_parts['color'].read_bytes()
    words = ['models', 'add', str(path), '--name', 'odd', '--json']
    path.write_bytes(KINDS[kind](data, rng))
    result = CliRunner().invoke(app, words)
    assert result.exit_code in (1, 2), result.output
    assert isinstance(result.exception, SystemExit)
    assert_refused(path, json.loads(result.stdout)['error'])
    assert not [*models_folder.iterdir()]
