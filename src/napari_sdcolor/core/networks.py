"""The networks on their device: planes and maps in, arrays out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import copy
from typing import Any, Self
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from napari_sdcolor.core import (
    batching,
    cancel,
    colornet,
    featuregrid,
    gridnet,
    lab,
    progress,
)
from napari_sdcolor.core.bilinear import Enlarger
from napari_sdcolor.core.device import (
    Device,
    free_memory,
    one_thread,
    out_of_memory_said,
)
from napari_sdcolor.core.features import Bottleneck, FeatureMaps, Seen
from napari_sdcolor.core.orientation import upright
from napari_sdcolor.core.photo import Photo, resize_plane, working_shape
from napari_sdcolor.core.planes import check_gray, check_labels, finite, pad
from napari_sdcolor.core.tiling import SIDES, WHOLE_AREA, tiled_chroma
from napari_sdcolor.core.weights import Part
from napari_sdcolor.errors import OutOfMemory
from napari_sdcolor.settings import Size

DTYPES = {
    'float32': torch.float32,
    'float64': torch.float64,
    'float16': torch.float16,
    'bfloat16': torch.bfloat16,
}

STEADY_AREA = 2**20
"""Working planes of at most so many pixels get the same bytes everywhere."""


class Networks:
    """Both networks on one device.

    Parameters
    ----------
    parts
        'color' and 'segmentation' weights, or one of them where the other
        is not needed, and 'features' if these read some.
    device
        Where to compute.
    dtype
        'float32', 'float64', 'float16' or 'bfloat16'.
    size
        Working size: short side in pixels, or 'native'.

    Attributes
    ----------
    whole_area : int
        Planes of up to this many pixels are colored in one piece, larger
        ones in tiles, with the same result (see ``core.tiling``).
    """

    whole_area = WHOLE_AREA

    def __init__(
        self,
        parts: dict[str, Part],
        device: Device,
        dtype: str = 'float32',
        size: Size = 352,
    ) -> None:
        if dtype not in DTYPES:
            raise ValueError(f'dtype must be one of {", ".join(DTYPES)}.')
        self.parts = parts
        self.device = device
        self.dtype = dtype
        self.size = size
        with out_of_memory_said(device):
            placed = {kind: self._place(part) for kind, part in parts.items()}
        self.color_net = placed.get('color')
        self.grid_net = placed.get('segmentation')
        self.features_net = placed.get('features')
        # Features of photos, as long as these are in use.
        self._known: WeakKeyDictionary[Photo, Seen] = WeakKeyDictionary()

    def _place(self, part: Part) -> torch.nn.Module:
        network = part.network.to(
            device=self.device.torch,
            dtype=DTYPES[self.dtype],
            memory_format=torch.channels_last,
        )
        for module in network.modules():
            if isinstance(
                module,
                colornet.EncoderLevel
                | colornet.DecoderLevel
                | gridnet.Block
                | featuregrid.SeparableBlock
                | Bottleneck,
            ):
                module.register_forward_pre_hook(_check_cancelled)
        return network

    def at(self, size: Size) -> Self:
        """The same networks for another working size."""
        if size == self.size:
            return self
        other = copy(self)
        other.size = size
        return other

    def facts(self) -> dict[str, Any]:
        """Weights, device and data type, for the sidecar."""
        return {
            'device': self.device.kind,
            'dtype': self.dtype,
            **{kind: part.facts() for kind, part in self.parts.items()},
        }

    def chroma(self, gray: ArrayLike, labels: ArrayLike) -> NDArray:
        """The bare color network.

        Parameters
        ----------
        gray
            (h, w) floats in [0, 1]: L*/100 for our weights, the encoded
            gray value for the authors'. Sides multiples of 16 (``paper``)
            or 32 (``released``).
        labels
            (h, w) uint8, ids 0..59.

        Returns
        -------
        NDArray
            (h, w, 2), a and b in Lab units.

        Raises
        ------
        ValueError
            On wrong sides, types or ids.
        NetworkError
            If the network gives NaN or infinity.
        """
        gray = check_gray(gray, self.color_net.config.multiple)
        labels = check_labels(labels, gray.shape)
        return self.color(gray, labels, self.color_features(gray))[0]

    def color_features(self, gray: NDArray) -> FeatureMaps | None:
        """What the color network reads of a plane that is a whole photo.

        Parameters
        ----------
        gray
            (h, w) in [0, 1].

        Returns
        -------
        FeatureMaps or None
            For that plane; None if the network reads none.
        """
        if not self.color_net.config.features:
            return None
        return self._seen(gray).on(gray.shape)

    def _seen(self, gray: NDArray) -> Seen:
        shape = working_shape(gray.shape, self.features_net.config.size)
        return self.see(resize_plane(np.asarray(gray, np.float32), shape))

    def see(self, gray: NDArray) -> Seen:
        """Photo features of a whole photo.

        Always on one thread of a CPU: they are kept, and must not depend on
        who asked first.

        Parameters
        ----------
        gray
            (h, w) L*/100 in [0, 1], upright, at the size of the features.
        """
        padded, shape = pad(gray, self.features_net.config.multiple)
        alone = one_thread() if self.device.kind == 'cpu' else nullcontext()
        with alone, self.inference():
            maps = self.features_net(self._tensor(padded)[None, None])
        return Seen(maps, shape)

    def network_gray(self, photo: Photo, kind: str, size: Size) -> NDArray:
        """(h, w) float32 in [0, 1], upright, as a network's weights expect."""
        plane = photo.working_lightness(size)
        plane = upright(plane, photo.origin.orientation)
        if self.parts[kind].encoding == 'opencv':
            return lab.lightness_to_gray(plane).astype(np.float32)
        return np.ascontiguousarray(plane) / np.float32(100)

    def seen(self, photo: Photo) -> Seen:
        """Features of a photo, found once and kept as long as the photo."""
        seen = self._known.get(photo)
        if seen is None:
            size = self.features_net.config.size
            seen = self.see(self.network_gray(photo, 'features', size))
            self._known[photo] = seen
        return seen

    def photo_features(self, photo: Photo) -> FeatureMaps | None:
        """What the color network reads of a photo at working size.

        None if it reads nothing.
        """
        if not self.color_net.config.features:
            return None
        shape = photo.working_shape(self.size)
        if photo.origin.orientation > 4:
            shape = shape[::-1]
        return self.seen(photo).on(shape)

    def color(
        self,
        gray: NDArray,
        labels: NDArray[np.uint8],
        features: FeatureMaps | None = None,
    ) -> tuple[NDArray, tuple[str, ...]]:
        """The color network, in one piece or in tiles.

        Parameters
        ----------
        gray, labels
            Checked planes as ``chroma`` takes them.
        features
            Of the photo, if the network reads some.

        Returns
        -------
        chroma
            (h, w, 2), a and b in Lab units.
        notes
            A sentence, if the memory sufficed for smaller parts only.

        Raises
        ------
        NetworkError
            If the network gives NaN or infinity.
        OutOfMemory
            If the memory does not suffice for the smallest tiles either.
        """
        whole = gray.size <= self.whole_area
        side, *smaller = (None, *SIDES) if whole else SIDES
        notes: tuple[str, ...] = ()
        while True:
            try:
                return self._color(gray, labels, features, side), notes
            except OutOfMemory:
                if not smaller:
                    raise
            # Outside the handler: its traceback holds the tensors.
            free_memory(self.device)
            side = smaller.pop(0)
            words = (
                'The memory did not suffice for the photo in one piece: it '
                f'was colored in tiles of {side} pixels, with the same result.'
            )
            progress.say(words)
            notes = (words,)

    def _color(
        self,
        gray: NDArray,
        labels: NDArray[np.uint8],
        features: FeatureMaps | None,
        side: int | None,
    ) -> NDArray:
        with self.inference():
            if side is None:
                found = batching.run(
                    self.color_net,
                    self.gray(gray),
                    self.ids(labels),
                    *(features.tensors if features else ()),
                )
                return self.lab_units(found)
            wide = np.float64 if self.dtype == 'float64' else np.float32
            chroma = np.empty((*gray.shape, 2), wide)
            with batching.alone():
                for tile, found in tiled_chroma(
                    self.color_net, gray, labels, side, self._tensor, features
                ):
                    chroma[tile.rows, tile.columns] = self.lab_units(found)
            return chroma

    def logits(self, gray: ArrayLike) -> NDArray:
        """The bare GridNet.

        Parameters
        ----------
        gray
            (h, w) floats in [0, 1], sides multiples of 16.

        Returns
        -------
        NDArray
            (60, h, w).

        Raises
        ------
        ValueError
            On wrong sides or types.
        NetworkError
            If the network gives NaN or infinity.
        """
        gray = check_gray(gray, self.grid_net.config.multiple)
        with self.inference():
            if self.grid_net.config.features:
                enlarge = self.seen_logits(self._seen(gray), gray.shape)
                logits = enlarge(slice(None))
            else:
                logits = self.grid_net(self._tensor(gray)[None, None])
            return finite(self._numpy(logits[0]), 'segmentation')

    def seen_logits(self, seen: Seen, shape: tuple[int, int]) -> Enlarger:
        """Logits of the GridNet on a photo's features, at any size (h, w)."""
        logits = batching.run(self.grid_net, *seen.maps)
        # Half precision is too coarse to interpolate in.
        wide = torch.promote_types(logits.dtype, torch.float32)
        extent = tuple(side / featuregrid.STRIDE for side in seen.shape)
        return Enlarger(logits.to(wide), shape, extent)

    def gray(self, plane: NDArray) -> torch.Tensor:
        """A padded plane in [0, 1] as the gray stream reads it."""
        return self._tensor(plane)[None, None] * 2 - 1

    def ids(self, labels: NDArray[np.uint8]) -> torch.Tensor:
        """A padded map as the label stream reads it."""
        return torch.from_numpy(labels).to(self.device.torch)[None]

    def lab_units(self, found: torch.Tensor) -> NDArray:
        """Chroma (h, w, 2) in Lab units of the network's (1, 2, h, w).

        Raises
        ------
        NetworkError
            If it holds NaN or infinity.
        """
        chroma = np.moveaxis(self._numpy(found[0]), 0, -1)
        with np.errstate(over='ignore'):
            if self.parts['color'].encoding == 'opencv':
                # A byte b stands for b/255, and 128 is neutral.
                chroma = (chroma / 2 + 0.5) * 255 - 128
            else:
                chroma = chroma * 128
        return finite(chroma, 'color')

    def steady(self, shape: tuple[int, int]) -> AbstractContextManager[None]:
        """Make results independent of the number of threads.

        Parameters
        ----------
        shape
            Of the working plane. Large ones would take too long on one
            thread; their last bits depend on the number of threads.
        """
        if self.device.kind == 'cpu' and shape[0] * shape[1] <= STEADY_AREA:
            return one_thread()
        return nullcontext()

    @contextmanager
    def inference(self) -> Iterator[None]:
        """No gradients (thread-local), device errors as sentences."""
        with torch.inference_mode(), out_of_memory_said(self.device):
            yield

    def _tensor(self, plane: NDArray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(plane)).to(
            self.device.torch, DTYPES[self.dtype]
        )

    def _numpy(self, tensor: torch.Tensor) -> NDArray:
        wide = torch.float64 if self.dtype == 'float64' else torch.float32
        return np.ascontiguousarray(tensor.to(wide).cpu().numpy())


def _check_cancelled(module: torch.nn.Module, inputs: object) -> None:
    cancel.check()
