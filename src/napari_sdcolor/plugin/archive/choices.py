"""What a person chose for a batch, and in words what comes of it.

The dock's twin of the command line.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from napari_sdcolor.archive.formats import SUFFIXES
from napari_sdcolor.batch.outcome import (
    CORRECTED,
    DONE,
    FAILED,
    WAITING,
)
from napari_sdcolor.batch.task import EDITED_MAPS
from napari_sdcolor.errors import SaveError, SdcolorError
from napari_sdcolor.files import own_path
from napari_sdcolor.opening import read_json
from napari_sdcolor.own_files import is_record_of, replace_file
from napari_sdcolor.plugin.archive.table import ALL, PERSON
from napari_sdcolor.settings import NEEDS_A_PERSON, Settings, declare
from napari_sdcolor.words import counted

FILE_VARIABLE = 'SDCOLOR_ARCHIVE_CHOICES'
"""Environment variable that moves the file of the remembered choices."""


_FOREIGN = (
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    TypeError,
    ValueError,
)
"""What comes of a file that another program changed."""

Counts = Mapping[str, int]
"""Photos by status, as ``PhotoTable.counts`` gives them."""

REASONS = 3
"""So many reasons are told why files are left out."""


@dataclass(frozen=True)
class Choices:
    """Everything that ``sdcolor batch`` is told.

    Parameters
    ----------
    inputs
        Folders and files.
    near
        The folder where the last ones lay; dialogs begin there.
    output
        Folder of the results; empty if not chosen yet.
    settings
        As for a single photo.
    format
        Of the colored photos: 'tiff', 'png' or 'jpeg'.
    recursive
        Whether to look into the folders inside of folders.
    confidence
        Maps with a lower mean confidence need a person.
    """

    inputs: tuple[str, ...] = ()
    output: str = ''
    settings: Settings = field(default_factory=Settings)
    format: str = declare(
        'tiff',
        'Format',
        'Of the colored photos. Only TIFF and PNG keep the lightness '
        'exactly; JPEG is an 8-bit access copy.',
    )
    recursive: bool = declare(
        True,
        'Folders inside folders, too',
        'Whether to look into the folders inside of folders.',
    )
    near: str = ''
    confidence: float = declare(
        NEEDS_A_PERSON,
        'Ask below',
        'Photos whose map the machine is less sure of are marked "needs a '
        'person".',
        minimum=0.0,
        maximum=1.0,
        step=0.05,
    )

    def as_made(self, made: Mapping[str, Any]) -> Choices:
        """The same, colored as an earlier batch was.

        Parameters
        ----------
        made
            What it was made with; what is not understood changes nothing,
            the run itself says what is wrong.
        """
        try:
            settings = _as_made(self.settings, made['settings'])
            if made['format'] not in SUFFIXES:
                return self
            return replace(self, settings=settings, format=made['format'])
        except (*_FOREIGN, SdcolorError):
            return self

    def command(self) -> str:
        """The call of ``sdcolor`` that does the same.

        Empty until there is something to color and a place for it.

        Once maps were corrected, it names them, so that it also does the
        same into another folder.
        """
        if not (self.inputs and self.output):
            return ''
        words = ['sdcolor', 'batch', *self.inputs, '-o', self.output]
        if self.format != 'tiff':
            words += ['--format', self.format]
        if not self.recursive:
            words.append('--no-recursive')
        if self.confidence != NEEDS_A_PERSON:
            words += ['--confidence', f'{self.confidence:g}']
        maps = os.path.join(self.output, EDITED_MAPS)
        if os.path.isdir(maps):
            words += ['--labels', maps]
        return shlex.join(words + self.settings.to_arguments())


def _file() -> Path:
    return own_path('archive.json', FILE_VARIABLE)


def remember(choices: Choices) -> None:
    """Keep the choices for the next start; a full disk is no reason to fail."""
    facts = asdict(choices)
    del facts['settings']['device']
    with suppress(SaveError):  # nothing is lost but a convenience
        content = json.dumps(facts, indent=1).encode()
        replace_file(_file(), content, is_record_of('inputs'))


def recall(base: Settings) -> Choices:
    """What was chosen last, as far as it can still be used.

    Parameters
    ----------
    base
        Gives the settings that are no choice of this dock.
    """
    try:
        facts = read_json(_file())
        confidence = float(facts['confidence'])
        if facts['format'] not in SUFFIXES or not 0 <= confidence <= 1:
            return Choices(settings=base)
        return Choices(
            inputs=tuple(filter(os.path.exists, map(str, facts['inputs']))),
            output=str(facts['output']),
            settings=_as_made(base, facts['settings']),
            format=facts['format'],
            recursive=bool(facts['recursive']),
            confidence=confidence,
            near=str(facts.get('near', '')),
        )
    except (*_FOREIGN, SdcolorError):
        return Choices(settings=base)


def _as_made(base: Settings, made: dict[str, Any]) -> Settings:
    """Settings with those of an earlier batch where they matter.

    Raises
    ------
    SdcolorError
        If they are not understood.
    """
    # A batch tells of its weights what they are, not what they are called.
    facts = {'weights': base.weights, **made, 'device': base.device}
    return Settings.from_dict(facts)


# --- in words ---------------------------------------------------------------


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
