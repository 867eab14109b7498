"""The exact incremental pass of the color network.

Nothing normalizes the label stream or the decoder, so that an edit of the
label map changes every layer only inside a box (see ``core.boxes``).  The
outputs of layers are kept; an edit computes their changed boxes again,
layer by layer, from boxes of the layer in front that are a pixel wider.

A layer that is not kept is computed again wherever a kept one needs it,
which asks for a pixel more on each side.  So the budget of memory decides
what is kept, and the result is the same in any case: at one end hardly any
pixel is computed twice, at the other nothing is kept but the photo, the map
and the statistics of the gray image, and an edit computes a tile around it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from napari_sdcolor.core import cancel
from napari_sdcolor.core.boxes import (
    NEEDS,
    REACH,
    apply,
    clip,
    contains,
    slices,
    tiles,
)
from napari_sdcolor.core.colornet import ColorNet, normalize
from napari_sdcolor.core.features import FeatureMaps
from napari_sdcolor.core.layers import Layer, layers_of
from napari_sdcolor.core.planes import Box

TILE = 384
"""Side in pixels of the pieces in which a large box is computed."""

MIB = 2**20


class IncrementalPass:
    """The color network over one plane, ready for the next edit.

    Everything here must be called inside of ``torch.inference_mode``. An
    edit never waits for the device: only who reads its result does.

    Parameters
    ----------
    network
        The color network, on its device.
    gray
        (1, 1, h, w) in [-1, 1], sides multiples of ``config.multiple``.
    budget
        MiB that the kept features may take.
    features
        Of the photo, where the network reads some.

    Attributes
    ----------
    macs : int
        Multiplications of the last pass or edit.
    """

    def __init__(
        self,
        network: ColorNet,
        gray: Tensor,
        budget: float = 2048,
        features: FeatureMaps | None = None,
    ) -> None:
        self.network = network
        self.layers = layers_of(network)
        self.shape = tuple(gray.shape[-2:])
        self.macs = 0
        itemsize = gray.element_size()
        self._keep = self._choose(budget, itemsize)
        self._kept: dict[Layer, Tensor] = {self.layers.gray: gray}
        self._features = {
            layer: layer.reader.project(features)
            for layer in self.layers.gray_joins
            if layer.reader is not None
        }
        self._statistics: dict[Layer, tuple[Tensor, Tensor]] = {}
        # Features that the next level and the decoder both ask for, while
        # one box is computed. The next level comes first and asks for more.
        self._shared = frozenset(
            self.layers.label_features + self.layers.gray_features
        )
        self._memo: dict[Layer, tuple[Tensor, Box]] = {}

    @property
    def nbytes(self) -> int:
        """Bytes that are held between two edits."""
        return sum(
            kept.numel() * kept.element_size() for kept in self._kept.values()
        )

    def _choose(self, budget: float, itemsize: int) -> list[Layer]:
        """Layers whose whole output is kept, coarse ones first.

        Given up, where the budget asks for it, in the order of what a byte
        saves: for each level, finest first, the output of the decoder, the
        insides of the next level, and the features of both streams.
        """
        h, w = self.shape
        kept: list[Layer] = [self.layers.ids, self.layers.gray]
        total = 0
        for layer in reversed(self._order()):
            area = (h >> layer.level) * (w >> layer.level)
            total += itemsize * layer.width * area
            if total > budget * MIB:
                break
            kept.append(layer)
        return kept

    def _order(self) -> list[Layer]:
        layers = self.layers
        outputs = {*layers.label_features, *layers.decoded}
        order: list[Layer] = []
        for level, join in enumerate(layers.gray_joins):
            order += [x for x in layers.decoded if x.level == level]
            order += [
                x
                for x in layers.edited[1:-1]
                if x.level == level + 1 and x not in outputs
            ]
            order += [layers.label_features[level], join]
        return [*order, layers.gray_seed]

    # --- the full pass ------------------------------------------------------

    def full(self, labels: NDArray[np.uint8]) -> Tensor:
        """Chroma of a map in one full pass; keeps what edits need.

        Parameters
        ----------
        labels
            (h, w) ids.

        Returns
        -------
        Tensor
            (1, 2, h, w), as the network gives it.
        """
        layers = self.layers
        gray = self._kept[layers.gray]
        ids = torch.tensor(labels, device=gray.device)[None]
        self._kept = {layers.gray: gray, layers.ids: ids}
        self.macs = 0
        for level, (feature, join) in enumerate(
            zip(layers.gray_features, layers.gray_joins, strict=True)
        ):
            self._kept[feature] = self._whole(feature)
            if level:
                del self._kept[layers.gray_features[level - 1]]
            if self.network.config.instance_norm:
                self._statistics[join] = _moments(self._kept[feature])
            if join in self._keep:
                self._kept[join] = self._whole(join)
        del self._kept[layers.gray_features[-1]]
        for layer in (layers.gray_seed, *layers.edited):
            if layer in self._keep and layer is not layers.ids:
                self._kept[layer] = self._whole(layer)
        return self._whole(layers.chroma)

    def _whole(self, layer: Layer) -> Tensor:
        """A layer computed on its whole plane, piece by piece."""
        whole = (0, 0, *self._shape(layer))
        values = None
        for tile in tiles(whole, TILE):
            piece = self._exactly(layer, tile)
            self._memo.clear()
            if tile == whole:
                return piece.contiguous(memory_format=torch.channels_last)
            if values is None:
                values = torch.empty(
                    (1, layer.width, *whole[2:]),
                    dtype=piece.dtype,
                    device=piece.device,
                    memory_format=torch.channels_last,
                )
            values[(..., *slices(tile))] = piece
        return values

    # --- an edit ------------------------------------------------------------

    def update(
        self, labels: NDArray[np.uint8], boxes: Sequence[Box]
    ) -> list[tuple[Box, Tensor]]:
        """Follow edits of the map.

        If this is interrupted, by an error or by ``core.cancel``, the kept
        features are right again as soon as another call covers the same
        boxes.

        Parameters
        ----------
        labels
            (h, w) ids, the whole map.
        boxes
            Where it may differ from the map before.

        Returns
        -------
        list of (Box, Tensor)
            Boxes in which the chroma can have changed, and the chroma
            (1, 2, box height, box width) in them, on the device.
        """
        self.macs = 0
        self._memo.clear()
        ids = self._kept[self.layers.ids]
        for box in boxes:
            part = torch.from_numpy(labels[slices(box)].copy())
            ids[(..., *slices(box))] = part.to(ids.device, non_blocking=True)
        for layer in self.layers.edited[1:]:
            boxes = [
                clip(apply(REACH[layer.kind], box), self._shape(layer))
                for box in boxes
            ]
            kept = self._kept.get(layer)
            if kept is None:
                continue
            for box in boxes:
                for tile in tiles(box, TILE):
                    kept[(..., *slices(tile))] = self._exactly(layer, tile)
                    self._memo.clear()
        found = []
        for box in boxes:
            for tile in tiles(box, TILE):
                patch = self._exactly(self.layers.chroma, tile)
                found.append((tile, patch))
                self._memo.clear()
        return found

    def _shape(self, layer: Layer) -> tuple[int, int]:
        h, w = self.shape
        return h >> layer.level, w >> layer.level

    def _exactly(self, layer: Layer, box: Box) -> Tensor:
        """A layer computed in a box of its plane."""
        x, have = self._compute(layer, box)
        return x if have == box else x[(..., *slices(box, have))]

    def _read(self, layer: Layer, box: Box) -> tuple[Tensor, Box]:
        """What a layer gives in a box of its plane, or in a larger one."""
        if layer in self._kept:
            x = self._kept[layer][(..., *slices(box))]
            if layer is self.layers.ids:
                x = self.network.embed_labels(x)
            return x, box
        if layer not in self._shared:
            return self._compute(layer, box)
        known = self._memo.get(layer)
        if known is None or not contains(known[1], box):
            known = self._compute(layer, box)
            self._memo[layer] = known
        x, have = known
        return x[(..., *slices(box, have))], box

    def _window(self, layer: Layer, box: Box) -> tuple[Tensor, Box]:
        """The same for a box that may stick out of the plane: zeros there."""
        inside = clip(box, self._shape(layer))
        x, have = self._read(layer, inside)
        if inside == box:
            return x, have
        top, left, bottom, right = (
            abs(wanted - there)
            for wanted, there in zip(box, inside, strict=True)
        )
        grown = (
            have[0] - top,
            have[1] - left,
            have[2] + bottom,
            have[3] + right,
        )
        return functional.pad(x, (left, right, top, bottom)), grown

    def _compute(self, layer: Layer, box: Box) -> tuple[Tensor, Box]:
        """Compute a layer in a box of its plane, or in a larger one."""
        cancel.check()
        if layer.kind == 'norm':
            x = self._part(layer.source, box)
            known = self._statistics.get(layer)
            if known is not None:
                x = normalize(x, *known)
            if layer.reader is not None:
                x = x + layer.reader(self._features[layer], box)
            return x, box
        if layer.kind == 'transposed':
            x, box = self._transposed(layer, box)
        else:
            x, box = self._convolved(layer, box)
        if layer.offset is not None:
            x += self._part(layer.offset, box)
        if layer.slope is not None:
            functional.leaky_relu_(x, layer.slope)
        if layer.skip is not None:
            middle = layer.width // 2
            x[:, :middle] += self._part(layer.skip[0], box)
            x[:, middle:] += self._part(layer.skip[1], box)
        return x, box

    def _part(self, layer: Layer, box: Box) -> Tensor:
        x, have = self._read(layer, box)
        return x if have == box else x[(..., *slices(box, have))]

    def _convolved(self, layer: Layer, box: Box) -> tuple[Tensor, Box]:
        stride = 2 if layer.kind == 'strided' else 1
        if box == (0, 0, *self._shape(layer)):
            x = self._part(layer.source, (0, 0, *self._shape(layer.source)))
            y = functional.conv2d(x, layer.weight, None, stride, padding=1)
        else:
            wanted = apply(NEEDS[layer.kind], box)
            x, have = self._window(layer.source, wanted)
            if stride == 1:
                # All that is there: cutting would cost a copy.
                box = apply(_shrunk, have)
            else:
                x = x[(..., *slices(wanted, have))]
            y = functional.conv2d(x, layer.weight, None, stride)
        self.macs += y.numel() * layer.weight[0].numel()
        return y, box

    def _transposed(self, layer: Layer, box: Box) -> tuple[Tensor, Box]:
        h, w = self._shape(layer)
        y0, y1, bottom = _between(box[0], box[2], h)
        x0, x1, right = _between(box[1], box[3], w)
        x = self._part(layer.source, (y0, x0, y1, x1))
        y = functional.conv_transpose2d(
            x,
            layer.weight,
            stride=2,
            padding=1,
            output_padding=(bottom, right),
        )
        rows, columns = y.shape[-2:]
        # One product per even and two per odd row, and column.
        taps = (2 * rows - (y1 - y0)) * (2 * columns - (x1 - x0))
        self.macs += taps * layer.weight[..., 0, 0].numel()
        return y, (2 * y0, 2 * x0, 2 * y0 + rows, 2 * x0 + columns)


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance (c,) of every channel of (1, c, h, w)."""
    wide = torch.promote_types(x.dtype, torch.float32)
    variance, mean = torch.var_mean(x[0].to(wide), (1, 2), correction=0)
    return mean, variance


def _shrunk(first: int, last: int) -> tuple[int, int]:
    return first + 1, last - 1


def _between(first: int, last: int, side: int) -> tuple[int, int, int]:
    """Input rows of a transposed convolution, and torch's output padding.

    Rows p to q of the input determine rows 2p to 2q of the output.  The
    last row of the plane is odd: the missing neighbor below is zero, which
    is what the output padding of 1 means.
    """
    top, bottom = NEEDS['transposed'](first, last)
    return top, min(bottom, side // 2), int(bottom > side // 2)
