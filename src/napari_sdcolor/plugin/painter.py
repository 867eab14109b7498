"""The worker's side of one photo: networks in, patches of color out.

A painter is used by one thread at a time, the worker's. It never touches
a layer that is shown.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_sdcolor.core.planes import Box
from napari_sdcolor.errors import DeviceError
from napari_sdcolor.plugin.plane import Inputs
from napari_sdcolor.settings import Settings

if TYPE_CHECKING:
    from napari_sdcolor.core.engine import Colorizer
    from napari_sdcolor.core.photo import Photo
    from napari_sdcolor.core.recolor import RecolorSession
    from napari_sdcolor.core.results import Segmentation
    from napari_sdcolor.plugin.engine import Engine

Patch = tuple[Box, NDArray[np.uint8]]
"""A box of the photo and its new RGB pixels."""

ReadPhoto = Callable[[], 'Photo']


@dataclass(frozen=True, eq=False)
class Painted:
    """What a run or an edit gave.

    Parameters
    ----------
    plane
        Plane of the stack, 0 for a single photo.
    inputs
        What the color was made of; its map is never None.
    patches
        Changed parts of the picture.
    photo
        The photo as it was understood.
    segmentation
        A fresh prediction, if there was one.
    """

    plane: int
    inputs: Inputs
    patches: list[Patch]
    photo: Photo
    segmentation: Segmentation | None = None

    @property
    def whole(self) -> bool:
        """The patches cover the whole photo; else they follow an edit."""
        return any(box == (0, 0, *self.photo.shape) for box, _ in self.patches)


class Painter:
    """Keeps the recolor session of the plane that is being edited."""

    def __init__(self) -> None:
        self.session: RecolorSession | None = None
        self._key: object = None
        # Held while the session is used, and while it is closed.
        self._used = threading.RLock()
        self._unwanted = False
        # Set by the GUI thread when a result was dropped: the next one must
        # bring the whole picture.
        self.unseen = False

    def color(
        self,
        engine: Engine,
        plane: int,
        wanted: Inputs,
        reader: ReadPhoto,
        settings: Settings,
        report: Callable[[str], None],
    ) -> Painted:
        """Segment a plane if it has no map yet, then color it.

        Parameters
        ----------
        engine
            Lends the networks.
        plane
            Which, for the result.
        wanted
            What the color is to be made of; ``labels`` is None if the map
            is still to be predicted.
        reader
            Gives the photo.
        settings
            Which networks, and how.
        report
            Takes progress words.
        """
        report('Loading the networks…')
        colorizer = engine.get(settings)
        read = cache(reader)
        segmentation, labels = None, wanted.labels
        if labels is None:
            self.forget()
            report('Finding what is in the photo…')
            segmentation = colorizer.segment(read(), steady=False)
            labels = segmentation.labels
        report('Coloring…')
        paint = partial(
            self.paint,
            key=(plane, wanted.window, wanted.version),
            read=read,
            labels=labels,
            saturation=wanted.saturation,
            memory=settings.memory,
        )
        try:
            photo, patches = paint(colorizer)
        except DeviceError as error:
            self.forget()
            report('Going on with the CPU…')
            photo, patches = paint(engine.fall_back(settings, error))
        inputs = replace(wanted, labels=labels)
        return Painted(plane, inputs, patches, photo, segmentation)

    def paint(
        self,
        colorizer: Colorizer,
        key: object,
        read: ReadPhoto,
        labels: NDArray[np.uint8],
        saturation: float,
        memory: float = Settings.memory,
    ) -> tuple[Photo, list[Patch]]:
        """Color a plane, or what an edit changed of it.

        Parameters
        ----------
        colorizer
            The networks.
        key
            Names plane, tone window and pixels; another key starts anew.
        read
            Gives the photo when a session starts.
        labels
            (h, w) uint8 map.
        saturation
            Factor on the chroma.
        memory
            MiB that a session may keep, see ``Settings.memory``.
        """
        try:
            with self._used:
                return self._paint(
                    colorizer, key, read, labels, saturation, memory
                )
        finally:
            self._close_unwanted()

    def _paint(
        self,
        colorizer: Colorizer,
        key: object,
        read: ReadPhoto,
        labels: NDArray[np.uint8],
        saturation: float,
        memory: float,
    ) -> tuple[Photo, list[Patch]]:
        self._close_unwanted()
        session = self.session
        unseen, self.unseen = self.unseen, False
        if (
            session is None
            or key != self._key
            or session.colorizer is not colorizer
        ):
            # The screen shows 8 bits; saving computes the full depth.
            photo = replace(read(), bits=8)
            # Free the memory of the old one before the new one asks for it.
            self.forget()
            self.session = session = colorizer.session(
                photo, labels, saturation=saturation, memory=memory
            )
            self._key = key
            return photo, [((0, 0, *photo.shape), session.rgb.copy())]
        boxes = [session.photo_box(box) for box in session.update(labels)]
        if session.saturation != saturation:
            session.set_saturation(saturation)
            unseen = True
        if unseen:
            boxes = [(0, 0, *session.photo.shape)]
        return session.photo, [
            ((y0, x0, y1, x1), session.rgb[y0:y1, x0:x1].copy())
            for y0, x0, y1, x1 in boxes
        ]

    def forget(self) -> None:
        """Close the session, from any thread, without ever waiting.

        A thread that is just using it comes to its end, and closes it then.
        """
        self._unwanted = True
        self._close_unwanted()

    def _close_unwanted(self) -> None:
        # Asked again after each turn: who found the session in use has gone
        # and relies on its user.
        while self._unwanted and self._used.acquire(blocking=False):
            try:
                self._unwanted = False
                session, self.session, self._key = self.session, None, None
                if session is not None:
                    session.close()
            finally:
                self._used.release()


def fingerprint(photo: Photo) -> str:
    """Names a photo by its content, for finding its autosaved map."""
    digest = hashlib.sha256(repr(photo.shape).encode())
    digest.update(np.ascontiguousarray(photo.lightness).data)
    return digest.hexdigest()[:32]
