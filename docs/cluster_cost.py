"""What a million photos cost, from the rate of one measured batch.

sdcolor batch scans -o trial --limit 300 --json > trial.json
python docs/cluster_cost.py trial.json --cores 8 [--gpu gpu.json]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def rate_of(path: Path) -> float:
    """Photos per second of a batch, from its ``--json`` output."""
    answer = json.loads(path.read_text())
    if not answer['colored'] or not answer['seconds']:
        raise SystemExit(f'{path}: no photo was colored in that batch.')
    return answer['colored'] / answer['seconds']


def hours(photos: int, rate: float) -> str:
    """Such as '12.3 h' or '4.5 days'."""
    found = photos / rate / 3600
    return f'{found:.1f} h' if found < 72 else f'{found / 24:.1f} days'


def table(
    core: float, card: float | None, photos: int, node: int, share: float
) -> str:
    """Markdown table of wall time and of the time that is paid for.

    Parameters
    ----------
    core, card
        Photos per second of one core and of one GPU.
    photos
        Number of photos.
    node
        Cores of one machine.
    share
        Of the time in which cores or GPUs work, in (0, 1].
    """
    rows = [
        ('1 machine', f'{node} cores', core * node, node, 'core'),
        ('20 CPU nodes', f'{20 * node} cores', core * 20 * node, 20 * node,
         'core'),
        ('4 GPUs', '4 GPUs', card and card * 4, 4, 'GPU'),
    ]  # fmt: skip
    lines = ['| | Of | Photos per second | Time | Paid time |']
    lines.append('| --- | --- | --- | --- | --- |')
    for name, parts, rate, count, unit in rows:
        if rate is None:
            lines.append(f'| {name} | {parts} | not measured | | |')
            continue
        used = rate * share
        paid = photos / used / 3600 * count
        lines.append(
            f'| {name} | {parts} | {used:.2f} | {hours(photos, used)} | '
            f'{paid:,.0f} {unit} hours |'
        )
    return '\n'.join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('trial', type=Path)
    parser.add_argument('--cores', type=int, required=True)
    parser.add_argument('--gpu', type=Path)
    parser.add_argument('--node', type=int, default=32)
    parser.add_argument('--photos', type=int, default=1_000_000)
    parser.add_argument('--efficiency', type=float, default=0.9)
    asked = parser.parse_args()
    core = rate_of(asked.trial) / asked.cores
    card = rate_of(asked.gpu) if asked.gpu else None
    print(table(core, card, asked.photos, asked.node, asked.efficiency))


if __name__ == '__main__':
    main()
