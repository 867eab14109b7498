"""What the library for TIFF files logs is said in our own sentences."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_quiet: ContextVar[bool] = ContextVar('quiet', default=False)


class _Quiet(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return not _quiet.get()


logging.getLogger('tifffile').addFilter(_Quiet())


@contextmanager
def quiet() -> Iterator[None]:
    """Keep tifffile's log silent: its lines do not name the file.

    Other uses of the library in the same process log as before.
    """
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)
