"""Asking a person in the dock, each time about what is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

if TYPE_CHECKING:
    from napari_sdcolor.plugin.trio import Trio
    from napari_sdcolor.plugin.views.banner import Banner


@dataclass(frozen=True, eq=False)
class Question:
    """Something to ask about one plane of one photo.

    Parameters
    ----------
    trio, plane
        What it is about.
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

    trio: Trio
    plane: int
    words: str
    answers: dict[str, str]
    then: Callable[[str], None]
    lasting: bool = False


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
        self._shown: tuple[Trio | None, int] = (None, 0)
        banner.answered.connect(self._on_answered)

    def ask(self, question: Question) -> None:
        """Ask as soon as what it is about is shown."""
        # Never two of a kind about one thing.
        self._open = [
            known
            for known in self._open
            if _place(known) != _place(question)
            or known.answers != question.answers
        ]
        self._open.insert(0, question)
        self._ask()

    def waits(self, trio: Trio, plane: int) -> bool:
        """Whether a lasting question about a plane is not answered yet."""
        return any(
            known.lasting and _place(known) == (trio, plane)
            for known in self._open
        )

    def show_for(self, trio: Trio | None) -> None:
        """This photo is shown, in its shown plane."""
        shown = (trio, 0 if trio is None else trio.plane)
        if shown == self._shown:
            return
        self._shown = shown
        self._open = [known for known in self._open if known.lasting]
        self._ask()

    def forget(self, trio: Trio) -> None:
        """The photo or its map is gone."""
        self._open = [known for known in self._open if known.trio is not trio]
        self._ask()

    def _ask(self) -> None:
        due = [known for known in self._open if _place(known) == self._shown]
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


def _place(question: Question) -> tuple[Trio, int]:
    return question.trio, question.plane
