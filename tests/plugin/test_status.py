"""What is said of every state, as a table."""

from __future__ import annotations

import pytest

from napari_sdcolor.plugin.status import (
    NEXT_STEP,
    NEXT_STEP_WITHOUT_LIVE,
    NO_PHOTO,
    Kind,
    Outcome,
    State,
    departed,
    save_sentence,
    sentence,
)

DONE = {
    'photo': 'castle',
    'has_color': True,
    'has_map': True,
    'colored': True,
}
FILM = {**DONE, 'planes': 12, 'plane': 2}
STOPPED = Outcome(Kind.STOPPED)
FULL = Outcome(Kind.FAILED, 'The disk is full.')
BACK = Outcome(Kind.RESTORED)
PRESS = 'Press Run to color castle.'
UPDATE = 'The colors are not those of the map as it is now: press Update now.'


@pytest.mark.parametrize(
    ('state', 'words'),
    [
        ({}, NO_PHOTO),
        ({'photo': 'castle'}, PRESS),
        ({'photo': 'x', 'trouble': 'x has 4 axes.'}, 'x has 4 axes.'),
        ({'photo': 'castle', 'running': 'Coloring…'}, 'Coloring…'),
        ({'photo': 'castle', 'outcome': STOPPED}, 'Stopped.'),
        ({'photo': 'castle', 'outcome': FULL}, 'The disk is full.'),
        (DONE, NEXT_STEP),
        ({**DONE, 'live': False}, NEXT_STEP_WITHOUT_LIVE),
        ({**DONE, 'running': 'Coloring…', 'outcome': FULL}, 'Coloring…'),
        (
            {**DONE, 'outcome': STOPPED},
            'Stopped. The previous result is kept.',
        ),
        ({**DONE, 'outcome': FULL}, 'The disk is full.'),
        (
            {**DONE, 'outcome': BACK},
            (
                'castle is back as it was saved. Paint on its map, and the '
                'colors follow.'
            ),
        ),
        ({**DONE, 'outdated': True}, UPDATE),
        ({**DONE, 'outdated': True, 'live': False}, UPDATE),
        (
            {**DONE, 'pixels_changed': True, 'outdated': True},
            (
                'The photo was changed after it was colored: press Update now, '
                'or Run for a new map.'
            ),
        ),
        (
            {**DONE, 'misfit': True, 'outdated': True},
            (
                'The map has another size than the photo asks for; press '
                'Run for a new one.'
            ),
        ),
        (
            {**DONE, 'has_map': False},
            'The semantic map was deleted. Run makes a new one.',
        ),
        (
            {**DONE, 'has_color': False, 'colored': False},
            'The color layer was deleted. Run or Update brings it back.',
        ),
        (
            {**DONE, 'has_color': False, 'has_map': False, 'colored': False},
            PRESS,
        ),
        (FILM, f'Plane 3 of 12: colored. {NEXT_STEP}'),
        ({**FILM, 'colored': False}, 'Plane 3 of 12: press Run to color it.'),
        (
            {**FILM, 'colored': False, 'painted': True, 'outdated': True},
            f'Plane 3 of 12. {UPDATE}',
        ),
        ({**FILM, 'outcome': FULL}, 'Plane 3 of 12. The disk is full.'),
        ({**FILM, 'running': 'Coloring…'}, 'Coloring…'),
    ],
)
def test_what_is_said(state: dict, words: str) -> None:
    assert sentence(State(**state)) == words


def test_who_waits_says_so_and_how_to_end_it() -> None:
    state = State(photo='castle', waiting=True)
    assert state.busy
    assert sentence(state).startswith('castle waits until')
    assert 'Stop' in sentence(state)


@pytest.mark.parametrize('colored', [True, False])
def test_painting_is_advised_only_where_the_colors_are_those_of_the_map(
    colored: bool,
) -> None:
    for planes in (0, 5):
        state = State(
            photo='castle',
            planes=planes,
            has_map=True,
            has_color=True,
            colored=colored,
            outdated=not colored,
        )
        assert ('then paint' in sentence(state)) == colored


def test_changes_after_a_saving_are_told() -> None:
    saved = Outcome(Kind.SAVED, '/box: a.tif')
    state = State(photo='a', save_outcome=saved, changed_since=True)
    assert save_sentence(state) == 'Changed since it was saved in /box: a.tif'
    copied = Outcome(Kind.COPIED, 'sdcolor colorize a.tif')
    state = State(photo='a', save_outcome=copied, changed_since=True)
    assert 'sdcolor' not in save_sentence(state)


@pytest.mark.parametrize(
    ('outcome', 'words'),
    [
        (None, ''),
        (Outcome(Kind.SAVED, '/box: a.tif'), 'Saved in /box: a.tif'),
        (Outcome(Kind.COPIED, 'sdcolor demo'), 'Copied: sdcolor demo'),
        (STOPPED, 'The saving was stopped: nothing was written.'),
        (FULL, 'The disk is full.'),
    ],
)
def test_what_is_said_of_a_saving(outcome: Outcome | None, words: str) -> None:
    assert save_sentence(State(photo='a', save_outcome=outcome)) == words


@pytest.mark.parametrize(
    ('color', 'map_', 'words'),
    [
        (True, True, 'its color and map stay as ordinary layers'),
        (True, False, 'its color stays as an ordinary layer'),
        (False, True, 'its map stays as an ordinary layer'),
        (False, False, 'with its map and its colors'),
    ],
)
def test_only_layers_that_stay_are_said_to(
    color: bool, map_: bool, words: str
) -> None:
    said = departed('castle', color=color, map_=map_)
    assert said.startswith('castle was removed')
    assert words in said
