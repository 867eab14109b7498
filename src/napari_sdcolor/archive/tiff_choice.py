"""Which pages of a TIFF file are photos.

Thumbnails, masks and the smaller levels of pyramids are none. A picture that
a page names as its full one is the photo instead of the page.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from napari_sdcolor.archive.tiff_chain import Chain
from napari_sdcolor.archive.tiff_tables import Table

FAR_SMALLER = 4
"""How often the sides of a copy that does not say so go into the photo's."""

SAME_SHAPE = 0.05
"""By how much the proportions of a copy may differ from the photo's."""

_REDUCED, _PAGE_OF_SEVERAL, _MASK = 1, 2, 4


@dataclass(frozen=True)
class Chosen:
    """A page that is a photo.

    Parameters
    ----------
    table
        Its table.
    number
        Of the page in the file, from 0: that itself, or the one above it.
    notes
        Sentences on what was chosen, and why; empty if there was no choice.
    """

    table: Table
    number: int
    notes: tuple[str, ...] = ()


def choose(chain: Chain) -> list[Chosen]:
    """The photos of a file, in the order of their pages.

    Parameters
    ----------
    chain
        All tables of the file.

    Returns
    -------
    list of Chosen
        Empty only if the file has no pages.
    """
    photos: list[Chosen] = []
    copies: list[Chosen] = []
    for number, table in enumerate(chain.tables):
        best = _best(table, chain.below[number])
        if best is None:
            copies.append(Chosen(table, number))
        elif best is table:
            photos.append(Chosen(table, number))
        else:
            photos.append(Chosen(best, number, (_below(best, table),)))
    if not photos:
        return _largest(copies)
    unsaid = _unsaid_copy(photos)
    if unsaid is not None:
        photos.remove(unsaid)
    notes = _left_out(photos, copies, unsaid)
    photos[0] = replace(photos[0], notes=photos[0].notes + notes)
    return photos


def _best(table: Table, below: list[Table]) -> Table | None:
    """The full picture of a page; None if it is a copy of another page."""
    spare = bool(table.kind & (_REDUCED | _MASK))
    full = [
        one
        for one in below
        if not one.kind & (_REDUCED | _MASK)
        and one.width > table.width
        and one.height > table.height
    ]
    if table.kind & _MASK or not full:
        return None if spare else table
    return max(full, key=_area)


def _area(table: Table) -> int:
    return table.width * table.height


def _largest(copies: list[Chosen]) -> list[Chosen]:
    """Where all call themselves copies, those as large as the largest."""
    pictures = [one for one in copies if not one.table.kind & _MASK] or copies
    most = max((_area(one.table) for one in pictures), default=0)
    return [one for one in pictures if 2 * _area(one.table) > most]


def _unsaid_copy(photos: list[Chosen]) -> Chosen | None:
    """A page that is a copy, although it does not say so.

    The first of several pages, or one of two, that is far smaller than all
    others and has the shape of the largest of them.
    """
    if len(photos) < 2:
        return None
    last = photos[-1:] if len(photos) == 2 else []
    for one in photos[:1] + last:
        others = [other.table for other in photos if other is not one]
        if one.table.kind & _PAGE_OF_SEVERAL or not _area(one.table):
            continue
        if all(_far_smaller(one.table, other) for other in others):
            largest = max(others, key=_area)
            across = largest.width / one.table.width
            down = largest.height / one.table.height
            if abs(across / down - 1) <= SAME_SHAPE:
                return one
    return None


def _far_smaller(one: Table, other: Table) -> bool:
    return (
        one.width * FAR_SMALLER <= other.width
        and one.height * FAR_SMALLER <= other.height
    )


def _size(table: Table) -> str:
    return f'{table.width} × {table.height} pixels'


def _below(best: Table, table: Table) -> str:
    why = 'says that it is' if table.kind & _REDUCED else 'is'
    return (
        f'The photo is the picture of {_size(best)} that the page names as '
        f'its full one (SubIFDs); the page itself, {_size(table)}, {why} a '
        'smaller copy.'
    )


def _left_out(
    photos: list[Chosen], copies: list[Chosen], unsaid: Chosen | None
) -> tuple[str, ...]:
    """What is said of pages of the file that are no photos."""
    notes = []
    copies = [one for one in copies if one.table.kind & _REDUCED]
    taken = (
        f'The photo is page {photos[0].number} of the file, '
        f'{_size(photos[0].table)}'
        if len(photos) == 1
        else f'{len(photos)} pages of the file are photos'
    )
    if copies:
        which = ', '.join(str(one.number) for one in copies[:3])
        which += ', …' if len(copies) > 3 else ''
        words = (
            f'page {which}, {_size(copies[0].table)}, says that it is a '
            'smaller copy'
            if len(copies) == 1
            else f'pages {which} say that they are smaller copies'
        )
        notes.append(f'{taken}; {words}.')
    if unsaid is not None:
        notes.append(
            f'{taken}; page {unsaid.number}, {_size(unsaid.table)}, is left '
            'out as a smaller copy, although it does not say so.'
        )
    return tuple(notes)
