"""Plots of an evaluation, each as the bytes of a PNG file."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sdcolor.classes import class_id
from napari_sdcolor.evaluation.edges import blurred_edge
from napari_sdcolor.evaluation.names import METHODS, in_order, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NO_MATPLOTLIB = (
    'There will be no plots, since matplotlib is missing; evaluation.json '
    'holds the same figures. Install it with: pip install '
    '"napari-sdcolor[train]"'
)


def can_draw() -> bool:
    """Whether matplotlib is there."""
    return importlib.util.find_spec('matplotlib') is not None


def draw_all(result: dict[str, Any]) -> dict[str, bytes]:
    """PNG files by name, as far as there is something to draw.

    Parameters
    ----------
    result
        What ``evaluate`` returned.

    Returns
    -------
    dict
        Empty if matplotlib is missing.
    """
    if not can_draw():
        return {}
    plots: dict[str, Callable[[dict[str, Any]], Figure | None]] = {
        'methods.png': methods,
        'gain.png': gain,
        'swaps.png': swap_matrix,
        'bleeding.png': bleeding,
        'classes.png': classes,
        'reliability.png': reliability,
        'review.png': review,
    }
    drawn = {}
    for name, draw in plots.items():
        figure = draw(result)
        if figure is not None:
            stream = io.BytesIO()
            # matplotlib's version would make equal plots unequal files.
            figure.savefig(
                stream, format='png', dpi=100, metadata={'Software': None}
            )
            drawn[name] = stream.getvalue()
    return drawn


def methods(result: dict[str, Any]) -> Figure | None:
    """Fidelity and colorfulness of every method beside each other."""
    scopes = result['scopes']
    if scopes is None:
        return None
    labeled = bool(scopes['labeled']['photos'])
    scope = scopes['labeled' if labeled else 'all']
    rows = scope['methods']
    names = in_order(rows)[::-1]
    figure = _figure(11, 1.9 + 0.42 * len(names))
    figure.suptitle(
        f'{"Labeled photos" if labeled else "Photos"}, all pixels '
        f'({scope["photos"]} photos)'
    )
    titles = {
        'psnr_ab': 'PSNR_ab, dB (higher is better)',
        'delta_e': 'ΔE2000 (lower is better)',
        'colorfulness': 'colorfulness (line: the photos)',
    }
    for axes, (key, heading) in zip(
        figure.subplots(1, 3, sharey=True), titles.items(), strict=True
    ):
        values = [rows[name][key] for name in names]
        bars = axes.barh(
            [title(name) for name in names],
            values,
            color=[_color(name, 'C4') for name in names],
        )
        axes.bar_label(bars, fmt='%.2f', padding=3, fontsize=8)
        axes.set_title(heading, fontsize=10)
        if key == 'colorfulness':
            truth = rows['gray']['truth_colorfulness']
            axes.axvline(truth, color='black', lw=1)
            axes.set_xlim(0, 1.2 * max([truth, *values]))
        else:
            low, high = min(values), max(values)
            # Decibels have no meaningful zero.
            left = low - max(0.3 * (high - low), 0.5)
            left = left if key == 'psnr_ab' else 0
            axes.set_xlim(left, high + 0.25 * (high - left))
        axes.grid(axis='x', alpha=0.3)
        axes.set_axisbelow(True)
    return figure


def gain(result: dict[str, Any]) -> Figure | None:
    """PSNR_ab over gray, photo by photo."""
    photos = [
        photo for photo in result['per_photo'] or () if 'psnr_ab' in photo
    ]
    if not photos:
        return None
    # All curves are over the same photos.
    labeled = [photo for photo in photos if 'true' in photo['psnr_ab']]
    photos = labeled or photos
    figure = _figure(9, 5)
    axes = figure.subplots()
    shown = ['empty', 'predicted', 'repaired', 'true', *result['results']]
    for name in shown:
        gains = [
            photo['psnr_ab'][name] - photo['psnr_ab']['gray']
            for photo in photos
            if name in photo['psnr_ab']
        ]
        if not gains:
            continue
        share = (np.arange(len(gains)) + 0.5) / len(gains)
        axes.plot(
            np.sort(gains),
            100 * share,
            color=_color(name),
            label=f'{title(name)}: mean {np.mean(gains):+.2f} dB',
        )
    axes.axvline(0, color='black', lw=1)
    axes.set_xlabel('PSNR_ab over the gray picture, dB')
    axes.set_ylabel('photos below, %')
    axes.set_title(
        f'What color gains over gray on {len(photos)} '
        f'{"labeled " if labeled else ""}photos (right of the line is better)'
    )
    axes.legend()
    axes.grid(alpha=0.3)
    return figure


def swap_matrix(result: dict[str, Any]) -> Figure | None:
    """CSC of every pair of classes that was swapped."""
    found = result['swaps']
    if not found:
        return None
    pairs = found['pairs']
    rows, columns = (
        sorted({pair[end] for pair in pairs}, key=class_id)
        for end in ('from', 'to')
    )
    matrix = np.full((len(rows), len(columns)), np.nan)
    for pair in pairs:
        place = rows.index(pair['from']), columns.index(pair['to'])
        matrix[place] = pair['csc']
    figure = _figure(
        max(6, 3.2 + 0.27 * len(columns)), max(4, 2 + 0.24 * len(rows))
    )
    axes = figure.subplots()
    image = axes.imshow(matrix, cmap='RdYlGn', vmin=-0.2, vmax=1.2)
    axes.set_facecolor('0.94')
    axes.set_yticks(range(len(rows)), rows, fontsize=8)
    axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=8)
    axes.set_ylabel('class of the region')
    axes.set_xlabel('new class')
    axes.set_title(
        f'CSC of {found["swaps"]} swaps: mean {found["csc"]:.2f}, '
        f'hit rate {found["hit_rate"]:.0%}',
        fontsize=11,
    )
    bar = figure.colorbar(image, shrink=0.8, extend='both')
    bar.set_label('1: the new color was reached, 0: ignored')
    return figure


def bleeding(result: dict[str, Any]) -> Figure | None:
    """Mean profiles across label edges, with the blur that fits."""
    found = result['bleeding']
    shown = {
        name: method
        for name, method in (found or {'methods': {}})['methods'].items()
        if method['profile'] is not None
    }
    if not shown:
        return None
    figure = _figure(5.2 * min(len(shown), 3), 4.2 * -(-len(shown) // 3))
    grid = figure.subplots(
        -(-len(shown) // 3),
        min(len(shown), 3),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    for axes in grid.flat[len(shown) :]:
        axes.set_axis_off()
    for axes, (name, method) in zip(grid.flat, shown.items(), strict=False):
        _profiles(axes, name, method, found['depths'])
    figure.suptitle("Share of the neighbor's color behind a label edge")
    return figure


def _profiles(
    axes: Axes, name: str, method: dict[str, Any], depths: list[int]
) -> None:
    fine = np.linspace(0.5, depths[-1], 200)
    for words, suffix, color in (
        ('the photos', '_truth', '0.4'),
        (title(name), '', _color(name, 'C4')),
    ):
        sigma = method[f'sigma{suffix}']
        values = [
            np.nan if value is None else value
            for value in method[f'profile{suffix}']
        ]
        label = f'{words}, σ = {sigma:.1f} px'
        axes.plot(depths, values, 'o', color=color, ms=4, label=label)
        axes.plot(fine, blurred_edge(fine, sigma), color=color, lw=1)
    axes.axvspan(2, 6, color='0.93', zorder=0)
    axes.axhline(0, color='black', lw=0.8)
    axes.set_title(f'{method["edges"]} edges, {method["photos"]} photos')
    axes.set_xlabel('depth in the region, px (gray: where LCL is taken)')
    axes.set_ylabel('α')
    axes.legend(fontsize=9)


def classes(result: dict[str, Any]) -> Figure | None:
    """How well each class is found, and how often training showed it."""
    rows = [row for row in result['classes'] if row.get('iou') is not None]
    if not rows:
        return None
    rows.sort(key=lambda row: row['iou'])
    names = [row['name'] for row in rows]
    figure = _figure(9, 1.8 + 0.2 * len(rows))
    trained = all('training_pixels' in row for row in rows)
    grid = figure.subplots(1, 2 if trained else 1, sharey=True, squeeze=False)
    axes = grid[0, 0]
    axes.barh(names, [100 * row['iou'] for row in rows], color='C0')
    recall = [100 * (row['recall'] or 0) for row in rows]
    axes.plot(recall, names, 'o', color='C1', ms=4, label='recall')
    axes.set_xlabel('IoU (bars) and recall (dots), %')
    axes.set_xlim(0, 100)
    axes.margins(y=0.01)
    axes.tick_params(axis='y', labelsize=8)
    axes.grid(axis='x', alpha=0.3)
    if trained:
        pixels = grid[0, 1]
        amounts = [max(row['training_pixels'], 1) for row in rows]
        pixels.barh(names, amounts, color='0.6')
        pixels.set_xscale('log')
        pixels.set_xlabel('known pixels in the training split')
        pixels.grid(axis='x', alpha=0.3)
    figure.suptitle('The predicted map, class by class')
    return figure


def reliability(result: dict[str, Any]) -> Figure | None:
    """Accuracy over confidence, and how many pixels have it."""
    found = result['calibration']
    if not found:
        return None
    rows = [row for row in found['bins'] if row['pixels']]
    width = 100 * (rows[0]['high'] - rows[0]['low'])
    figure = _figure(5.5, 6.5)
    upper, lower = figure.subplots(
        2, 1, sharex=True, height_ratios=(3, 1), squeeze=True
    )
    places = [100 * row['low'] for row in rows]
    upper.bar(
        places,
        [100 * row['accuracy'] for row in rows],
        width,
        align='edge',
        color=_color('predicted'),
        edgecolor='white',
        label='pixels that are right',
    )
    upper.plot((0, 100), (0, 100), color='black', lw=1, label='calibrated')
    upper.plot(
        [100 * row['confidence'] for row in rows],
        [100 * row['accuracy'] for row in rows],
        'o',
        color='C1',
        ms=4,
        label='mean of the bin',
    )
    upper.set_xlim(0, 100)
    upper.set_ylim(0, 100)
    upper.set_ylabel('accuracy, %')
    upper.set_title(
        f'Expected calibration error {found["error"]:.1%} '
        f'({found["pixels"]:,} pixels)',
        fontsize=11,
    )
    upper.legend(loc='upper left', fontsize=9)
    lower.bar(
        places,
        [100 * row['pixels'] / found['pixels'] for row in rows],
        width,
        align='edge',
        color='0.6',
        edgecolor='white',
    )
    lower.set_ylabel('pixels, %')
    lower.set_xlabel('confidence in the predicted class, %')
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
        axes.set_axisbelow(True)
    return figure


def review(result: dict[str, Any]) -> Figure | None:
    """Precision and recall of the flag over its threshold."""
    found = result['review']
    if not found or not found['needy']:
        return None
    rows = found['thresholds']
    curves = {
        'precision': 'precision: flagged photos that need a person',
        'recall': 'recall: photos that need a person and are flagged',
        'flagged': 'all photos that are flagged',
    }
    figure = _figure(7, 4.5)
    axes = figure.subplots()
    for (name, words), color in zip(
        curves.items(), ('C0', 'C2', '0.6'), strict=True
    ):
        axes.plot(
            [row['threshold'] for row in rows],
            [np.nan if row[name] is None else 100 * row[name] for row in rows],
            color=color,
            label=words,
        )
    if found['suggested'] is not None:
        axes.axvline(
            found['suggested'],
            color='black',
            lw=1,
            label=f'suggested: {found["suggested"]:.2f} (best F1)',
        )
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 102)
    axes.set_xlabel('mean confidence below which a photo is flagged')
    axes.set_ylabel('%')
    axes.set_title(
        f'{found["needy"]} of {found["photos"]} photos need a person',
        fontsize=11,
    )
    axes.legend(fontsize=9)
    axes.grid(alpha=0.3)
    return figure


def _color(method: str, other: str | None = None) -> str | None:
    """Of a method's marks; those of others take what is left."""
    return METHODS[method].color if method in METHODS else other


def _figure(width: float, height: float) -> Figure:
    # Without pyplot: no display is looked for, and nothing is kept open.
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout='constrained')
