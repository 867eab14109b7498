"""A fixed sample of held-out photos: looked at, never learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from napari_sdcolor.classes import UNKNOWN
from napari_sdcolor.core import lab
from napari_sdcolor.core.compose import compose
from napari_sdcolor.core.planes import pad, resize_labels
from napari_sdcolor.datasets.entry import BadEntry, Entry, Skipped
from napari_sdcolor.datasets.sheets import paint_labels, sheet
from napari_sdcolor.errors import DataError
from napari_sdcolor.training.loading import on_device
from napari_sdcolor.training.losses import task_loss
from napari_sdcolor.training.recipe import Recipe, without_augmentation
from napari_sdcolor.training.samples import CropDataset, seen_whole

PHOTOS = 32
"""So many photos give the held-out figures."""

SHOWN = 4
"""So many of them are on the preview sheets."""


@dataclass(frozen=True)
class Figures:
    """Of the held-out sample.

    Parameters
    ----------
    loss
        As in training, without augmentation.
    score
        PSNR of ab in dB, mean over crops; or percent of the known pixels
        whose class is right.
    """

    loss: float
    score: float


def enlarged(logits: Tensor, gray: Tensor) -> Tensor:
    """Logits (n, c, h/s, w/s) at the size of the photo (n, 1, h, w)."""
    if logits.shape[-2:] == gray.shape[-2:]:
        return logits
    return functional.interpolate(
        logits.float(), gray.shape[-2:], mode='bilinear'
    )


class HeldOut:
    """One crop of each of some held-out photos, and whole ones to look at.

    The crops are the same for every run with the same seed and photos, are
    not augmented, and random numbers of the training are not touched.

    Parameters
    ----------
    entries
        The split; photos that cannot be read are passed over.
    recipe
        Of the run.
    device
        Where the network is.
    skipped
        Receives what cannot be used.

    Raises
    ------
    DataError
        If no photo can be used.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        recipe: Recipe,
        device: torch.device,
        skipped: list[Skipped],
    ) -> None:
        self.recipe = recipe
        self.device = device
        if not entries:
            raise DataError('no photograph is held out.')
        self._plain = without_augmentation(recipe)
        crops = CropDataset(list(entries), self._plain)
        self._samples: list[tuple[Tensor, ...]] = []
        self._shown: list[tuple[NDArray, NDArray | None]] = []
        for number in np.random.default_rng(0).permutation(len(crops.entries)):
            entry = crops.entries[number]
            rng = np.random.default_rng((recipe.seed, int(number)))
            try:
                rgb, labels = crops.load(entry)
            except BadEntry as error:
                skipped.append(error.skipped)
                continue
            self._samples.append(crops.sample(rgb, labels, rng))
            if len(self._shown) < SHOWN and labels is not None:
                self._shown.append((rgb, labels))
            if len(self._samples) == PHOTOS:
                break
        if not self._samples:
            raise DataError('none of the held-out photographs can be used.')
        if not self._shown:
            for entry in crops.entries[:SHOWN]:
                try:
                    self._shown.append(crops.load(entry))
                except BadEntry:
                    continue

    @torch.inference_mode()
    def measure(self, network: nn.Module) -> Figures:
        """Figures of a network in evaluation mode."""
        losses, scores = [], []
        for sample in self._samples:
            batch = [part[None] for part in sample]
            *inputs, target = on_device(batch, self.device)
            found = network(*inputs).float()
            losses.append(task_loss(found, target, self._plain, None))
            if self.recipe.task == 'color':
                error = ((found - target) * 128).square().mean()
                scores.append(10 * torch.log10(255**2 / error))
            else:
                logits = enlarged(found, inputs[0])
                known = target != UNKNOWN
                if known.any():
                    right = logits.argmax(1) == target
                    scores.append(100 * right[known].float().mean())
        return Figures(
            float(torch.stack(losses).mean()),
            float(torch.stack(scores).mean()) if scores else float('nan'),
        )

    @torch.inference_mode()
    def preview(self, network: nn.Module) -> bytes:
        """A sheet of whole photos as PNG.

        Gray, map, ours and truth in color; for the segmentation the photo
        stands in the place of the truth in color, and both maps are shown.
        """
        rows = [self._row(network, *shown) for shown in self._shown]
        headings = (
            ('gray', 'map', 'ours', 'truth')
            if self.recipe.task == 'color'
            else ('gray', 'our map', 'true map', 'photo')
        )
        return sheet(headings, rows)

    def _row(
        self,
        network: nn.Module,
        rgb: NDArray[np.uint8],
        labels: NDArray[np.uint8] | None,
    ) -> list[NDArray[np.uint8]]:
        size = self.recipe.network_size
        factor = size / min(rgb.shape[:2])
        width, height = (
            min(max(size, round(side * factor)), size * 3 // 2)
            for side in (rgb.shape[1], rgb.shape[0])
        )
        rgb = np.array(Image.fromarray(rgb).resize((width, height)))
        if labels is None:
            labels = np.full(rgb.shape[:2], UNKNOWN, np.uint8)
        labels = resize_labels(labels, rgb.shape[:2])
        lightness = lab.rgb_to_lightness(rgb / np.float32(255))
        gray_rgb = compose(lightness, np.zeros((*lightness.shape, 2)), 8)
        multiple = network.config.multiple
        padded, _ = pad(np.float32(lightness / 100), multiple)
        plane = torch.from_numpy(padded)[None, None].to(self.device)
        if self.recipe.task == 'segmentation':
            logits = enlarged(network(plane), plane)[0, :, :height, :width]
            ours = logits.argmax(0).to(torch.uint8).cpu().numpy()
            return [gray_rgb, paint_labels(ours), paint_labels(labels), rgb]
        known = np.where(labels == UNKNOWN, 0, labels).astype(np.uint8)
        padded, _ = pad(known, multiple, 'constant')
        ids = torch.from_numpy(padded)[None].to(self.device)
        whole = self._whole(np.float32(lightness / 100))
        chroma = network(plane * 2 - 1, ids, *whole).float()
        chroma = chroma[0, :, :height, :width]
        ab = np.moveaxis(chroma.cpu().numpy(), 0, -1) * 128
        return [gray_rgb, paint_labels(known), compose(lightness, ab, 8), rgb]

    def _whole(self, gray: NDArray[np.float32]) -> list[Tensor]:
        """What a network that reads features takes of a whole photo."""
        if not self.recipe.features:
            return []
        height, width = gray.shape
        whole = seen_whole(
            gray, (0, 0, width, height), (height, width), self.recipe
        )
        return on_device([part[None] for part in whole], self.device)
