"""The exact incremental pass of the color network.

Nothing normalizes the label stream or the decoder, so that an edit of the
label map changes every layer only inside a box (see ``core.boxes``).  The
outputs of the levels are kept; an edit recomputes the changed boxes of
them, layer by layer, from boxes that are a pixel or two wider.  What lies
inside of a level is not kept: computing its rim again takes less time than
copying it, and halves the memory.

Where memory is short the finest levels are not kept either, as each of
them takes four times the memory of the next one; they are computed afresh
around the edit, with the statistics of the whole gray image.
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
from napari_sdcolor.core.colornet import EPS, ColorNet
from napari_sdcolor.core.layers import Layer, layers_of
from napari_sdcolor.core.planes import Box

TILE = 512
"""Side in pixels of the pieces in which a large box is computed."""

MIB = 2**20


class IncrementalPass:
    """The color network over one plane, ready for the next edit.

    Everything here must be called inside of ``torch.inference_mode``.

    Parameters
    ----------
    network
        The color network, on its device.
    gray
        (1, 1, h, w) in [-1, 1], sides multiples of ``config.multiple``.
    budget
        MiB that the kept features may take.

    Attributes
    ----------
    finest : int
        Finest level that is kept; the number of levels if none is.
    macs : int
        Multiplications and additions of the last ``update``.
    """

    def __init__(
        self, network: ColorNet, gray: Tensor, budget: float = 2048
    ) -> None:
        self.network = network
        self.layers = layers_of(network)
        self.shape = tuple(gray.shape[-2:])
        self.macs = 0
        itemsize = gray.element_size()
        self._keep = self._choose(budget, itemsize)
        self._kept: dict[Layer, Tensor] = {self.layers.gray: gray}
        self._memo: dict[Layer, tuple[Tensor, Box]] = {}
        shared = self.layers.label_features + self.layers.gray_features
        self._shared = frozenset(shared)
        self._statistics: dict[Layer, tuple[Tensor, Tensor]] = {}

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
        self._memo.clear()
        self.macs = 0
        order = layers.in_order()
        last_use = {
            source: number
            for number, layer in enumerate(order)
            for source in layer.sources()
        }
        for number, layer in enumerate(order):
            whole = (0, 0, *self._shape(layer))
            self._kept[layer] = self._compute(layer, whole)[0]
            for source in layer.sources():
                if last_use[source] == number and source not in self._keep:
                    del self._kept[source]
        return self._kept.pop(layers.chroma)

    def _normalized(self, layer: Layer, x: Tensor) -> Tensor:
        """Instance normalization with the statistics of the whole plane."""
        if not self.network.config.instance_norm:
            return x
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        if layer not in self._statistics:
            variance, mean = torch.var_mean(
                wide, (2, 3), correction=0, keepdim=True
            )
            self._statistics[layer] = mean, torch.rsqrt(variance + EPS)
        mean, factor = self._statistics[layer]
        return (wide - mean).mul_(factor).to(x.dtype)

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
            part = np.ascontiguousarray(labels[slices(box)])
            ids[(..., *slices(box))] = torch.from_numpy(part).to(ids.device)
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
            return (
                (x, box)
                if layer.kind != 'ids'
                else (self.network.embed_labels(x), box)
            )
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
            return self._normalized(layer, self._part(layer.source, box)), box
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
        wanted = apply(NEEDS[layer.kind], box)
        if box == (0, 0, *self._shape(layer)):
            stride = 2 if layer.kind == 'strided' else 1
            x = self._part(layer.source, (0, 0, *self._shape(layer.source)))
            y = functional.conv2d(x, layer.weight, None, stride, padding=1)
            self.macs += y.numel() * layer.weight[0].numel()
            return y, box
        x, have = self._window(layer.source, wanted)
        if layer.kind == 'strided':
            x = x[(..., *slices(wanted, have))]
            y = functional.conv2d(x, layer.weight, stride=2)
        else:
            # All of it: cutting would copy more than it saves.
            y = functional.conv2d(x, layer.weight)
            box = have[0] + 1, have[1] + 1, have[2] - 1, have[3] - 1
        self.macs += y.numel() * layer.weight[0].numel()
        return y, box

    def _transposed(self, layer: Layer, box: Box) -> tuple[Tensor, Box]:
        # From an even pixel to an even one, torch computes exactly what an
        # interval of the input determines; the last row and column of the
        # plane are odd and lack a neighbor, which is what its "output
        # padding" means.
        shape = self._shape(layer)
        (y0, y1, extra_y), (x0, x1, extra_x) = (
            (first // 2, min(last // 2 + 1, side // 2), last // 2 + 1 > side // 2)
            for first, last, side in (
                (box[0], box[2], shape[0]),
                (box[1], box[3], shape[1]),
            )
        )
        x = self._part(layer.source, (y0, x0, y1, x1))
        y = functional.conv_transpose2d(
            x,
            layer.weight,
            stride=2,
            padding=1,
            output_padding=(int(extra_y), int(extra_x)),
        )
        rows, columns = y.shape[-2:]
        taps = (2 * rows - (y1 - y0)) * (2 * columns - (x1 - x0))
        self.macs += taps * layer.weight[..., 0, 0].numel()
        return y, (2 * y0, 2 * x0, 2 * y0 + rows, 2 * x0 + columns)
