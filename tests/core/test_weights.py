"""Our own weight files: what is stored comes back, what is damaged does not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from napari_sdcolor.core import weights
from napari_sdcolor.core.colornet import PAPER, RELEASED, ColorNetConfig
from napari_sdcolor.core.gridnet import GridNetConfig
from napari_sdcolor.core.weights import (
    digest_of,
    load_part,
    random_part,
    save_part,
)
from napari_sdcolor.errors import WeightsError

CONFIGS = {
    'color': replace(PAPER, widths=(2, 3, 2, 2, 2), label_channels=2),
    'segmentation': GridNetConfig(widths=(2, 3, 2), classes=60, size=176),
}
TRAINING = {'statement': 'made for a test', 'photos': 3}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A good file of narrow color weights."""
    path = tmp_path / 'narrow.safetensors'
    save_part(
        path, random_part('color', CONFIGS['color'], 0).network, TRAINING
    )
    return path


def parts_of(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    with safe_open(str(path), framework='pt') as file:
        names = file.keys()
        return {name: file.get_tensor(name) for name in names}, file.metadata()


@pytest.mark.parametrize('kind', CONFIGS)
@pytest.mark.parametrize('half', [True, False])
def test_round_trip(kind: str, half: bool, tmp_path: Path) -> None:
    network = random_part(kind, CONFIGS[kind], 4).network
    path = tmp_path / 'round.safetensors'
    digest = save_part(path, network, TRAINING, half=half)
    part = load_part(path, kind)
    assert part.kind == kind
    assert part.digest == digest
    assert part.training == TRAINING
    assert part.encoding == 'lightness'
    assert part.network.config == network.config
    assert not part.network.training
    found = part.network.state_dict()
    for name, tensor in network.state_dict().items():
        wanted = tensor.half().float() if half else tensor
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], wanted.to(tensor.dtype))
    assert part.facts()['tensors_sha256'] == digest
    json.dumps(part.facts())


def test_half_precision_halves_the_file(path: Path, tmp_path: Path) -> None:
    tensors, _ = parts_of(path)
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    network = load_part(path).network
    wide = tmp_path / 'wide.safetensors'
    save_part(wide, network, TRAINING, half=False)
    saved = wide.stat().st_size - path.stat().st_size
    assert saved == pytest.approx(
        2 * sum(tensor.numel() for tensor in tensors.values()), abs=100
    )


def test_authors_conventions_are_kept(tmp_path: Path) -> None:
    config = replace(RELEASED, widths=(2,) * 6)
    path = tmp_path / 'released.safetensors'
    network = random_part('color', config, 0).network
    save_part(path, network, {}, encoding='opencv', half=False)
    part = load_part(path)
    assert part.encoding == 'opencv'
    assert part.network.config == config


def test_nothing_is_left_beside_the_file(path: Path) -> None:
    assert list(path.parent.iterdir()) == [path]


def test_every_flipped_byte_is_noticed(path: Path) -> None:
    whole = path.read_bytes()
    header = 8 + int.from_bytes(whole[:8], 'little')
    rng = np.random.default_rng(0)
    places = np.concatenate(
        [
            np.arange(8),
            rng.choice(np.arange(8, header), 150, replace=False),
            rng.choice(np.arange(header, len(whole)), 60, replace=False),
            [len(whole) - 1],
        ]
    )
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(WeightsError, match=path.name):
            load_part(path)


def test_every_truncation_is_noticed(path: Path) -> None:
    whole = path.read_bytes()
    for length in np.linspace(0, len(whole) - 1, 40).astype(int):
        path.write_bytes(whole[:length])
        with pytest.raises(WeightsError, match='truncated'):
            load_part(path)
    path.write_bytes(whole + b'\0')
    with pytest.raises(WeightsError):
        load_part(path)


def test_the_wrong_kind_is_refused(path: Path) -> None:
    with pytest.raises(WeightsError, match='segmentation weights are needed'):
        load_part(path, 'segmentation')


@pytest.mark.parametrize('value', [torch.nan, torch.inf])
def test_weights_that_are_no_numbers_are_refused(
    value: float, tmp_path: Path
) -> None:
    network = random_part('color', CONFIGS['color'], 0).network
    network.final_conv.weight.data[0, 0, 1, 1] = value
    path = tmp_path / 'nan.safetensors'
    save_part(path, network, {})
    with pytest.raises(WeightsError, match='final_conv.weight.*NaN'):
        load_part(path)


def test_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match='no weights at'):
        load_part(tmp_path / 'nowhere.safetensors')


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError):
        load_part(tmp_path)


def test_safetensors_of_others_are_refused(tmp_path: Path) -> None:
    path = tmp_path / 'other.safetensors'
    save_file({'weight': torch.ones(3)}, path)
    with pytest.raises(WeightsError, match='not one of napari-sdcolor'):
        load_part(path)


@pytest.mark.parametrize(
    'changes',
    [
        {'kind': 'texture'},
        {'kind': None},
        {'encoding': 'ycbcr'},
        {'encoding': None},
        {'config': '{"widths": [], "classes": 60}'},
        {'config': '{"widths": [2, -2]}'},
        {'config': '[1, 2]'},
        {'config': 'null'},
        {'config': '{"width": 2}'},
        {
            'kind': 'segmentation',
            'config': '{"widths": [2, 2], "temperature": 0}',
        },
        {
            'kind': 'segmentation',
            'config': '{"widths": [2, 2], "temperature": NaN}',
        },
        {'config': 'not json'},
        {'training': 'not json'},
    ],
)
def test_descriptions_from_elsewhere_are_refused(
    changes: dict[str, str | None], path: Path
) -> None:
    """Well-formed files of a version that says other things of itself."""
    tensors, about = parts_of(path)
    about.update({key: text for key, text in changes.items() if text})
    for key, text in changes.items():
        if text is None:
            del about[key]
    about['seal'] = weights._seal(about)
    save_file(tensors, path, about)
    with pytest.raises(WeightsError, match='does not understand'):
        load_part(path)


def test_weights_from_before_temperatures(tmp_path: Path) -> None:
    path = tmp_path / 'old.safetensors'
    config = CONFIGS['segmentation']
    save_part(path, random_part('segmentation', config, 0).network, TRAINING)
    tensors, about = parts_of(path)
    known = json.loads(about['config'])
    assert known.pop('temperature') == 1
    about['config'] = json.dumps(known, sort_keys=True)
    about['seal'] = weights._seal(about)
    save_file(tensors, path, about)
    assert load_part(path).network.config == config


def test_a_changed_description_is_noticed(path: Path) -> None:
    tensors, about = parts_of(path)
    config = json.loads(about['config'])
    about['config'] = json.dumps({**config, 'slope': 0.9}, sort_keys=True)
    save_file(tensors, path, about)
    with pytest.raises(WeightsError, match='damaged'):
        load_part(path)


@pytest.mark.parametrize('fault', ['missing', 'extra', 'shape'])
def test_tensors_that_do_not_fit_are_refused(fault: str, path: Path) -> None:
    tensors, about = parts_of(path)
    if fault == 'missing':
        del tensors['final_conv.weight']
    elif fault == 'extra':
        tensors['spare'] = torch.ones(2)
    else:
        tensors['final_conv.weight'] = torch.ones(2, 2)
    about['sha256'] = digest_of(tensors)
    about['seal'] = weights._seal(about)
    save_file(tensors, path, about)
    with pytest.raises(WeightsError, match='does not fit'):
        load_part(path)


def test_digest_sees_names_shapes_types_and_values() -> None:
    tensors = [
        {'a': torch.zeros(2, 3)},
        {'b': torch.zeros(2, 3)},
        {'a': torch.zeros(3, 2)},
        {'a': torch.zeros(2, 3, dtype=torch.int32)},
        {'a': torch.tensor([[0, 0, 0], [0, 0, 1e-30]])},
        {'a': torch.zeros(2, 3), 'b': torch.zeros(1)},
    ]
    assert len({digest_of(one) for one in tensors}) == len(tensors)
    same = {'b': torch.ones(1), 'a': torch.zeros(2)}
    assert digest_of(same) == digest_of(dict(reversed(same.items())))


def test_random_weights_depend_on_the_seed_alone() -> None:
    config = ColorNetConfig(widths=(2, 2, 2))
    one, same, other = (random_part('color', config, s) for s in (1, 1, 2))
    assert one.digest == same.digest != other.digest
