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


class _Listener(logging.Filter):
    """Keeps words from the console while somebody listens."""

    def filter(self, record: logging.LogRecord) -> bool:
        words = getattr(_local, 'words', None)
        if words is None:
            return True
        words.append(record.getMessage())
        return False


for _name in _LOGGERS:
    logging.getLogger(_name).addFilter(_Listener())


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
