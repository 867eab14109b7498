"""Which photo the panel is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Image, Labels
from qtpy.QtCore import Signal

from napari_sdcolor.plugin.listener import Listener
from napari_sdcolor.plugin.photo_layers import METADATA_KEY

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_sdcolor.plugin.trio import Trio
    from napari_sdcolor.plugin.views.run_view import RunView


class PhotoChooser(Listener):
    """Follows the viewer's image layers and the person's choice.

    Parameters
    ----------
    viewer
        Whose layers are offered.
    view
        Shows them.
    trios
        All photos that are followed, as the list grows and shrinks.

    Signals
    -------
    chosen
        Another photo, or none, is the chosen one.
    """

    chosen = Signal()

    def __init__(
        self, viewer: ViewerModel, view: RunView, trios: list[Trio]
    ) -> None:
        super().__init__()
        self.viewer = viewer
        self.view = view
        self.trios = trios
        self.photo: Image | None = None
        self._named: list[Image] = []
        view.photo_requested.connect(self._on_requested)
        layers = viewer.layers
        self.listen(
            layers,
            [
                (layers.events.inserted, self.refresh),
                (layers.events.removed, self.refresh),
                (layers.events.reordered, self.refresh),
                (layers.selection.events.active, self._on_active),
            ],
        )

    def photos(self) -> list[Image]:
        """Layers that may be photos.

        All images but our own color layers; and files of photos that napari
        takes for labels, as it does with integers of 32 bits.
        """
        return [
            layer
            for layer in self.viewer.layers
            if METADATA_KEY not in layer.metadata
            and (isinstance(layer, Image) or _photo_shown_as_labels(layer))
        ]

    def refresh(self, event: object = None) -> None:
        """Layers came, went or moved: list them again."""
        photos = self.photos()
        self._watch_names(photos)
        if self.photo not in photos:
            active = self.viewer.layers.selection.active
            images = [p for p in photos if isinstance(p, Image)] or photos
            last = images[-1] if images else None
            self.choose(active if active in images else last)
        self._list()

    def choose(self, photo: Image | None) -> None:
        """Make a photo the one that the panel is about."""
        if photo == self.photo:
            return
        if photo is not None and photo not in self.photos():
            # On its way out: napari selects another layer first.
            return
        self.photo = photo
        self._list()
        self.chosen.emit()

    def _list(self, event: object = None) -> None:
        named = [(layer.name, layer) for layer in self.photos()]
        self.view.set_photos(named, self.photo)

    def _watch_names(self, photos: list[Image]) -> None:
        for layer in self._named:
            self.unlisten(layer)
        self._named = photos
        for layer in photos:
            self.listen(layer, [(layer.events.name, self._list)])

    def _on_requested(self, photo: Image) -> None:
        if photo in self.photos():
            self.choose(photo)

    def _on_active(self, event: object = None) -> None:
        """Selecting a photo, or a layer of its trio, chooses it."""
        if any(trio.adding for trio in self.trios):
            return
        active = self.viewer.layers.selection.active
        for trio in self.trios:
            if trio.owns(active):
                self.choose(trio.photo)
                return
        if isinstance(active, Image) and active in self.photos():
            self.choose(active)


def _photo_shown_as_labels(layer: Layer) -> bool:
    path = layer.source.path
    if not isinstance(layer, Labels) or path is None:
        return False
    from napari_sdcolor.archive.reading import PHOTO_SUFFIXES

    return path.lower().endswith(PHOTO_SUFFIXES)
