"""The temperature at which the confidence of a map means what it says.

Networks that were trained on classes weighted against their frequency are
less sure than they might be, others are surer than they should be. One number
that all logits are divided by puts most of it right (Guo et al., 2017). It is
chosen on held-out photographs, and the map does not depend on it.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch.nn import functional

from napari_sdcolor.classes import UNKNOWN
from napari_sdcolor.core.colornet import ColorNetConfig
from napari_sdcolor.core.device import Device
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.photo import photo_from_array
from napari_sdcolor.core.planes import resize_labels
from napari_sdcolor.core.weights import Part, random_part
from napari_sdcolor.datasets.coverage import labeled
from napari_sdcolor.datasets.entry import BadEntry, Entry, Skipped
from napari_sdcolor.errors import DataError
from napari_sdcolor.settings import Size

PHOTOS = 300
"""At most so many photos of the split are looked at, evenly spread."""

PIXELS = 1000
"""At most so many known pixels of each count, so that none outweighs."""

LOW, HIGH = 0.05, 20.0
"""Temperatures that are searched."""


@dataclass(frozen=True)
class Sample:
    """What a GridNet says of pixels whose class is known.

    Parameters
    ----------
    logits
        (n, 60) float32, before any temperature.
    classes
        (n,) int64, the true ids.
    photos
        How many photos they are from.
    skipped
        Photos that could not be read.
    """

    logits: torch.Tensor
    classes: torch.Tensor
    photos: int
    skipped: tuple[Skipped, ...] = ()

    def loss(self, temperature: float) -> float:
        """Mean cross-entropy at a temperature, every pixel alike."""
        return float(
            functional.cross_entropy(self.logits / temperature, self.classes)
        )


def segmenter(
    parts: Mapping[str, Part], device: Device, size: Size
) -> Colorizer:
    """A Colorizer for segmentation weights alone; of color it knows nothing.

    Parameters
    ----------
    parts
        'segmentation', and the 'features' that it reads.
    """
    narrow = ColorNetConfig(widths=(2, 2), label_channels=1)
    parts = {**parts, 'color': random_part('color', narrow, 0)}
    return Colorizer(parts, device, size=size)


def sample_logits(
    colorizer: Colorizer,
    entries: Sequence[Entry],
    progress: Callable[[Sequence[Entry]], Iterable[Entry]] = iter,
) -> Sample:
    """Logits of known pixels at working size, always of the same ones.

    Parameters
    ----------
    colorizer
        Its GridNet is asked.
    entries
        The split that chooses.
    progress
        Wraps the entries that are looked at.

    Raises
    ------
    DataError
        If no pixel of any photo is known.
    """
    usable = labeled(entries)
    count = min(PHOTOS, len(usable))
    chosen = [usable[n * len(usable) // count] for n in range(count)]
    logits, classes, skipped = [], [], []
    for entry in progress(chosen):
        try:
            rgb, labels = entry.load()
        except BadEntry as error:
            skipped.append(error.skipped)
            continue
        photo = photo_from_array(rgb, rgb=True, name=entry.name)
        shape = photo.working_shape(colorizer.size)
        labels = resize_labels(labels, shape)
        known = np.flatnonzero(labels != UNKNOWN)
        if not known.size:
            continue
        rng = np.random.default_rng(zlib.crc32(entry.name.encode()))
        known = rng.permutation(known)[:PIXELS]
        with colorizer.inference():
            enlarge = colorizer.photo_logits(photo, shape)
            values = enlarge(slice(0, shape[0]))[0].flatten(1).cpu()
            logits.append(values[:, known].T)
        classes.append(labels.ravel()[known].astype(np.int64))
    if not logits:
        why = f' {skipped[0].reason}.' if skipped else ''
        raise DataError(
            'A temperature needs photographs with maps that know some '
            f'class, and there is none.{why}'
        )
    return Sample(
        torch.cat(logits),
        torch.from_numpy(np.concatenate(classes)),
        len(logits),
        tuple(skipped),
    )


def best_temperature(sample: Sample) -> float:
    """The temperature with the least cross-entropy.

    Raises
    ------
    DataError
        If the sample does not tell, as when all of its pixels are right:
        then the less the better, down to nothing.
    """

    def loss(logarithm: float) -> float:
        return sample.loss(math.exp(logarithm))

    bounds = (math.log(LOW), math.log(HIGH))
    found = minimize_scalar(
        loss, bounds=bounds, method='bounded', options={'xatol': 1e-4}
    )
    if min(abs(found.x - bound) for bound in bounds) < 0.01:
        raise DataError(
            f'No temperature from {LOW:g} to {HIGH:g} is best for the '
            f'photographs looked at ({sample.photos}). Take more of them, '
            'and such as the network gets right in some places and wrong in '
            'others.'
        )
    return round(math.exp(found.x), 4)
