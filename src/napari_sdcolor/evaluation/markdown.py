"""Small pieces of markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MISSING = 'not computed'

Columns = Sequence[tuple[str, str, str]]
"""Heading, name of a figure, and the format of numbers."""


def missing(why: str) -> str:
    """That something was not computed, and why."""
    return f'{MISSING.capitalize()}: {why}.'


def cell(figure: Any, form: str, empty: str = MISSING) -> str:
    """One figure.

    Parameters
    ----------
    figure
        A number, the two ends of an interval, words, or None.
    form
        Format of the numbers.
    empty
        Stands for None.
    """
    if figure is None:
        return empty
    if isinstance(figure, str):
        return figure
    if isinstance(figure, list | tuple):
        low, high = figure
        return f'{low:{form}} to {high:{form}}'
    return f'{figure:{form}}'


def table(
    columns: Columns,
    rows: Iterable[Mapping[str, Any]],
    *,
    empty: str = MISSING,
    turned: bool = False,
) -> str:
    """A table of figures.

    Parameters
    ----------
    columns
        See ``Columns``.
    rows
        Figures by name; those that are not there are empty.
    empty
        See ``cell``.
    turned
        The headings stand in the first column instead, the rows beside.
    """
    lines = [
        [heading for heading, _, _ in columns],
        *(
            [cell(row.get(name), form, empty) for _, name, form in columns]
            for row in rows
        ),
    ]
    if turned:
        lines = [list(line) for line in zip(*lines, strict=True)]
    lines.insert(1, ['---'] * len(lines[0]))
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)
