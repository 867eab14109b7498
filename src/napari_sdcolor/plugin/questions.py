"""What a person is asked in the dock, each time about what is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_sdcolor.plugin.trio import Trio
    from napari_sdcolor.plugin.views.banner import Banner


Answer = Callable[[str], None]
"""Takes the key of an answer."""


@dataclass(frozen=True, eq=False)
class Question:
    """Something to ask about a photo.

    Parameters
    ----------
    photo, plane
        What it is about; all planes when None.
    words
        The question.
    answers
        Key to button text, in order.
    then
        Called with the key of the answer.
    lasting
        It is asked again whenever the plane is shown again, until it is
        answered; else it is dropped when something else is shown.
    """

    photo: Image
    plane: int | None
    words: str
    answers: dict[str, str]
    then: Answer
    lasting: bool = False

    def about(self, photo: Image | None, plane: int | None) -> bool:
        """Whether it is about a plane of a photo."""
        return self.photo == photo and self.plane in (None, plane)


def over_edits(trio: Trio, then: Answer) -> Question:
    """Run would replace an edited map: "replace" or "keep"."""
    undo = ' One undo would bring them back.' if trio.map_fits() else ''
    return Question(
        trio.photo,
        trio.plane,
        f'You edited the map of {trio.photo.name}. Segment the photo again '
        f'and replace your edits?{undo}',
        {'replace': 'Segment again', 'keep': 'Keep my map'},
        then,
    )


def painted_meanwhile(trio: Trio, plane: int, then: Answer) -> Question:
    """A person painted while a new map was made: "take" or "keep"."""
    return Question(
        trio.photo,
        plane,
        f'You painted on the map of {trio.photo.name} while it was being '
        'segmented. Take the new map and replace yours?',
        {'take': 'Take the new map', 'keep': 'Keep my map'},
        then,
        lasting=True,
    )


def kept_map(trio: Trio, plane: int, when: str, then: Answer) -> Question:
    """An edited map was found again: "restore" or "discard"."""
    return Question(
        trio.photo,
        plane,
        f'A map of {trio.photo.name} that you edited was kept on {when}. Go '
        'on with it?',
        {'restore': 'Use it', 'discard': 'Forget it'},
        then,
        lasting=True,
    )


class Questions(QObject):
    """Asks one question at a time, the newest first.

    Parameters
    ----------
    banner
        Where they are asked.
    """

    def __init__(self, banner: Banner) -> None:
        super().__init__()
        self.banner = banner
        self._open: list[Question] = []
        self._asked: Question | None = None
        self._photo: Image | None = None
        self._plane = 0
        banner.answered.connect(self._on_answered)

    def ask(self, question: Question) -> None:
        """Ask as soon as what it is about is shown."""
        # Never two of a kind about one thing.
        self._open = [
            known
            for known in self._open
            if not known.about(question.photo, question.plane)
            or known.answers != question.answers
        ]
        self._open.insert(0, question)
        self._ask()

    def ask_last(self, question: Question) -> None:
        """Ask when nothing else is open; not again what is asked already."""
        if not self._about(question.photo, None):
            self._open.append(question)
            self._ask()

    def waits(self, photo: Image, plane: int) -> bool:
        """Whether a lasting question about a plane is not answered yet."""
        return any(known.lasting for known in self._about(photo, plane))

    def show_for(self, photo: Image | None, plane: int) -> None:
        """This plane of a photo is shown."""
        if (photo, plane) != (self._photo, self._plane):
            self._photo, self._plane = photo, plane
            self._open = [known for known in self._open if known.lasting]
            self._ask()

    def forget(self, trio: Trio) -> None:
        """The photo or its map is gone."""
        self._drop(trio.photo, whole=False)

    def withdraw(self, photo: Image) -> None:
        """What was asked about a whole photo does not matter any more."""
        self._drop(photo, whole=True)

    def _drop(self, photo: Image, *, whole: bool) -> None:
        self._open = [
            known
            for known in self._open
            if known.photo != photo or (known.plane is None) != whole
        ]
        self._ask()

    def _about(self, photo: Image | None, plane: int | None) -> list[Question]:
        return [known for known in self._open if known.about(photo, plane)]

    def _ask(self) -> None:
        due = self._about(self._photo, self._plane)
        first = due[0] if due else None
        if first is self._asked:
            return
        self._asked = first
        if first is None:
            self.banner.withdraw()
        else:
            self.banner.ask(first.words, first.answers)

    def _on_answered(self, key: str) -> None:
        asked, self._asked = self._asked, None
        if asked is None:
            return
        self._open.remove(asked)
        asked.then(key)
        self._ask()
