"""Our own weights: safetensors with the configuration and a digest inside.

A *model* is a name with a color part, a segmentation part or both; what is
missing is taken from the bundled model ``default``.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from napari_sdcolor.core.building import (
    Network,
    build,
    fill,
    kind_of,
    outline,
    refuse_unfit,
    weights_of,
)
from napari_sdcolor.core.weight_header import (
    Header,
    header_length,
    parse_header,
)
from napari_sdcolor.errors import UnfitWeights, WeightsError, said
from napari_sdcolor.files import write_new
from napari_sdcolor.memory import free_memory
from napari_sdcolor.opening import open_regular, parse_json

ENCODINGS = ('lightness', 'opencv')
FORMAT = 'napari-sdcolor 1'

_BYTES_PER_NUMBER = 16
"""Most that reading takes: stored, unpacked, as float32, in the network."""


@dataclass(frozen=True)
class Part:
    """One network with what is known about its weights.

    Parameters
    ----------
    kind
        'color', 'segmentation' or 'features'.
    network
        In evaluation mode, float32, on the CPU.
    digest
        SHA-256 over all tensors, however they are stored.
    encoding
        'lightness' if gray values are L*/100 and chroma is ab/128, 'opencv'
        for the conventions of the authors' program.
    training
        Statement on how and with what the weights were made.
    name
        Where they came from.
    file_sha256
        Of the file that they were read from; empty if there was none.
    features
        ``digest`` of the photo features that the network was trained with;
        empty if it reads none.
    path
        The file of ours that they were read from; None if there was none.
    """

    kind: str
    network: Network
    digest: str
    encoding: str = 'lightness'
    training: Mapping[str, Any] = field(default_factory=dict)
    name: str = ''
    file_sha256: str = ''
    features: str = ''
    path: Path | None = None

    def facts(self) -> dict[str, Any]:
        """What a sidecar records."""
        facts = {
            'name': self.name,
            'file_sha256': self.file_sha256,
            'tensors_sha256': self.digest,
            'encoding': self.encoding,
            'config': self.network.config.to_dict(),
            'training': dict(self.training),
        }
        if self.features:
            facts['features_sha256'] = self.features
        return facts


def digest_of(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and bytes of all tensors."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        # A copy, since a view of one number may call itself contiguous.
        tensor = tensors[name].detach().cpu()
        tensor = tensor.clone(memory_format=torch.contiguous_format)
        head = f'{name} {tensor.dtype} {tuple(tensor.shape)}\n'
        digest.update(head.encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def stored_tensors(network: Network, half: bool = True) -> dict[str, Tensor]:
    """What a file of weights holds: copies, in half precision if wanted.

    Weights of which one is too large for half precision stay as they are.
    """
    tensors = {
        name: tensor.detach().cpu().contiguous().clone()
        for name, tensor in weights_of(network).items()
    }
    if not half:
        return tensors
    halves = {name: tensor.half() for name, tensor in tensors.items()}
    fits = all(
        torch.equal(halves[name].isfinite(), tensor.isfinite())
        for name, tensor in tensors.items()
    )
    return halves if fits else tensors


def _seal(about: Mapping[str, str]) -> str:
    """SHA-256 over what a file says about itself."""
    words = {name: text for name, text in about.items() if name != 'seal'}
    return hashlib.sha256(
        json.dumps(words, sort_keys=True).encode()
    ).hexdigest()


def save_part(
    path: Path,
    network: Network,
    training: Mapping[str, Any],
    *,
    encoding: str = 'lightness',
    half: bool = True,
    features: str = '',
) -> str:
    """Write weights with their configuration, and return their digest.

    Parameters
    ----------
    path
        Ends in ``.safetensors``; never replaced.
    training
        Statement on data, recipe and figures; JSON-serializable.
    half
        Store half precision, if all values fit into it.
    features
        Digest of the photo features that it was trained with, if it reads
        some.

    Raises
    ------
    SaveError
        If the disk does not take it.
    """
    tensors = stored_tensors(network, half)
    digest = digest_of(tensors)
    about = {
        'format': FORMAT,
        'kind': kind_of(network),
        'encoding': encoding,
        'config': json.dumps(network.config.to_dict(), sort_keys=True),
        'training': json.dumps(dict(training), sort_keys=True),
        'sha256': digest,
    }
    if features:
        about['features'] = features
    _write(path, tensors, about)
    return digest


def describe_again(
    source: Path,
    target: Path,
    config: Mapping[str, Any],
    training: Mapping[str, Any],
) -> None:
    """Copy weights with another description; the tensors stay bit for bit.

    Parameters
    ----------
    source
        A file that ``load_part`` takes.
    target
        Ends in ``.safetensors``; never replaced.
    config, training
        What it says instead of its network and of its training.
    """
    about, tensors = _read(source)
    about['config'] = json.dumps(dict(config), sort_keys=True)
    about['training'] = json.dumps(dict(training), sort_keys=True)
    _write(target, tensors, about)


def _write(
    path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, str]
) -> None:
    about = {**about, 'seal': _seal(about)}
    write_new(path, save(dict(tensors), about))


def load_part(path: Path, kind: str | None = None) -> Part:
    """Read weights, check them, and build their network.

    Parameters
    ----------
    path
        A safetensors file that ``save_part`` wrote.
    kind
        Refuse weights of the other kind.

    Raises
    ------
    WeightsError
        If the file is missing, truncated, damaged, not ours or of the
        wrong kind. Never returns half-loaded networks.
    """
    with _opened(path) as (header, stream):
        about = header.about
        if about.get('seal') != _seal(about):
            raise WeightsError(
                f'{path} is damaged: what it says about itself does not '
                'match its recorded SHA-256. Get the file again.'
            )
        described, network = _described(path, about)
        if kind is not None and described['kind'] != kind:
            raise UnfitWeights(
                f'{path} holds {described["kind"]} weights, but {kind} '
                'weights are needed.'
            )
        # Before anything of that size is built or read.
        refuse_unfit(network, header.tensors, str(path))
        _refuse_beyond_memory(path, header)
        # Once: what is computed with is what the hash is of.
        data = stream.read()
        tensors = _loaded(data)
    digest = digest_of(tensors)
    if digest != about.get('sha256'):
        raise WeightsError(
            f'{path} is damaged: its tensors do not match their recorded '
            'SHA-256. Get the file again.'
        )
    network = build(described['kind'], network.config.to_dict())
    fill(network, tensors, str(path))
    return Part(
        **described,
        network=network,
        digest=digest,
        name=path.name,
        file_sha256=hashlib.sha256(data).hexdigest(),
        path=path,
    )


def _described(
    path: Path, about: Mapping[str, str]
) -> tuple[dict[str, Any], Network]:
    """The fields of a ``Part`` that a file tells in words, and its outline.

    Raises
    ------
    WeightsError
        If it does not tell one, or this version does not know it.
    """
    try:
        missing = {'kind', 'config', 'training', 'encoding'} - about.keys()
        if missing:
            raise ValueError(f'it does not name its {min(missing)}')
        network = outline(about['kind'], parse_json(about['config']))
        training = parse_json(about['training'])
        if not isinstance(training, dict):
            raise ValueError('its training record is no table')
        if about['encoding'] not in ENCODINGS:
            raise ValueError(f'unknown encoding {about["encoding"]!r}')
        features = about.get('features', '')
        if bool(features) != bool(getattr(network.config, 'features', ())):
            raise ValueError('it reads features and names none, or reversely')
    except ValueError as error:
        raise WeightsError(
            f'{path} describes itself in a way that this version does not '
            f'understand: {said(error)}. Install a newer version, or take '
            'other weights.'
        ) from error
    described = {
        'kind': about['kind'],
        'encoding': about['encoding'],
        'training': training,
        'features': features,
    }
    return described, network


def _refuse_beyond_memory(path: Path, header: Header) -> None:
    needed, free = header.numbers * _BYTES_PER_NUMBER, free_memory()
    if needed > free:
        raise WeightsError(
            f'{path} needs {needed / 1e6:.0f} MB of memory to be read, and '
            f'{free / 1e6:.0f} MB are free. Close other programs, or take '
            'smaller weights.'
        )


def read_about(path: Path) -> dict[str, str]:
    """What a file of weights says about itself, without its tensors.

    Raises
    ------
    WeightsError
        If the file is missing, no safetensors file or not ours.
    """
    with _opened(path) as (header, _):
        return dict(header.about)


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    with _opened(path) as (header, stream):
        _refuse_beyond_memory(path, header)
        return dict(header.about), _loaded(stream.read())


def _loaded(data: bytes) -> dict[str, Tensor]:
    try:
        return load(data)
    except SafetensorError as error:
        # Spellings are left that this program's JSON knows and theirs not.
        raise ValueError('its header is spelled in an unknown way') from error


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Header, BinaryIO]]:
    """A file of ours at its beginning, and what it says that it holds."""
    try:
        with open_regular(path) as stream:
            size = os.fstat(stream.fileno()).st_size
            start = stream.read(8)
            start += stream.read(header_length(start) - len(start))
            header = parse_header(start, size)
            if header.about.get('format') != FORMAT:
                raise WeightsError(
                    f'{path} is a safetensors file, but not one of '
                    "napari-sdcolor. Authors' checkpoints (.pth.tar) are "
                    'added with "sdcolor models add".'
                )
            stream.seek(0)
            yield header, stream
    except FileNotFoundError as error:
        raise UnfitWeights(f'There are no weights at {path}.') from error
    except (OSError, ValueError) as error:
        raise WeightsError(
            f'{path} cannot be read as weights ({said(error)}). It is '
            'truncated, damaged or something else; get the file again.'
        ) from error


def random_part(kind: str, config: Any, seed: int) -> Part:
    """A network with random weights, for tests and benchmarks.

    Convolutions keep the variance of their input (He initialization), so
    that the output is neither zero nor overflowing; the color network's
    last one is weaker, so that its chroma is about that of photos.
    """
    network = build(kind, config.to_dict())
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        weight = getattr(module, 'weight', None)
        if weight is None or weight.dim() < 2:
            continue
        fan_in = weight[0].numel() if weight.dim() == 4 else 1
        if isinstance(module, torch.nn.ConvTranspose2d):
            fan_in = weight.shape[0] * 9 / 4
        with torch.no_grad():
            weight.normal_(0, float(np.sqrt(2 / fan_in)), generator=generator)
    if kind == 'color':
        with torch.no_grad():
            network.final_conv.weight.mul_(1 / 16)
    network.eval().requires_grad_(False)
    tensors = network.state_dict()
    return Part(
        kind=kind,
        network=network,
        digest=digest_of(tensors),
        training={'statement': f'random weights, seed {seed}'},
        name=f'random-{seed}',
    )
