"""The curves of a run as a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence

from napari_sdcolor.training.recipe import Task

SCORES = {
    'color': 'PSNR of the colors (dB)',
    'segmentation': 'pixels of the right class (%)',
}
"""What ``val_score`` is, higher is better."""

MISSING = (
    'There is no plot of the loss, since matplotlib is missing; log.csv '
    'holds the same figures. Install it with: pip install '
    '"napari-sdcolor[train]"'
)


def draw(rows: Sequence[dict[str, str]], task: Task, title: str) -> bytes:
    """Loss and held-out score over the steps, as PNG.

    Parameters
    ----------
    rows
        Of the log.
    task
        Says what the score is.
    title
        Stands above.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    """
    # Without pyplot: no display is looked for, and nothing is kept open.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6.5), layout='constrained')
    upper, lower = figure.subplots(2, 1, sharex=True)
    figure.suptitle(title)
    upper.plot(*_points(rows, 'loss'), label='training', color='0.6', lw=1.2)
    held_out = _points(rows, 'val_loss')
    if held_out[0]:
        upper.plot(*held_out, 'o-', label='held out', color='C0', ms=3)
    upper.set_ylabel('loss')
    upper.legend()
    scores = _points(rows, 'val_score')
    lower.plot(*scores, 'o-', color='C2', ms=3)
    if not scores[0]:
        lower.text(
            0.5,
            0.5,
            'no held-out figures yet',
            ha='center',
            transform=lower.transAxes,
        )
    lower.set_ylabel(SCORES[task])
    lower.set_xlabel('step')
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
    stream = io.BytesIO()
    figure.savefig(stream, format='png', dpi=100)
    return stream.getvalue()


def _points(
    rows: Sequence[dict[str, str]], column: str
) -> tuple[list[int], list[float]]:
    found = [
        (int(row['step']), float(row[column]))
        for row in rows
        if row.get(column)
    ]
    return [step for step, _ in found], [value for _, value in found]
