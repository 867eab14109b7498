"""Our own weights: safetensors with the configuration and a digest inside.

A *model* is a name with a color part, a segmentation part or both; what is
missing is taken from the bundled model ``default``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from napari_sdcolor.core.colornet import ColorNet, ColorNetConfig
from napari_sdcolor.core.featuregrid import FeatureGridNet
from napari_sdcolor.core.features import FeaturesConfig, PhotoFeatures
from napari_sdcolor.core.gridnet import GridNet, GridNetConfig
from napari_sdcolor.errors import UnfitWeights, WeightsError, said
from napari_sdcolor.files import explaining, publish, sha256_of

ENCODINGS = ('lightness', 'opencv')
FORMAT = 'napari-sdcolor 1'

Network = ColorNet | GridNet | FeatureGridNet | PhotoFeatures


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
    """

    kind: str
    network: Network
    digest: str
    encoding: str = 'lightness'
    training: Mapping[str, Any] = field(default_factory=dict)
    name: str = ''
    file_sha256: str = ''
    features: str = ''

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
    """What a file of weights holds: copies, in half precision if wanted."""
    tensors = {}
    for name, tensor in network.state_dict().items():
        if name.endswith('num_batches_tracked'):
            continue
        tensor = tensor.detach().cpu().contiguous().clone()
        tensors[name] = tensor.half() if half else tensor
    return tensors


def build(kind: str, config: Mapping[str, Any]) -> Network:
    """An untrained network of a configuration as stored in a file.

    Raises
    ------
    ValueError
        If there is no such kind of network.
    """
    fields = dict(config)
    if kind == 'color':
        return ColorNet(ColorNetConfig.from_dict(fields))
    if kind == 'features':
        return PhotoFeatures(FeaturesConfig.from_dict(fields))
    if kind == 'segmentation':
        grid = GridNetConfig.from_dict(fields)
        return FeatureGridNet(grid) if grid.features else GridNet(grid)
    raise ValueError(f'unknown kind {kind!r}')


def kind_of(network: Network) -> str:
    """One of ``model_files.KINDS``; TypeError where it has none."""
    if isinstance(network, ColorNet):
        return 'color'
    if isinstance(network, PhotoFeatures):
        return 'features'
    if isinstance(network, GridNet | FeatureGridNet):
        return 'segmentation'
    raise TypeError(f'{type(network).__name__} is no network of a model')


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
        Store half precision.
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
    with explaining(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    publish([(path, save(dict(tensors), about))])


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
    about, tensors = _read(path)
    if about.get('seal') != _seal(about):
        raise WeightsError(
            f'{path} is damaged: what it says about itself does not match '
            'its recorded SHA-256. Get the file again.'
        )
    try:
        found = about['kind']
        network = build(found, json.loads(about['config']))
        training = json.loads(about['training'])
        encoding = about['encoding']
        if encoding not in ENCODINGS:
            raise ValueError(f'unknown encoding {encoding!r}')
        features = about.get('features', '')
        if bool(features) != bool(getattr(network.config, 'features', ())):
            raise ValueError('it reads features and names none, or reversely')
    except (LookupError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f'{path} describes itself in a way that this version does not '
            f'understand ({error!r}).'
        ) from error
    if kind is not None and found != kind:
        raise UnfitWeights(
            f'{path} holds {found} weights, but {kind} weights are needed.'
        )
    digest = digest_of(tensors)
    if digest != about.get('sha256'):
        raise WeightsError(
            f'{path} is damaged: its tensors do not match their recorded '
            'SHA-256. Get the file again.'
        )
    fill(network, tensors, str(path))
    return Part(
        kind=found,
        network=network,
        digest=digest,
        encoding=encoding,
        training=training,
        name=path.name,
        file_sha256=sha256_of(path),
        features=features,
    )


def read_about(path: Path) -> dict[str, str]:
    """What a file of weights says about itself, without its tensors.

    Raises
    ------
    WeightsError
        If the file is missing, no safetensors file or not ours.
    """
    with _opened(path) as (about, _):
        return about


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    with _opened(path) as (about, file):
        names = file.keys()
        return about, {name: file.get_tensor(name) for name in names}


@contextmanager
def _opened(path: Path) -> Iterator[tuple[dict[str, str], safe_open]]:
    try:
        with safe_open(str(path), framework='pt', device='cpu') as file:
            about = file.metadata() or {}
            if about.get('format') != FORMAT:
                raise WeightsError(
                    f'{path} is a safetensors file, but not one of '
                    "napari-sdcolor. Authors' checkpoints (.pth.tar) are "
                    'added with "sdcolor models add".'
                )
            yield about, file
    except FileNotFoundError as error:
        raise UnfitWeights(f'There are no weights at {path}.') from error
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f'{path} cannot be read as weights ({said(error)}). It is truncated, '
            'damaged or something else; get the file again.'
        ) from error


def differing(
    own: Mapping[str, Tensor], other: Mapping[str, Tensor]
) -> list[str]:
    """Tensors that only one of two networks has, or of another shape."""
    return sorted(
        name
        for name in own.keys() | other.keys()
        if name not in own
        or name not in other
        or own[name].shape != other[name].shape
    )


def fill(network: Network, tensors: Mapping[str, Tensor], source: str) -> None:
    """Put tensors into a network, strictly, as float32.

    Raises
    ------
    WeightsError
        If a name is missing or too many, a shape differs, or a value is
        no finite number.
    """
    wanted = {
        name: tensor
        for name, tensor in network.state_dict().items()
        if not name.endswith('num_batches_tracked')
    }
    wrong = differing(wanted, tensors)
    if wrong:
        raise WeightsError(
            f'{source} does not fit the network: {len(wrong)} tensors are '
            f'missing, unknown or of another shape, first {wrong[0]!r}. Take '
            'the file that was made for this network.'
        )
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise WeightsError(
                f'{source} is damaged: {name!r} holds NaN or infinity. Get '
                'the file again.'
            )
    network.load_state_dict(
        {name: tensor.float() for name, tensor in tensors.items()},
        strict=False,
    )
    network.eval().requires_grad_(False)


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
