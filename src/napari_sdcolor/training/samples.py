"""Random crops for training, each a pure function of (seed, number)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import Dataset

from napari_sdcolor.classes import UNKNOWN
from napari_sdcolor.core import lab
from napari_sdcolor.core.features import FeaturesConfig
from napari_sdcolor.core.photo import resize_plane, working_shape
from napari_sdcolor.core.planes import pad
from napari_sdcolor.datasets.coverage import class_colors, labeled
from napari_sdcolor.datasets.entry import BadEntry, Entry, Skipped
from napari_sdcolor.errors import DataError
from napari_sdcolor.training.augment import (
    age,
    corrupt,
    film,
    printed,
    swap_region,
)
from napari_sdcolor.training.recipe import Recipe

SPARING = {
    'oxford_flower17': 0.08,
    'food_aruno': 0.3,
    'ade_sky': 0.6,
    'fasseg': 0.6,
}
"""Weight of data sets that show one class without its surroundings."""


ATTEMPTS = 20
"""After so many photos in a row that cannot be used there is no use."""

GRAY_SPREAD = 6
"""Difference of the channels (of 255) that a gray JPEG may show."""


@dataclass(frozen=True)
class Crop:
    """Part of a photo: RGB (c, c, 3) uint8 and labels (c, c) uint8.

    Parameters
    ----------
    rgb, labels
        As above.
    box
        Left, top, right and bottom in pixels of the photo.
    mirrored
        Whether left and right were exchanged, behind the cut.
    """

    rgb: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    box: tuple[float, float, float, float]
    mirrored: bool


class CropDataset(Dataset):
    """Crop number i of an endless, reproducible sequence.

    Parameters
    ----------
    entries
        The training photographs.
    recipe
        Crop size, scale and augmentation.

    Raises
    ------
    DataError
        If there is no photograph, or for segmentation none with labels.
    """

    def __init__(self, entries: list[Entry], recipe: Recipe) -> None:
        self.recipe = recipe
        what = 'photograph'
        if recipe.task == 'segmentation':
            entries, what = labeled(entries), 'photograph with a map'
        if not entries:
            raise DataError(f'There is no {what} to cut crops from.')
        self.entries = entries
        self.means = class_colors(entries) if recipe.swap else None
        weights = np.array(
            [
                SPARING.get(entry.dataset, 1.0) ** recipe.sparing
                if entry.labels
                else recipe.unlabelled
                for entry in entries
            ]
        )
        if not weights.any():
            weights[:] = 1
        self.cumulative = np.cumsum(weights / weights.sum())
        self._order: tuple[int, NDArray] | None = None

    def __len__(self) -> int:
        return self.recipe.steps * self.recipe.batch

    def crop(self, number: int) -> tuple[torch.Tensor, ...]:
        """A crop; see ``sample``.

        Raises
        ------
        DataError
            If no photo can be used.
        """
        sample, skipped = self[number]
        if sample is None:
            last = skipped[-1]
            raise DataError(
                f'None of {ATTEMPTS} photographs in a row can be used. The '
                f'last one was {last.dataset}/{last.name}: {last.reason}.'
            )
        return sample

    def __getitem__(
        self, number: int
    ) -> tuple[tuple[torch.Tensor, ...] | None, list[Skipped]]:
        """A crop, and the photos that could not be used on the way there.

        Another photo takes the place of one that cannot be used, so that
        no single file ends a run; None if ``ATTEMPTS`` in a row cannot.
        """
        skipped = []
        for attempt in range(ATTEMPTS):
            seed = (self.recipe.seed, number, attempt)
            rng = np.random.default_rng(seed if attempt else seed[:2])
            try:
                rgb, labels = self.load(self._choose(number, attempt, rng))
            except BadEntry as error:
                skipped.append(error.skipped)
                continue
            return self.sample(rgb, labels, rng), skipped
        return None, skipped

    def _choose(
        self, number: int, attempt: int, rng: np.random.Generator
    ) -> Entry:
        if self.recipe.draw == 'epochs' and not attempt:
            epoch, place = divmod(number, len(self.entries))
            if self._order is None or self._order[0] != epoch:
                shuffle = np.random.default_rng((self.recipe.seed, 0, epoch))
                order = shuffle.permutation(len(self.entries))
                self._order = (epoch, order)
            return self.entries[self._order[1][place]]
        place = int(np.searchsorted(self.cumulative, rng.random()))
        return self.entries[min(place, len(self.entries) - 1)]

    def load(
        self, entry: Entry
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        """A photo and its map, no larger than crops need them.

        Raises
        ------
        BadEntry
            If they cannot be read, or if colors are to be learned from a
            picture in black and white.
        """
        rgb, labels = entry.load(self.recipe.largest)
        if self.recipe.task == 'color' and not has_colors(rgb):
            raise BadEntry(
                entry.dataset, entry.name, 'the photo is black and white'
            )
        return rgb, labels

    def sample(
        self,
        rgb: NDArray[np.uint8],
        labels: NDArray[np.uint8] | None,
        rng: np.random.Generator,
    ) -> tuple[torch.Tensor, ...]:
        """A random crop as the network and its loss want it.

        Returns
        -------
        tuple of Tensor
            What the network takes, then what it should give. Segmentation:
            gray (1, c, c) in [0, 1]; labels (c, c). Color: gray in [-1, 1],
            labels, for a network that reads photo features also the whole
            photo (1, h, w) in [0, 1] as they are found in it, and where the
            crop lies on it (the window of ``FeatureMaps``); ab/128
            (2, c, c).
        """
        crop = random_crop(rgb, labels, self.recipe, rng)
        if self.recipe.task == 'segmentation':
            gray = self._aged(crop.rgb, None, rng)
            return torch.from_numpy(gray)[None], torch.from_numpy(crop.labels)
        values = lab.rgb_to_lab(crop.rgb / np.float32(255))
        seen: tuple[torch.Tensor, ...] = ()
        if self.recipe.features:
            # Old as a whole: the crop must be part of what is seen.
            photo = self._aged(rgb, None, rng)
            box, side = crop.box, self.recipe.crop
            gray = _cut(
                photo, Image.Resampling.BICUBIC, side, box, crop.mirrored
            )
            gray = np.clip(gray, 0, 1)
            if crop.mirrored:
                photo = photo[:, ::-1]
                box = (
                    photo.shape[1] - box[2],
                    box[1],
                    photo.shape[1] - box[0],
                    box[3],
                )
            seen = seen_whole(photo, box, crop.labels.shape, self.recipe)
        else:
            gray = self._aged(crop.rgb, values[..., 0], rng)
        ab, labels = values[..., 1:], crop.labels
        if self.means is not None and rng.random() < self.recipe.swap:
            ab, labels = swap_region(ab, labels, self.means, rng, self.recipe)
        else:
            labels = corrupt(labels, rng, self.recipe)
        chroma = np.moveaxis(ab / 128, -1, 0)
        return (
            torch.from_numpy(gray)[None] * 2 - 1,
            torch.from_numpy(labels),
            *seen,
            torch.from_numpy(np.ascontiguousarray(chroma)),
        )

    def _aged(
        self,
        rgb: NDArray[np.uint8],
        lightness: NDArray[np.float32] | None,
        rng: np.random.Generator,
    ) -> NDArray[np.float32]:
        """Gray (h, w) in [0, 1] of a photo, often older than it is.

        ``lightness`` is its L*, where that is known already.
        """
        aging = self.recipe.aging
        if rng.random() < aging / 2:
            gray = film(rgb, rng)
        else:
            gray = (
                printed(rgb, lab.LUMINANCE)
                if lightness is None
                else lightness / 100
            )
        return age(gray, rng, aging)


def has_colors(rgb: NDArray[np.uint8]) -> bool:
    """Whether a photo (h, w, 3) is more than black and white.

    One pixel in a thousand must differ between its channels by more than
    JPEG compression of a gray picture does.
    """
    # Of whole planes: several times as fast as along the short last axis.
    red, green, blue = np.moveaxis(rgb, -1, 0)
    most = np.maximum(np.maximum(red, green), blue)
    spread = most - np.minimum(np.minimum(red, green), blue)
    return bool((spread > GRAY_SPREAD).mean() > 1e-3)


def random_crop(
    rgb: NDArray[np.uint8],
    labels: NDArray[np.uint8] | None,
    recipe: Recipe,
    rng: np.random.Generator,
) -> Crop:
    """Scale, flip and cut a square of ``recipe.crop`` pixels."""
    height, width = rgb.shape[:2]
    if labels is None:
        labels = np.full((height, width), UNKNOWN, np.uint8)
    if recipe.squash:
        box = _box_of_squashed(height, width, recipe, rng)
    else:
        box = _box(height, width, recipe, rng)
    mirrored = bool(rng.random() < 0.5)
    place = (recipe.crop, box, mirrored)
    return Crop(
        _cut(rgb, Image.Resampling.BICUBIC, *place),
        _cut(labels, Image.Resampling.NEAREST, *place),
        box,
        mirrored,
    )


def _cut(
    plane: NDArray,
    resampling: Image.Resampling,
    side: int,
    box: tuple[float, float, float, float],
    mirrored: bool,
) -> NDArray:
    """Part of a plane (h, w) or (h, w, 3) as a square; see ``Crop``."""
    image = Image.fromarray(plane).resize((side, side), resampling, box=box)
    found = np.array(image)
    return found[:, ::-1].copy() if mirrored else found


def seen_whole(
    photo: NDArray[np.float32],
    box: tuple[float, float, float, float],
    shape: tuple[int, int],
    recipe: Recipe,
) -> tuple[torch.Tensor, torch.Tensor]:
    """A whole photo as features are found in it, and where a part lies.

    Parameters
    ----------
    photo
        (h, w) in [0, 1].
    box
        Left, top, right and bottom of the part, in pixels of the photo.
    shape
        Rows and columns that the color network sees of the part.
    recipe
        Of the run.

    Returns
    -------
    photo
        (1, h, w) at the size of the features, padded.
    window
        (4,), see ``FeatureMaps``.
    """
    seen = resize_plane(
        photo, working_shape(photo.shape, recipe.features_size)
    )
    down, across = (
        new / old for new, old in zip(seen.shape, photo.shape, strict=True)
    )
    left, top, right, bottom = box
    window = torch.tensor(
        [
            top * down,
            left * across,
            (bottom - top) * down / shape[0],
            (right - left) * across / shape[1],
        ],
        dtype=torch.float64,
    )
    padded, _ = pad(seen, FeaturesConfig(recipe.features).multiple)
    return torch.from_numpy(padded)[None], window


def _box(
    height: int, width: int, recipe: Recipe, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a crop that keeps the aspect."""
    scale = recipe.size / min(height, width)
    scale *= np.exp(
        rng.uniform(np.log(recipe.zoom[0]), np.log(recipe.zoom[1]))
    )
    scale = max(scale, recipe.crop / min(height, width))
    # Rounding may make the side a hair longer than the photo.
    side = min(recipe.crop / scale, height, width)
    left = rng.uniform(0, width - side)
    top = rng.uniform(0, height - side)
    return (left, top, left + side, top + side)


def _box_of_squashed(
    height: int, width: int, recipe: Recipe, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """The same in a photo that is first made a square of ``size`` pixels."""
    left, top = rng.integers(0, recipe.size - recipe.crop + 1, 2)
    x, y = width / recipe.size, height / recipe.size
    return (
        left * x,
        top * y,
        (left + recipe.crop) * x,
        (top + recipe.crop) * y,
    )
