"""One photo with its color layer and its semantic map.

This is the only class that adds layers to the viewer or writes into them.
Layers are held themselves, never by name. They are compared with ``==``, as
napari hands plugins proxies that equal the layer that they stand for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image, Labels
from numpy.typing import NDArray

from napari_sdcolor.classes import N_CLASSES
from napari_sdcolor.core import lab
from napari_sdcolor.core.photo import working_shape
from napari_sdcolor.errors import PhotoError
from napari_sdcolor.plugin.painter import Painted, Painter, Patch
from napari_sdcolor.plugin.palette import names, palette
from napari_sdcolor.plugin.placement import FOLLOWED, map_place, same_place
from napari_sdcolor.plugin.source import PhotoSource

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_sdcolor.core.photo import Photo

METADATA_KEY = 'napari-sdcolor'
"""Where a color layer keeps its trio."""
MAP_OPACITY = 0.3
BRUSH_SIZE = 20


class Trio:
    """Photo, color and map, plane by plane.

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
    predicted, colored, requested : dict
        Plane to label map: as GridNet gave it, as the shown color belongs
        to it, as the color was last asked for.
    saturated : dict
        Plane to the saturation of its shown color.
    saved_maps : dict
        Plane to the file in which its map was saved last, and that map.
    version : int
        Grows whenever the photo gets other pixels.
    owner : object
        Who follows the trio; the last one that asked.
    adding : bool
        Layers are being added: their selection means nothing yet.
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
        self.painter = Painter()
        self.color: Image | None = None
        self.map: Labels | None = None
        self.size = 0
        self.saturation = 1.0
        self.window = 'auto'
        self.predicted: dict[int, NDArray[np.uint8]] = {}
        self.confidence: dict[int, float] = {}
        self.colored: dict[int, NDArray[np.uint8]] = {}
        self.requested: dict[int, NDArray[np.uint8]] = {}
        self.saturated: dict[int, float] = {}
        self.saved_maps: dict[int, tuple[Path, NDArray[np.uint8]]] = {}
        self.version = 0
        self.adding = False
        self.fingerprints: dict[int, str] = {}
        self._filled: set[int] = set()
        self.bind()

    def bind(self) -> None:
        """Follow the photo's place in the world."""
        for name in FOLLOWED:
            getattr(self.photo.events, name).connect(self._on_moved)

    def unbind(self) -> None:
        """Stop following and free the memory of the session."""
        for name in FOLLOWED:
            getattr(self.photo.events, name).disconnect(self._on_moved)
        self.painter.forget()

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

    def map_shape(self, size: int) -> tuple[int, int]:
        """(h, w) of the map at a working size."""
        return working_shape(self.source.shape, size)

    def plane_of(self, data: NDArray, plane: int) -> NDArray:
        """View of one plane of the map's or the color's data."""
        return data[plane] if self.photo.ndim == 3 else data

    def read(self, plane: int) -> Photo:
        """The photo of a plane, with what its file brings along if it can.

        May take a while; safe in a worker.
        """
        return self.source.read(plane, self.source.window(self.window))

    def saved_map(self, plane: int) -> Path | None:
        """File in which the map was saved, if it still holds this map."""
        path, saved = self.saved_maps.get(plane, (None, None))
        same = path is not None and np.array_equal(
            saved, self.snapshot(plane)[0]
        )
        return path if same else None

    def snapshot(self, plane: int) -> tuple[NDArray[np.uint8], int | None]:
        """Copy of a plane of the map, and a foreign id if it holds one.

        Foreign ids (above 59) are "no class" in the copy; the person's map
        is left as it is.
        """
        labels = np.array(self.plane_of(self.map.data, plane))
        # Every mouse move comes by here: one look for the largest id.
        if labels.dtype == np.uint8 and labels.max(initial=0) < N_CLASSES:
            return labels, None
        foreign = (labels < 0) | (labels >= N_CLASSES)
        if not foreign.any():
            return labels.astype(np.uint8), None
        number = int(labels[foreign][0])
        return np.where(foreign, 0, labels).astype(np.uint8), number

    def edited_share(self, plane: int) -> float:
        """Share of a plane's map that a person changed, in [0, 1]."""
        if self.map is None:
            return 0.0
        labels, _ = self.snapshot(plane)
        if plane not in self.predicted:
            # What nobody predicted, a person made.
            return float(labels.any())
        if labels.shape != self.predicted[plane].shape:
            return 1.0
        return float(np.mean(labels != self.predicted[plane]))

    @property
    def has_work(self) -> bool:
        """There is a map whose replacement one undo must bring back."""
        if self.map is None:
            return False
        return self.is_stack or any(map(self.edited_share, self.predicted))

    # --- layers -----------------------------------------------------------

    def accept(self, painted: Painted, size: int) -> None:
        """Show what a run gave: map first, then color."""
        found = painted.segmentation
        self.size = size
        shape = self.plane_shape(painted.labels.shape)
        if self.map is not None and self.map.data.shape != shape:
            # Another working size: the old map cannot hold the new one.
            self.viewer.layers.remove(self.map)
        if found is not None:
            # Before the map changes: what follows is no edit by a person.
            self.predicted[painted.plane] = found.labels
            self.confidence[painted.plane] = float(found.confidence.mean())
            self.requested[painted.plane] = found.labels
        if found is not None or self.map is None:
            # Never for an edit: the person may have painted on meanwhile.
            self.put_map(painted.plane, painted.labels)
        self.show(painted)

    def adopt(self, color: Image | None, map_: Labels) -> None:
        """Go on with layers that a reader made and that are in the viewer.

        Parameters
        ----------
        color
            Filled in every plane; becomes known as ours.
        map_
            At working size.
        """
        self.color, self.map = color, map_
        self._ready_to_paint(self.snapshot(self.plane)[0])
        if color is not None:
            color.metadata = {**color.metadata, METADATA_KEY: self}
            self._filled.update(range(self.source.planes))

    def put_map(self, plane: int, labels: NDArray[np.uint8]) -> None:
        """Bring a map into the map layer as ONE undoable step."""
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

    def plane_shape(self, shape: tuple[int, int]) -> tuple[int, ...]:
        """Shape of a whole layer whose planes have a shape."""
        if self.photo.ndim == 3:
            return (self.source.planes, *shape)
        return tuple(shape)

    def _add_map(self, plane: int, labels: NDArray[np.uint8]) -> None:
        data = np.zeros(self.plane_shape(labels.shape), np.uint8)
        self.plane_of(data, plane)[...] = labels
        self.map = Labels(
            data,
            name=f'{self.photo.name} semantic map',
            opacity=MAP_OPACITY,
            colormap=palette(),
            features=names(),
            **map_place(self.photo, self.source.shape, labels.shape),
        )
        self._insert(self.map, len(self.viewer.layers))
        self._ready_to_paint(labels)

    def _ready_to_paint(self, labels: NDArray[np.uint8]) -> None:
        self.map.brush_size = BRUSH_SIZE
        # The most common class is likelier to be wanted than class 1.
        self.map.selected_label = int(np.bincount(labels.ravel()).argmax())

    def show(self, painted: Painted) -> None:
        """Write patches of color into the color layer."""
        if self.color is None:
            self._add_color()
        self.fill_gray(painted.plane, painted.patches)
        data = self.plane_of(self.color.data, painted.plane)
        for (y0, x0, y1, x1), pixels in painted.patches:
            data[y0:y1, x0:x1] = pixels
        self.colored[painted.plane] = painted.labels
        self.saturated[painted.plane] = painted.saturation
        if painted.patches:
            self.refresh_color(thumbnail=painted.whole)

    def refresh_color(self, *, thumbnail: bool = True) -> None:
        """Draw the color layer; the thumbnail costs more than a stroke."""
        self.color.refresh(thumbnail=thumbnail, extent=False, highlight=False)

    def _add_color(self) -> None:
        data = np.zeros((*self.plane_shape(self.source.shape), 3), np.uint8)
        self._filled.clear()
        self.color = Image(
            data,
            rgb=True,
            name=f'{self.photo.name} color',
            metadata={METADATA_KEY: self},
            **same_place(self.photo),
        )
        self._insert(self.color, self.viewer.layers.index(self.photo) + 1)

    def _insert(self, layer: Image | Labels, place: int) -> None:
        """Add a layer that is already known as ours."""
        self.adding = True
        self.viewer.layers.insert(place, layer)
        self.adding = False

    def fill_gray(self, plane: int, patches: list[Patch] = ()) -> bool:
        """Show a plane that has no color yet in its own grays.

        Returns
        -------
        bool
            Whether something had to be filled.
        """
        if self.color is None or plane in self._filled:
            return False
        self._filled.add(plane)
        whole = (0, 0, *self.source.shape)
        if any(box == whole for box, _ in patches):
            return False
        photo = self.source.photo(plane, self.source.window(self.window))
        gray = np.rint(lab.lightness_to_gray(photo.lightness) * 255)
        self.plane_of(self.color.data, plane)[...] = gray[..., None]
        return True

    def forget_layer(self, layer: object) -> str | None:
        """The person deleted a layer; what to tell, None if not ours."""
        if layer == self.color:
            self.color = None
            self.colored.clear()
            self.requested.clear()
            self.painter.forget()
            return 'The color layer was deleted. Run or Update brings it back.'
        if layer == self.map:
            self.map = None
            self.predicted.clear()
            self.confidence.clear()
            self.requested.clear()
            return 'The semantic map was deleted. Run makes a new one.'
        return None

    def forget_pixels(self) -> None:
        """The photo's layer got other pixels: nothing known of them holds."""
        self.version += 1
        self.painter.forget()
        self.requested.clear()
        self.fingerprints.clear()
        self._filled.clear()
        self.source = PhotoSource(self.photo)
        shape = (*self.plane_shape(self.source.shape), 3)
        if self.color is not None and self.color.data.shape != shape:
            self.viewer.layers.remove(self.color)

    def owns(self, layer: object) -> bool:
        """Whether a layer is one of the three."""
        return layer is not None and layer in (
            self.photo,
            self.color,
            self.map,
        )

    def _on_moved(self) -> None:
        if self.color is not None:
            for name, value in same_place(self.photo).items():
                setattr(self.color, name, value)
        if self.map is not None:
            shape = self.map.data.shape[-2:]
            place = map_place(self.photo, self.source.shape, shape)
            for name, value in place.items():
                setattr(self.map, name, value)
