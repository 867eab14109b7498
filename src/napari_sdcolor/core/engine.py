"""The Colorizer: photo in, label map and color out.

The data flows one way: working-size L* → GridNet → label map → two-stream
U-Net → chroma → edge-guided upsampling → saturation → gamut → RGB.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from napari_sdcolor.core import (
    batching,
    cancel,
    colornet,
    gridnet,
    models,
)
from napari_sdcolor.core.authors import load_color, load_segmentation
from napari_sdcolor.core.bilinear import Enlarger
from napari_sdcolor.core.device import choose
from napari_sdcolor.core.features import FeaturesConfig
from napari_sdcolor.core.model_files import NETWORKS
from napari_sdcolor.core.networks import Networks
from napari_sdcolor.core.orientation import as_stored, upright
from napari_sdcolor.core.paint import Painting, notes_on
from napari_sdcolor.core.photo import Photo, as_photo
from napari_sdcolor.core.planes import bands, check_labels, finite, pad
from napari_sdcolor.core.recolor import RecolorSession
from napari_sdcolor.core.results import Colorized, Segmentation
from napari_sdcolor.core.weights import random_part
from napari_sdcolor.settings import NATIVE, Settings, Size

GRID_SIDE = 704
"""Short side in pixels up to which the GridNet follows the working size.

It has seen photos of about this size; what is in a photo does not become
clearer on more pixels, and its logits are brought to any size anyhow.
"""

LOGITS_BAND = 2**13
"""Pixels whose 60 logits are enlarged together: 2 MB stay in the cache."""


class Colorizer(Networks):
    """Both networks on one device.

    Build one with ``load``, ``random`` or ``from_authors``.
    """

    @classmethod
    def load(
        cls,
        weights: str | Path = 'default',
        *,
        device: str = 'auto',
        dtype: str = 'float32',
        size: Size = 352,
        kinds: Sequence[str] = NETWORKS,
    ) -> Colorizer:
        """Networks with trained weights.

        Parameters
        ----------
        weights
            Name of a model (``sdcolor models list``) or a safetensors file.
        device
            'auto', 'cpu', 'cuda' or 'mps'; what is really used is
            ``.device``.
        dtype, size
            See the class.
        kinds
            The networks that are needed, of 'color' and 'segmentation'.

        Raises
        ------
        WeightsError
            If they are missing, truncated, damaged or of the wrong kind.
        DeviceError
            If torch cannot be loaded or the device runs out of memory.
        """
        parts = models.load(str(weights), kinds=kinds)
        return cls(parts, choose(device), dtype, size)

    @classmethod
    def random(
        cls,
        preset: str | colornet.ColorNetConfig = 'paper',
        *,
        seed: int = 0,
        device: str = 'cpu',
        dtype: str = 'float32',
        size: Size = 352,
        grid: gridnet.GridNetConfig = gridnet.PAPER,
    ) -> Colorizer:
        """Full-width networks with random weights, for tests and benchmarks.

        Parameters
        ----------
        preset
            'paper', 'released' or a configuration of one's own.
        grid
            Configuration of the GridNet.
        """
        if isinstance(preset, str):
            presets = {'paper': colornet.PAPER, 'released': colornet.RELEASED}
            if preset not in presets:
                raise ValueError(f'preset must be one of {list(presets)}.')
            preset = presets[preset]
        parts = {
            'color': random_part('color', preset, seed),
            'segmentation': random_part('segmentation', grid, seed + 1),
        }
        if preset.features or grid.features:
            parts['features'] = random_part(
                'features', FeaturesConfig(), seed + 2
            )
        return cls(parts, choose(device), dtype, size)

    @classmethod
    def from_authors(
        cls,
        color_checkpoint: str | Path,
        segmentation_checkpoint: str | Path,
        *,
        device: str = 'auto',
        dtype: str = 'float32',
        size: Size = 352,
    ) -> Colorizer:
        """Networks with the weights that the paper's authors published.

        Raises
        ------
        WeightsError
            If a file is not the checkpoint that it should be.
        """
        parts = {
            'color': load_color(Path(color_checkpoint)),
            'segmentation': load_segmentation(Path(segmentation_checkpoint)),
        }
        return cls(parts, choose(device), dtype, size)

    def segment(
        self, photo: Photo | ArrayLike, *, steady: bool = True
    ) -> Segmentation:
        """What is in a photo.

        Parameters
        ----------
        photo
            A ``Photo``, or an array that becomes one.
        steady
            Take one thread, so that no bit can depend on their number. To
            look at a photo, all of them are faster.

        Returns
        -------
        Segmentation
            Label map and confidence at working size, in stored order.

        Raises
        ------
        NetworkError
            If the network gives NaN or infinity.
        """
        photo = as_photo(photo)
        orientation = photo.origin.orientation
        shape = photo.working_shape(self.size)
        labels = np.empty(shape, np.uint8)
        confidence = np.empty(shape, np.float32)
        # Views: what is written upright lands in stored order.
        seen_labels = upright(labels, orientation)
        seen_confidence = upright(confidence, orientation)
        alone = self.steady(shape) if steady else nullcontext()
        temperature = self.grid_net.config.temperature
        with alone, self.inference():
            enlarge = self.photo_logits(photo, seen_labels.shape)
            for rows in bands(seen_labels.shape, LOGITS_BAND):
                cancel.check()
                # Classes last, as they lie in memory: much faster.
                logits = enlarge(rows)[0].permute(1, 2, 0)
                # Of the logits, as shares may round to equal numbers.
                found = logits.max(-1).indices
                share = torch.softmax(logits / temperature, -1).amax(-1)
                seen_labels[rows] = found.to(torch.uint8).cpu().numpy()
                # One NaN among the logits of a pixel makes its share NaN.
                seen_confidence[rows] = finite(
                    self._numpy(share), 'segmentation'
                )
        return Segmentation(labels, confidence)

    def photo_logits(self, photo: Photo, shape: tuple[int, int]) -> Enlarger:
        """Logits of a photo, upright, at any size (h, w).

        To be called within ``inference``.
        """
        if self.grid_net.config.features:
            return self.seen_logits(self.seen(photo), shape)
        gray = self.network_gray(photo, 'segmentation', self._grid_size(photo))
        padded, (h, w) = pad(gray, self.grid_net.config.multiple)
        logits = batching.run(self.grid_net, self._tensor(padded)[None, None])
        return Enlarger(logits[..., :h, :w].float(), shape)

    def _grid_size(self, photo: Photo) -> int:
        """Short side at which the GridNet looks at a photo."""
        wanted = min(photo.shape) if self.size == NATIVE else self.size
        return self.grid_net.config.size or min(wanted, GRID_SIDE)

    def colorize(
        self,
        photo: Photo | ArrayLike,
        labels: ArrayLike | None = None,
        *,
        settings: Settings | None = None,
        lazy: bool = False,
    ) -> Colorized:
        """Color a photo in one full pass.

        Parameters
        ----------
        photo
            A ``Photo``, or an array that becomes one.
        labels
            (h, w) uint8 label map at working size, in stored order;
            predicted when None.
        settings
            Saturation; the other fields are recorded as they are in use.
        lazy
            Leave the picture to be painted by whoever saves it, while the
            networks go on; photos that are not in memory always do.

        Returns
        -------
        Colorized

        Raises
        ------
        LabelsError
            If the map has another size or ids above 59.
        NetworkError
            If the network gives NaN or infinity.
        """
        photo = as_photo(photo)
        settings = replace(settings or Settings(), size=self.size)
        confidence, origin, predicted = None, 'given', None
        if labels is None:
            found = self.segment(photo)
            labels = predicted = found.labels
            origin = 'predicted'
            confidence = float(found.confidence.mean())
        labels = check_labels(labels, photo.working_shape(self.size))
        with self.steady(labels.shape):
            chroma, notes = self._full_pass(photo, labels)
        guide = photo.working_lightness(self.size)
        painting = Painting(photo, chroma, guide, settings.saturation)
        now = photo.in_memory and not lazy
        return Colorized(
            rgb=np.asarray(painting) if now else painting,
            labels=labels.copy(),
            chroma=chroma,
            photo=photo,
            settings=settings,
            labels_origin=origin,
            predicted=predicted,
            confidence=confidence,
            model=self.facts(),
            notes=notes + notes_on(chroma),
        )

    def _full_pass(
        self, photo: Photo, labels: NDArray[np.uint8]
    ) -> tuple[NDArray, tuple[str, ...]]:
        """Chroma (h, w, 2) of a map, in stored order, and notes."""
        orientation = photo.origin.orientation
        multiple = self.color_net.config.multiple
        gray, (h, w) = pad(
            self.network_gray(photo, 'color', self.size), multiple
        )
        turned = upright(labels, orientation)
        padded, _ = pad(turned, multiple, 'constant')
        chroma, notes = self.color(
            gray, np.ascontiguousarray(padded), self.photo_features(photo)
        )
        stored = as_stored(chroma[:h, :w], orientation)
        return np.ascontiguousarray(stored), notes

    def session(
        self,
        photo: Photo | ArrayLike,
        labels: ArrayLike,
        *,
        saturation: float = 1.0,
        memory: float = Settings.memory,
    ) -> RecolorSession:
        """Color a photo and keep what makes the next edit quick.

        Parameters
        ----------
        photo, labels
            As for ``colorize``.
        saturation
            Factor on the chroma.
        memory
            MiB of features that may be kept between edits; see
            ``core.incremental``.
        """
        return RecolorSession(
            self, as_photo(photo), labels, saturation, memory
        )
