"""How a result is compared with the color photo that it came from.

Colors are 8-bit sRGB, Lab is CIE L*a*b* (D65) with L* in [0, 100].
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from skimage.color import deltaE_ciede2000

from napari_sdcolor.classes import N_CLASSES, UNKNOWN

PEAK = 255.0
"""Peak value of both PSNR, on RGB and on ab."""

LEAST_ERROR = 1e-6
"""Mean squared errors below this count as this (108 dB), so that the mean
over photos stays finite when one of them is reproduced exactly."""

DRAWS = 4000
"""Resamples of the photos, with replacement, for an interval."""


def psnr(squared_error: ArrayLike) -> float:
    """Peak signal-to-noise ratio in dB of the squared errors of one photo.

    Parameters
    ----------
    squared_error
        Squared differences, or their means over the channels, any shape
        with at least one value.
    """
    error = float(np.mean(squared_error, dtype=np.float64))
    return float(10 * np.log10(PEAK**2 / max(error, LEAST_ERROR)))


def squared_error(truth: NDArray, result: NDArray) -> NDArray[np.float64]:
    """Mean over the channels of the squared differences (…, c) to (…)."""
    difference = truth.astype(np.float64) - result
    return np.mean(difference**2, axis=-1)


def mean(values: Iterable[float | None]) -> float | None:
    """Of the values that are there; None of none."""
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None


def share(part: float, of: float) -> float | None:
    """One over the other; None of nothing."""
    return part / of if of else None


def divided(sums: ArrayLike, counts: NDArray) -> NDArray[np.float64]:
    """Means of sums; NaN where nothing was counted."""
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def finite_mean(
    values: ArrayLike, axis: int | tuple[int, ...] = 0
) -> NDArray[np.float64]:
    """Mean along axes of the values that are numbers; NaN where none is."""
    values = np.asarray(values)
    there = np.isfinite(values)
    return divided(np.where(there, values, 0).sum(axis), there.sum(axis))


def delta_e(truth: NDArray, result: NDArray) -> NDArray[np.float64]:
    """CIEDE2000 difference of every pixel of two Lab pictures (…, 3)."""
    return deltaE_ciede2000(truth, result)


def colorfulness(rgb: NDArray) -> float:
    """CF of Hasler & Süsstrunk (2003) of 8-bit sRGB (…, 3)."""
    red, green, blue = np.moveaxis(rgb.astype(np.float64), -1, 0)
    rg, yb = red - green, (red + green) / 2 - blue
    spread = np.hypot(rg.std(), yb.std())
    return float(spread + 0.3 * np.hypot(rg.mean(), yb.mean()))


def bootstrap_interval(
    differences: ArrayLike, *, level: float = 0.95
) -> list[float]:
    """Both ends of the percentile interval of a mean of paired differences.

    The same differences give the same interval.

    Parameters
    ----------
    differences
        (n,), one per photo.
    level
        Share of the bootstrap means inside the interval.

    Raises
    ------
    ValueError
        If there is no difference.
    """
    values = np.asarray(differences, np.float64)
    if values.size == 0:
        raise ValueError('There is no photo to resample.')
    rng = np.random.default_rng(0)
    means = [
        values[rng.integers(0, values.size, values.size)].mean()
        for _ in range(DRAWS)
    ]
    tail = 50 * (1 - level)
    low, high = np.percentile(means, [tail, 100 - tail])
    return [float(low), float(high)]


class Confusion:
    """How often each true class was taken for each class.

    Attributes
    ----------
    counts : NDArray
        (60, 60) pixels, true class first; unknown pixels are left out.
    """

    def __init__(self) -> None:
        self.counts = np.zeros((N_CLASSES, N_CLASSES), np.int64)

    def add(self, truth: NDArray[np.uint8], found: NDArray[np.uint8]) -> float:
        """Count one photo, and return its own pixel accuracy.

        Parameters
        ----------
        truth
            (h, w), ids 0..59 and 255 for unknown.
        found
            (h, w), ids 0..59.

        Returns
        -------
        float
            Share of the known pixels with the right id; NaN if no pixel
            is known.
        """
        known = truth != UNKNOWN
        pairs = truth[known].astype(np.int64) * N_CLASSES + found[known]
        counts = np.bincount(pairs, minlength=N_CLASSES**2)
        counts = counts.reshape(N_CLASSES, N_CLASSES)
        self.counts += counts
        return float(np.trace(counts) / pairs.size) if pairs.size else np.nan

    def known_pixels(self) -> NDArray[np.int64]:
        """(60,) known pixels of each true class."""
        return self.counts.sum(axis=1)

    def pixel_accuracy(self) -> float:
        """Share of all known pixels with the right id; NaN if none is."""
        total = self.counts.sum()
        return float(np.trace(self.counts) / total) if total else np.nan

    def iou(self) -> NDArray[np.float64]:
        """(60,) intersection over union; NaN for classes never seen."""
        hits = np.diag(self.counts)
        union = self.counts.sum(axis=0) + self.counts.sum(axis=1) - hits
        return divided(hits, union)

    def of(self, number: int) -> dict[str, float | None]:
        """IoU, recall and precision of one class.

        Recall is the share of its true pixels that were found, precision
        the share of its found pixels that are true; None of nothing.
        """
        hits = int(self.counts[number, number])
        true = int(self.counts[number].sum())
        found = int(self.counts[:, number].sum())
        union = true + found - hits
        return {
            'iou': share(hits, union),
            'recall': share(hits, true),
            'precision': share(hits, found),
        }
