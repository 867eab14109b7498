"""All figures of a Colorizer on photographs with known colors and labels.

How they are formed is fixed, so that they cannot be moved: per photo over
all pixels at the photo's own size, then the mean over photos; one set of
weights and the default settings for every figure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from napari_sdcolor.classes import CLASSES
from napari_sdcolor.core.engine import Colorizer
from napari_sdcolor.errors import DataError
from napari_sdcolor.evaluation.cases import Case
from napari_sdcolor.evaluation.control import Control
from napari_sdcolor.evaluation.fidelity import Fidelity, MapEffect
from napari_sdcolor.evaluation.progress import Ticker
from napari_sdcolor.evaluation.repair import Repair
from napari_sdcolor.evaluation.segmentation import Found
from napari_sdcolor.evaluation.split import Entry, Split, class_means

GROUPS = {
    'fidelity': Fidelity,
    'map': MapEffect,
    'swaps': Control,
    'repair': Repair,
    'segmentation': Found,
}
"""Groups of figures, each with ``add(case)`` and ``result()``."""

NEED_MEANS = ('swaps', 'repair')
"""Groups that nothing is said about without class means."""


def evaluate(
    colorizer: Colorizer,
    entries: Sequence[Entry],
    *,
    train_entries: Sequence[Entry] | None = None,
    groups: Collection[str] = tuple(GROUPS),
    limit: int | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Figures of a Colorizer on a split.

    Parameters
    ----------
    colorizer
        The networks; what is shown to them is the photo's lightness.
    entries
        The whole split, photos with and without label maps.
    train_entries
        The training split, for the class means; without it the class-mean
        baseline, swaps and repairs are not computed.
    groups
        Which of ``GROUPS``.
    limit
        Look at so many photos only, evenly spread over the split. The set
        of classes is that of the whole split all the same.
    report
        Called with a line of progress now and then.

    Returns
    -------
    dict
        JSON-serializable. ``scopes`` holds the fidelity of every method
        over all photos, over labeled photos, and over the known pixels of
        labeled photos; ``map`` what the label map does; ``swaps`` class-swap
        controllability and locality; ``repair`` what faults cost and repairs
        give back; ``segmentation`` the predicted map against the true one;
        ``per_photo`` figures of every photo; ``skipped`` sentences on photos
        that cannot be read. What was not computed is None.

    Raises
    ------
    DataError
        If there is no photo that can be read.
    ValueError
        If there is no group of a name.
    """
    unknown = set(groups) - set(GROUPS)
    if unknown:
        raise ValueError(f'There is no group {", ".join(sorted(unknown))}.')
    ticker = Ticker(report)
    means = None
    if train_entries is not None:
        means = class_means(train_entries, ticker.over('training photos'))
    elif set(groups) <= set(NEED_MEANS):
        raise DataError(
            'Swaps and repairs need the class means of a training split, '
            'and these data hold none.'
        )
    split = Split(entries, means, ticker.over('photos looked through'))
    parts = {name: GROUPS[name]() for name in GROUPS if name in groups}
    places = split.places(limit)
    for place in ticker.over('photos')(places):
        case = Case(colorizer, split, place)
        for part in parts.values():
            part.add(case)
    found = {name: part.result() for name, part in parts.items()}
    fidelity = parts.get('fidelity')
    return {
        'photos': len(places),
        'labeled_photos': len(set(places) & set(split.labeled)),
        'skipped': split.skipped,
        'size': colorizer.size,
        'model': colorizer.facts(),
        'groups': list(parts),
        'class_set': [CLASSES[number].name for number in split.classes],
        'class_means': None if means is None else means.ab.tolist(),
        'scopes': found.get('fidelity'),
        **{name: found.get(name) for name in GROUPS if name != 'fidelity'},
        'per_photo': None if fidelity is None else fidelity.per_photo,
    }
