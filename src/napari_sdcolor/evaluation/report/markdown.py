"""Small pieces of markdown."""

from __future__ import annotations

from collections.abc import Sequence

MISSING = 'not computed'


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; every row as long as the head."""
    lines = [head, ['---'] * len(head), *rows]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def missing(why: str) -> str:
    """That something was not computed, and why."""
    return f'{MISSING.capitalize()}: {why}.'


def share(value: float | None) -> str:
    """A share as a percentage."""
    return MISSING if value is None else f'{value:.1%}'


def interval(bounds: Sequence[float], form: str = '+.2f') -> str:
    """The two ends of an interval."""
    low, high = bounds
    return f'{low:{form}} to {high:{form}}'
