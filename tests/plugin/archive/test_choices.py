"""The dock and the command line ask for a person by the same rule."""

from __future__ import annotations

import inspect
import shlex
from dataclasses import replace

import pytest

from napari_sdcolor.batch.outcome import (
    CORRECTED,
    DONE,
    FAILED,
    WAITING,
)
from napari_sdcolor.cli.batch import batch
from napari_sdcolor.plugin.archive.choices import Choices, advice
from napari_sdcolor.plugin.archive.table import ALL, PERSON
from napari_sdcolor.settings import NEEDS_A_PERSON


def test_both_have_one_default() -> None:
    assert Choices().confidence == NEEDS_A_PERSON
    default = inspect.signature(batch).parameters['confidence'].default
    assert default == NEEDS_A_PERSON


@pytest.mark.parametrize(
    ('confidence', 'words'),
    [(NEEDS_A_PERSON, []), (0.0, ['0']), (0.55, ['0.55'])],
)
def test_the_command_says_what_differs(
    confidence: float, words: list[str]
) -> None:
    choices = Choices(inputs=('scans',), output='out')
    said = shlex.split(replace(choices, confidence=confidence).command())
    given = [said[n + 1] for n, x in enumerate(said) if x == '--confidence']
    assert given == words


@pytest.mark.parametrize(
    ('photos', 'words'), [(1, '1 needs a person:'), (2, '2 need a person:')]
)
def test_the_number_goes_with_the_verb(photos: int, words: str) -> None:
    choices = Choices(inputs=('scans',), output='out')
    counts = dict.fromkeys((ALL, DONE, FAILED, WAITING, CORRECTED), 0)
    counts |= {ALL: 2, DONE: 2, PERSON: photos}
    said, _ = advice(choices, counts, begun=True, stopped=False)
    assert words in said
