"""The layers of one photo: the person's own, its color and its map.

This is the only class that adds our layers to the viewer and that writes
results into them; what a person fills or undoes goes by napari's own ways.
Layers are held themselves, never by name. They are compared with ``==``, as
napari hands plugins proxies that equal the layer that they stand for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image, Labels
from numpy.typing import NDArray

from napari_sdcolor.errors import PhotoError
from napari_sdcolor.plugin import preferences
from napari_sdcolor.plugin.palette import outline
from napari_sdcolor.plugin.placement import (
    FOLLOWED,
    color_fields,
    map_fields,
    map_place,
    same_place,
)
from napari_sdcolor.plugin.source import PhotoSource

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_sdcolor.plugin.painter import Patch

METADATA_KEY = 'napari-sdcolor'
"""Where our color and map layers keep whose they are."""
BRUSH_SIZE = 20


class PhotoLayers:
    """Adds color and map to a viewer, over their photo, and writes them.

    Parameters
    ----------
    viewer
        Receives the layers.
    photo
        The person's own layer; never changed.

    Attributes
    ----------
    color, map : Image, Labels or None
        None until first needed, and again when the person deletes them.
    adding : bool
        Layers are being added: their selection means nothing yet.

    Raises
    ------
    PhotoError
        If the layer is no photo.
    """

    def __init__(self, viewer: ViewerModel, photo: Image) -> None:
        self.viewer = viewer
        self.photo = photo
        self.source = PhotoSource(photo)
        if not self.source.is_image:
            raise PhotoError(
                f'{photo.name} is shown as labels. If it is a photo, right-'
                'click it in the list of layers and choose Convert to Image.'
            )
        self.color: Image | None = None
        self.map: Labels | None = None
        self.adding = False
        self._map_data: NDArray | None = None
        self.bind()

    def bind(self) -> None:
        """Follow the photo's place in the world."""
        for name in FOLLOWED:
            getattr(self.photo.events, name).connect(self._on_moved)

    def unbind(self) -> None:
        """Stop following."""
        for name in FOLLOWED:
            getattr(self.photo.events, name).disconnect(self._on_moved)

    def owns(self, layer: object) -> bool:
        """Whether a layer is one of the three."""
        ours = (self.photo, self.color, self.map)
        return layer is not None and layer in ours

    # --- planes -----------------------------------------------------------

    @property
    def is_stack(self) -> bool:
        return self.source.planes > 1 or self.photo.ndim == 3

    @property
    def plane(self) -> int:
        """The plane that the viewer shows."""
        if self.photo.ndim == 2:
            return 0
        place = self.photo.world_to_data(self.viewer.dims.point)[0]
        return int(np.clip(round(float(place)), 0, self.source.planes - 1))

    def plane_of(self, data: NDArray, plane: int) -> NDArray:
        """View of one plane of the map's or the color's data."""
        return data[plane] if self.photo.ndim == 3 else data

    def plane_shape(self, shape: tuple[int, int]) -> tuple[int, ...]:
        """Shape of a whole layer whose planes have a shape."""
        if self.photo.ndim == 3:
            return (self.source.planes, *shape)
        return tuple(shape)

    # --- the map ----------------------------------------------------------

    def put_map(self, plane: int, labels: NDArray[np.uint8]) -> None:
        """Bring a map (h, w) into the map layer as ONE undoable step."""
        if self.map is None:
            self._add_map(plane, labels)
            return
        current = self.plane_of(self.map.data, plane)
        places = np.nonzero(current != labels)
        if places[0].size == 0:
            return
        values = labels[places]
        if self.photo.ndim == 3:
            places = (np.full(places[0].shape, plane), *places)
        self.map.data_setitem(places, values)

    def _add_map(self, plane: int, labels: NDArray[np.uint8]) -> None:
        data = np.zeros(self.plane_shape(labels.shape), np.uint8)
        self.plane_of(data, plane)[...] = labels
        self.map = Labels(
            data, **map_fields(self.photo, self.source.shape, labels.shape)
        )
        self._insert(self.map, len(self.viewer.layers))
        self._ready_to_paint(labels)

    def _ready_to_paint(self, labels: NDArray[np.uint8]) -> None:
        # By it a writer knows whose map it is.
        self.map.metadata = {**self.map.metadata, METADATA_KEY: self}
        outline(self.map)
        self.map.visible = preferences.read().show_map
        self._map_data = self.map.data
        self.map.events.data.connect(self._on_map_data)
        self.map.brush_size = BRUSH_SIZE
        # The most common class is likelier to be wanted than class 1.
        self.map.selected_label = int(np.bincount(labels.ravel()).argmax())

    def _on_map_data(self) -> None:
        """The map layer got another array, say ``layer.data = labels``.

        What napari keeps for undoing belongs to the array before and would
        spoil this one: making a layer uneditable forgets it.
        """
        if self.map is None or self.map.data is self._map_data:
            return
        self._map_data = self.map.data
        mode = self.map.mode
        self.map.editable = False
        self.map.editable = True
        self.map.mode = mode

    # --- the color --------------------------------------------------------

    def color_shape(self) -> tuple[int, ...]:
        """Shape of the whole color layer."""
        return (*self.plane_shape(self.source.shape), 3)

    def write_color(self, plane: int, patches: list[Patch]) -> None:
        """Write patches into the color layer, which is drawn later."""
        data = self.plane_of(self.color.data, plane)
        for (y0, x0, y1, x1), pixels in patches:
            data[y0:y1, x0:x1] = pixels

    def refresh_color(self, *, thumbnail: bool = True) -> None:
        """Draw the color layer; the thumbnail costs more than a stroke."""
        self.color.refresh(thumbnail=thumbnail, extent=False, highlight=False)

    def _add_color(self) -> None:
        self.color = Image(
            np.zeros(self.color_shape(), np.uint8),
            metadata={METADATA_KEY: self},
            **color_fields(self.photo),
        )
        self._insert(self.color, self.viewer.layers.index(self.photo) + 1)

    # --- both -------------------------------------------------------------

    def forget_layer(self, layer: Image | Labels) -> None:
        """One of our layers is gone."""
        if layer == self.color:
            self.color = None
        elif layer == self.map:
            self.map.events.data.disconnect(self._on_map_data)
            self.map = self._map_data = None

    def _insert(self, layer: Image | Labels, place: int) -> None:
        """Add a layer that is already known as ours."""
        self.adding = True
        self.viewer.layers.insert(place, layer)
        self.adding = False

    def _remove(self, layer: Image | Labels) -> None:
        self.viewer.layers.remove(layer)
        self.forget_layer(layer)

    def _on_moved(self) -> None:
        if self.color is not None:
            for name, value in same_place(self.photo).items():
                setattr(self.color, name, value)
        if self.map is not None:
            shape = self.map.data.shape[-2:]
            place = map_place(self.photo, self.source.shape, shape)
            for name, value in place.items():
                setattr(self.map, name, value)
