"""Files of weights that claim more than they hold, or than there can be."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from napari_sdcolor.core import weights
from napari_sdcolor.core.colornet import ColorNet, ColorNetConfig
from napari_sdcolor.core.features import FeaturesConfig
from napari_sdcolor.core.gridnet import GridNetConfig
from napari_sdcolor.core.weights import (
    digest_of,
    load_part,
    random_part,
    read_about,
    save_part,
    stored_tensors,
)
from napari_sdcolor.errors import WeightsError

CONFIGS: dict[str, Any] = {
    'color': ColorNetConfig(widths=(2, 3)),
    'segmentation': GridNetConfig(widths=(2, 3), columns=2),
    'features': FeaturesConfig(),
}


def write(
    path: Path,
    tensors: dict[str, torch.Tensor],
    config: object,
    kind: str = 'color',
) -> Path:
    """A sealed file that says whatever is wanted."""
    about = {
        'format': weights.FORMAT,
        'kind': kind,
        'encoding': 'lightness',
        'config': json.dumps(config),
        'training': '{}',
        'sha256': digest_of(tensors),
    }
    about['seal'] = weights._seal(about)
    path.write_bytes(save(tensors, about))
    return path


@pytest.fixture
def never_built(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(kind: str, config: object) -> None:
        raise AssertionError('a network was built')

    monkeypatch.setattr(weights, 'build', build)


@pytest.mark.usefixtures('never_built')
def test_a_giant_of_a_few_bytes_is_never_built(tmp_path: Path) -> None:
    giant = {**asdict(ColorNetConfig()), 'widths': [4096] * 8}
    path = write(tmp_path / 'giant.safetensors', {'x': torch.ones(1)}, giant)
    assert path.stat().st_size < 1000
    with pytest.raises(WeightsError, match='does not fit the network'):
        load_part(path)


@pytest.mark.parametrize(
    ('kind', 'field', 'value'),
    [
        ('color', 'preset', 'poster'),
        ('color', 'preset', ['paper']),
        ('color', 'widths', 5),
        ('color', 'widths', []),
        ('color', 'widths', [2] * 9),
        ('color', 'widths', [2, 3.0]),
        ('color', 'widths', [2, True]),
        ('color', 'widths', [2, 10**9]),
        ('color', 'widths', [0, 2]),
        ('color', 'slope', '0.1'),
        ('color', 'slope', 7),
        ('color', 'slope', float('nan')),
        ('color', 'label_channels', -1),
        ('color', 'label_channels', 10**9),
        ('color', 'label_channels', 1.5),
        ('color', 'instance_norm', 1),
        ('color', 'features', [2] * 9),
        ('color', 'features', 'many'),
        ('segmentation', 'columns', 1),
        ('segmentation', 'columns', 10**9),
        ('segmentation', 'classes', 0),
        ('segmentation', 'classes', 10**9),
        ('segmentation', 'size', 10**9),
        ('segmentation', 'size', 0),
        ('segmentation', 'temperature', True),
        ('segmentation', 'temperature', 1e300),
        ('features', 'backbone', None),
        ('features', 'size', 10**9),
        ('features', 'size', '256'),
        ('features', 'depth', 3),
    ],
)
@pytest.mark.usefixtures('never_built')
def test_fields_out_of_range_are_refused(
    kind: str, field: str, value: object, tmp_path: Path
) -> None:
    config = {**asdict(CONFIGS[kind]), field: value}
    path = write(tmp_path / 'odd.safetensors', {}, config, kind)
    with pytest.raises(WeightsError, match='does not understand') as caught:
        load_part(path)
    assert 'Error' not in str(caught.value)
    if value == value:  # JSON with NaN is refused as a whole
        assert field in str(caught.value)


def test_numbers_without_fractions_are_no_weights(tmp_path: Path) -> None:
    config = CONFIGS['color']
    tensors = {
        name: tensor.int()
        for name, tensor in ColorNet(config).state_dict().items()
    }
    path = write(tmp_path / 'ints.safetensors', tensors, config.to_dict())
    with pytest.raises(WeightsError, match='type that no weights have'):
        load_part(path)


@pytest.mark.parametrize(
    'header',
    [
        b'[]',
        b'{"__metadata__": 3}',
        b'{"__metadata__": {"format": 3}}',
        b'{"x": 3}',
        b'{"x": {"dtype": ["F32"], "shape": []}}',
        b'{"x": {"dtype": "F32", "shape": [-1]}}',
        b'{"x": {"dtype": "F32", "shape": [1e9]}}',
        b'{"x": {"dtype": "F32", "shape": [4294967296, 4294967296]}}',
        b'{"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}',
        b'{"x": {"dtype": "F32", "shape": [0]}}',
        b'{"x": {"dtype": "F32", "shape": [0], "data_offsets": 0}}',
        b'{"x": {"dtype": "F32", "shape": [0], "data_offsets": [0]}}',
        b'{"x": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0.0]}}',
        b'{"x": {"dtype": "F32", "shape": [0], "data_offsets": [false, 0]}}',
        b'{"x": {"dtype": "F32", "shape": [0], "data_offsets": [4, 4]}}',
        b'{"x": {"dtype": "F32", "shape": [0], "data_offsets": [4, 0]}}',
        b'{"x": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0], "y": 0}}',
        b'{"\\ud800": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}',
        b'{"__metadata__": {"format": "\\ud800"}}',
        b'{"__metadata__": {"format": "x"}, "__metadata__": {}}',
        b' {}',
        '{}'.encode('utf-16-le'),
        b'[' * 100_000,
        b'\xff\xfe',
    ],
)
@pytest.mark.parametrize('read', [load_part, read_about])
def test_headers_that_cannot_be_are_refused(
    read: Any, header: bytes, tmp_path: Path
) -> None:
    path = tmp_path / 'odd.safetensors'
    path.write_bytes(len(header).to_bytes(8, 'little') + header)
    with pytest.raises(WeightsError, match='cannot be read as weights'):
        read(path)


def test_a_header_without_end_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / 'long.safetensors'
    with path.open('wb') as stream:
        stream.write((2**30).to_bytes(8, 'little'))
        stream.truncate(2**31)
    with pytest.raises(WeightsError, match='cannot be read as weights'):
        read_about(path)


def test_weights_beyond_the_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / 'a.safetensors'
    save_part(path, random_part('color', CONFIGS['color'], 0).network, {})
    monkeypatch.setattr(weights, 'free_memory', int)
    with pytest.raises(WeightsError, match='of memory') as caught:
        load_part(path)
    assert path.name in str(caught.value)


@pytest.mark.skipif(sys.platform == 'win32', reason='no named pipes')
def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / 'pipe.safetensors'
    os.mkfifo(path)
    with pytest.raises(WeightsError, match='named pipe'):
        load_part(path)


def test_the_hash_is_of_what_was_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another file takes the name while the first one is being read."""
    first, second = tmp_path / 'a.safetensors', tmp_path / 'b.safetensors'
    for seed, path in enumerate((first, second)):
        network = random_part('color', CONFIGS['color'], seed).network
        save_part(path, network, {})
    calm = load_part(first)
    real = weights.load

    def load(data: bytes) -> dict[str, torch.Tensor]:
        os.replace(second, first)
        return real(data)

    monkeypatch.setattr(weights, 'load', load)
    part = load_part(first)
    assert (part.digest, part.file_sha256) == (calm.digest, calm.file_sha256)


def test_values_beyond_half_precision_stay_as_they_are(
    tmp_path: Path,
) -> None:
    network = random_part('color', CONFIGS['color'], 0).network
    assert {t.dtype for t in stored_tensors(network).values()} == {
        torch.float16
    }
    network.final_conv.weight.data[0, 0, 0, 0] = 70_000
    path = tmp_path / 'large.safetensors'
    digest = save_part(path, network, {})
    part = load_part(path)
    assert part.digest == digest == digest_of(stored_tensors(network))
    assert part.network.final_conv.weight[0, 0, 0, 0] == 70_000
