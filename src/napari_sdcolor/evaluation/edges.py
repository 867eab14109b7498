"""Edges between neighboring regions of a true map, and color across them.

A region is a connected set of pixels of one known class.  Its core lies
deeper than ``CORE_DEPTH``; the depth of a pixel is the distance to the
nearest pixel outside, so that it is 1 at the edge itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from scipy.optimize import minimize_scalar
from scipy.special import erfc
from skimage import measure

from napari_sdcolor.classes import UNKNOWN
from napari_sdcolor.evaluation.metrics import divided

CORE_DEPTH = 12
"""Pixels: whatever lies deeper shows a region's own color."""

CORE_PIXELS = 50
"""A core needs at least so many."""

SHALLOW, DEEP = 2, 6
"""Depths, both included, over which LCL is the mean."""

LEAST_PIXELS = 30
"""So many pixels between them make an edge, at least."""

LEAST_CONTRAST = 10.0
"""Lab units between the colors of both cores, at least."""

DEPTHS = np.arange(1, CORE_DEPTH + 1)
"""Depths of a profile."""

SIGMAS = np.geomspace(0.05, 50, 61)
"""Widths in pixels among which the best fit is looked for first."""


@dataclass(frozen=True, eq=False)
class Edge:
    """Where the color of region q may bleed into its neighbor p.

    Parameters
    ----------
    regions
        Numbers of p and q.
    pixels
        Flat places of the pixels of p that are nearest to q, at depths up
        to ``CORE_DEPTH``.
    depth
        Their depths.
    core, other_core
        Flat places of the cores of p and q.
    """

    regions: tuple[int, int]
    pixels: NDArray[np.intp]
    depth: NDArray[np.float64]
    core: NDArray[np.intp]
    other_core: NDArray[np.intp]


def find_edges(labels: NDArray[np.uint8]) -> list[Edge]:
    """Edges of a true map (H, W), 255 for unknown, in a fixed order.

    Each pair of neighbors gives two, one in either direction, where both
    have a core and touch each other long enough.
    """
    regions = measure.label(labels, background=UNKNOWN, connectivity=1)
    cores: dict[int, NDArray[np.intp]] = {}
    near: dict[int, tuple[NDArray, NDArray, NDArray]] = {}
    flat = np.arange(labels.size).reshape(labels.shape)
    for region in measure.regionprops(regions):
        if region.area < CORE_PIXELS:
            continue
        y0, x0, y1, x1 = region.bbox
        # The nearest pixel outside is next to the region, or not at all.
        crop = (
            slice(max(y0 - 1, 0), y1 + 1),
            slice(max(x0 - 1, 0), x1 + 1),
        )
        own = regions[crop] == region.label
        if own.all():
            continue
        depth, (y, x) = distance_transform_edt(own, return_indices=True)
        core = flat[crop][depth > CORE_DEPTH]
        if core.size >= CORE_PIXELS:
            cores[region.label] = core
            rim = own & (depth < CORE_DEPTH + 0.5)
            nearest = regions[crop][y[rim], x[rim]]
            near[region.label] = flat[crop][rim], depth[rim], nearest
    edges = []
    for number, (pixels, depth, nearest) in near.items():
        for other in np.unique(nearest):
            if other not in cores:
                continue
            chosen = nearest == other
            counted = _counted(depth[chosen])
            if counted.sum() >= LEAST_PIXELS:
                edges.append(
                    Edge(
                        (number, int(other)),
                        pixels[chosen],
                        depth[chosen],
                        cores[number],
                        cores[int(other)],
                    )
                )
    return edges


def contrast(ab: NDArray, edge: Edge) -> NDArray[np.float64]:
    """Core color of q less that of p, (2,), in a picture's ab (H, W, 2)."""
    flat = ab.reshape(-1, 2)
    return _core_color(flat, edge.other_core) - _core_color(flat, edge.core)


def bleeding(ab: NDArray, edge: Edge) -> NDArray[np.float64]:
    """α of an edge's pixels: 0 is the color of p, 1 that of q; not clipped.

    Parameters
    ----------
    ab
        (H, W, 2) of a picture.

    Returns
    -------
    NDArray
        One value for each of ``edge.pixels``.
    """
    flat = ab.reshape(-1, 2)
    step = contrast(ab, edge)
    moved = flat[edge.pixels] - _core_color(flat, edge.core)
    return moved @ step / (step @ step)


def leakage(alpha: NDArray, edge: Edge) -> float:
    """LCL of one edge: mean α at depths from 2 to 6."""
    return float(alpha[_counted(edge.depth)].mean())


def profile(alpha: NDArray, edge: Edge) -> NDArray[np.float64]:
    """Mean α at each of ``DEPTHS``; NaN where no pixel is so deep."""
    bins = np.rint(edge.depth).astype(int)
    counts = np.bincount(bins, minlength=CORE_DEPTH + 1)[1:]
    sums = np.bincount(bins, alpha, CORE_DEPTH + 1)[1:]
    return divided(sums, counts)


def blurred_edge(depth: NDArray, sigma: float) -> NDArray[np.float64]:
    """α of an edge blurred by a Gaussian: ½·erfc((d − ½) / (√2·σ))."""
    return 0.5 * erfc((depth - 0.5) / (np.sqrt(2) * sigma))


def fit_sigma(values: NDArray) -> float:
    """σ in pixels of the blurred edge that is nearest to a profile.

    Parameters
    ----------
    values
        α at ``DEPTHS``; NaN is left out.

    Returns
    -------
    float
        Between the ends of ``SIGMAS``, least squares.
    """
    there = np.isfinite(values)

    def error(sigma: float) -> float:
        fitted = blurred_edge(DEPTHS[there], sigma)
        return float(((fitted - values[there]) ** 2).sum())

    best = int(np.argmin([error(sigma) for sigma in SIGMAS]))
    low, high = SIGMAS[max(best - 1, 0)], SIGMAS[min(best + 1, 60)]
    found = minimize_scalar(
        error, bounds=(low, high), method='bounded', options={'xatol': 1e-6}
    )
    return float(found.x)


def _counted(depth: NDArray) -> NDArray[np.bool_]:
    return (depth >= SHALLOW) & (depth <= DEEP)


def _core_color(flat: NDArray, core: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.median(flat[core], axis=0).astype(np.float64)
