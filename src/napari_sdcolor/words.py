"""Counts, times and lists in words."""

from __future__ import annotations

from collections.abc import Sequence


def counted(
    number: int, thing: str, things: str = '', *, commas: bool = False
) -> str:
    """A number of things, such as '1 photo' and '2 photos'.

    Parameters
    ----------
    number
        How many.
    thing, things
        What one of them is called, and several; the latter where it is not
        the former with an s.
    commas
        Write 1,000 instead of 1000.
    """
    digits = f'{number:,}' if commas else f'{number}'
    return f'{digits} {thing if number == 1 else things or f"{thing}s"}'


def listed(names: Sequence[object], most: int) -> str:
    """The first names, such as 'a, b, …'."""
    shown = [str(name) for name in names[:most]]
    return ', '.join([*shown, '…'] if len(names) > most else shown)


def duration(seconds: float) -> str:
    """A time as people say it, such as 'about 2 hours 1 minute'."""
    if seconds < 60:
        return 'less than a minute'
    minutes = round(seconds / 60)
    if minutes < 60:
        return f'about {counted(minutes, "minute")}'
    if minutes < 48 * 60:
        hours, minutes = divmod(minutes, 60)
        tail = f' {counted(minutes, "minute")}' if minutes else ''
        return f'about {counted(hours, "hour")}{tail}'
    return f'about {counted(round(minutes / 60 / 24), "day")}'


def short_duration(seconds: float) -> str:
    """Such as '45 s', '12 min', '3 h 20 min', '2 d 4 h'."""
    if seconds < 90:
        return f'{seconds:.0f} s'
    minutes = round(seconds / 60)
    if minutes < 90:
        return f'{minutes} min'
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f'{hours} h {minutes} min'
    return f'{hours // 24} d {hours % 24} h'


def short_hash(digest: str) -> str:
    """A hash as it is shown where all of it would be too long to read."""
    return f'{digest[:12]}…' if digest[12:] else digest
