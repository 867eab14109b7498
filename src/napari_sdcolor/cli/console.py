"""What a command says: words for a person, one JSON object for a script."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from rich.console import Console, RenderableType
from rich.text import Text

from napari_sdcolor.errors import FAILURES, WrongUsage, reason
from napari_sdcolor.interrupts import STOPPED, ending_at_once
from napari_sdcolor.words import shown

DONE, FAILED, WRONG_USAGE = 0, 1, 2
"""Exit codes; after Ctrl+C ``interrupts.STOPPED``."""

STOPPED_WORDS = (
    'Stopped. What was finished is saved, and nothing is left half-written.'
)

PAUSE = 2.0
"""Seconds between two words on the progress of one photo."""


def exit_code(error: Exception) -> int:
    """What a command ends with if nothing came of it but this error."""
    return WRONG_USAGE if isinstance(error, WrongUsage) else FAILED


def finite(facts: Any) -> Any:
    """The same, where None stands for what is no number or infinite.

    JSON has no word for these.
    """
    if isinstance(facts, float) and not math.isfinite(facts):
        return None
    if isinstance(facts, dict):
        return {name: finite(fact) for name, fact in facts.items()}
    if isinstance(facts, (list, tuple)):
        return [finite(fact) for fact in facts]
    return facts


class Terminal(Console):
    """Where words appear, and nothing in them acts.

    Whatever is handed over as a string, also in a table, is shown character
    for character: see ``words.shown``.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(
            stderr=stderr,
            highlight=False,
            markup=False,
            emoji=False,
            # Paths stay in one piece, however narrow the terminal.
            soft_wrap=True,
        )

    def render_str(self, text: str, **how: Any) -> Text:
        """Called for every string before it is measured or shown."""
        return super().render_str(shown(text), **how)


class Talk:
    """The two channels of one command.

    The answer goes to standard output, everything on the way there to
    standard error. With ``--json`` the answer for a person also goes to
    standard error, and standard output gets exactly one JSON object.

    Parameters
    ----------
    command
        Name of the command, recorded in the JSON object.
    as_json
        Whether a script is listening.
    """

    def __init__(self, command: str, as_json: bool = False) -> None:
        self.command = command
        self.as_json = as_json
        self._aside = Terminal(stderr=True)
        self._answer = self._aside if as_json else Terminal()

    @property
    def console(self) -> Console:
        """Where progress is shown: standard error."""
        return self._aside

    def say(self, words: str) -> None:
        """Progress and what was understood."""
        self._aside.print(words)

    @contextmanager
    def progress(self) -> Iterator[None]:
        """Say what the core says of its progress, now and then."""
        from napari_sdcolor.core.progress import told_to

        last = time.monotonic()

        def listen(words: str) -> None:
            nonlocal last
            if time.monotonic() - last >= PAUSE:
                last = time.monotonic()
                self.say(f'  {words}')

        with told_to(listen):
            yield

    def warn(self, words: str) -> None:
        """Something the person should know, though the work goes on."""
        self._aside.print(words, style='yellow')

    def answer(self, words: RenderableType) -> None:
        """What the person asked for, in one line or a table."""
        self._answer.print(words)

    def answer_page(self, page: str) -> None:
        """What the person asked for, in several lines."""
        for line in page.split('\n'):
            self.answer(line)

    def refuse(self, error: Exception | str, name: str = '') -> str:
        """Say in red what failed and why, and return the reason."""
        why = error if isinstance(error, str) else reason(error)
        if name:
            self._aside.print(f'{name}: ', style='bold red', end='')
        self._aside.print(why, style='red')
        return why

    def finish(self, facts: dict[str, Any], code: int = DONE) -> None:
        """Hand over the JSON object and set the exit code.

        Parameters
        ----------
        facts
            JSON-serializable.
        code
            One of the exit codes.

        Raises
        ------
        typer.Exit
            If the code is not 0.
        """
        self._hand_over(facts, code)
        if code:
            raise typer.Exit(code)

    def _hand_over(self, facts: dict[str, Any], code: int) -> None:
        if self.as_json:
            known = {'command': self.command, 'exit_code': code, **facts}
            text = json.dumps(finite(known), indent=1, allow_nan=False)
            # The only control character that JSON leaves as it is.
            sys.stdout.write(text.replace('\x7f', '\\u007f') + '\n')
            sys.stdout.flush()

    def stop(self, error: Exception) -> NoReturn:
        """Say why nothing can be done, and end the command."""
        code = exit_code(error)
        self.finish({'error': self.refuse(error)}, code)
        raise typer.Exit(code)

    @contextmanager
    def refusing(self) -> Iterator[Talk]:
        """Turn errors meant for people into a red line and an exit code.

        So is Ctrl+C, where the work does not stop in a way of its own.
        """
        try:
            yield self
        except FAILURES as error:
            self.stop(error)
        except KeyboardInterrupt:
            self._say_stopped()
            raise typer.Exit(STOPPED) from None

    def import_torch(self) -> None:
        """Import torch, which takes seconds, before anything is written.

        Raises
        ------
        DeviceError
            If it cannot be imported.
        """
        from napari_sdcolor.core.device import import_torch

        with ending_at_once(self._say_stopped):
            import_torch()

    def _say_stopped(self) -> None:
        self._hand_over({'error': self.refuse(STOPPED_WORDS)}, STOPPED)
