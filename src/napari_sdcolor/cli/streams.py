"""Standard input, output and error: closed, full, or read by nobody."""

from __future__ import annotations

import io
import os
import sys
from typing import Any, NoReturn

from napari_sdcolor.errors import said

FAILED = 1
"""Exit code where an answer could not be given."""


def prepare_streams() -> None:
    """Make the standard streams say what is wrong with them, once.

    Raises
    ------
    SystemExit
        If standard output is closed, before anything is done.
    """
    _take_the_places_of_closed_ones()
    if sys.stderr is not None and not sys.stderr.isatty():
        sys.stderr = _text(sys.stderr, _Aside(sys.stderr.fileno()))
    if sys.stdout is None:
        _stop('it is closed. Nothing was done')
    # A file name or sign that the terminal cannot show must not stop the
    # work; standard error escapes such characters anyway.
    if sys.stdout.isatty():
        sys.stdout.reconfigure(errors='backslashreplace')
    else:
        sys.stdout = _text(sys.stdout, _Answers(sys.stdout.fileno()))


def _take_the_places_of_closed_ones() -> None:
    # The next file that is opened would get the number of a closed stream,
    # and what some library writes there would go into that file.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


class _Answers(io.FileIO):
    """Standard output: without it the command has failed."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, 'w', closefd=False)
        self._lost = False

    def write(self, content: memoryview) -> int:
        """Write, or say why not and end the command."""
        if self._lost:
            return content.nbytes  # on the way out
        try:
            return super().write(content)
        except OSError as error:
            self._lost = True
            _stop(f'{said(error)}. What was saved until now stays')


class _Aside(io.FileIO):
    """Standard error: work goes on though nobody listens."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, 'w', closefd=False)

    def write(self, content: memoryview) -> int:
        """Write what can be written; the rest is lost."""
        try:
            return super().write(content)
        except OSError:
            return content.nbytes


def _text(stream: Any, raw: io.FileIO) -> io.TextIOWrapper:
    """A text stream like another one."""
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        stream.encoding,
        errors='backslashreplace',
        line_buffering=stream.line_buffering,
    )


def _stop(why: str) -> NoReturn:
    if sys.stderr is not None:
        sys.stderr.write(f'Standard output cannot be written: {why}.\n')
        sys.stderr.flush()
    sys.exit(FAILED)
