"""One photo with its color layer and its semantic map.

This is the only class that adds layers to the viewer or writes into them.
Layers are held themselves, never by name. They are compared with ``==``, as
napari hands plugins proxies that equal the layer that they stand for.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image, Labels
from numpy.typing import NDArray

from napari_sdcolor.classes import N_CLASSES
from napari_sdcolor.core import lab
from napari_sdcolor.core.photo import working_shape
from napari_sdcolor.errors import PhotoError
from napari_sdcolor.plugin import preferences
from napari_sdcolor.plugin.painter import Painted, Painter, Patch, ReadPhoto
from napari_sdcolor.plugin.palette import map_look, outline
from napari_sdcolor.plugin.placement import FOLLOWED, map_place, same_place
from napari_sdcolor.plugin.plane import Inputs, Plane, Window
from napari_sdcolor.plugin.source import PhotoSource

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_sdcolor.core.photo import Photo
    from napari_sdcolor.settings import Size

METADATA_KEY = 'napari-sdcolor'
"""Where a color layer keeps its trio."""
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
    planes : dict of int to Plane
        What is known of each plane.
    size : int or 'native'
        Working size that the map was made for; 0 while there is none.
    detail : int or 'native' or None
        Working size that the person chose for this photo.
    weights : str or None
        Weights that were chosen for this photo; None is as preferred.
    saturation, window
        As the person chose them for this photo.
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
        self.planes: defaultdict[int, Plane] = defaultdict(Plane)
        self.size: Size = 0
        self.detail: Size | None = None
        self.saturation = 1.0
        self.window = 'auto'
        self.weights: str | None = None
        self.version = 0
        self.owner: object = None
        self.adding = False
        self._map_data: NDArray | None = None
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
        """The photo of a plane, see ``reader``."""
        return self.reader(plane)()

    def reader(self, plane: int) -> ReadPhoto:
        """Reads the photo of a plane as it is at this moment.

        It brings along what the photo's file knows, see ``PhotoSource.read``.
        May take a while; safe in a worker, and good also when the layer is
        gone or got other pixels.
        """
        window = self.source.window(self.window)
        return partial(self.source.read, plane, window)

    def saved_map(self, plane: int) -> Path | None:
        """File in which the map was saved, if it still holds this map."""
        path, saved = self.planes[plane].saved or (None, None)
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
        return self.planes[plane].edited_share(self.snapshot(plane)[0])

    def map_inputs(self, plane: int) -> Inputs:
        """What the color of the map as it is now is made of."""
        return self.inputs(self.snapshot(plane)[0])

    def inputs(self, labels: NDArray[np.uint8] | None) -> Inputs:
        """What color is made of a map with the settings as they are now."""
        window: Window = self.source.window(self.window)
        return Inputs(
            labels, window, self.saturation, self.version, self.weights
        )

    def map_fits(self) -> bool:
        """Whether the map has the size that the photo asks for."""
        if self.map is None:
            return False
        wanted = self.plane_shape(self.map_shape(self.size))
        return self.map.data.shape == wanted

    def map_at(self, plane: int) -> NDArray | None:
        """Copy of a plane of the map as it is, foreign ids too."""
        if self.map is None:
            return None
        return np.array(self.plane_of(self.map.data, plane))

    def map_changed(self, plane: int, before: NDArray | None) -> bool:
        """Whether a plane of the map is not any more what it was.

        Parameters
        ----------
        plane
            Which.
        before
            As ``map_at`` gave it.
        """
        now = self.map_at(plane)
        if now is None:
            return False
        if before is None:
            return bool(now.any())
        return not np.array_equal(now, before)

    @property
    def has_work(self) -> bool:
        """There is a map whose replacement one undo must bring back."""
        if self.map is None:
            return False
        return self.is_stack or self.edited_share(0) > 0

    # --- layers -----------------------------------------------------------

    def accept(self, painted: Painted, size: Size) -> None:
        """Show what a run gave: map first, then color."""
        found = painted.segmentation
        if found is not None:
            confidence = float(found.confidence.mean())
            self.take_map(painted.plane, found.labels, confidence, size)
        elif self.map is None:
            # Never for an edit: the person may have painted on meanwhile.
            self.put_map(painted.plane, painted.labels)
        self.show(painted)

    def take_map(
        self,
        plane: int,
        labels: NDArray[np.uint8],
        confidence: float | None,
        size: Size,
    ) -> None:
        """Show a predicted map (h, w) of a plane.

        Parameters
        ----------
        plane
            Which.
        labels
            Its new map.
        confidence
            Mean probability of it.
        size
            Working size that it was made for.
        """
        old = self.map
        if old is not None and old.data.shape != self.plane_shape(
            labels.shape
        ):
            # Another working size: the old map cannot hold the new one.
            self._remove(old)
        self.size = size
        # Before the map changes: what follows is no edit by a person.
        self.planes[plane].give(labels, confidence=confidence)
        self.put_map(plane, labels)

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
            for plane in range(self.source.planes):
                self.planes[plane].filled = True

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

    def replace_class(self, plane: int, old: int, new: int) -> None:
        """Turn a class of a plane into another one: ONE undoable step."""
        labels, _ = self.snapshot(plane)
        self.put_map(plane, np.where(labels == old, np.uint8(new), labels))

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
            **map_look(),
            **map_place(self.photo, self.source.shape, labels.shape),
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

    def show(self, painted: Painted) -> None:
        """Write patches of color into the color layer."""
        shape = (*self.plane_shape(self.source.shape), 3)
        if self.color is not None and self.color.data.shape != shape:
            # Somebody gave the layer other data.
            self._remove(self.color)
        if self.color is None:
            self._add_color()
        self.fill_gray(painted.plane, painted.patches)
        data = self.plane_of(self.color.data, painted.plane)
        for (y0, x0, y1, x1), pixels in painted.patches:
            data[y0:y1, x0:x1] = pixels
        known = self.planes[painted.plane]
        known.shown = painted.inputs
        known.outcome = None
        if painted.patches:
            self.refresh_color(thumbnail=painted.whole)

    def refresh_color(self, *, thumbnail: bool = True) -> None:
        """Draw the color layer; the thumbnail costs more than a stroke."""
        self.color.refresh(thumbnail=thumbnail, extent=False, highlight=False)

    def _add_color(self) -> None:
        data = np.zeros((*self.plane_shape(self.source.shape), 3), np.uint8)
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
        known = self.planes[plane]
        if self.color is None or known.filled:
            return False
        known.filled = True
        whole = (0, 0, *self.source.shape)
        if any(box == whole for box, _ in patches):
            return False
        photo = self.source.photo(plane, self.source.window(self.window))
        gray = np.rint(lab.lightness_to_gray(photo.lightness) * 255)
        self.plane_of(self.color.data, plane)[...] = gray[..., None]
        return True

    def forget_layer(self, layer: object) -> None:
        """One of our layers is gone, with all that was known by it."""
        if layer is None:
            return
        if layer == self.color:
            self.color = None
            self.painter.forget()
            self._forget(color=True)
        elif layer == self.map:
            self.map.events.data.disconnect(self._on_map_data)
            self.map = self._map_data = None
            self._forget(map_=True)

    def forget_pixels(self) -> None:
        """The photo's layer got other pixels: nothing known of them holds.

        Raises
        ------
        PhotoError
            If it is no photo any more.
        """
        self.version += 1
        self.painter.forget()
        self._forget(pixels=True)
        self.source = PhotoSource(self.photo)
        shape = (*self.plane_shape(self.source.shape), 3)
        if self.color is not None and self.color.data.shape != shape:
            self._remove(self.color)
        if self.map is not None and self.map.ndim != self.photo.ndim:
            self._remove(self.map)

    def _forget(self, **what: bool) -> None:
        for plane in self.planes.values():
            plane.forget(**what)

    def _remove(self, layer: Image | Labels) -> None:
        self.viewer.layers.remove(layer)
        self.forget_layer(layer)

    def owns(self, layer: object) -> bool:
        """Whether a layer is one of the three."""
        return layer is not None and layer in (
            self.photo,
            self.color,
            self.map,
        )

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

    def _on_moved(self) -> None:
        if self.color is not None:
            for name, value in same_place(self.photo).items():
                setattr(self.color, name, value)
        if self.map is not None:
            shape = self.map.data.shape[-2:]
            place = map_place(self.photo, self.source.shape, shape)
            for name, value in place.items():
                setattr(self.map, name, value)
