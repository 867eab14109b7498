"""What the decoding libraries say beside what they give.

They warn on loggers and as Python warnings, without the name of the file. A
person gets no use of that; a decoder's warning on the picture itself is the
only sign that a part of it is made up.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGERS = ('imagecodecs', 'tifffile')

_local = threading.local()
_warnings = threading.Lock()


class _Heard(logging.Logger):
    """Hands its words to whoever listens in this thread.

    Also where a program turned logging off, or these loggers: whether a
    picture is whole must not depend on that.
    """

    def isEnabledFor(self, level: int) -> bool:
        return _listening() is not None or super().isEnabledFor(level)

    def handle(self, record: logging.LogRecord) -> None:
        words = _listening()
        if words is None:
            super().handle(record)
        else:
            words.append(record.getMessage())


def _listening() -> list[str] | None:
    return getattr(_local, 'words', None)


for _name in _LOGGERS:
    # Others may have asked for it before, and hold it.
    logging.getLogger(_name).__class__ = _Heard


@contextmanager
def hearing() -> Iterator[list[str]]:
    """Listen to what the libraries say in this thread.

    Yields
    ------
    list of str
        Grows with every message; none of them reaches the console.
    """
    before = getattr(_local, 'words', None)
    _local.words = []
    try:
        yield _local.words
    finally:
        _local.words = before


@contextmanager
def without_warnings() -> Iterator[None]:
    """Leave out Python warnings; for what takes a moment only.

    The filters of warnings are one for the whole process: two threads that
    change them at a time would leave them changed.
    """
    with _warnings, warnings.catch_warnings():
        warnings.simplefilter('ignore')
        yield
