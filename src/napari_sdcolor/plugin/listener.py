"""What every controller of a dock needs: listening, and letting go of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer

Pairs = Iterable[tuple[Any, Callable]]
"""Signals, each with the method that it calls."""


class Listener(QObject):
    """Listens to layers, viewers and windows, which outlive the dock.

    What is connected here is disconnected here. The parts of one dock end
    together: what they connect among each other, Qt itself disconnects.
    """

    def __init__(self) -> None:
        super().__init__()
        self._heard: list[tuple[object, Any, Callable]] = []
        self._timers: list[QTimer] = []

    def listen(self, source: object, pairs: Pairs) -> None:
        """Connect signals of a source with methods of this object."""
        for signal, slot in pairs:
            signal.connect(slot)
            self._heard.append((source, signal, slot))

    def unlisten(self, source: object) -> None:
        """Disconnect all that was connected of a source."""
        heard, self._heard = self._heard, []
        for entry in heard:
            known, signal, slot = entry
            if known == source:
                signal.disconnect(slot)
            else:
                self._heard.append(entry)

    def once_after(self, milliseconds: int, slot: Callable) -> QTimer:
        """A timer that calls a method once, each time that it is started."""
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(slot)
        self._timers.append(timer)
        return timer

    def close(self) -> None:
        """Stop all timers and disconnect everything."""
        for timer in self._timers:
            # Python may tear a forgotten dock down in any order.
            if isalive(timer):
                timer.stop()
        for _, signal, slot in self._heard:
            signal.disconnect(slot)
        self._heard.clear()
