"""How much the tags of a TIFF page may hold.

A tag claims how many values it has, and libraries read as many: in a file
with holes gigabytes, which are not even there. The claims are judged here,
before a value is read.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from tifffile import TIFF

from napari_sdcolor.archive.scan import TEXT_TAGS, refuse_beyond_memory
from napari_sdcolor.errors import PhotoError

LONGEST_LIST = 3 * 2**16
"""Values of a list: no page has more channels or colors of a palette."""

LARGEST_VALUE = 2**24
"""Bytes of a text, a profile, or anything else that is no list."""

PART_BYTES = 100
"""Of a number in a table of strips or tiles while the table is read."""

_PLACES = (273, 279, 324, 325)
_NEEDED = (258, 320, 338, 339, 347, 513, 514, 530)
# Without these, pixels would be taken for others.
_LISTS = (258, 280, 281, 282, 283, 320, 330, 338, 339, 340, 341, 513, 514)
_LISTS += (530, 50838)
_METAMORPH = (33628, 33629)
# Nothing in them is used; each value of the one is read for each of the other.
_TOLD = (282, 283, 330, 340, 341, 34675, 42113, *TEXT_TAGS.values())
# What is taken from the others is nothing.

_TYPE_BYTES = np.zeros(2**16)
_TYPE_BYTES[1:19] = (1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)


def value_bytes(entries: NDArray) -> NDArray[np.float64]:
    """Bytes that the values of tags claim to have; 0 for unknown types.

    Parameters
    ----------
    entries
        (N,) tags in the form of ``Layout.entry``.
    """
    return entries['count'].astype(float) * _TYPE_BYTES[entries['type']]


def beyond_bounds(entries: NDArray, parts: int) -> NDArray[np.bool_]:
    """Which tags are left out, as they claim more than such a tag can hold.

    Parameters
    ----------
    entries
        (N,) tags in the form of ``Layout.entry``, without those that are
        one number.
    parts
        Strips or tiles that the image can have, at the most.

    Raises
    ------
    PhotoError
        If the pixels cannot be told without one of them, or the table of
        strips or tiles is larger than the memory. With the reason only.
    """
    sizes, codes = value_bytes(entries), entries['code']
    beyond = (sizes > LARGEST_VALUE) | np.isin(codes, _METAMORPH)
    beyond |= np.isin(codes, _LISTS) & (entries['count'] > LONGEST_LIST)
    places = np.isin(codes, _PLACES) & (sizes > 0)
    beyond[places] = entries['count'][places] > max(parts, LONGEST_LIST)
    wrong = entries[beyond & np.isin(codes, _PLACES + _NEEDED)]
    if wrong.size:
        raise PhotoError(
            f'its tag {_name(wrong[0])} claims {wrong[0]["count"]} values, '
            'more than there can be, as only damaged and hostile files do'
        )
    numbers = int(entries['count'][places].sum(dtype=float))
    if numbers > LONGEST_LIST:
        refuse_beyond_memory(PART_BYTES * numbers)
    return beyond


def left_out(entries: NDArray) -> tuple[str, ...]:
    """Sentences on tags that were left out, where one would miss them."""
    return tuple(
        f'The tag {_name(entry)} claims {size:.0f} bytes and was left out.'
        for entry, size in zip(entries, value_bytes(entries), strict=True)
        if entry['code'] in _TOLD
    )


def _name(entry: NDArray) -> str:
    return TIFF.TAGS.get(int(entry['code']), f'{entry["code"]}')
