"""Every sentence on how things are, as a function of how they are.

Neither napari nor Qt: what is said of a state can be read as a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

NO_PHOTO = 'Open a gray photo (File > Open, or Open Sample), then press Run.'
NEXT_STEP = (
    'Click a class, then paint on the photo: the color follows. Ctrl+Z '
    'undoes a stroke.'
)
NEXT_STEP_WITHOUT_LIVE = (
    'Click a class, then paint on the photo; Update now brings the colors. '
    'Ctrl+Z undoes a stroke.'
)


class Kind(Enum):
    """What may come of something that was asked for."""

    STOPPED = auto()
    FAILED = auto()
    RESTORED = auto()
    SAVED = auto()
    COPIED = auto()


@dataclass(frozen=True)
class Outcome:
    """What came of the last run or the last saving of a plane.

    Parameters
    ----------
    kind
        What came.
    detail
        The error, the files or the command, in words.
    """

    kind: Kind
    detail: str = ''


@dataclass(frozen=True)
class State:
    """How things are with the photo and the plane that are shown.

    Parameters
    ----------
    photo
        Its name; empty if there is none.
    trouble
        Why the layer is no photo.
    plane, planes
        Number from 0 of the shown plane; how many there are in the stack,
        0 for a single photo.
    running
        Progress of the task at work for this photo; empty if there is none.
    waiting
        A task of this photo waits for one of another photo.
    has_color, has_map
        Which layers there are.
    colored
        The shown plane has color.
    painted
        A person painted on a map of the plane that was never predicted.
    outdated
        The color is not that of the map and the settings as they are now.
    pixels_changed
        The photo got other pixels since it was colored.
    misfit
        The map has another size than the photo asks for.
    live
        Colors follow every stroke.
    outcome, save_outcome
        What came of the last run and the last saving of THIS plane.
    changed_since
        The map or a setting is not any more what it was at that saving.
    """

    photo: str = ''
    trouble: str = ''
    plane: int = 0
    planes: int = 0
    running: str = ''
    waiting: bool = False
    has_color: bool = False
    has_map: bool = False
    colored: bool = False
    painted: bool = False
    outdated: bool = False
    pixels_changed: bool = False
    misfit: bool = False
    live: bool = True
    outcome: Outcome | None = None
    save_outcome: Outcome | None = None
    changed_since: bool = False

    @property
    def busy(self) -> bool:
        """Something is done for this photo that a person asked for."""
        return bool(self.running) or self.waiting


def sentence(state: State) -> str:
    """How things are and what to do next."""
    if not state.photo:
        return NO_PHOTO
    if state.trouble:
        return state.trouble
    if state.running:
        return state.running
    if state.waiting:
        return (
            f'{state.photo} waits until the photo before it is done. Stop '
            'takes it out of the queue.'
        )
    if state.planes:
        return f'Plane {state.plane + 1} of {state.planes}{_of_plane(state)}'
    return _news(state) or _next_step(state)


def _of_plane(state: State) -> str:
    news = _news(state)
    if news:
        return f'. {news}'
    if state.colored:
        return f': colored. {_next_step(state)}'
    if state.painted:
        return f'. {_next_step(state)}'
    return ': press Run to color it.'


def _news(state: State) -> str:
    """What came of the last thing that was asked for."""
    outcome = state.outcome
    if outcome is None:
        return ''
    if outcome.kind is Kind.FAILED:
        return outcome.detail
    if outcome.kind is Kind.RESTORED:
        return (
            f'{state.photo} is back as it was saved. Paint on its map, and '
            'the colors follow.'
        )
    kept = ' The previous result is kept.' if state.colored else ''
    return f'Stopped.{kept}'


def _next_step(state: State) -> str:
    """What the layers call for."""
    if not state.has_map:
        if state.has_color:
            return 'The semantic map was deleted. Run makes a new one.'
        return f'Press Run to color {state.photo}.'
    if state.misfit:
        return (
            'The map has another size than the photo asks for; press Run '
            'for a new one.'
        )
    if not state.has_color:
        return 'The color layer was deleted. Run or Update brings it back.'
    if state.pixels_changed:
        return (
            'The photo was changed after it was colored: press Update now, '
            'or Run for a new map.'
        )
    if state.outdated or not state.colored:
        return (
            'The colors are not those of the map as it is now: press Update '
            'now.'
        )
    return NEXT_STEP if state.live else NEXT_STEP_WITHOUT_LIVE


def save_sentence(state: State) -> str:
    """What came of the last saving, for the line below its buttons."""
    outcome = state.save_outcome
    if outcome is None:
        return ''
    if outcome.kind is Kind.SAVED:
        if state.changed_since:
            return f'Changed since it was saved in {outcome.detail}'
        return f'Saved in {outcome.detail}'
    if outcome.kind is Kind.COPIED:
        if state.changed_since:
            return 'The copied command is for the picture before your changes.'
        return f'Copied: {outcome.detail}'
    if outcome.kind is Kind.STOPPED:
        return 'The saving was stopped: nothing was written.'
    return outcome.detail


def departed(name: str, *, color: bool, map_: bool) -> str:
    """A photo was deleted; which of its layers stay.

    Parameters
    ----------
    name
        Of the photo.
    color, map_
        Whether they are still there.
    """
    if color and map_:
        stay = 'its color and map stay as ordinary layers'
    elif color:
        stay = 'its color stays as an ordinary layer'
    elif map_:
        stay = 'its map stays as an ordinary layer'
    else:
        return (
            f'{name} was removed with its map and its colors; no file was '
            'touched.'
        )
    return f'{name} was removed; {stay}.'
