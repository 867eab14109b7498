"""Sentences about a photo's file, in place of what the libraries raise."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from napari_sdcolor.archive.heard import hearing
from napari_sdcolor.archive.scan import DECODE_ERRORS
from napari_sdcolor.errors import PhotoError, said
from napari_sdcolor.settings import SettingsError

_INTERNAL = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    struct.error,
    TypeError,
)
"""A decoder that stumbles over what it did not expect: its words are on its
own code, not on the file."""


_IDENTIFIER = re.compile(r'\w_\w|\w\(')
"""Words that name functions or constants of a library."""


@contextmanager
def explaining(name: str) -> Iterator[None]:
    """Name the file, and the reason in words.

    Parameters
    ----------
    name
        How messages call the file or its page.

    Raises
    ------
    PhotoError
        For whatever a decoder raises.
    """
    try:
        with hearing():
            yield
    except PhotoError as error:
        if str(error).startswith(name):
            raise
        raise type(error)(f'{name} cannot be used: {error}.') from error
    except SettingsError:  # which is a ValueError
        raise
    except MemoryError as error:
        raise PhotoError(f'{name} does not fit into memory.') from error
    except DECODE_ERRORS as error:
        if isinstance(error, OSError) and error.strerror:
            raise PhotoError(
                f'{name} cannot be read: {said(error)}.'
            ) from error
        raise PhotoError(
            f'{name} is damaged, incomplete or of an unsupported kind'
            f'{_of_use(error)}. Get an intact copy, or convert it.'
        ) from error


def _of_use(error: Exception) -> str:
    """What a library says, where that is about the file."""
    words = said(error)
    if isinstance(error, _INTERNAL) or _IDENTIFIER.search(words):
        return ''
    return f' ({words})'
