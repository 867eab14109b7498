"""Where one photo after the other lies open for correction.

What happens to a person's work: a map is kept when the person says "Save
and next". A map that was edited and then left by Skip, Back or by opening
another photo is kept as a draft, and is there again when the photo is
opened again, as long as the dock lives. Layers that the person opened are
never touched.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Layer
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_sdcolor.archive.batch.standing import Standing
from napari_sdcolor.errors import PhotoError
from napari_sdcolor.plugin.archive.work import sidecar_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_sdcolor.plugin.coordinator import Coordinator
    from napari_sdcolor.plugin.jobs import Report
    from napari_sdcolor.plugin.trio import Trio

Maps = list[tuple[int | None, NDArray[np.uint8]]]


class Desk(QObject):
    """Puts the layers of one photo into the viewer and takes them out.

    Parameters
    ----------
    viewer
        Receives the layers.
    colorize
        Opens the dock that colors what is painted, and brings it to the
        front.

    Signals
    -------
    left
        The person removed the open photo's layers.
    save_requested, skip_requested, back_requested
        A key was pressed on one of its layers.
    """

    left = Signal()
    save_requested = Signal()
    skip_requested = Signal()
    back_requested = Signal()

    def __init__(
        self, viewer: ViewerModel, colorize: Callable[[], Coordinator]
    ) -> None:
        super().__init__()
        self.viewer = viewer
        self.colorize = colorize
        self.key: str | None = None
        self.trios: list[Trio] = []
        self.drafts: dict[str, Maps] = {}
        self._opened: Maps = []
        self._coordinator: Coordinator | None = None
        viewer.layers.events.removed.connect(self._on_removed)

    def close(self) -> None:
        """The dock goes away; what lies open stays in the viewer."""
        self.viewer.layers.events.removed.disconnect(self._on_removed)
        self.key = None
        self.trios = []

    @staticmethod
    def read(standing: Standing, report: Report) -> list[tuple]:
        """In the worker: photo, color and map of a result."""
        from napari_sdcolor.plugin.readers import read

        report(f'Opening {standing.key}…')
        return read(str(sidecar_of(standing)))

    def show(self, key: str, layers: list[tuple]) -> None:
        """Lay a photo open, in place of the one before.

        Parameters
        ----------
        key
            Of its task.
        layers
            As ``read`` gives them.

        Raises
        ------
        PhotoError
            If something is missing without which no map can be painted.
        """
        self.clear()
        coordinator = self._coordinator = self.colorize()
        known = list(coordinator.all_trios())
        added = [Layer.create(*data) for data in layers]
        for layer in added:
            self.viewer.add_layer(layer)
        self.trios = [t for t in coordinator.all_trios() if t not in known]
        if not self.trios:
            for layer in added:
                self.viewer.layers.remove(layer)
            raise PhotoError(
                f'The map or the colored photo of {key} is missing, so there '
                'is nothing to paint on. Press Resume to have it made again.'
            )
        self.key = key
        self._opened = self.maps()
        self._put_back(self.drafts.pop(key, []))
        for trio in self.trios:
            for layer in (trio.photo, trio.color, trio.map):
                self._bind_keys(layer)
        self.viewer.reset_view()

    def maps(self) -> Maps:
        """Page and map of everything that lies open."""
        return [
            (trio.source.page(plane), trio.snapshot(plane)[0])
            for trio in self.trios
            if trio.map is not None
            for plane in range(trio.source.planes)
        ]

    def clear(self, *, keep_draft: bool = True) -> None:
        """Take the open photo's layers out of the viewer."""
        if self.key is None:
            return
        key, self.key = self.key, None
        now = self.maps()
        if keep_draft and not same_maps(now, self._opened):
            self.drafts[key] = now
        trios, self.trios = self.trios, []
        for trio in trios:
            self._coordinator.let_go(trio)

    def saved(self) -> None:
        """The open map is on the disk: its other copies are not needed."""
        for trio in self.trios:
            for plane in range(trio.source.planes):
                self._coordinator.autosaver.on_saved(trio, plane)

    def _put_back(self, draft: Maps) -> None:
        maps = dict(draft)
        for trio in self.trios:
            for plane in range(trio.source.planes):
                labels = maps.get(trio.source.page(plane))
                if labels is not None:
                    trio.put_map(plane, labels)

    def _bind_keys(self, layer: Any) -> None:
        from napari_sdcolor.plugin.archive.photos_view import (
            BACK_KEY,
            SAVE_KEY,
            SKIP_KEY,
        )

        if layer is None:
            return
        for name, signal in (
            (SAVE_KEY, self.save_requested),
            (SKIP_KEY, self.skip_requested),
            (BACK_KEY, self.back_requested),
        ):
            layer.bind_key(name, partial(_tell, signal), overwrite=True)

    def _on_removed(self, event: object) -> None:
        if self.key is None:
            return
        gone = event.value
        if any(trio.owns(gone) or trio.map is None for trio in self.trios):
            # Without its photo or map nothing can be saved any more.
            photos = [trio.photo for trio in self.trios]
            maps = [trio.map for trio in self.trios]
            if gone in photos or gone in maps or None in maps:
                self.key = None
                self.trios = []
                self.left.emit()


def _tell(signal: Any, layer: Layer) -> None:
    """A key was pressed on a layer."""
    signal.emit()


def same_maps(one: Maps, other: Maps) -> bool:
    """Whether nothing was painted."""
    return len(one) == len(other) and all(
        np.array_equal(a, b) for (_, a), (_, b) in zip(one, other, strict=True)
    )
