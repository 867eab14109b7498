"""What a person types as the value of an option, and what is said of it.

The sentences are ours, whichever version of typer reads the options.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

import typer

Choice = TypeVar('Choice', bound=StrEnum)
Number = TypeVar('Number', int, float)


def limits_words(minimum: float, maximum: float | None = None) -> str:
    """Such as 'from 0 to 3' and 'of at least 1'."""
    if maximum is None:
        return f'of at least {minimum:g}'
    return f'from {minimum:g} to {maximum:g}'


def number(
    kind: type[Number], minimum: float, maximum: float | None = None
) -> Callable[[Any], Number]:
    """What reads a number within limits.

    Parameters
    ----------
    kind
        ``int`` or ``float``.
    minimum, maximum
        The smallest and the largest that may be given; None for any.

    Returns
    -------
    callable
        Raises typer.BadParameter for anything else, also for infinity.
    """
    thing = 'a whole number' if kind is int else 'a number'
    limits = limits_words(minimum, maximum)

    def parse(words: Any) -> Number:
        try:
            value = kind(words)
        except ValueError:
            value = None
        good = value is not None and math.isfinite(value) and value >= minimum
        if not good or (maximum is not None and value > maximum):
            raise typer.BadParameter(f'{words!r} is not {thing} {limits}.')
        return value

    return parse


def choice(kinds: type[Choice]) -> dict[str, Any]:
    """How an option takes one of some words, in small letters or capitals.

    Returns
    -------
    dict
        ``parser`` and ``metavar`` for typer.Option; the parser raises
        typer.BadParameter for any other word.
    """

    def parse(words: Any) -> Choice:
        try:
            return kinds(str(words).lower())
        except ValueError as error:
            raise typer.BadParameter(
                f'{words!r} is none of {", ".join(kinds)}.'
            ) from error

    return {'parser': parse, 'metavar': '|'.join(kinds)}
