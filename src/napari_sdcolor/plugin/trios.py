"""The photos that a dock follows, and their layers as they come and go.

Deleting one of our layers loses only that layer; deleting the photo ends its
trio and leaves the others as ordinary layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal

from napari_sdcolor.plugin.listener import Listener
from napari_sdcolor.plugin.notices import show_info
from napari_sdcolor.plugin.restoring import take_over, trios_of
from napari_sdcolor.plugin.status import departed
from napari_sdcolor.plugin.trio import Trio

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Layer

    from napari_sdcolor.plugin.color_jobs import ColorJobs


class Trios(Listener):
    """Begins and ends to follow photos, with the layers of a viewer.

    Parameters
    ----------
    viewer
        Whose layers.
    coloring
        Colors the photos that are followed.

    Signals
    -------
    arrived(Trio)
        A photo was opened from a sidecar, with its layers.
    going(Trio)
        A photo or its map is about to be forgotten.
    gone
        Layers were removed, and forgotten.
    """

    arrived = Signal(object)
    going = Signal(object)
    gone = Signal()

    def __init__(self, viewer: ViewerModel, coloring: ColorJobs) -> None:
        super().__init__()
        self.viewer = viewer
        self.coloring = coloring
        # Layers of deleted photos, until it is known which of them stay.
        self._departed: list[tuple[str, Layer | None, Layer | None]] = []
        self._tell = self.once_after(0, self._tell_departed)
        events = viewer.layers.events
        self.listen(
            viewer,
            [
                (events.inserted, self._on_inserted),
                (events.removed, self._on_removed),
            ],
        )

    def adopt(self) -> None:
        """Follow every photo of the viewer that was run or restored.

        An earlier dock of this viewer may have left them, or a second one
        may follow them: whoever is asked last goes on with them.
        """
        layers = self.viewer.layers
        self._on_inserted()
        for trio in trios_of(layers):
            if trio in self.coloring.trios or trio.photo not in layers:
                continue
            if trio.map is not None and trio.map not in layers:
                trio.forget_layer(trio.map)
            self.coloring.add(trio)

    def of(self, photo: Image | None) -> Trio | None:
        """The trio of a photo, once something was asked of it."""
        for trio in self.coloring.trios:
            if trio.photo == photo:
                return trio
        return None

    def ensure(self, photo: Image) -> Trio:
        """The trio of a photo, which is followed from now on.

        Raises
        ------
        PhotoError
            If it cannot be colored.
        """
        trio = self.of(photo)
        if trio is None:
            trio = Trio(self.viewer, photo)
            trio.saturation = self.coloring.engine.settings().saturation
            self.coloring.add(trio)
        return trio

    def let_go(self, trio: Trio) -> None:
        """Take a photo and all its layers out of the viewer."""
        self.forget(trio)
        for layer in (trio.map, trio.color, trio.photo):
            if layer is not None and layer in self.viewer.layers:
                self.viewer.layers.remove(layer)

    def forget(self, trio: Trio) -> None:
        """Follow a photo no more; only its coloring is stopped."""
        self.going.emit(trio)
        self.coloring.remove(trio)

    def _on_inserted(self, event: object = None) -> None:
        for trio in take_over(self.viewer):
            self.coloring.add(trio)
            self.arrived.emit(trio)

    def _on_removed(self, event: object) -> None:
        layer = event.value
        for trio in list(self.coloring.trios):
            if layer == trio.photo:
                self._departed.append((layer.name, trio.color, trio.map))
                self.forget(trio)
                # All layers may be on their way out, one after the other.
                self._tell.start()
            elif trio.owns(layer):
                if layer == trio.map:
                    # It is still there for us, though not in the viewer.
                    self.going.emit(trio)
                    self.coloring.unwatch(layer)
                trio.forget_layer(layer)
        self.gone.emit()

    def _tell_departed(self) -> None:
        layers = self.viewer.layers
        gone, self._departed = self._departed, []
        for name, color, map_ in gone:
            show_info(
                departed(name, color=color in layers, map_=map_ in layers)
            )
