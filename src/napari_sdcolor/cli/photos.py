"""Working through the photos of one command, one failure at a time."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_sdcolor.cli.console import (
    DONE,
    FAILED,
    WRONG_USAGE,
    Talk,
    exit_code,
)
from napari_sdcolor.errors import FAILURES, WrongUsage
from napari_sdcolor.words import counted


@dataclass
class Tally:
    """What became of the photos.

    Parameters
    ----------
    done
        One JSON-serializable dictionary per finished photo.
    failed
        Path and reason of the others.
    misused
        How many of these failed because they were asked for wrongly.
    """

    done: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    misused: int = 0

    @property
    def exit_code(self) -> int:
        """Wrong usage is what let nothing at all be done."""
        if not self.failed:
            return DONE
        if not self.done and self.misused == len(self.failed):
            return WRONG_USAGE
        return FAILED

    def facts(self) -> dict[str, Any]:
        return {'photos': self.done, 'failed': self.failed}

    def words(self, verb: str) -> str:
        """How it went, such as '2 photos colored, 1 failed'."""
        words = f'{counted(len(self.done), "photo")} {verb}'
        return f'{words}, {len(self.failed)} failed' if self.failed else words


def refuse_clashes(photos: list[Path], name_of: Callable[[Path], str]) -> None:
    """Refuse two photos that would write the same files.

    Raises
    ------
    WrongUsage
        Before any work.
    """
    seen: dict[str, Path] = {}
    for photo in photos:
        name = name_of(photo)
        other = seen.setdefault(os.path.normcase(name), photo)
        if other is not photo:
            raise WrongUsage(
                f'{other} and {photo} would both be saved under the name '
                f'{name!r}. Give them different file names, or run the '
                'command once for each with another output folder.'
            )


def work_through(
    talk: Talk,
    photos: list[Path],
    work: Callable[[Path], dict[str, Any]],
) -> Tally:
    """Do the work for every photo; one that fails does not stop the rest."""
    tally = Tally()
    for number, photo in enumerate(photos, 1):
        talk.say(f'{photo} ({number} of {len(photos)})')
        try:
            tally.done.append(work(photo))
        except FAILURES as error:
            why = talk.refuse(error, photo.name)
            tally.failed.append({'photo': str(photo), 'reason': why})
            tally.misused += exit_code(error) == WRONG_USAGE
    return tally
