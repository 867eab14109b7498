"""The Colorizer: photo in, label map and color out.

The data flows one way: working-size L* → GridNet → label map → two-stream
U-Net → chroma → edge-guided upsampling → saturation → gamut → RGB.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch.nn import functional

from napari_sdcolor.core import colornet, gridnet, lab, models
from napari_sdcolor.core.authors import load_color, load_segmentation
from napari_sdcolor.core.device import choose
from napari_sdcolor.core.networks import Networks, finite
from napari_sdcolor.core.orientation import as_stored, upright
from napari_sdcolor.core.photo import Photo, as_photo
from napari_sdcolor.core.planes import pad
from napari_sdcolor.core.recolor import RecolorSession
from napari_sdcolor.core.results import Colorized, Segmentation
from napari_sdcolor.core.weights import random_part
from napari_sdcolor.settings import Settings


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
        size: int = 352,
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

        Raises
        ------
        WeightsError
            If they are missing, truncated, damaged or of the wrong kind.
        DeviceError
            If torch cannot be loaded or the device runs out of memory.
        """
        return cls(models.load(str(weights)), choose(device), dtype, size)

    @classmethod
    def random(
        cls,
        preset: str | colornet.ColorNetConfig = 'paper',
        *,
        seed: int = 0,
        device: str = 'cpu',
        dtype: str = 'float32',
        size: int = 352,
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
        return cls(parts, choose(device), dtype, size)

    @classmethod
    def from_authors(
        cls,
        color_checkpoint: str | Path,
        segmentation_checkpoint: str | Path,
        *,
        device: str = 'auto',
        dtype: str = 'float32',
        size: int = 352,
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

    def segment(self, photo: Photo | ArrayLike) -> Segmentation:
        """What is in a photo.

        Parameters
        ----------
        photo
            A ``Photo``, or an array that becomes one.

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
        network_size = self.grid_net.config.size or self.size
        gray = self.network_gray(photo, 'segmentation', network_size)
        padded, (h, w) = pad(gray, self.grid_net.config.multiple)
        with self.inference():
            logits = self.grid_net(self._tensor(padded)[None, None])
            logits = logits[..., :h, :w].float()
            turned = upright(np.empty(shape, bool), orientation).shape
            if turned != (h, w):
                logits = functional.interpolate(
                    logits, turned, mode='bilinear'
                )
            share, labels = torch.softmax(logits, 1)[0].max(0)
            labels = labels.to(torch.uint8).cpu().numpy()
            # One NaN among the logits of a pixel makes its share NaN.
            confidence = finite(self._numpy(share), 'segmentation')
        return Segmentation(
            np.ascontiguousarray(as_stored(labels, orientation)),
            np.ascontiguousarray(as_stored(confidence, orientation)),
        )

    def colorize(
        self,
        photo: Photo | ArrayLike,
        labels: ArrayLike | None = None,
        *,
        settings: Settings | None = None,
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
        confidence, origin = None, 'given'
        if labels is None:
            found = self.segment(photo)
            labels, origin = found.labels, 'predicted'
            confidence = float(found.confidence.mean())
        session = self.session(photo, labels, saturation=settings.saturation)
        return Colorized(
            rgb=session.rgb,
            labels=session.labels,
            chroma=session.chroma,
            photo=photo,
            settings=settings,
            labels_origin=origin,
            confidence=confidence,
            model=self.facts(),
            notes=session.notes,
        )

    def session(
        self,
        photo: Photo | ArrayLike,
        labels: ArrayLike,
        *,
        saturation: float = 1.0,
    ) -> RecolorSession:
        """Color a photo and keep what makes the next edit quick.

        Parameters
        ----------
        photo, labels
            As for ``colorize``.
        saturation
            Factor on the chroma.
        """
        return RecolorSession(self, as_photo(photo), labels, saturation)

    def network_gray(self, photo: Photo, kind: str, size: int) -> NDArray:
        """(h, w) float32 in [0, 1], upright, as a network's weights expect."""
        plane = photo.working_lightness(size)
        plane = upright(plane, photo.origin.orientation)
        if self.parts[kind].encoding == 'opencv':
            return lab.lightness_to_gray(plane).astype(np.float32)
        return np.ascontiguousarray(plane) / np.float32(100)
