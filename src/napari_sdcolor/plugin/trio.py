"""One photo with its color and its map, and what is known of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image, Labels
from numpy.typing import NDArray

from napari_sdcolor.classes import N_CLASSES
from napari_sdcolor.core import lab
from napari_sdcolor.core.photo import working_shape
from napari_sdcolor.plugin.painter import Painted, Painter, Patch, ReadPhoto
from napari_sdcolor.plugin.photo_layers import METADATA_KEY, PhotoLayers
from napari_sdcolor.plugin.plane import Inputs, Plane
from napari_sdcolor.plugin.source import PhotoSource
from napari_sdcolor.settings import Settings, Size, window_words

if TYPE_CHECKING:
    from napari.components import ViewerModel


class Trio(PhotoLayers):
    """Photo, color and map as three layers that belong together.

    What is known of each plane of the photo and what a person chose for it
    is kept here, so that it ends with its layers.

    Parameters
    ----------
    viewer, photo
        See ``PhotoLayers``.

    Attributes
    ----------
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
    """

    def __init__(self, viewer: ViewerModel, photo: Image) -> None:
        super().__init__(viewer, photo)
        self.painter = Painter()
        self.planes: defaultdict[int, Plane] = defaultdict(Plane)
        self.size: Size = 0
        self.detail: Size | None = None
        self.saturation = 1.0
        self.window = 'auto'
        self.weights: str | None = None
        self.version = 0
        self.owner: object = None

    def unbind(self) -> None:
        """Stop following and free the memory of the session."""
        super().unbind()
        self.painter.forget()

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

    # --- what is known of a plane -----------------------------------------

    def reader(self, plane: int) -> ReadPhoto:
        """Reads the photo of a plane as it is at this moment.

        It brings along what the photo's file knows, see ``PhotoSource.read``.
        May take a while; safe in a worker, and good also when the layer is
        gone or got other pixels.
        """
        window = self.source.window(self.window)
        return partial(self.source.read, plane, window)

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

    def settings(self, base: Settings) -> Settings:
        """The settings that a result is a function of.

        Parameters
        ----------
        base
            Gives those that are no choice for a single photo.
        """
        # A map keeps the size that it was made for, whatever is preferred.
        return replace(
            base,
            saturation=self.saturation,
            window=window_words(self.source.window(self.window)),
            size=self.size or self.detail or base.size,
            weights=self.weights or base.weights,
        )

    def inputs(self, labels: NDArray[np.uint8] | None) -> Inputs:
        """What color is made of a map with the settings as they are now."""
        return Inputs(
            labels,
            self.source.window(self.window),
            self.saturation,
            self.version,
            self.weights,
        )

    def map_inputs(self, plane: int) -> Inputs:
        """What the color of the map as it is now is made of."""
        return self.inputs(self.snapshot(plane)[0])

    def edited_share(self, plane: int) -> float:
        """Share of a plane's map that a person changed, in [0, 1]."""
        if self.map is None:
            return 0.0
        return self.planes[plane].edited_share(self.snapshot(plane)[0])

    @property
    def has_work(self) -> bool:
        """There is a map whose replacement one undo must bring back."""
        if self.map is None:
            return False
        return self.is_stack or self.edited_share(0) > 0

    def saved_map(self, plane: int) -> Path | None:
        """File in which the map was saved, if it still holds this map."""
        path, saved = self.planes[plane].saved or (None, None)
        same = path is not None and np.array_equal(
            saved, self.snapshot(plane)[0]
        )
        return path if same else None

    def map_shape(self, size: Size) -> tuple[int, int]:
        """(h, w) of the map at a working size."""
        return working_shape(self.source.shape, size)

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

    # --- what comes from the worker ---------------------------------------

    def accept(self, painted: Painted, size: Size) -> None:
        """Show what a run gave: map first, then color."""
        found = painted.segmentation
        if found is not None:
            confidence = float(found.confidence.mean())
            self.take_map(painted.plane, found.labels, confidence, size)
        elif self.map is None:
            # Never for an edit: the person may have painted on meanwhile.
            self.put_map(painted.plane, painted.inputs.labels)
        self._show(painted)

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
        shape = self.plane_shape(labels.shape)
        if self.map is not None and self.map.data.shape != shape:
            # Another working size: the old map cannot hold the new one.
            self._remove(self.map)
        self.size = size
        # Before the map changes: what follows is no edit by a person.
        self.planes[plane].give(labels, confidence=confidence)
        self.put_map(plane, labels)

    def replace_class(self, plane: int, old: int, new: int) -> None:
        """Turn a class of a plane into another one: ONE undoable step."""
        labels, _ = self.snapshot(plane)
        self.put_map(plane, np.where(labels == old, np.uint8(new), labels))

    def _show(self, painted: Painted) -> None:
        """Bring patches of color on the screen."""
        color = self.color
        if color is not None and color.data.shape != self.color_shape():
            # Somebody gave the layer other data.
            self._remove(color)
        if self.color is None:
            self._add_color()
        self.fill_gray(painted.plane, painted.patches)
        self.write_color(painted.plane, painted.patches)
        known = self.planes[painted.plane]
        known.shown = painted.inputs
        known.outcome = None
        if painted.patches:
            self.refresh_color(thumbnail=painted.whole)

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

    # --- what goes --------------------------------------------------------

    def forget_layer(self, layer: Image | Labels) -> None:
        """One of our layers is gone, with all that was known by it."""
        is_color, is_map = layer == self.color, layer == self.map
        super().forget_layer(layer)
        if is_color:
            self.painter.forget()
        for plane in self.planes.values():
            plane.forget(color=is_color, map_=is_map)

    def forget_pixels(self) -> None:
        """The photo's layer got other pixels: nothing known of them holds.

        Raises
        ------
        PhotoError
            If it is no photo any more.
        """
        self.version += 1
        self.painter.forget()
        for plane in self.planes.values():
            plane.forget(pixels=True)
        self.source = PhotoSource(self.photo)
        color = self.color
        if color is not None and color.data.shape != self.color_shape():
            self._remove(color)
        if self.map is not None and self.map.ndim != self.photo.ndim:
            self._remove(self.map)
