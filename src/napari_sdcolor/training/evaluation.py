"""Figures of a Colorizer on photographs with known colors and labels.

How they are formed is fixed, so that they cannot be moved: per photo over
all pixels at the photo's own size, then the mean over photos; one set of
weights and the default settings for every figure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.classes import N_CLASSES, UNKNOWN
from napari_sdcolor.core import lab
from napari_sdcolor.core.compose import compose
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.core.photo import Photo, photo_from_array
from napari_sdcolor.core.planes import resize_labels
from napari_sdcolor.errors import DataError
from napari_sdcolor.training import metrics
from napari_sdcolor.training.data import Entry
from napari_sdcolor.training.summary import (
    Figures,
    map_figures,
    segmentation_figures,
    summarize,
)
from napari_sdcolor.training.tables import as_markdown

__all__ = ('as_markdown', 'class_means', 'evaluate')

MEAN_PHOTOS = 400
"""At most this many training photos give the class means."""

WITHOUT_MAP = ('gray', 'empty', 'predicted')
"""Methods that unlabeled photos have as well."""


def evaluate(
    colorizer: Colorizer,
    entries: Sequence[Entry],
    *,
    train_entries: Sequence[Entry] | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """All figures of a Colorizer on a split.

    Parameters
    ----------
    colorizer
        The networks; what is shown to them is the photo's lightness.
    entries
        The split, photos with and without label maps.
    train_entries
        The training split, for the class-mean baseline; without it that
        baseline is not computed.
    report
        Called with a line of progress now and then.

    Returns
    -------
    dict
        JSON-serializable. ``scopes`` holds the fidelity of every method
        over all photos, over labeled photos, and over the known pixels of
        labeled photos; ``map`` what the label map does, over all and over
        the known pixels of labeled photos; ``segmentation`` the predicted
        map against the true one; ``per_photo`` PSNR_ab of every photo.
        What was not computed is None.

    Raises
    ------
    DataError
        If there is no photo, or one cannot be read.
    """
    if not entries:
        raise DataError('There is no photograph to evaluate.')
    means = None
    if train_entries is not None:
        report('class means of the training split')
        means = class_means(train_entries)
    run = _Run(colorizer, means, _shuffled(entries))
    for number, entry in enumerate(entries, 1):
        run.add(entry)
        if number % 10 == 0 or number == len(entries):
            report(f'{number} of {len(entries)} photos')
    return run.result()


def class_means(entries: Sequence[Entry]) -> NDArray[np.float64]:
    """Mean ab (60, 2) of every class over a sample of training photos.

    Raises
    ------
    DataError
        If no photo has a label map.
    """
    labeled = [entry for entry in entries if entry.labels is not None]
    if not labeled:
        raise DataError('No training photograph has a label map.')
    chosen = np.random.default_rng(0).permutation(len(labeled))[:MEAN_PHOTOS]
    sums = np.zeros((2, N_CLASSES))
    counts = np.zeros(N_CLASSES)
    for number in sorted(chosen):
        rgb, labels = labeled[number].load()
        known = labels != UNKNOWN
        ids = labels[known]
        ab = lab.rgb_to_lab(rgb[known] / np.float32(255))[:, 1:]
        counts += np.bincount(ids, minlength=N_CLASSES)
        for channel in (0, 1):
            sums[channel] += np.bincount(ids, ab[:, channel], N_CLASSES)
    return (sums / np.maximum(counts, 1)).T


def _shuffled(entries: Sequence[Entry]) -> dict[Entry, Entry]:
    """Another labeled photo for every labeled one, always the same."""
    labeled = [entry for entry in entries if entry.labels is not None]
    if len(labeled) < 2:
        return {}
    circle = np.random.default_rng(0).permutation(len(labeled))
    return {
        labeled[one]: labeled[other]
        for one, other in zip(circle, np.roll(circle, 1), strict=True)
    }


def _as_map(
    labels: NDArray[np.uint8], photo: Photo, size: int
) -> NDArray[np.uint8]:
    """A true map as the network gets it: 255 as 0, at working size."""
    labels = np.where(labels == UNKNOWN, 0, labels).astype(np.uint8)
    return resize_labels(labels, photo.working_shape(size))


class _Picture:
    """A color picture with its Lab values."""

    def __init__(self, rgb: NDArray[np.uint8]) -> None:
        self.rgb = rgb
        self.lab = lab.rgb_to_lab(rgb / np.float32(255))

    def figures(
        self, truth: _Picture, scopes: Iterable[NDArray[np.bool_]]
    ) -> list[Figures]:
        """Figures against the truth over each set of pixels."""
        rgb = metrics.squared_error(truth.rgb, self.rgb)
        ab = metrics.squared_error(truth.lab[..., 1:], self.lab[..., 1:])
        delta = metrics.delta_e(truth.lab, self.lab)
        return [
            {
                'psnr_rgb': metrics.psnr(rgb[scope]),
                'psnr_ab': metrics.psnr(ab[scope]),
                'delta_e': float(delta[scope].mean()),
                'delta_e_p95': float(np.percentile(delta[scope], 95)),
                'colorfulness': metrics.colorfulness(self.rgb[scope]),
                'truth_colorfulness': metrics.colorfulness(truth.rgb[scope]),
            }
            for scope in scopes
        ]


class _Run:
    """Figures of the photos so far."""

    def __init__(
        self,
        colorizer: Colorizer,
        means: NDArray | None,
        shuffled: dict[Entry, Entry],
    ) -> None:
        self.colorizer = colorizer
        self.means = means
        self.shuffled = shuffled
        self.rows: dict[str, dict[str, list[Figures]]] = {
            scope: {} for scope in ('all', 'labeled', 'known')
        }
        self.sensitivity: dict[str, list[float]] = {'labeled': [], 'known': []}
        self.confusion = metrics.Confusion()
        self.accuracies: list[float] = []
        self.per_photo: list[dict[str, Any]] = []

    def add(self, entry: Entry) -> None:
        rgb, labels = entry.load()
        name = f'{entry.dataset}/{entry.name}'
        photo = photo_from_array(rgb, rgb=True, name=name)
        predicted = self.colorizer.segment(photo).labels
        results = {'gray': self._painted(photo, np.zeros((*photo.shape, 2)))}
        maps = {'empty': np.zeros_like(predicted), 'predicted': predicted}
        scopes = {'all': np.ones(photo.shape, bool)}
        if labels is not None:
            known = labels != UNKNOWN
            scopes['labeled'] = scopes['all']
            if known.any():
                scopes['known'] = known
            size = self.colorizer.size
            maps['true'] = _as_map(labels, photo, size)
            other = self.shuffled.get(entry)
            if other is not None:
                maps['shuffled'] = _as_map(other.load()[1], photo, size)
            if self.means is not None:
                ids = np.where(known, labels, 0)
                results['class-mean'] = self._painted(photo, self.means[ids])
            self.accuracies.append(
                self.confusion.add(
                    labels, resize_labels(predicted, labels.shape)
                )
            )
        session = self.colorizer.session(photo, maps['empty'])
        for method, map_ in maps.items():
            session.update(map_)
            results[method] = _Picture(session.rgb.copy())
        self._measure(name, _Picture(rgb), results, scopes)

    def _painted(self, photo: Photo, ab: NDArray) -> _Picture:
        return _Picture(compose(photo.lightness, ab, 8))

    def _measure(
        self,
        name: str,
        truth: _Picture,
        results: dict[str, _Picture],
        scopes: dict[str, NDArray[np.bool_]],
    ) -> None:
        line: dict[str, Any] = {'photo': name, 'psnr_ab': {}}
        for method, picture in results.items():
            found = picture.figures(truth, scopes.values())
            line['psnr_ab'][method] = found[0]['psnr_ab']
            for scope, figures in zip(scopes, found, strict=True):
                if scope != 'all' or method in WITHOUT_MAP:
                    self.rows[scope].setdefault(method, []).append(figures)
        if 'true' in results:
            moved = results['true'].lab - results['empty'].lab
            distance = np.linalg.norm(moved[..., 1:], axis=-1)
            for scope in self.sensitivity.keys() & scopes.keys():
                mean = float(distance[scopes[scope]].mean())
                self.sensitivity[scope].append(mean)
        self.per_photo.append(line)

    def result(self) -> dict[str, Any]:
        return {
            'photos': len(self.per_photo),
            'labeled_photos': len(self.accuracies),
            'size': self.colorizer.size,
            'model': self.colorizer.facts(),
            'scopes': {
                scope: {
                    'photos': len(rows.get('gray', ())),
                    'methods': {
                        method: summarize(figures)
                        for method, figures in rows.items()
                    },
                }
                for scope, rows in self.rows.items()
            },
            'map': {
                scope: map_figures(self.rows[scope], distances)
                for scope, distances in self.sensitivity.items()
            },
            'segmentation': segmentation_figures(
                self.confusion, self.accuracies
            ),
            'class_means': None if self.means is None else self.means.tolist(),
            'per_photo': self.per_photo,
        }
