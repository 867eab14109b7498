"""The color network as a list of layers that can be computed in any box."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from napari_sdcolor.core.colornet import ColorNet, FeatureReader


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer, and what it is computed from.

    Parameters
    ----------
    kind
        'conv', 'strided' or 'transposed' (3x3 convolutions), 'norm'
        (instance normalization), 'ids' or 'gray' (what goes in).
    level
        Of its output: sides are those of the plane divided by 2^level.
    width
        Channels of its output.
    source
        The layer in front of it.
    module
        Holds its weights.
    part
        Input channels of the module that this layer uses.
    slope
        Of the LeakyReLU behind it; None if there is none.
    offset
        A layer that is added before the activation.
    skip
        Gray and label features that are added, side by side, behind it.
    reader
        What takes photo features that are added behind it.
    """

    kind: str
    level: int
    width: int
    source: Layer | None = None
    module: nn.Module | None = None
    part: slice | None = None
    slope: float | None = None
    offset: Layer | None = None
    skip: tuple[Layer, Layer] | None = None
    reader: FeatureReader | None = None

    @property
    def weight(self) -> Tensor:
        weight = self.module.weight
        # Input channels come first in transposed convolutions.
        return weight if self.part is None else weight[self.part]


@dataclass(frozen=True, eq=False)
class Layers:
    """Every layer of a color network.

    Parameters
    ----------
    ids, gray
        What goes in.
    gray_features
        Raw output of every level of the gray stream, finest first.
    gray_joins
        The same, normalized.
    label_features
        Output of every level of the label stream, finest first.
    gray_seed
        The gray half of the first transposed convolution. It is linear
        until the activation, so that no edit ever computes it again.
    decoded
        Output of every level of the decoder, coarsest first.
    chroma
        The last layer.
    edited
        Every layer that a label reaches, from ``ids`` to ``chroma``.
    """

    ids: Layer
    gray: Layer
    gray_features: list[Layer]
    gray_joins: list[Layer]
    label_features: list[Layer]
    gray_seed: Layer
    decoded: list[Layer]
    chroma: Layer
    edited: list[Layer]


def layers_of(network: ColorNet) -> Layers:
    """The layers of a color network (paper, Figure 4), in order."""
    config = network.config
    slope, levels = config.slope, len(config.widths)
    ids = Layer('ids', 0, config.label_channels or 1)
    gray = Layer('gray', 0, 1)
    edited = [ids]

    def conv(source: Layer, module: nn.Module, **choices: object) -> Layer:
        choices = {'slope': slope, **choices}
        down = module.stride == (2, 2)
        return Layer(
            'strided' if down else 'conv',
            source.level + down,
            module.out_channels,
            source,
            module,
            **choices,
        )

    gray_features, label_features = [], []
    for number, level in enumerate(network.encoder):
        for stream, features in (
            (gray, gray_features),
            (ids, label_features),
        ):
            first = level.conv1
            if stream is ids and number == 0 and config.label_channels:
                first = network.label_conv
            source = features[-1] if features else stream
            middle = conv(source, first)
            features.append(conv(middle, level.conv2))
            if stream is ids:
                edited += [middle, features[-1]]
    gray_joins = [
        Layer(
            'norm',
            feature.level,
            feature.width,
            feature,
            reader=network.readers[level] if config.features else None,
        )
        for level, feature in enumerate(gray_features)
    ]

    first, width = network.decoder[0].conv1, config.widths[-1]
    gray_seed = Layer(
        'transposed',
        levels - 2,
        first.out_channels,
        gray_joins[-1],
        first,
        slice(0, width),
    )
    decoded: list[Layer] = []
    for number, level in enumerate(network.decoder):
        place = levels - 2 - number
        upward = Layer(
            'transposed',
            place,
            level.conv1.out_channels,
            decoded[-1] if decoded else label_features[-1],
            level.conv1,
            None if decoded else slice(width, None),
            slope,
            None if decoded else gray_seed,
            (gray_joins[place], label_features[place]),
        )
        decoded.append(conv(upward, level.conv2))
        edited += [upward, decoded[-1]]
    last = decoded[-1]
    if config.preset == 'paper':
        last = conv(last, network.last_conv)
        edited.append(last)
        chroma = conv(last, network.final_conv, slope=None)
    else:
        chroma = conv(last, network.final_conv)
    edited.append(chroma)
    return Layers(
        ids,
        gray,
        gray_features,
        gray_joins,
        label_features,
        gray_seed,
        decoded,
        chroma,
        edited,
    )
