"""The dock and the command line ask for a person by the same rule."""

from __future__ import annotations

import inspect
import json
import os
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
from napari_sdcolor.plugin.archive.choices import (
    FILE_VARIABLE,
    Choices,
    advice,
    recall,
)
from napari_sdcolor.plugin.archive.table import ALL, PERSON
from napari_sdcolor.settings import NEEDS_A_PERSON, Settings


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


SOUND = {
    'inputs': [],
    'output': 'out',
    'settings': {'size': 512},
    'format': 'png',
    'recursive': False,
    'confidence': 0.5,
}


@pytest.fixture
def remembered(tmp_path, monkeypatch):
    """Where the choices of the last time lie."""
    path = tmp_path / 'archive.json'
    monkeypatch.setenv(FILE_VARIABLE, str(path))
    return path


@pytest.mark.parametrize(
    'change',
    [
        {'inputs': 3},
        {'settings': []},
        {'settings': {'size': True}},
        {'settings': {'source_type': 5}},
        {'settings': {'flavor': 1}},
        {'format': 'gif'},
        {'format': ['tiff']},
        {'confidence': 10**400},
        {'confidence': -1},
        {'confidence': 'much'},
    ],
    ids=str,
)
def test_odd_choices_are_forgotten(remembered, change):
    base = Settings(size=352)
    remembered.write_text(json.dumps(SOUND))
    assert recall(base).format == 'png'
    remembered.write_text(json.dumps(SOUND | change))
    assert recall(base) == Choices(settings=base)


@pytest.mark.parametrize(
    'content', [b'', b'3', b'[]', b'\xff', b'[' * 100_000, b'{"inputs": NaN}']
)
def test_what_is_no_file_of_choices(remembered, content):
    remembered.write_bytes(content)
    assert recall(Settings()) == Choices()


def test_numbers_are_no_folders(remembered):
    """Python takes them for files that are open."""
    remembered.write_text(json.dumps(SOUND | {'inputs': [0, 1, 'a\0b']}))
    assert recall(Settings()).inputs == ()


@pytest.mark.skipif(os.name != 'posix', reason='needs named pipes')
def test_a_pipe_is_not_waited_for(remembered):
    os.mkfifo(remembered)
    end = os.open(remembered, os.O_RDWR | os.O_NONBLOCK)
    os.write(end, b'[]')
    try:
        assert recall(Settings()) == Choices()
    finally:
        os.close(end)


@pytest.mark.parametrize(
    'made', [{}, {'settings': 3}, {'settings': {}, 'format': 'gif'}], ids=str
)
def test_what_an_odd_batch_was_made_with_changes_nothing(made):
    assert Choices().as_made(made) == Choices()
