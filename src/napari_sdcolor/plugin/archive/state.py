"""How things are with the photos of the archive dock, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from napari_sdcolor.batch.outcome import (
    CORRECTED,
    DONE,
    FAILED,
    WAITING,
)
from napari_sdcolor.plugin.archive.table import ALL, PERSON
from napari_sdcolor.words import counted

if TYPE_CHECKING:
    from napari_sdcolor.plugin.archive.choices import Choices

Counts = Mapping[str, int]
"""Photos by status, as ``PhotoTable.counts`` gives them."""

REASONS = 3
"""So many reasons are told why files are left out."""


def verb(counts: Counts, *, begun: bool) -> str:
    """What the button does."""
    if not begun:
        return 'Start'
    if counts[WAITING] + counts[CORRECTED] or not counts[ALL]:
        return 'Resume'
    return 'Try the failed again' if counts[FAILED] else 'Check again'


def advice(
    choices: Choices,
    counts: Counts,
    *,
    begun: bool,
    stopped: bool,
    looked: bool = True,
) -> tuple[str, bool]:
    """How things are, what to do next, and whether Start makes sense.

    Parameters
    ----------
    choices
        What the person chose.
    counts
        Photos by status.
    begun
        Whether there was a run in the output folder.
    stopped
        Whether the person stopped the last one.
    looked
        Whether it is known what the chosen folders hold.
    """
    if not choices.inputs:
        return 'First choose a folder of photos, or some files.', False
    if not choices.output:
        return 'Now choose a folder for the results.', False
    if not looked:
        return (
            'Not all folders were looked through. Start looks at the rest, '
            'too.'
        ), True
    total = counts[ALL]
    if not total:
        return 'There is no photo in the chosen folder.', False
    done = counts[DONE] + counts[CORRECTED]
    words = f'{done} of {total} photos are colored.'
    if stopped:
        words = f'Stopped. {words}'
    if counts[FAILED]:
        words += f' {counts[FAILED]} failed.'
    left = counts[WAITING] + counts[CORRECTED]
    if left and begun:
        words += f' Resume colors the {left} that are left.'
    elif left:
        words += f' Start colors {left}.'
    if counts[PERSON]:
        words += f' {counts[PERSON]} {need(counts[PERSON])} a person: '
        words += 'see the table.'
    elif not left:
        words += ' All is done.'
    return words, True


def need(photos: int) -> str:
    """The verb in '1 needs a person' and '2 need a person'."""
    return 'needs' if photos == 1 else 'need'


def holdings(photos: int, left_out: Mapping[str, int]) -> str:
    """How many photographs there are, and what is left out and why.

    Parameters
    ----------
    photos
        Number of files that will be colored.
    left_out
        Reason, as a sentence, to number of files.
    """
    words = counted(photos, 'photograph', commas=True)
    files = sum(left_out.values())
    if not files:
        return f'{words}.'
    words += f', {counted(files, "file", commas=True)} left out. '
    most = sorted(left_out.items(), key=lambda pair: -pair[1])[:REASONS]
    words += ' '.join(f'{number:,}: {reason}' for reason, number in most)
    return words + (' …' if len(left_out) > REASONS else '')
