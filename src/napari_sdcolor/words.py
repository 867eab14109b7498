"""Counts, times, lists and foreign names in words."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_BLANK = frozenset('\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0')
"""Letters and marks of which nothing is to be seen."""

_FORMULA = '=+-@\t\r\n\uff1d\uff0b\uff0d\uff20'
"""With which a formula begins, wide forms and what hides one included."""


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


def shown(words: str) -> str:
    """Words in which every character is to be seen and none acts.

    Names, tags and descriptions come from other people. A terminal obeys
    what is an escape sequence in them, and characters that turn the writing
    around or take no room make one name look like another.

    Parameters
    ----------
    words
        Of any origin; bytes of a file name that are no text stand in them
        as the system hands them over.

    Returns
    -------
    str
        One line: controls, newlines, marks of direction and what is invisible
        or no character are escaped as in Python, such as ``\\x1b`` and
        ``\\u202e``.
    """
    if words.isascii() and words.isprintable():
        return words
    return ''.join(
        char if _is_seen(char) else _escaped(char) for char in words
    )


def _is_seen(char: str) -> bool:
    if char in _BLANK:
        return False
    # The wide space of Japanese names counts as not printable.
    return char.isprintable() or unicodedata.category(char) == 'Zs'


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f'\\x{code - 0xDC00:02x}'  # the byte itself
    return char.encode('unicode_escape').decode('ascii')


def cell(words: str) -> str:
    """Words as a cell of a CSV file that a spreadsheet takes for text.

    Spreadsheets calculate what begins with a sign of a formula, also behind
    spaces and quotation marks. An apostrophe before it says that it is text.
    What acts is escaped as by ``shown``, for tables are also read in
    terminals.
    """
    start = words.lstrip(' \xa0\u3000\ufeff"\'')[:1]
    words = shown(words)
    return f"'{words}" if start and start in _FORMULA else words


def short_hash(digest: str) -> str:
    """A hash as it is shown where all of it would be too long to read."""
    return f'{digest[:12]}…' if digest[12:] else digest
