"""The benchmark as a table and as a plot."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from napari_sdcolor.bench.networks import REFERENCE
from napari_sdcolor.bench.run import Findings
from napari_sdcolor.bench.timing import Row
from napari_sdcolor.files import publish

COLUMNS = (
    'What',
    'Size',
    'Stroke',
    'Median',
    'p95',
    'Times faster',
    'Share of GEMM',
    'Memory',
    'Share of the whole',
)


def as_markdown(findings: Findings) -> str:
    """The table, the machine above it and what is missing below it."""
    facts = findings.facts
    lines = []
    if facts:
        words = (
            f'Device: {facts["device"]}; {facts["cores"]} CPU cores, '
            f'{facts["threads"]} threads, {facts["dtype"]}, '
            f'PyTorch {facts["torch"]}; matrix multiplication: '
            f'{facts["gemm_gmacs"]:.1f} GMAC/s.'
        )
        lines += [words, '']
    lines.append(f'| {" | ".join(COLUMNS)} |')
    lines.append(f'|{" --- |" * len(COLUMNS)}')
    lines += [_line(row, facts.get('gemm_gmacs')) for row in findings.rows]
    for dtype, error in facts.get('largest_ab_error', {}).items():
        lines += [
            '',
            f'Largest error of a or b in {dtype}: {error:.3g} Lab units.',
        ]
    lines += [f'\nNot measured: {words}' for words in findings.left_out]
    if findings.stopped:
        lines.append('\nStopped before the end.')
    return '\n'.join(lines)


def _line(row: Row, rate: float | None) -> str:
    share = ''
    if row.macs and rate and row.median_s:
        share = f'{row.macs / row.median_s / 1e9 / rate:.0%}'
    cells = (
        row.name,
        '' if row.size is None else str(row.size),
        '' if row.stroke is None else f'{row.stroke} px',
        _seconds(row.median_s),
        _seconds(row.p95_s),
        '' if row.ratio is None else f'{row.ratio:.3g}',
        share,
        '' if row.peak_bytes is None else f'{row.peak_bytes / 1e6:.0f} MB',
        '' if row.share is None else f'{row.share:.0%}',
    )
    return f'| {" | ".join(cells)} |'


def _seconds(value: float | None) -> str:
    if value is None:
        return ''
    return f'{value * 1000:.1f} ms' if value < 1 else f'{value:.2f} s'


def save_plot(findings: Findings, path: Path) -> None:
    """Times over the working size, on logarithmic axes.

    Raises
    ------
    SaveError
        If the file cannot be written.
    ValueError
        If its suffix names no format.
    """
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot, ticker

    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout='constrained')
    curves = _curves(findings.rows)
    for name, (sizes, low, high) in curves.items():
        axes.plot(sizes, low, marker='o', label=name)
        axes.fill_between(sizes, low, high, alpha=0.15)
    axes.set(
        xscale='log',
        yscale='log',
        xlabel='short side of the working plane (pixels)',
        ylabel='seconds (line: median; band: up to the 95th percentile)',
        title=findings.facts.get('device', ''),
    )
    sizes = sorted({size for curve in curves.values() for size in curve[0]})
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.tick_params(axis='x', which='minor', bottom=False, labelbottom=False)
    axes.yaxis.set_major_formatter(ticker.FormatStrFormatter('%g'))
    axes.yaxis.set_minor_formatter(ticker.NullFormatter())
    low, high = axes.get_ylim()
    # A decade shows at least one number, however little is measured.
    axes.set_ylim(min(low, high / 12), high)
    axes.grid(alpha=0.3)
    axes.legend()
    stream = io.BytesIO()
    figure.savefig(stream, dpi=150, format=path.suffix[1:].lower())
    pyplot.close(figure)
    publish([(path, stream.getvalue())])


def _curves(rows: list[Row]) -> dict[str, tuple[list[Any], ...]]:
    wanted = {REFERENCE, 'full pass', 'gray cached', 'stroke', 'against'}
    curves: dict[str, tuple[list[Any], ...]] = {}
    for row in rows:
        if row.name not in wanted or row.size is None:
            continue
        name = row.name if row.stroke is None else f'stroke, {row.stroke} px'
        sizes, low, high = curves.setdefault(name, ([], [], []))
        sizes.append(row.size)
        low.append(row.median_s)
        high.append(row.p95_s)
    return curves
