"""Watch semantic maps for changes, however they come about.

No single event of a Labels layer covers brush, fill, undo and new data, so
all of them only mean "look again"; ``ColorJobs`` compares the map itself.
"""

from __future__ import annotations

import time

from napari.layers import Labels
from qtpy.compat import isalive
from qtpy.QtCore import QObject, Qt, QTimer, Signal, Slot

EVENTS = ('labels_update', 'paint', 'set_data', 'data')
SHORTEST, LONGEST = 15, 200
"""Bounds in milliseconds of the time between two looks: about a frame, or as
long as the window takes to draw one."""


class MapWatcher(QObject):
    """Tells that a map may have changed, at most once per frame.

    The first event after a pause is told as soon as napari is done with it,
    and before the window draws the stroke: the worker colors meanwhile. How
    long a frame is, others measure and say.

    Signals
    -------
    touched(Labels)
        The map should be compared with what was colored.
    """

    touched = Signal(object)
    _due = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._maps: list[Labels] = []
        self._waiting: list[Labels] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._tell)
        # Queued, it comes after napari's own slots, yet before the drawing,
        # for which a timer would wait.
        self._due.connect(self._tell, Qt.ConnectionType.QueuedConnection)
        self._pace = SHORTEST
        self._told_at = -float(LONGEST)

    @property
    def waiting(self) -> bool:
        """Something was touched and not told yet."""
        return bool(self._waiting)

    @property
    def pace(self) -> int:
        """Milliseconds between two looks at least."""
        return self._pace

    def set_pace(self, milliseconds: float) -> None:
        """A frame takes this long; asking more often would pile up work."""
        self._pace = min(max(SHORTEST, round(milliseconds)), LONGEST)

    def bind(self, layer: Labels) -> None:
        """Watch a map; watching it twice is the same as once."""
        if layer in self._maps:
            return
        self._maps.append(layer)
        for name in EVENTS:
            getattr(layer.events, name).connect(self._on_event)

    def unbind(self, layer: Labels) -> None:
        """Stop watching a map."""
        if layer not in self._maps:
            return
        self._maps = [known for known in self._maps if known != layer]
        self._waiting = [known for known in self._waiting if known != layer]
        for name in EVENTS:
            getattr(layer.events, name).disconnect(self._on_event)

    def close(self) -> None:
        """Stop watching everything."""
        # Python may tear a forgotten dock down in any order.
        if isalive(self._timer):
            self._timer.stop()
        for layer in list(self._maps):
            self.unbind(layer)

    def _on_event(self, event: object) -> None:
        layer = event.source
        if layer in self._waiting:
            return
        self._waiting.append(layer)
        left = self._pace - (1000 * time.monotonic() - self._told_at)
        if left <= 0:
            self._due.emit()
        elif not self._timer.isActive():
            self._timer.start(round(left))

    @Slot()
    def _tell(self) -> None:
        self._told_at = 1000 * time.monotonic()
        waiting, self._waiting = self._waiting, []
        for layer in waiting:
            self.touched.emit(layer)
