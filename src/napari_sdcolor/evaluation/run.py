"""All figures of a Colorizer on photographs with known colors and labels.

How they are formed is fixed, so that they cannot be moved: per photo over
all pixels at the photo's own size, then the mean over photos; one set of
weights and the default settings for every figure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_sdcolor.classes import CLASSES
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.datasets.coverage import ClassMeans
from napari_sdcolor.datasets.entry import Entry
from napari_sdcolor.errors import UnfitData
from napari_sdcolor.evaluation.bleeding import Bleeding
from napari_sdcolor.evaluation.cases import Case
from napari_sdcolor.evaluation.edits import Control, Repair
from napari_sdcolor.evaluation.fidelity import (
    Fidelity,
    MapEffect,
    against_gray,
)
from napari_sdcolor.evaluation.finished import Finished
from napari_sdcolor.evaluation.metrics import mean
from napari_sdcolor.evaluation.names import GROUPS
from napari_sdcolor.evaluation.progress import Ticker
from napari_sdcolor.evaluation.segmentation import Found
from napari_sdcolor.evaluation.split import Split, class_means, kept_means
from napari_sdcolor.evaluation.trust import Calibration, Review

MEASURES = {
    'fidelity': Fidelity,
    'map': MapEffect,
    'swaps': Control,
    'repair': Repair,
    'bleeding': Bleeding,
    'segmentation': Found,
    'calibration': Calibration,
    'review': Review,
}
"""What measures each of ``GROUPS``, with ``add(case)`` and ``result()``."""

Report = Callable[[str], None]
"""Is called with a line of progress now and then."""


class Evaluation:
    """A Colorizer and the photos that it is measured on.

    Parameters
    ----------
    colorizer
        The networks; what is shown to them is the photo's lightness.
    entries
        The whole split, photos with and without label maps.
    train_entries
        The training split, for the class means; without it the class-mean
        baseline, swaps and repairs are not computed.
    means
        File that keeps the class means for the next evaluation.
    groups
        Which of ``GROUPS``.
    limit
        Look at so many photos only, evenly spread over the split. The set
        of classes is that of the whole split all the same.
    results
        Folders with finished pictures of other methods, by name.
    mapless
        Networks trained at equal budget with empty maps only.
    report
        See ``Report``.

    Raises
    ------
    DataError
        If there is no photo that can be read, a group lacks what it needs,
        or a folder of results holds no picture that can be scored.
    ValueError
        If there is no group of a name.
    """

    def __init__(
        self,
        colorizer: Colorizer,
        entries: Sequence[Entry],
        *,
        train_entries: Sequence[Entry] | None = None,
        means: Path | None = None,
        groups: Collection[str] = tuple(GROUPS),
        limit: int | None = None,
        results: Mapping[str, Path] | None = None,
        mapless: Colorizer | None = None,
        report: Report = lambda line: None,
    ) -> None:
        unknown = set(groups) - set(GROUPS)
        if unknown:
            names = ', '.join(sorted(unknown))
            raise ValueError(f'There is no group {names}.')
        # Folders of results first: a wrong one is found in a second.
        self.finished = [
            Finished(name, folder) for name, folder in (results or {}).items()
        ]
        self.colorizer = colorizer
        self.mapless = mapless
        self.groups = [name for name in GROUPS if name in groups]
        self.ticker = Ticker(report)
        found = None
        if any(GROUPS[name].means != 'unused' for name in groups):
            found = self._means(train_entries, means)
        self.split = Split(
            entries, found, self.ticker.over('photos looked through')
        )
        self.places = self.split.places(limit)
        for each in self.finished:
            each.match(self.split, self.places)

    def _means(
        self, entries: Sequence[Entry] | None, path: Path | None
    ) -> ClassMeans | None:
        progress = self.ticker.over('training photos')
        found = None
        if entries is not None and path is not None:
            found = kept_means(path, entries, progress)
        elif entries is not None:
            found = class_means(entries, progress)
        needed = all(GROUPS[name].means == 'needed' for name in self.groups)
        if found is None and needed:
            raise UnfitData(
                'Swaps and repairs need the class means of a training split, '
                'and these data hold none with maps.'
            )
        return found

    def case(self, place: int) -> Case:
        """One photo of the split, not colored yet."""
        return Case(
            self.colorizer, self.split, place, self.finished, self.mapless
        )

    def measure(self) -> dict[str, Any]:
        """All figures, JSON-serializable; see ``evaluate``."""
        parts = {name: MEASURES[name]() for name in self.groups}
        for place in self.ticker.over('photos')(self.places):
            with self.case(place) as case:
                for part in parts.values():
                    part.add(case)
        found = {name: part.result() for name, part in parts.items()}
        split, means = self.split, self.split.means
        photos = _per_photo(parts)
        return {
            'photos': len(self.places),
            'labeled_photos': len(set(self.places) & set(split.labeled)),
            'skipped': split.skipped,
            'size': self.colorizer.size,
            'model': self.colorizer.facts(),
            'mapless': None if self.mapless is None else self.mapless.facts(),
            'groups': self.groups,
            'class_set': [CLASSES[number].name for number in split.classes],
            'class_means': None if means is None else means.ab.tolist(),
            'results': {
                each.name: {
                    'pictures': len(each.paths),
                    'missing': each.missing,
                    'refused': each.refused,
                }
                for each in self.finished
            },
            'scopes': found.get('fidelity'),
            **against_gray(photos if 'fidelity' in parts else None),
            **{name: found.get(name) for name in GROUPS if name != 'fidelity'},
            'classes': _class_rows(
                split, parts.get('fidelity'), parts.get('segmentation')
            ),
            'datasets': _dataset_rows(photos),
            'per_photo': photos,
        }


def evaluate(
    colorizer: Colorizer, entries: Sequence[Entry], **options: Any
) -> dict[str, Any]:
    """Figures of a Colorizer on a split.

    Parameters
    ----------
    colorizer, entries, **options
        See ``Evaluation``.

    Returns
    -------
    dict
        JSON-serializable. ``scopes`` holds the fidelity of every method
        over all photos, over labeled photos, over the known pixels of
        labeled photos, and over photos without a map; ``over_gray`` what
        each gains over a gray picture, ``over_gray_labeled`` and
        ``over_gray_unlabeled`` on photos with and without a map; ``map``
        what the label map does; ``swaps`` class-swap controllability and
        locality; ``repair`` what faults cost and repairs give back; ``bleeding`` color across label edges; ``segmentation``
        the predicted map against the true one, also of aged photos;
        ``calibration`` whether the confidence means what it says; ``review``
        how well it tells which photos need a person; ``classes``,
        ``datasets`` and ``per_photo`` rows of these; ``results`` which
        pictures of other methods were scored; ``skipped`` sentences on
        photos that cannot be read. What was not computed is None.

    Raises
    ------
    DataError, ValueError
        See ``Evaluation``.
    """
    return Evaluation(colorizer, entries, **options).measure()


def _per_photo(parts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the groups know of single photos, joined by the photo's name."""
    lines: dict[str, dict[str, Any]] = {}
    for part in parts.values():
        for line in getattr(part, 'per_photo', ()):
            lines.setdefault(line['photo'], {}).update(line)
    return list(lines.values())


def _class_rows(
    split: Split, fidelity: Fidelity | None, found: Found | None
) -> list[dict[str, Any]]:
    """What is known of each class of the class set."""
    rows = []
    for number in split.classes:
        row: dict[str, Any] = {
            'id': int(number),
            'name': CLASSES[number].name,
            'pixels': int(split.pixels[number]),
        }
        if split.means is not None:
            row['training_pixels'] = int(split.means.pixels[number])
        if found is not None:
            row |= found.confusion.of(number)
        if fidelity is not None:
            row['delta_e'] = fidelity.class_colors.of(number)
        rows.append(row)
    return rows


def _dataset_rows(photos: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means over the photos of each data set, over those that have them."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for photo in photos:
        groups[photo['dataset']].append(photo)
    rows = []
    for dataset, members in sorted(groups.items()):
        row: dict[str, Any] = {'dataset': dataset, 'photos': len(members)}
        for figure in ('psnr_ab', 'delta_e', 'colorfulness'):
            found = [member.get(figure, {}) for member in members]
            methods = dict.fromkeys(name for each in found for name in each)
            row[figure] = {
                method: mean(each.get(method) for each in found)
                for method in methods
            }
        for figure in ('truth_colorfulness', 'pixel_accuracy'):
            row[figure] = mean(member.get(figure) for member in members)
        rows.append(row)
    return rows
