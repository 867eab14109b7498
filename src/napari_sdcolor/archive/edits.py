"""What a person changed in a predicted label map."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.core.planes import changed_box


def edited_share(
    predicted: NDArray[np.uint8] | None, labels: NDArray[np.uint8]
) -> float | None:
    """Share in [0, 1] of a map's pixels that differ from the prediction.

    Parameters
    ----------
    predicted
        (h, w) ids as the network gave them; None if that is not known.
    labels
        (h, w) ids that steered the color.
    """
    if predicted is None or predicted.shape != labels.shape:
        return None
    return float(np.mean(predicted != labels))


def edit_log(
    predicted: NDArray[np.uint8] | None, labels: NDArray[np.uint8]
) -> list[dict[str, Any]] | None:
    """Which classes became which, where and how much.

    It tells the outcome, not the strokes: equal maps have equal logs, in
    whatever order they were painted.

    Parameters
    ----------
    predicted, labels
        As for ``edited_share``.

    Returns
    -------
    list of dict or None
        Ids ``from`` and ``to``, number of ``pixels`` and their half-open
        ``box`` [y0, x0, y1, x1], the largest change first; None if the
        prediction is not known.
    """
    if predicted is None or predicted.shape != labels.shape:
        return None
    changed = predicted != labels
    pairs, counts = np.unique(
        np.stack((predicted[changed], labels[changed])),
        axis=1,
        return_counts=True,
    )
    log = []
    for place in np.argsort(-counts, kind='stable'):
        before, after = (int(number) for number in pairs[:, place])
        where = (predicted == before) & (labels == after)
        log.append(
            {
                'from': before,
                'to': after,
                'pixels': int(counts[place]),
                'box': list(changed_box(np.zeros_like(where), where)),
            }
        )
    return log
