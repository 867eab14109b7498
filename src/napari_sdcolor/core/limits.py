"""What a network's configuration may say, whoever wrote it.

Configurations come out of files. Every field has a kind and a range, so that
none of them can describe a network that nobody could build.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

LEVELS = 8
"""No network halves its input more often."""

CHANNELS = 4096
"""No level of a network is wider."""

SIDE = 8192
"""No network looks at a photo at a larger short side, in pixels."""


def fields_from(kind: type, told: object) -> dict[str, Any]:
    """Arguments for a configuration, of what a file tells.

    Parameters
    ----------
    kind
        The dataclass.
    told
        What stood in the file; lists become tuples.

    Raises
    ------
    ValueError
        If it is no table, or has a field that there is not.
    """
    if not isinstance(told, Mapping):
        raise ValueError('its configuration is no table')
    unknown = sorted(told.keys() - {field.name for field in fields(kind)})
    if unknown:
        raise ValueError(f'its configuration has a field {unknown[0]!r}')
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in told.items()
    }


def check_whole(name: str, value: object, least: int, most: int) -> None:
    """Refuse what is no whole number of a range.

    Raises
    ------
    ValueError
        Naming the field and its range.
    """
    if type(value) is not int or not least <= value <= most:
        raise ValueError(
            f'{name} must be a whole number from {least} to {most}'
        )


def check_number(name: str, value: object, least: float, most: float) -> None:
    """Refuse what is no number of a range.

    Raises
    ------
    ValueError
        Naming the field and its range.
    """
    number = type(value) in (int, float) and math.isfinite(value)
    if not number or not least <= value <= most:
        raise ValueError(f'{name} must be a number from {least} to {most}')


def check_channels(name: str, value: object, *, none: bool = False) -> None:
    """Refuse what are no channels of the levels of a network.

    Parameters
    ----------
    name
        Of the field.
    value
        One number for each level.
    none
        Whether there may be no level at all.

    Raises
    ------
    ValueError
        Naming the field and its range.
    """
    if not isinstance(value, tuple) or not (not none) <= len(value) <= LEVELS:
        raise ValueError(f'{name} must have {1 - none} to {LEVELS} numbers')
    for number in value:
        check_whole(f'each of {name}', number, 1, CHANNELS)
