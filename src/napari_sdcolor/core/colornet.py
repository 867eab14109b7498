"""The two-stream color network (paper, section 2.2 and Figure 4).

One encoder with shared weights looks at the gray values and at the label
map.  The gray features are instance-normalized in the copy that is joined
with the label features; nothing normalizes the label stream or the decoder,
so that an edit of the label map changes the color only nearby.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_sdcolor.classes import N_CLASSES
from napari_sdcolor.core.features import FeatureMaps
from napari_sdcolor.core.limits import (
    CHANNELS,
    check_channels,
    check_number,
    check_whole,
    fields_from,
)
from napari_sdcolor.core.planes import Box

EPS = 1e-5
"""Instance normalization's epsilon."""


@dataclass(frozen=True)
class ColorNetConfig:
    """What distinguishes one two-stream U-Net from another.

    Parameters
    ----------
    preset
        ``'paper'`` as the paper describes it or ``'released'`` as its
        authors' program does it (ends with one convolution and an
        activation, instead of two convolutions).
    widths
        Channels of each encoder level, finest first.
    slope
        Negative slope of every LeakyReLU.
    label_channels
        0 feeds the label ids as one ordinal channel in [-1, 1] through the
        shared first convolution; k > 0 feeds a learned k-channel embedding
        through a first convolution of its own.
    instance_norm
        Normalize the gray features before they join the label features.
    features
        Channels of the photo features that join the gray features (see
        ``core.features``), finest first; none does without.

    Raises
    ------
    ValueError
        If a field is of another kind or out of its range.
    """

    preset: Literal['paper', 'released'] = 'paper'
    widths: tuple[int, ...] = (32, 64, 128, 256, 512)
    slope: float = 0.01
    label_channels: int = 0
    instance_norm: bool = True
    features: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.preset not in ('paper', 'released'):
            raise ValueError("preset must be 'paper' or 'released'")
        check_channels('widths', self.widths)
        check_number('slope', self.slope, 0, 1)
        check_whole('label_channels', self.label_channels, 0, CHANNELS)
        if not isinstance(self.instance_norm, bool):
            raise ValueError('instance_norm must be true or false')
        check_channels('features', self.features, none=True)

    @property
    def multiple(self) -> int:
        """Sides of the input must be multiples of this (16 or 32)."""
        return 2 ** (len(self.widths) - 1)

    @property
    def final_convs(self) -> int:
        """3x3 convolutions after the last decoder layer."""
        return 2 if self.preset == 'paper' else 1

    @property
    def reach(self) -> int:
        """Farthest output pixel that one input pixel acts on (79 or 158).

        The largest over all phases; the statistics of the gray stream are
        left out of account.
        """
        step = self.multiple
        return 4 * (step - 1) + self.final_convs + 2 + step - 1

    @property
    def halo(self) -> int:
        """``reach``, rounded up to the alignment of tiles (80 or 160)."""
        return -(-self.reach // self.multiple) * self.multiple

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict) -> ColorNetConfig:
        return cls(**fields_from(cls, fields))


PAPER = ColorNetConfig()
RELEASED = ColorNetConfig(
    preset='released', widths=(32, 64, 128, 256, 512, 512), slope=0.1
)


def _conv(cin: int, cout: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(cin, cout, 3, stride, 1, bias=False)


def instance_norm(x: Tensor) -> Tensor:
    """Zero mean and unit variance of every channel (n, c, h, w)."""
    if x.shape[-2:].numel() == 1:
        # A single value is its own mean; torch refuses to say so.
        return torch.zeros_like(x)
    return functional.instance_norm(x, eps=EPS)


def normalize(x: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    """``instance_norm`` with statistics that are known already.

    Parameters
    ----------
    x
        (n, c, h, w).
    mean, variance
        (c,) of every channel.
    """
    wide = torch.promote_types(x.dtype, torch.float32)
    found = functional.batch_norm(
        x.to(wide),
        mean.to(x.device, wide),
        variance.to(x.device, wide),
        eps=EPS,
    )
    return found.to(x.dtype)


class EncoderLevel(nn.Module):
    """Two 3x3 convolutions, each followed by the activation."""

    def __init__(self, cin: int, cout: int, stride: int, slope: float) -> None:
        super().__init__()
        self.conv1 = _conv(cin, cout, stride)
        self.conv2 = _conv(cout, cout)
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        return self.tail(self.conv1(x))

    def tail(self, x: Tensor) -> Tensor:
        """Everything behind the first convolution."""
        x = functional.leaky_relu(x, self.slope)
        return functional.leaky_relu(self.conv2(x), self.slope)


class DecoderLevel(nn.Module):
    """Double the resolution, add the skip connection, convolve."""

    def __init__(self, cin: int, cout: int, slope: float) -> None:
        super().__init__()
        self.conv1 = nn.ConvTranspose2d(
            cin, cout, 3, 2, 1, output_padding=1, bias=False
        )
        self.conv2 = _conv(cout, cout)
        self.slope = slope

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = functional.leaky_relu(self.conv1(x), self.slope) + skip
        return functional.leaky_relu(self.conv2(x), self.slope)


class FeatureReader(nn.Module):
    """What one level of the gray stream takes from the photo features.

    The map of its own stride and the next coarser one, each through a 1x1
    convolution at its own resolution and then brought to the level's grid.
    They are added to the normalized gray features: what is the same
    everywhere in a photo, such as the season, is not normalized away.

    Parameters
    ----------
    level
        Of the gray stream, 0 for the finest.
    channels
        Of all maps.
    width
        Channels of the level.
    """

    def __init__(
        self, level: int, channels: tuple[int, ...], width: int
    ) -> None:
        super().__init__()
        self.stride = 2**level
        self.maps = tuple(
            number
            for number in (level - 1, level)
            if 0 <= number < len(channels)
        )
        self.convs = nn.ModuleList(
            nn.Conv2d(channels[number], width, 1, bias=False)
            for number in self.maps
        )

    def project(self, features: FeatureMaps) -> FeatureMaps:
        """The maps that this level reads, as wide as it is; others None."""
        found: list[Tensor | None] = [None] * len(features.maps)
        for number, conv in zip(self.maps, self.convs, strict=True):
            found[number] = conv(features.maps[number])
        return FeatureMaps(found, features.window)

    def forward(self, projected: FeatureMaps, box: Box) -> Tensor:
        """What is added in a box of the level's grid: (n, width, h, w)."""
        parts = [
            projected.at(number, self.stride, box) for number in self.maps
        ]
        return parts[0] if len(parts) == 1 else parts[0] + parts[1]


class ColorNet(nn.Module):
    """Two-stream U-Net: gray values and label map in, chroma out.

    Parameters
    ----------
    config
        Widths and variant; the default is the network of the paper.
    """

    def __init__(self, config: ColorNetConfig = PAPER) -> None:
        super().__init__()
        self.config = config
        widths, slope = config.widths, config.slope
        cins = (1, *widths[:-1])
        self.encoder = nn.ModuleList(
            EncoderLevel(cin, cout, 1 if level == 0 else 2, slope)
            for level, (cin, cout) in enumerate(zip(cins, widths, strict=True))
        )
        if config.label_channels:
            self.embedding = nn.Embedding(N_CLASSES, config.label_channels)
            self.label_conv = _conv(config.label_channels, widths[0])
        joined = [2 * w for w in reversed(widths)]
        self.decoder = nn.ModuleList(
            DecoderLevel(cin, cout, slope)
            for cin, cout in zip(joined[:-1], joined[1:], strict=True)
        )
        if config.preset == 'paper':
            self.last_conv = _conv(joined[-1], joined[-1])
        self.final_conv = _conv(joined[-1], 2)
        if config.features:
            self.readers = nn.ModuleList(
                FeatureReader(level, config.features, width)
                for level, width in enumerate(widths)
            )

    def gray_levels(self, gray: Tensor) -> Iterator[Tensor]:
        """Features of the gray stream as it goes on, finest first."""
        for level in self.encoder:
            gray = level(gray)
            yield gray

    def encode_gray(
        self,
        gray: Tensor,
        statistics: Sequence[tuple[Tensor, Tensor]] | None = None,
        features: FeatureMaps | None = None,
        origin: tuple[int, int] = (0, 0),
    ) -> list[Tensor]:
        """Features of the gray stream, normalized for joining.

        Parameters
        ----------
        gray
            (n, 1, h, w) in [-1, 1].
        statistics
            Mean and variance (width,) of every level, where ``gray`` is
            only a part of the photo; its own if None.
        features
            Of the whole photo; needed if the configuration names some.
        origin
            Row and column of the first pixel of ``gray`` in its photo.

        Returns
        -------
        list of Tensor
            One per level, finest first: (n, width, h/2^level, w/2^level).
        """
        levels = self.gray_levels(gray)
        if not self.config.instance_norm:
            found = list(levels)
        elif statistics is None:
            found = [instance_norm(x) for x in levels]
        else:
            found = [
                normalize(x, *known)
                for x, known in zip(levels, statistics, strict=True)
            ]
        if not self.config.features:
            return found
        for level, (x, reader) in enumerate(
            zip(found, self.readers, strict=True)
        ):
            top, left = (side >> level for side in origin)
            box = top, left, top + x.shape[-2], left + x.shape[-1]
            found[level] = x + reader(reader.project(features), box)
        return found

    def embed_labels(self, labels: Tensor) -> Tensor:
        """Label ids (n, h, w) as the channels the label stream reads."""
        if not self.config.label_channels:
            scaled = labels.to(self.final_conv.weight.dtype)
            return (scaled * (2 / (N_CLASSES - 1)) - 1)[:, None]
        return self.embedding(labels.long()).permute(0, 3, 1, 2).contiguous()

    def encode_labels(self, labels: Tensor) -> list[Tensor]:
        """Features of the label stream, one per level, finest first.

        Parameters
        ----------
        labels
            (n, h, w) class ids in 0..59, any integer type.
        """
        x = self.embed_labels(labels)
        features = []
        for number, level in enumerate(self.encoder):
            if number == 0 and self.config.label_channels:
                x = level.tail(self.label_conv(x))
            else:
                x = level(x)
            features.append(x)
        return features

    def decode(self, gray: list[Tensor], labels: list[Tensor]) -> Tensor:
        """Join both streams at every level and decode them to ab/128."""
        joined = [
            torch.cat(pair, dim=1) for pair in zip(gray, labels, strict=True)
        ]
        x = joined.pop()
        for level in self.decoder:
            x = level(x, joined.pop())
        if self.config.preset == 'paper':
            x = functional.leaky_relu(self.last_conv(x), self.config.slope)
            return self.final_conv(x)
        return functional.leaky_relu(self.final_conv(x), self.config.slope)

    def forward(
        self, gray: Tensor, labels: Tensor, *features: Tensor
    ) -> Tensor:
        """Chroma of a photo.

        Parameters
        ----------
        gray
            (n, 1, h, w) in [-1, 1]; h and w multiples of
            ``config.multiple``.
        labels
            (n, h, w) class ids in 0..59.
        features
            Where the configuration names some: the maps of
            ``FeatureMaps``, then its window.

        Returns
        -------
        Tensor
            (n, 2, h, w): a and b divided by 128.
        """
        maps = FeatureMaps(features[:-1], features[-1]) if features else None
        return self.decode(
            self.encode_gray(gray, features=maps), self.encode_labels(labels)
        )
